"""The best threshold of one ordered feature, missing values on either side."""

from __future__ import annotations

import numpy as np
from numba import njit

from .score import TIE, child_scores, row_weight


@njit(cache=True, nogil=True)
def _scan_one_output(histograms, begin, n_bins, with_missing, total, data, settings, best_score):
    """Scan thresholds for one output without monotonic constraint; see `best_threshold`.

    Twin of the general scan with everything in scalars, because most fits spend their time here.
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    n_rows = total[0] & mask
    g_total = (total[0] >> data.shift) * data.gradient_unit
    w_total = row_weight(total, data)
    h_total = total[1] * data.hessian_unit if data.own_hessian else w_total
    l2, min_weight, min_hessian = settings.l2, settings.min_weight, settings.min_hessian
    a0, a1, a2 = np.int64(0), np.int64(0), np.int64(0)
    if with_missing:
        j = begin + n_bins * n_channels
        a0 = histograms[j]
        a1 = histograms[j + 1] if n_channels > 1 else a1
        a2 = histograms[j + 2] if n_channels > 2 else a2
    threshold, last, pending = -1, -1, False
    for b in range(n_bins):
        j = begin + b * n_channels
        word = histograms[j]
        if word & mask == 0:
            continue
        if pending:  # The best split lies between `last` and this bin: cut half-way.
            threshold, pending = (last + b) // 2, False
        last = b
        a0 += word
        if n_channels > 1:
            a1 += histograms[j + 1]
            if n_channels > 2:
                a2 += histograms[j + 2]
        count = a0 & mask
        if count == n_rows:
            break
        if data.weighted:
            w = (a2 if n_channels > 2 else a1) * data.weight_unit
        else:
            w = np.float64(count)
        if w < min_weight:
            continue
        if w_total - w < min_weight:
            break
        h = a1 * data.hessian_unit if data.own_hessian else w
        h_right = h_total - h
        if h < min_hessian or h_right < min_hessian:
            continue
        g = (a0 >> data.shift) * data.gradient_unit
        g_right = g_total - g
        score = g * g / (h + l2) + g_right * g_right / (h_right + l2)
        if score > best_score + TIE * abs(best_score):
            best_score, pending = score, True
    if pending:  # Only missing values are right of the split.
        threshold = n_bins - 1
    return best_score, threshold


@njit(cache=True, nogil=True)
def _scan(histograms, begin, n_bins, with_missing, total, data, settings, monotonic, lower, upper, left, best_score):
    """Scan thresholds in general; `left`, int64 (n_channels,), is scratch."""
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    n_rows = total[0] & mask
    w_total = row_weight(total, data)
    for c in range(n_channels):
        left[c] = histograms[begin + n_bins * n_channels + c] if with_missing else 0
    threshold, last, pending = -1, -1, False
    for b in range(n_bins):
        j = begin + b * n_channels
        if histograms[j] & mask == 0:
            continue
        if pending:
            threshold, pending = (last + b) // 2, False
        last = b
        for c in range(n_channels):
            left[c] += histograms[j + c]
        if left[0] & mask == n_rows:
            break
        w = row_weight(left, data)
        if w < settings.min_weight:
            continue
        if w_total - w < settings.min_weight:
            break
        score = child_scores(left, total, data, settings, monotonic, lower, upper)
        if score > best_score + TIE * abs(best_score):
            best_score, pending = score, True
    if pending:  # Only missing values are right of the split.
        threshold = n_bins - 1
    return best_score, threshold


@njit(cache=True, nogil=True)
def best_threshold(histograms, begin, n_bins, total, data, settings, monotonic, lower, upper, left, best_score):
    """Best split of one ordered feature.

    Parameters
    ----------
    histograms : int64, with the feature's codes from index `begin` on
    total : int64 (n_channels,), sums of the node
    left : int64 (n_channels,), scratch
    best_score : float, the score to beat

    Returns
    -------
    score, threshold, missing_left
        `threshold` is -1 where no split beats `best_score`. `missing_left` is -1 where the node has no missing value.
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    some_missing = histograms[begin + n_bins * n_channels] & mask != 0
    plain = data.n_outputs == 1 and monotonic == 0 and lower == -np.inf and upper == np.inf
    threshold, missing_left = -1, -1
    for with_missing in range(2 if some_missing else 1):
        if plain:
            score, found = _scan_one_output(
                histograms, begin, n_bins, with_missing == 1, total, data, settings, best_score
            )
        else:
            score, found = _scan(
                histograms,
                begin,
                n_bins,
                with_missing == 1,
                total,
                data,
                settings,
                monotonic,
                lower,
                upper,
                left,
                best_score,
            )
        if found >= 0:
            best_score, threshold = score, found
            missing_left = with_missing if some_missing else -1
    return best_score, threshold, missing_left
