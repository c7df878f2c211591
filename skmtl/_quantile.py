"""Quantiles of weighted values."""

from __future__ import annotations

import numpy as np

from ._shared.jit import inner


def weighted_quantile(values, weights, q):
    """Quantile `q` of float64 values with weights; the mean of two neighbours where the quantile lies between them.

    A value with weight 2 counts exactly like the value given twice.
    """
    order = np.argsort(values)
    order = order[weights[order] > 0.0]
    if not len(order):
        return 0.0
    reached = np.cumsum(weights[order])
    target, tolerance = q * reached[-1], 1e-12 * reached[-1]
    at = min(np.searchsorted(reached, target - tolerance), len(order) - 1)
    if reached[at] <= target + tolerance and at + 1 < len(order):
        return 0.5 * (values[order[at]] + values[order[at + 1]])
    return values[order[at]]


@inner
def quantile_of(values, weights, q):
    """Twin of `weighted_quantile` for kernels; few fits need it, and sorting takes long to compile."""
    order = np.argsort(values)
    total = 0.0
    for i in range(values.shape[0]):
        total += weights[i]
    if total <= 0.0:
        return 0.0
    target, reached, tolerance = q * total, 0.0, 1e-12 * total
    for p in range(order.shape[0]):
        reached += weights[order[p]]
        if reached >= target - tolerance and weights[order[p]] > 0.0:
            if reached <= target + tolerance:
                for later in range(p + 1, order.shape[0]):
                    if weights[order[later]] > 0.0:
                        return 0.5 * (values[order[p]] + values[order[later]])
            return values[order[p]]
    return values[order[-1]]
