"""Quantiles of weighted values, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def weighted_quantile(values, weights, q):
    """Quantile `q` of float64 values with weights; the mean of two neighbours where the quantile lies between them.

    A value with weight 2 counts exactly like the value given twice.
    """
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
