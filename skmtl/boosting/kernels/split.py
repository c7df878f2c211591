"""The best split of a node over its candidate features."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, embedded
from .random import normal, sample_front, sort_front
from .score import TIE, node_score, row_weight
from .split_categorical import best_subset
from .split_numeric import (
    FEW_BINS,
    N_CODES,
    best_of_few,
    best_threshold,
    few_sums,
    half_way,
    least_count,
    score_few,
    threshold_by_counts,
)
from .types import CODE_WORDS

#: Stands in for the side of missing values while a feature waits for its scores.
_WAITS = -2


@borrowing
def candidate_features(table, settings, allowed_groups, candidates, state):
    """Write the features that the node may split on to the front of `candidates`, in ascending order.

    allowed_groups : uint8 (n_groups,), the interaction groups still open on this path. Returns their number and the
    next state of the generator.
    """
    n = np.int64(0)
    n_groups = table.groups.shape[0]
    for a in range(table.active.shape[0]):
        f = table.active[a]
        allowed = n_groups == 0
        for group in range(n_groups):
            if allowed_groups[group] and table.groups[group, f]:
                allowed = True
                break
        if allowed:
            candidates[n] = f
            n += 1
    if settings.n_candidates < n:
        state = sample_front(candidates, n, settings.n_candidates, state)
        n = settings.n_candidates
        sort_front(candidates, n)
    return n, state


@borrowing
def score_to_beat(total, data, settings, lower, upper):
    """What the children must score to be worth a split: a gain that rounding alone could explain is none."""
    parent = node_score(total, data, settings.l2, lower, upper)
    return parent + TIE * abs(parent)


@borrowing
def _split_few(table, columns, first, stop, start, tried, scores, cuts, found_scores):
    """Find the best splits of those of the features ``columns[first:stop]`` that wait for it; see `split_features`."""
    for a in range(np.uint64(first), np.uint64(stop)):
        f = np.uint64(columns[a])
        if tried[f] and cuts[f, 1] == _WAITS:
            n_bins = np.int64(table.n_bins[f])
            scores[f], cuts[f, 0] = best_of_few(found_scores, cuts[f, 0], n_bins, start)
            cuts[f, 1] = -1


@embedded
def split_features(
    table,
    columns,
    first,
    stop,
    data,
    settings,
    histograms,
    base,
    total,
    lower,
    upper,
    tried,
    scores,
    cuts,
    subsets,
    sums,
    found_scores,
    words,
):
    """Find the best split of each of the features ``columns[first:stop]`` that are to be tried.

    Features do not know of each other, so that it does not matter who looks at which.

    Parameters
    ----------
    histograms : int64, the node's from index `base` on
    total : int64 (n_channels,), sums of the node
    lower, upper : float, bounds of the node
    tried : uint8 (n_features,)
    scores : float64 (n_features,), out
    cuts : int64 (n_features, 2), out: threshold and side of missing values (-1: none in the node); for a subset 0 and
        its side; -1 for both where there is no split
    subsets : uint32 (n_features, CODE_WORDS), out: categories that go left
    sums, found_scores, words : scratch, see `best_threshold`
    """
    n_channels = total.shape[0]
    start = score_to_beat(total, data, settings, lower, upper)
    by_counts = n_channels == 1 and data.n_outputs == 1 and lower == -np.inf and upper == np.inf
    word, shift, unit = total[0], data.shift, data.gradient_unit
    l2, least = settings.l2, least_count(settings)
    mask = (np.int64(1) << shift) - 1
    waiting, n_waiting = first, np.int64(0)
    for a in range(np.uint64(first), np.uint64(stop)):
        f = np.uint64(columns[a])
        if not tried[f]:
            continue
        n_bins = np.int64(table.n_bins[f])
        begin = base + table.offsets[f] * n_channels
        few = by_counts and 1 < n_bins <= FEW_BINS and table.monotonic[f] == 0 and not table.categorical[f]
        if few and histograms[begin + n_bins] & mask == 0:
            cuts[f, 0], cuts[f, 1] = n_waiting, _WAITS
            n_waiting = few_sums(histograms, begin, n_bins, sums, n_waiting)
            if n_waiting > N_CODES - 1 - FEW_BINS:
                score_few(sums, n_waiting, word, shift, unit, l2, least, found_scores)
                _split_few(table, columns, waiting, np.int64(a) + 1, start, tried, scores, cuts, found_scores)
                waiting, n_waiting = np.int64(a) + 1, np.int64(0)
            continue
        if table.categorical[f]:
            score, found = best_subset(
                histograms, begin, n_bins, total, data, settings, lower, upper, sums[:n_channels], start, subsets[f]
            )
            threshold, missing_left = -1, -1
            if found:
                threshold = 0
                missing_left = np.int64((subsets[f, n_bins >> 5] >> np.uint32(n_bins & 31)) & np.uint32(1))
        elif by_counts and table.monotonic[f] == 0:
            score, threshold, missing_left = threshold_by_counts(
                histograms, begin, n_bins, word, shift, unit, l2, least, start, sums, found_scores, words
            )
        else:
            score, threshold, missing_left = best_threshold(
                histograms,
                begin,
                n_bins,
                total,
                data,
                settings,
                table.monotonic[f],
                lower,
                upper,
                start,
                sums,
                found_scores,
                words,
            )
        scores[f], cuts[f, 0], cuts[f, 1] = score, threshold, missing_left
    if n_waiting > 0:
        score_few(sums, n_waiting, word, shift, unit, l2, least, found_scores)
        _split_few(table, columns, waiting, stop, start, tried, scores, cuts, found_scores)


@embedded
def choose_split(
    table, data, settings, histograms, base, total, nodes, node, tried, scores, cuts, subsets, left, state
):
    """Write the best of the features' splits to `nodes`; returns its gain, 0 where there is none, and the next state.

    See `split_features`. Of equal ones the first feature's counts; with noise in the settings, normal numbers decide
    between splits that are nearly equal. `left`, int64 (at least n_channels,), is scratch; `state` is that of a
    generator.
    """
    n_channels = total.shape[0]
    lower, upper = nodes.lower[node], nodes.upper[node]
    best, feature = 0.0, -1
    for f in range(tried.shape[0]):
        if not tried[f] or cuts[f, 0] < 0:
            continue
        score = scores[f]
        if settings.noise > 0.0:
            number, state = normal(state)
            score += settings.noise * number
        if feature < 0 or score > best + TIE * abs(best):
            best, feature = score, f
    nodes.feature[node] = feature
    if feature < 0:
        return 0.0, state
    n_bins = table.n_bins[feature]
    begin = base + table.offsets[feature] * n_channels
    nodes.categorical[node] = table.categorical[feature]
    if table.categorical[feature]:
        nodes.threshold[node], nodes.missing_left[node] = 0, cuts[feature, 1]
        for word in range(CODE_WORDS):
            nodes.left_codes[node, word] = subsets[feature, word]
    else:
        last = cuts[feature, 0]
        nodes.threshold[node] = half_way(histograms, begin, n_channels, n_bins, data.shift, last)
        nodes.missing_left[node] = cuts[feature, 1]
        if cuts[feature, 1] < 0:
            # The node has no missing value to learn from: send those to come with the heavier child.
            left = left[:n_channels]
            left[:] = 0
            for b in range(last + 1):
                for c in range(n_channels):
                    left[c] += histograms[begin + b * n_channels + c]
            nodes.missing_left[node] = 2.0 * row_weight(left, data) > row_weight(total, data)
    return scores[feature] - node_score(total, data, settings.l2, lower, upper), state
