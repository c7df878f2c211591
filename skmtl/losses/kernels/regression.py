"""Derivatives of losses for numbers."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry
from .functions import HESSIAN_FLOOR, fast_exp

#: Sums that a loss is added up in.
_LANES = 32


@entry
def squared_error(y, raw, weight, gradient, hessian):
    """Derivatives of (raw - y)² / 2."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        gradient[i, 0] = w * (raw[i, 0] - y[i])
        hessian[i, 0] = w


@entry
def sum_of_squares(y, raw, weight):
    """Weighted sum of (y - raw)².

    Every so-manieth row goes to the same sum, in one order on every machine; the processor adds to several at once.
    """
    sums = np.zeros(_LANES)
    whole = y.shape[0] // _LANES * _LANES
    for begin in range(0, whole, _LANES):
        for lane in range(_LANES):
            w = weight[begin + lane] if weight.shape[0] > 0 else 1.0
            d = y[begin + lane] - raw[begin + lane, 0]
            sums[lane] += w * (d * d)
    for i in range(whole, y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        d = y[i] - raw[i, 0]
        sums[i - whole] += w * (d * d)
    total = 0.0
    for lane in range(_LANES):
        total += sums[lane]
    return total


@entry
def pinball(y, raw, weight, above, below, gradient, hessian):
    """Derivatives of below · max(y - raw, 0) + above · max(raw - y, 0), with 1 as the second one, which is 0."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        slope = above if raw[i, 0] > y[i] else -below
        gradient[i, 0] = w * (0.0 if raw[i, 0] == y[i] else slope)
        hessian[i, 0] = w


@entry
def huber(y, raw, weight, delta, gradient, hessian):
    """Derivatives of the Huber loss, with its upper bound 1 as second derivative."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        gradient[i, 0] = w * min(max(raw[i, 0] - y[i], -delta), delta)
        hessian[i, 0] = w


@entry
def log_cosh(y, raw, weight, scale, gradient, hessian):
    """Derivatives of scale² · log cosh((raw - y) / scale)."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        r = (raw[i, 0] - y[i]) / scale
        e = fast_exp(-2.0 * abs(r))
        tanh = (1.0 - e) / (1.0 + e)
        gradient[i, 0] = w * scale * (tanh if r >= 0.0 else -tanh)
        hessian[i, 0] = w * max(4.0 * e / ((1.0 + e) * (1.0 + e)), HESSIAN_FLOOR)


@entry
def poisson(y, raw, weight, gradient, hessian):
    """Derivatives of exp(raw) - y · raw."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        mean = np.exp(raw[i, 0])
        gradient[i, 0] = w * (mean - y[i])
        hessian[i, 0] = w * max(mean, HESSIAN_FLOOR)


@entry
def gamma(y, raw, weight, gradient, hessian):
    """Derivatives of raw + y · exp(-raw)."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        ratio = y[i] * np.exp(-raw[i, 0])
        gradient[i, 0] = w * (1.0 - ratio)
        hessian[i, 0] = w * max(ratio, HESSIAN_FLOOR)


@entry
def tweedie(y, raw, weight, power, gradient, hessian):
    """Derivatives of exp((2 - power) · raw) / (2 - power) - y · exp((1 - power) · raw) / (1 - power)."""
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        a = y[i] * fast_exp((1.0 - power) * raw[i, 0])
        b = fast_exp((2.0 - power) * raw[i, 0])
        gradient[i, 0] = w * (b - a)
        hessian[i, 0] = w * max((2.0 - power) * b + (power - 1.0) * a, HESSIAN_FLOOR)
