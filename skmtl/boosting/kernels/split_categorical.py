"""The best subset of the categories of one feature.

For one output, ordering the categories by gradient over Hessian makes the best subset a prefix (Fisher, "On grouping
for maximum homogeneity", 1958). For several outputs the order of each output is tried in turn.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import allocating, borrowing
from .score import TIE, child_scores, output_gradient, output_hessian, row_weight

#: Added to the Hessian of a category when categories are ordered, so that those of few rows do not come first and last
#: by chance.
_SMOOTHING = 10.0
#: Categories of less weight in the node than this, or than a leaf must have if that is less, count as one: their order
#: would be that of their noise, and a column of names, all different, would explain anything.
_SUPPORT = 10.0
#: Stands for all of them together.
_RARE = -1


@borrowing
def least_support(settings):
    """Least weight of a category that is looked at by itself."""
    return min(_SUPPORT, settings.min_weight)


@borrowing
def sort_by_keys(order, keys, n):
    """Sort the first `n` entries of both by the keys; stable. They are few, and NumPy's sort is slow to compile."""
    for p in range(1, n):
        code, key = order[p], keys[p]
        q = p
        while q > 0 and keys[q - 1] > key:
            order[q], keys[q] = order[q - 1], keys[q - 1]
            q -= 1
        order[q], keys[q] = code, key


@borrowing
def _set_bit(codes, code, value):
    """Set or clear the bit of a code."""
    bit = np.uint32(1) << np.uint32(code & 31)
    if value:
        codes[code >> 5] |= bit
    else:
        codes[code >> 5] &= ~bit


@allocating
def best_subset(histograms, begin, n_bins, total, data, settings, lower, upper, left, best_score, left_codes):
    """Best split of one categorical feature; missing values are one more category.

    Returns the score and whether the split beats `best_score`; the codes that go left are written as bits to
    `left_codes`, uint32 (CODE_WORDS,). Codes without a row in the node go with the heavier child.
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    w_total, least = row_weight(total, data), least_support(settings)
    present, rare = np.empty(n_bins + 1, np.int64), np.zeros(n_channels, np.int64)
    n_present = 0
    for code in range(n_bins + 1):
        j = begin + code * n_channels
        if histograms[j] & mask == 0:
            continue
        if row_weight(histograms[j : j + n_channels], data) < least:
            for c in range(n_channels):
                rare[c] += histograms[j + c]
        else:
            present[n_present] = code
            n_present += 1
    if rare[0] != 0:
        present[n_present] = _RARE
        n_present += 1
    if n_present < 2:
        return best_score, False
    found = False
    best_order, best_length, heavy_left = present[:n_present].copy(), 0, False
    keys = np.empty(n_present)
    for k in range(data.n_outputs):
        for p in range(n_present):
            j = begin + present[p] * n_channels
            sums = rare if present[p] == _RARE else histograms[j : j + n_channels]
            keys[p] = output_gradient(sums, k, data) / (output_hessian(sums, k, data) + _SMOOTHING)
        order = present[:n_present].copy()
        sort_by_keys(order, keys, n_present)
        left[:] = 0
        for p in range(n_present - 1):
            j = begin + order[p] * n_channels
            for c in range(n_channels):
                left[c] += rare[c] if order[p] == _RARE else histograms[j + c]
            w = row_weight(left, data)
            if w < settings.min_weight:
                continue
            if w_total - w < settings.min_weight:
                break
            score = child_scores(left, total, data, settings, 0, lower, upper)
            if score > best_score + TIE * abs(best_score):
                best_score, found = score, True
                best_order, best_length, heavy_left = order, p + 1, w > w_total - w
    if found:
        rare_left = False
        for p in range(best_length):
            rare_left = rare_left or best_order[p] == _RARE
        for code in range(n_bins + 1, 32 * left_codes.shape[0]):
            _set_bit(left_codes, code, heavy_left)
        for code in range(n_bins + 1):
            _set_bit(left_codes, code, rare_left if histograms[begin + code * n_channels] & mask != 0 else heavy_left)
        for p in range(n_present):
            if best_order[p] != _RARE:
                _set_bit(left_codes, best_order[p], p < best_length)
    return best_score, found
