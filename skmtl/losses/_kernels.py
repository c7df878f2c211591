"""First and second derivatives, one pass over the rows each.

All take y : float64 (n,); raw : float64 (n, n_outputs); weight : float64 (n,) or (0,) for weights of 1, and write
gradient, hessian : float64 (n, n_outputs).
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Least second derivative of a row, so that confident rows do not make a leaf's step explode.
HESSIAN_FLOOR = 1e-6


@njit(cache=True, nogil=True)
def squared_error(y, raw, weight, gradient, hessian):
    """Derivatives of (raw - y)² / 2."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        gradient[i, 0] = w * (raw[i, 0] - y[i])
        hessian[i, 0] = w


@njit(cache=True, nogil=True)
def pinball(y, raw, weight, above, below, gradient, hessian):
    """Derivatives of below · max(y - raw, 0) + above · max(raw - y, 0), with 1 as the second one, which is 0."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        if raw[i, 0] > y[i]:
            gradient[i, 0] = w * above
        elif raw[i, 0] < y[i]:
            gradient[i, 0] = -w * below
        else:
            gradient[i, 0] = 0.0
        hessian[i, 0] = w


@njit(cache=True, nogil=True)
def huber(y, raw, weight, delta, gradient, hessian):
    """Derivatives of the Huber loss, with its upper bound 1 as second derivative."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        gradient[i, 0] = w * min(max(raw[i, 0] - y[i], -delta), delta)
        hessian[i, 0] = w


@njit(cache=True, nogil=True)
def poisson(y, raw, weight, gradient, hessian):
    """Derivatives of exp(raw) - y · raw."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        mean = np.exp(raw[i, 0])
        gradient[i, 0] = w * (mean - y[i])
        hessian[i, 0] = w * max(mean, HESSIAN_FLOOR)


@njit(cache=True, nogil=True)
def gamma(y, raw, weight, gradient, hessian):
    """Derivatives of raw + y · exp(-raw)."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        ratio = y[i] * np.exp(-raw[i, 0])
        gradient[i, 0] = w * (1.0 - ratio)
        hessian[i, 0] = w * max(ratio, HESSIAN_FLOOR)


@njit(cache=True, nogil=True)
def binary_log_loss(y, raw, weight, gradient, hessian):
    """Derivatives of log(1 + exp(raw)) - y · raw, y in {0, 1}."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        # exp only of negative numbers: no overflow.
        e = np.exp(-abs(raw[i, 0]))
        p = 1.0 / (1.0 + e) if raw[i, 0] >= 0.0 else e / (1.0 + e)
        gradient[i, 0] = w * (p - y[i])
        hessian[i, 0] = w * max(p * (1.0 - p), HESSIAN_FLOOR)


@njit(cache=True, nogil=True)
def softmax_log_loss(y, raw, weight, factor, gradient, hessian):
    """Derivatives of log Σ exp(raw) - raw[y]; the diagonal second derivatives times `factor`."""
    n_outputs = raw.shape[1]
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        largest = raw[i, 0]
        for k in range(1, n_outputs):
            largest = max(largest, raw[i, k])
        total = 0.0
        for k in range(n_outputs):
            gradient[i, k] = np.exp(raw[i, k] - largest)
            total += gradient[i, k]
        for k in range(n_outputs):
            p = gradient[i, k] / total
            gradient[i, k] = w * (p - (1.0 if y[i] == k else 0.0))
            hessian[i, k] = w * max(factor * p * (1.0 - p), HESSIAN_FLOOR)
