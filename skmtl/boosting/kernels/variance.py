"""Variance components of residuals: how much units differ, and rows within them."""

from __future__ import annotations

from ..._shared.jit import entry


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
        sum_u = 0.0
        for i in range(pointers[u], pointers[u + 1]):
            sum_u += residual[i] * weight[i] if weight.shape[0] > 0 else residual[i]
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
        within_u = 0.0
        for i in range(pointers[u], pointers[u + 1]):
            difference = residual[i] - mean[u]
            within_u += difference * difference * (weight[i] if weight.shape[0] > 0 else 1.0)
        within += within_u
        between += total[u] * (mean[u] - overall) ** 2
    within /= n_rows - n_present
    between /= n_present - 1
    n0 = (n_rows - squares / n_rows) / (n_present - 1)
    variance = max((between - within) / n0, 1e-6 * within)
    if variance <= 0.0:
        return float("inf"), overall
    return within / variance, overall
