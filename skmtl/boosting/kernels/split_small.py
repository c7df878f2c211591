"""The best split of a node of a small tree; see `grow_small`."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, embedded
from .random import sample_front, sort_front
from .score import TIE, node_score, row_weight
from .split import score_to_beat
from .split_numeric import N_CODES, score_counts, score_weights


@borrowing
def _bound_of(best, scores, bits):
    """What a score must exceed to count as better, as a float and as bits; see `score.TIE`."""
    bound = best + TIE * abs(best)
    scores[-1] = bound
    return bound, max(bits[-1], np.int64(0))


@borrowing
def _first_best(scores, bits, begin, end, bound, bound_bits):
    """Twin of `split_numeric._first_best`, for the scores from `begin` to `end`: the best and its place, or -1.

    Most features have no score above the bound, for which integers are compared alone.
    """
    largest = np.int64(0)
    for j in range(np.uint64(begin), np.uint64(end)):
        largest = max(largest, bits[j])
    if largest <= bound_bits:
        return bound, np.int64(-1)
    bits[-1] = largest
    highest = scores[-1]
    if not highest > bound:
        return bound, np.int64(-1)
    least = highest * (1.0 - TIE)
    found = np.uint64(begin)
    while scores[found] < least:
        found += np.uint64(1)
    return scores[found], np.int64(found)


@borrowing
def _first_of_all(scores, bits, size, bound, bound_bits):
    """Place of the best of the first `size` scores, whose features are gone through as one.

    It is where going through them feature by feature ends, too, unless another score comes so close to the highest one
    that it matters which is compared with which: -2. And -1 where none is above the bound.
    """
    largest = np.int64(0)
    for j in range(np.uint64(size)):
        largest = max(largest, bits[j])
    if largest <= bound_bits:
        return np.int64(-1)
    bits[-1] = largest
    highest = scores[-1]
    surely = highest * (1.0 - 0.5 * TIE)
    if not surely > bound:
        return np.int64(-2)
    scores[-1] = highest * (1.0 - 3.0 * TIE)
    nearly = bits[-1]
    found = np.uint64(0)
    while bits[found] < nearly:
        found += np.uint64(1)
    return np.int64(found) if scores[found] >= surely else np.int64(-2)


@embedded
def _score(sums, stride, n, total, data, settings, least, scores):
    """Score of each threshold with sums ``sums[:n]`` on its left, channels `stride` apart."""
    if total.shape[0] == 1:
        score_counts(sums, n, total[0], data.shift, data.gradient_unit, settings.l2, least, scores)
    else:
        score_weights(sums, stride, n, total.shape[0], total, data, settings, scores)


@embedded
def draw_candidates(n_bins, table_n_bins, settings, candidates, state):
    """Features to look at, ascending, to the front of `candidates`; how many, whether all, and the generator's state.

    Draws what `candidate_features` draws.
    """
    n = np.int64(0)
    for f in range(n_bins.shape[0]):
        candidates[n] = f
        if n_bins[f] > 0 and table_n_bins[f] > 0:
            n += 1
    if settings.n_candidates >= n:
        return n, True, state
    state = sample_front(candidates, n, settings.n_candidates, state)
    sort_front(candidates, settings.n_candidates)
    return np.int64(settings.n_candidates), False, state


@borrowing
def _sum_missing(left, last, size, total, missing):
    """Sum the words of the rows that lack a feature, whose last code but the missing one is at `last`."""
    for c in range(total.shape[0]):
        missing[c] = total[c] - left[last + c * size]


@embedded
def split_node(
    offsets, n_bins, size, some_missing, candidates, n_candidates, whole, left, base, total, data, settings, least,
    scores, bits, shifted, missing, found,
):  # fmt: skip
    """Find the best split of a node, whose sums begin at ``left[base]``; returns its gain, 0 where there is none.

    See `split_features` and `choose_split`, whose choice it is. Writes the feature, the threshold, which is a code of
    the unit, and whether missing values go left to `found`.

    whole : whether all features with a code are candidates; then their codes are gone through as one
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    start = score_to_beat(total, data, settings, -np.inf, np.inf)
    for a in range(1 if whole else n_candidates):
        f = candidates[a]
        begin, end = (np.int64(0), size) if whole else (offsets[f], offsets[f + 1])
        _score(left[base + begin :], size, end - begin, total, data, settings, least, scores[begin:])
    best, feature, place, side = start, np.int64(-1), np.int64(-1), np.int64(-1)
    bound, bound_bits = _bound_of(best, scores, bits)
    found[0], found[1], found[2] = -1, 0, 0
    first = np.int64(-2)
    if whole and not some_missing:
        first = _first_of_all(scores, bits, size, bound, bound_bits)
        if first == -1:
            return 0.0
        if first >= 0:
            best, place, feature = scores[first], first, np.int64(0)
            while offsets[feature + 1] <= place:
                feature += 1
            n_candidates = np.int64(0)
    for a in range(np.uint64(n_candidates)):
        f = np.uint64(candidates[a])
        begin, end = offsets[f], offsets[f + np.uint64(1)]
        here = np.int64(0)
        if some_missing:
            _sum_missing(left, base + begin + n_bins[f] - 1, size, total, missing)
            here = missing[0] & mask
        if here == 0:
            # Of no use unless better than the best so far.
            score, at = _first_best(scores, bits, begin, end, bound, bound_bits)
            found_side = np.int64(-1)
        else:
            n = np.int64(n_bins[f])
            first_bound, first_bits = _bound_of(start, scores, bits)
            score, at = _first_best(scores, bits, begin, begin + n, first_bound, first_bits)
            found_side = np.int64(0)
            for c in range(n_channels):
                for b in range(n):
                    shifted[c * N_CODES + b] = left[base + c * size + begin + b] + missing[c]
            _score(shifted, np.int64(N_CODES), n, total, data, settings, least, scores[begin:])
            second_bound, second_bits = _bound_of(score if at >= 0 else start, scores, bits)
            other, other_at = _first_best(scores, bits, begin, begin + n, second_bound, second_bits)
            if other_at >= 0:
                score, at, found_side = other, other_at, np.int64(1)
        if at >= 0 and (feature < 0 or score > bound):
            best, feature, place, side = score, np.int64(f), at, found_side
            bound, bound_bits = _bound_of(best, scores, bits)
    if feature < 0:
        return 0.0
    found[0] = feature
    begin, n = offsets[feature], np.int64(n_bins[feature])
    if side < 0:
        for c in range(n_channels):
            missing[c] = left[base + c * size + place]
        side = np.int64(2.0 * row_weight(missing, data) > row_weight(total, data))
    # Half-way to the next code that the node has; if it has none, only missing values are on the right.
    here = left[base + place] & mask
    threshold = n - 1
    for b in range(place - begin + 1, n):
        if left[base + begin + b] & mask != here:
            threshold = (place - begin + b) // 2
            break
    found[1], found[2] = threshold, side
    return best - node_score(total, data, settings.l2, -np.inf, np.inf)
