"""The best threshold of one ordered feature, missing values on either side."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, embedded
from .score import TIE, child_scores, output_gradient, output_hessian, row_weight

#: Codes that a feature may have.
N_CODES = 256
#: With so many codes or fewer a feature is looked at together with others.
FEW_BINS = 8
#: Sums that a scan writes: a list each for weights, gradients and Hessians, the latter of one output at a time, or a
#: second list, of those that wait.
SCAN_SUMS = 3 * N_CODES
#: Scores of thresholds and, of several outputs, the sums of their Hessians.
SCAN_SCORES = 2 * N_CODES


@borrowing
def _sum_left(histograms, begin, n_bins, step, missing, sums, first):
    """Sums of one channel up to each bin, and of missing values if they go left, to ``sums[first:]``."""
    left = missing
    j, step, k = np.uint64(begin), np.uint64(step), np.uint64(first)
    for b in range(n_bins):
        left += histograms[j]
        sums[k + np.uint64(b)] = left
        j += step


@borrowing
def _sum_two_left(histograms, begin, n_bins, missing, other_missing, sums):
    """The same of two channels, those of the second to ``sums[N_CODES:]``: neither addition waits for the other."""
    left, other = missing, other_missing
    j = np.uint64(begin)
    for b in range(np.uint64(n_bins)):
        left += histograms[j]
        other += histograms[j + np.uint64(1)]
        sums[b], sums[np.uint64(N_CODES) + b] = left, other
        j += np.uint64(2)


@borrowing
def score_counts(left, n_bins, total, shift, unit, l2, least, scores):
    """Score of each threshold where a single channel holds all: one output, rows of weight 1, Hessians of 1."""
    mask = (np.int64(1) << shift) - 1
    n = total & mask
    g_total, h_total = (total >> shift) * unit, n + 2.0 * l2
    most = n - least
    for b in range(n_bins):
        count = left[b] & mask
        g, a = (left[b] >> shift) * unit, count + l2
        g_right, c = g_total - g, h_total - a
        allowed = (count >= least) & (count <= most)
        score = (g * g * c + g_right * g_right * a) / (a * c if allowed else 1.0)
        scores[b] = score if allowed else -1.0


@borrowing
def score_weights(sums, stride, n_bins, n_channels, total, data, settings, scores):
    """Score of each threshold for one output, whatever the channels; those of the sums are `stride` apart."""
    hessian_of, weight_of = np.uint64(stride), np.uint64((n_channels - 1) * stride)
    shift, mask = data.shift, (np.int64(1) << data.shift) - 1
    own_hessian, weighted = data.own_hessian, data.weighted
    gradient_unit, hessian_unit, weight_unit = data.gradient_unit, data.hessian_unit, data.weight_unit
    l2, min_weight, min_hessian = settings.l2, settings.min_weight, settings.min_hessian
    w_total = row_weight(total, data)
    g_total = (total[0] >> shift) * gradient_unit
    h_total = total[1] * hessian_unit if own_hessian else w_total
    for b in range(n_bins):
        b = np.uint64(b)
        w = sums[weight_of + b] * weight_unit if weighted else np.float64(sums[b] & mask)
        h = sums[hessian_of + b] * hessian_unit if own_hessian else w
        g = (sums[b] >> shift) * gradient_unit
        g_right, h_right = g_total - g, h_total - h
        a, c = h + l2, h_right + l2
        allowed = (w >= min_weight) & (w_total - w >= min_weight) & (h >= min_hessian) & (h_right >= min_hessian)
        allowed = allowed & (a > 0.0) & (c > 0.0)
        score = (g * g * c + g_right * g_right * a) / (a * c if allowed else 1.0)
        scores[b] = score if allowed else -1.0


@borrowing
def _first_best(scores, words, n, best_score):
    """Highest of the first `n` scores and its place, -1 where it does not beat `best_score`.

    Of scores that are equal up to rounding the first one counts. `words` is the same memory as integers: their order is
    that of the scores that are not negative, and the processor compares several at a time.
    """
    largest = np.int64(0)
    for b in range(n):
        largest = max(largest, words[b])
    if largest == 0:
        return best_score, -1  # No threshold is allowed.
    words[n] = largest
    highest = scores[n]
    if not highest > best_score + TIE * abs(best_score):
        return best_score, -1
    least = highest * (1.0 - TIE)
    found = np.uint64(0)
    while scores[found] < least:
        found += np.uint64(1)
    return scores[found], np.int64(found)


@embedded
def few_sums(histograms, begin, n_bins, sums, at):
    """Sums on the left of the thresholds of a feature of few codes, to ``sums[N_CODES + at:]``.

    Returns where they end. They wait there for those of other features: to find a handful of scores takes hardly longer
    than to find one. The node has no missing value of the feature, so that its last code is no threshold.
    """
    left = np.int64(0)
    for b in range(np.uint64(n_bins - 1)):
        left += histograms[np.uint64(begin) + b]
        sums[np.uint64(N_CODES + at) + b] = left
    return at + n_bins - 1


@borrowing
def score_few(sums, n, total, shift, unit, l2, least, scores):
    """Scores of the `n` thresholds whose sums wait."""
    whole = (n + 7) // 8 * 8  # as many as the processor finds at a time
    for b in range(n, whole):
        sums[N_CODES + b] = 0
    score_counts(sums[N_CODES:], whole, total, shift, unit, l2, least, scores)


@embedded
def best_of_few(scores, at, n_bins, best_score):
    """Best threshold of a feature whose scores begin at `at`, -1 where it does not beat `best_score`."""
    begin, end = np.uint64(at), np.uint64(at + n_bins - 1)
    highest = -1.0
    for b in range(begin, end):
        highest = max(highest, scores[b])
    if not highest > best_score + TIE * abs(best_score):
        return best_score, np.int64(-1)
    least = highest * (1.0 - TIE)
    found = begin
    while scores[found] < least:
        found += np.uint64(1)
    return scores[found], np.int64(found) - at


@borrowing
def threshold_by_counts(histograms, begin, n_bins, total, shift, unit, l2, least, best_score, sums, scores, words):
    """Best split of one ordered feature where a single channel holds all; see `best_threshold`.

    Takes numbers instead of records, because most fits spend their time here.
    """
    threshold, missing_left = -1, -1
    missing = histograms[begin + n_bins]
    some_missing = missing & ((np.int64(1) << shift) - 1) != 0
    for with_missing in range(2 if some_missing else 1):
        _sum_left(histograms, begin, n_bins, np.int64(1), missing * with_missing, sums, np.int64(0))
        score_counts(sums, n_bins, total, shift, unit, l2, least, scores)
        score, found = _first_best(scores, words, n_bins, best_score)
        if found >= 0:
            best_score, threshold = score, found
            missing_left = with_missing if some_missing else -1
    return best_score, threshold, missing_left


@borrowing
def least_count(settings):
    """Fewest rows of a child where rows have weight 1 and Hessian 1."""
    return max(np.int64(np.ceil(max(settings.min_weight, settings.min_hessian) - 1e-9)), 1)


@borrowing
def _scan_one_output(histograms, begin, n_bins, with_missing, total, data, settings, best_score, sums, scores, words):
    """Scan thresholds for one output without monotonic constraint; see `best_threshold`.

    Twin of the general scan with a loop for each step, because most fits spend their time here.
    """
    n_channels = total.shape[0]
    if n_channels == 2:
        missing = histograms[begin + 2 * n_bins] if with_missing else np.int64(0)
        other_missing = histograms[begin + 2 * n_bins + 1] if with_missing else np.int64(0)
        _sum_two_left(histograms, begin, n_bins, missing, other_missing, sums)
    else:
        for c in range(n_channels):
            missing = histograms[begin + n_bins * n_channels + c] if with_missing else np.int64(0)
            _sum_left(histograms, begin + c, n_bins, n_channels, missing, sums, c * N_CODES)
    score_weights(sums, N_CODES, n_bins, n_channels, total, data, settings, scores)
    return _first_best(scores, words, n_bins, best_score)


@borrowing
def _add_output(sums, n_bins, k, g_total, h_total, data, l2, scores):
    """Add the score of one output to that of each threshold, and its Hessian to the sum of them.

    Sums on the left of the thresholds: of what holds the rows' weights, of the output's gradients and of its Hessians,
    if it has its own, to be found N_CODES apart.
    """
    one, two = np.uint64(N_CODES), np.uint64(2 * N_CODES)
    shift, mask = data.shift if k == 0 else np.int64(0), (np.int64(1) << data.shift) - 1
    own_hessian, weighted = data.own_hessian, data.weighted
    gradient_unit, hessian_unit, weight_unit = data.gradient_unit, data.hessian_unit, data.weight_unit
    for b in range(np.uint64(n_bins)):
        w = sums[b] * weight_unit if weighted else np.float64(sums[b] & mask)
        h = sums[two + b] * hessian_unit if own_hessian else w
        g = (sums[one + b] >> shift) * gradient_unit
        g_right, h_right = g_total - g, h_total - h
        a, c = h + l2, h_right + l2
        # Without a second derivative a leaf has the value zero, and its score is zero, too.
        left, right = g * g if a > 0.0 else 0.0, g_right * g_right if c > 0.0 else 0.0
        a, c = a if a > 0.0 else 1.0, c if c > 0.0 else 1.0
        scores[b] += (left * c + right * a) / (a * c)
        scores[one + b] += h


@borrowing
def _scan_outputs(histograms, begin, n_bins, with_missing, total, data, settings, best_score, sums, scores, words):
    """Scan thresholds for several outputs without bounds or monotonic constraint; see `best_threshold`.

    Another twin of the general scan, output by output, so that several thresholds are scored at a time.
    """
    n_channels, last = total.shape[0], n_bins * total.shape[0]
    weight_channel = n_channels - 1 if data.weighted else 0
    missing = histograms[begin + last + weight_channel] if with_missing else np.int64(0)
    _sum_left(histograms, begin + weight_channel, n_bins, n_channels, missing, sums, np.int64(0))
    one = np.uint64(N_CODES)
    for b in range(np.uint64(n_bins)):
        scores[b], scores[one + b] = 0.0, 0.0
    h_total = 0.0
    for k in range(data.n_outputs):
        missing = histograms[begin + last + k] if with_missing else np.int64(0)
        _sum_left(histograms, begin + k, n_bins, n_channels, missing, sums, np.int64(N_CODES))
        if data.own_hessian:
            c = data.n_outputs + k
            missing = histograms[begin + last + c] if with_missing else np.int64(0)
            _sum_left(histograms, begin + c, n_bins, n_channels, missing, sums, np.int64(2 * N_CODES))
        own_total = output_hessian(total, k, data)
        _add_output(sums, n_bins, k, output_gradient(total, k, data), own_total, data, settings.l2, scores)
        h_total += own_total
    mask, weighted, weight_unit = (np.int64(1) << data.shift) - 1, data.weighted, data.weight_unit
    min_weight, min_hessian, w_total = settings.min_weight, settings.min_hessian, row_weight(total, data)
    for b in range(np.uint64(n_bins)):
        w, h = sums[b] * weight_unit if weighted else np.float64(sums[b] & mask), scores[one + b]
        allowed = (w >= min_weight) & (w_total - w >= min_weight) & (h >= min_hessian) & (h_total - h >= min_hessian)
        scores[b] = scores[b] if allowed else -1.0
    return _first_best(scores, words, n_bins, best_score)


@borrowing
def _scan(histograms, begin, n_bins, with_missing, total, data, settings, monotonic, lower, upper, best_score, left):
    """Scan thresholds in general; `left`, int64 (at least n_channels,), is scratch."""
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    w_total = row_weight(total, data)
    for c in range(n_channels):
        left[c] = histograms[begin + n_bins * n_channels + c] if with_missing else 0
    threshold = -1
    left = left[:n_channels]
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


@borrowing
def half_way(histograms, begin, n_channels, n_bins, shift, threshold):
    """Move a threshold to the middle of the gap between the bins with rows on its two sides."""
    mask = (np.int64(1) << shift) - 1
    for b in range(threshold + 1, n_bins):
        if histograms[begin + b * n_channels] & mask != 0:
            return (threshold + b) // 2
    return n_bins - 1  # Only missing values are right of the split.


@borrowing
def best_threshold(
    histograms, begin, n_bins, total, data, settings, monotonic, lower, upper, best_score, sums, scores, words
):
    """Best split of one ordered feature.

    Parameters
    ----------
    histograms : int64, with the feature's codes from index `begin` on
    total : int64 (n_channels,), sums of the node
    best_score : float, the score to beat
    sums, scores : int64 (at least SCAN_SUMS and n_channels,), float64 (SCAN_SCORES,), scratch
    words : `scores` as int64

    Returns
    -------
    score, threshold, missing_left
        `threshold` is the last bin with rows on the left (see `half_way`), -1 where no split beats `best_score`.
        `missing_left` is -1 where the node has no missing value.
    """
    n_channels = total.shape[0]
    mask = (np.int64(1) << data.shift) - 1
    some_missing = histograms[begin + n_bins * n_channels] & mask != 0
    plain = monotonic == 0 and lower == -np.inf and upper == np.inf
    threshold, missing_left = -1, -1
    for with_missing in range(2 if some_missing else 1):
        if plain and data.n_outputs > 1:
            score, found = _scan_outputs(
                histograms, begin, n_bins, with_missing == 1, total, data, settings, best_score, sums, scores, words
            )
        elif plain:
            score, found = _scan_one_output(
                histograms, begin, n_bins, with_missing == 1, total, data, settings, best_score, sums, scores, words
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
                best_score,
                sums,
            )
        if found >= 0:
            best_score, threshold = score, found
            missing_left = with_missing if some_missing else -1
    return best_score, threshold, missing_left
