"""Variance components of residuals: how much units differ, and rows within them."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, entry


@borrowing
def _sum(values, weight, begin, end):
    """Sum of ``values[begin:end]`` times their weights; four sums in turn, as an addition waits for the one before."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    i, stop = np.uint64(begin), np.uint64(end)
    if weight.shape[0] > 0:
        while i < stop:
            a += values[i] * weight[i]
            i += one
        return a
    while i + three < stop:
        a += values[i]
        b += values[i + one]
        c += values[i + two]
        d += values[i + three]
        i += four
    while i < stop:
        a += values[i]
        i += one
    return (a + b) + (c + d)


@borrowing
def _squares(values, weight, begin, end, mean):
    """Sum of squared differences to `mean`, see `_sum`."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    i, stop = np.uint64(begin), np.uint64(end)
    if weight.shape[0] > 0:
        while i < stop:
            a += (values[i] - mean) * (values[i] - mean) * weight[i]
            i += one
        return a
    while i + three < stop:
        a += (values[i] - mean) * (values[i] - mean)
        b += (values[i + one] - mean) * (values[i + one] - mean)
        c += (values[i + two] - mean) * (values[i + two] - mean)
        d += (values[i + three] - mean) * (values[i + three] - mean)
        i += four
    while i < stop:
        a += (values[i] - mean) * (values[i] - mean)
        i += one
    return (a + b) + (c + d)


@entry
def variance_ratio(residual, weight, pointers, total, mean):
    """Variance within units over variance between them, of a one-way random effects model; infinite where unknown.

    Analysis of variance estimator; S. R. Searle, G. Casella, C. E. McCulloch, "Variance Components", Wiley, 1992,
    chapter 3.

    residual : float64 (n,); weight : float64 (n,) or (0,) for weights of 1; pointers : int64 (n_units + 1,);
    total : float64 (n_units,), weight of each unit; mean : float64 (n_units,), out, mean residual of each unit.
    Returns the ratio and the mean over all rows.
    """
    n_units = total.shape[0]
    n_rows, squares, n_present, overall = 0.0, 0.0, 0, 0.0
    for u in range(n_units):
        sum_u = _sum(residual, weight, pointers[u], pointers[u + 1])
        mean[u] = sum_u / total[u] if total[u] > 0.0 else 0.0
        overall += sum_u
        n_rows += total[u]
        squares += total[u] * total[u]
        n_present += total[u] > 0.0
    if n_rows <= n_present or n_present < 2:  # One row per unit: nothing tells a unit's effect from noise.
        return float("inf"), 0.0
    overall /= n_rows
    within, between = 0.0, 0.0
    for u in range(n_units):
        within += _squares(residual, weight, pointers[u], pointers[u + 1], mean[u])
        between += total[u] * (mean[u] - overall) ** 2
    within /= n_rows - n_present
    between /= n_present - 1
    n0 = (n_rows - squares / n_rows) / (n_present - 1)
    variance = max((between - within) / n0, 1e-6 * within)
    if variance <= 0.0:
        return float("inf"), overall
    return within / variance, overall
