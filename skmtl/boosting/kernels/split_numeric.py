"""The best threshold of one ordered feature, missing values on either side."""

from __future__ import annotations

import numpy as np
from numba import njit

from .score import TIE, child_scores, row_weight


@njit(cache=True, nogil=True)
def _scan_counts(codes, missing, total, shift, unit, settings, best_score):
    """Scan thresholds where a single channel holds all: one output, rows of weight 1, Hessians of 1.

    codes : int64 (n_bins,), words of the bins; missing : int64, word of what goes left beside them; total : int64, word
    of the node. Twin of `_scan_one_output`, because most fits spend their time here.
    """
    mask = (np.int64(1) << shift) - 1
    l2 = settings.l2
    least = max(np.int64(np.ceil(max(settings.min_weight, settings.min_hessian) - 1e-9)), 1)
    most = (total & mask) - least
    g_total, h_total = (total >> shift) * unit, np.float64(total & mask) + 2.0 * l2
    threshold = -1
    limit = best_score + TIE * abs(best_score)
    left = missing
    b, n_bins = 0, codes.shape[0]
    while b < n_bins:
        left += codes[b]
        if left & mask >= least:
            break
        b += 1
    while b < n_bins:
        count = left & mask
        if count > most:
            break
        g, a = (left >> shift) * unit, count + l2
        g_right, c = g_total - g, h_total - a
        # g² / a + g_right² / c > limit, without a division. Bins without rows are not skipped: they repeat the score
        # before them, and the test would cost more.
        gain, area = g * g * c + g_right * g_right * a, a * c
        if gain > limit * area:
            best_score, threshold = gain / area, b
            limit = best_score + TIE * abs(best_score)
        b += 1
        if b < n_bins:
            left += codes[b]
    return best_score, threshold


@njit(cache=True, nogil=True)
def _scan_one_output(histograms, begin, n_bins, with_missing, total, data, settings, best_score):
    """Scan thresholds for one output without monotonic constraint; see `best_threshold`.

    Twin of the general scan with everything in scalars, because most fits spend their time here.
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
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
    threshold = -1
    limit = best_score + TIE * abs(best_score)
    codes = histograms[begin : begin + n_bins * n_channels]
    for b in range(n_bins):
        # Bins without rows are not skipped: they repeat the score before them, and the test would cost more.
        a0 += codes[b * n_channels]
        if n_channels > 1:
            a1 += codes[b * n_channels + 1]
            if n_channels > 2:
                a2 += codes[b * n_channels + 2]
        if data.weighted:
            w = (a2 if n_channels > 2 else a1) * data.weight_unit
        else:
            w = np.float64(a0 & mask)
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
        # g² / a + g_right² / b > limit, without a division.
        a, c = h + l2, h_right + l2
        gain, area = g * g * c + g_right * g_right * a, a * c
        if gain > limit * area:
            best_score, threshold = gain / area, b
            limit = best_score + TIE * abs(best_score)
    return best_score, threshold


@njit(cache=True, nogil=True)
def _scan(histograms, begin, n_bins, with_missing, total, data, settings, monotonic, lower, upper, left, best_score):
    """Scan thresholds in general; `left`, int64 (n_channels,), is scratch."""
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    w_total = row_weight(total, data)
    for c in range(n_channels):
        left[c] = histograms[begin + n_bins * n_channels + c] if with_missing else 0
    threshold = -1
    for b in range(n_bins):
        j = begin + b * n_channels
        if histograms[j] & mask == 0:
            continue
        for c in range(n_channels):
            left[c] += histograms[j + c]
        w = row_weight(left, data)
        if w < settings.min_weight:
            continue
        if w_total - w < settings.min_weight:
            break
        score = child_scores(left, total, data, settings, monotonic, lower, upper)
        if score > best_score + TIE * abs(best_score):
            best_score, threshold = score, b
    return best_score, threshold


@njit(cache=True, nogil=True)
def _half_way(histograms, begin, n_channels, n_bins, mask, threshold):
    """Move a threshold to the middle of the gap between the bins with rows on its two sides."""
    for b in range(threshold + 1, n_bins):
        if histograms[begin + b * n_channels] & mask != 0:
            return (threshold + b) // 2
    return n_bins - 1  # Only missing values are right of the split.


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
        if plain and n_channels == 1:
            codes = histograms[begin : begin + n_bins]
            missing = histograms[begin + n_bins] if with_missing == 1 else np.int64(0)
            score, found = _scan_counts(codes, missing, total[0], data.shift, data.gradient_unit, settings, best_score)
        elif plain:
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
    if threshold >= 0:
        threshold = _half_way(histograms, begin, n_channels, n_bins, mask, threshold)
    return best_score, threshold, missing_left
