"""The best split of a node over its candidate features."""

from __future__ import annotations

import numpy as np
from numba import njit

from .random import sample_front, sort_front
from .score import TIE, node_score, row_weight
from .split_categorical import best_subset
from .split_numeric import best_threshold


@njit(cache=True, nogil=True)
def candidate_features(table, settings, allowed_groups, candidates, state):
    """Write the features that the node may split on to the front of `candidates`, in ascending order.

    allowed_groups : uint8 (n_groups,), the interaction groups still open on this path. Returns their number and the
    next state of the generator.
    """
    n = 0
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


@njit(cache=True, nogil=True)
def find_split(table, data, settings, histograms, slot, total, nodes, node, candidates, n_candidates, left, codes):
    """Find the node's best split and write it to `nodes`; returns its gain, 0 where there is none.

    total, left : int64 (n_channels,), sums of the node and scratch; codes : uint32 (CODE_WORDS,), scratch
    """
    lower, upper = nodes.lower[node], nodes.upper[node]
    n_channels = total.shape[0]
    base = slot * table.offsets[-1] * n_channels
    parent = node_score(total, data, settings.l2, lower, upper)
    # A gain that rounding alone could explain is none.
    start_score = parent + TIE * abs(parent)
    best_score = start_score
    nodes.feature[node] = -1
    weight = row_weight(total, data)
    if weight < 2.0 * settings.min_weight:
        return 0.0
    heavier_unknown = False
    for i in range(n_candidates):
        f = candidates[i]
        begin = base + table.offsets[f] * n_channels
        if table.categorical[f]:
            score, found = best_subset(
                histograms, begin, table.n_bins[f], total, data, settings, lower, upper, left, best_score, codes
            )
            if found:
                best_score = score
                nodes.feature[node] = f
                nodes.categorical[node] = 1
                nodes.threshold[node] = 0
                nodes.missing_left[node] = (codes[table.n_bins[f] >> 5] >> np.uint32(table.n_bins[f] & 31)) & np.uint32(
                    1
                )
                nodes.left_codes[node, :] = codes
                heavier_unknown = False
        else:
            score, threshold, missing_left = best_threshold(
                histograms,
                begin,
                table.n_bins[f],
                total,
                data,
                settings,
                table.monotonic[f],
                lower,
                upper,
                left,
                best_score,
            )
            if threshold >= 0:
                best_score = score
                nodes.feature[node] = f
                nodes.categorical[node] = 0
                nodes.threshold[node] = threshold
                nodes.missing_left[node] = max(missing_left, 0)
                heavier_unknown = missing_left < 0
    if nodes.feature[node] < 0:
        return 0.0
    if heavier_unknown:
        # The node has no missing value to learn from: send those to come with the heavier child.
        f = nodes.feature[node]
        begin = base + table.offsets[f] * n_channels
        left[:] = 0
        for b in range(nodes.threshold[node] + 1):
            for c in range(n_channels):
                left[c] += histograms[begin + b * n_channels + c]
        nodes.missing_left[node] = 2.0 * row_weight(left, data) > weight
    return best_score - parent
