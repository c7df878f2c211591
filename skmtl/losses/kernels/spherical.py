"""Derivatives of losses of the spherical family: Taylor softmax, spherical softmax, Z-loss.

The first two give class j the probability T(o_j) / Σ T(o_k) with a positive T. With r = T' / T and e the indicator of
the own class, the derivatives of the logarithmic loss are r_j (p_j - e_j) and p_j T''_j / T_j - p_j² r_j² -
e_j (T''_j / T_j - r_j²). The second one may be negative: its size is taken, and at least its expectation over the
classes, r_j² p_j (1 - p_j).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..._shared.jit import entry
from .functions import fast_exp

#: Least second derivative: where T has its minimum, the others are zero.
DAMPING = 1e-3


@njit(cache=True, nogil=True, inline="always")
def _taylor(o, order):
    """Taylor polynomial of exp and its first two derivatives, which are the polynomials of one and two orders less."""
    term, value, first, second = 1.0, 1.0, 0.0, 0.0
    for i in range(1, order + 1):
        second, first = first, value
        term *= o / i
        value += term
    return value, first, second


@njit(cache=True, nogil=True, inline="always")
def _write(w, own, p, ratio, curvature, i, j, gradient, hessian):
    indicator = 1.0 if own == j else 0.0
    exact = p * curvature - p * p * ratio * ratio - indicator * (curvature - ratio * ratio)
    hessian[i, j] = w * max(max(abs(exact), ratio * ratio * p * (1.0 - p)), DAMPING)
    gradient[i, j] = w * ratio * (p - indicator)


@entry
def taylor_softmax(y, raw, weight, order, gradient, hessian):
    """Derivatives of -log p with the Taylor polynomial of exp, of an even order."""
    n_outputs = raw.shape[1]
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        total = 0.0
        for j in range(n_outputs):
            value, _, _ = _taylor(raw[i, j], order)
            total += value
        for j in range(n_outputs):
            value, first, second = _taylor(raw[i, j], order)
            _write(w, int(y[i]), value / total, first / value, second / value, i, j, gradient, hessian)


@entry
def spherical_softmax(y, raw, weight, eps, gradient, hessian):
    """Derivatives of -log p with T(o) = o² + eps."""
    n_outputs = raw.shape[1]
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        total = n_outputs * eps
        for j in range(n_outputs):
            total += raw[i, j] * raw[i, j]
        for j in range(n_outputs):
            o = raw[i, j]
            value = o * o + eps
            _write(w, int(y[i]), value / total, 2.0 * o / value, 2.0 / value, i, j, gradient, hessian)


@entry
def z_loss(y, raw, weight, a, b, eps, gradient, hessian):
    """Derivatives of softplus(a (b - z)) / a, z the standardised score of the own class; the second is a surrogate."""
    n_outputs = raw.shape[1]
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        own = int(y[i])
        mean = 0.0
        for j in range(n_outputs):
            mean += raw[i, j]
        mean /= n_outputs
        variance = 0.0
        for j in range(n_outputs):
            variance += (raw[i, j] - mean) ** 2
        sigma = np.sqrt(variance / n_outputs + eps)
        z_own = (raw[i, own] - mean) / sigma
        x = a * (b - z_own)
        e = fast_exp(-abs(x))
        share = (1.0 if x >= 0.0 else e) / (1.0 + e)
        for j in range(n_outputs):
            z = (raw[i, j] - mean) / sigma
            slope = ((1.0 if own == j else 0.0) - 1.0 / n_outputs - z * z_own / n_outputs) / sigma
            gradient[i, j] = -w * share * slope
            hessian[i, j] = w * (
                a * share * (1.0 - share) * slope * slope + share / (n_outputs * sigma * sigma) + DAMPING
            )
