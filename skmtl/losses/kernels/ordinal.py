"""Derivatives of losses for ordered classes; raw has one column per threshold."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..._shared.jit import entry
from .functions import HESSIAN_FLOOR, fast_exp


@njit(cache=True, nogil=True, inline="always")
def _logistic(z):
    e = fast_exp(-abs(z))
    larger = 1.0 / (1.0 + e)
    return larger if z >= 0.0 else e * larger


@entry
def thresholds(y, raw, weight, importance, conditional, gradient, hessian):
    """Derivatives of Σ_k importance_k · (logistic loss of "y is above k"), of rows that passed k - 1 if conditional."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        for k in range(raw.shape[1]):
            if conditional and y[i] < k:
                gradient[i, k] = 0.0
                hessian[i, k] = w * HESSIAN_FLOOR
                continue
            p = _logistic(raw[i, k])
            gradient[i, k] = w * importance[k] * (p - (1.0 if y[i] > k else 0.0))
            hessian[i, k] = w * max(importance[k] * p * (1.0 - p), HESSIAN_FLOOR)


@entry
def cumulative_logit(y, raw, weight, gradient, hessian):
    """Derivatives of -log(σ(a) - σ(b)), a and b the thresholds around the own class, which fall: see the loss.

    With d = a - b the loss is -log(1 - e^-d) - log σ(a) - log σ(-b), convex in a and b. The second derivatives are
    those of this part, with the slopes of a and b by raw; the curvature of a and b themselves is left out.
    """
    n_thresholds = raw.shape[1]
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        own = int(y[i])
        level, a, b = raw[i, 0], np.inf, -np.inf
        for k in range(n_thresholds):
            if k > 0:
                level -= max(raw[i, k], 0.0) + np.log1p(np.exp(-abs(raw[i, k])))
            if k == own - 1:
                a = level
            elif k == own:
                b = level
        by_a, by_b, in_a, in_b, mixed = 0.0, 0.0, 0.0, 0.0, 0.0
        if own > 0:
            p = _logistic(a)
            by_a, in_a = p - 1.0, p * (1.0 - p)
        if own < n_thresholds:
            p = _logistic(b)
            by_b, in_b = p, p * (1.0 - p)
            if own > 0:
                gap = max(raw[i, own], 0.0) + np.log1p(np.exp(-abs(raw[i, own])))  # a - b, without cancellation
                gap = max(gap, 1e-100)
                odds = 1.0 / np.expm1(min(gap, 700.0))
                by_a -= odds
                by_b += odds
                mixed = odds * (1.0 + odds)
        for k in range(n_thresholds):
            if k == 0:
                slope_a, slope_b = 1.0, 1.0
            else:
                slope_b = -_logistic(raw[i, k])
                slope_a = slope_b
            if k >= own:  # a is above this step, so does not move with it
                slope_a = 0.0
            if k > own:
                slope_b = 0.0
            gradient[i, k] = w * (slope_a * by_a + slope_b * by_b)
            exact = slope_a * slope_a * in_a + slope_b * slope_b * in_b + mixed * (slope_a - slope_b) ** 2
            hessian[i, k] = w * max(exact, HESSIAN_FLOOR)
