"""How good a leaf is: the fall of the second-order loss when its value is the best allowed one.

With gradient sum G, Hessian sum H and penalty l2, the value ``v = -G / (H + l2)`` lowers the loss by
``G**2 / (2 (H + l2))``; scores here are twice that, as in most boosting libraries.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing

#: A gain must exceed the best so far by this share to replace it: equal splits keep their order, whatever the rounding.
TIE = 1e-10


@borrowing
def bounded_value(gradient, hessian, l2, lower, upper):
    """Best value of a leaf within [lower, upper]."""
    if hessian + l2 <= 0.0:
        return min(max(0.0, lower), upper)
    return min(max(-gradient / (hessian + l2), lower), upper)


@borrowing
def bounded_score(gradient, hessian, l2, lower, upper):
    """Score of a leaf whose value must lie within [lower, upper]."""
    value = bounded_value(gradient, hessian, l2, lower, upper)
    return -value * (2.0 * gradient + (hessian + l2) * value)


@borrowing
def free_score(gradient, hessian, l2):
    """Score of a leaf without bounds."""
    if hessian + l2 <= 0.0:
        return 0.0
    return gradient * gradient / (hessian + l2)


@borrowing
def row_weight(sums, data):
    """Sum of weights in a row of sums, (n_channels,)."""
    if data.weighted:
        return sums[sums.shape[0] - 1] * data.weight_unit
    return np.float64(sums[0] & ((np.int64(1) << data.shift) - 1))


@borrowing
def output_gradient(sums, k, data):
    """Sum of gradients of output `k`."""
    if k == 0:
        return (sums[0] >> data.shift) * data.gradient_unit
    return sums[k] * data.gradient_unit


@borrowing
def output_hessian(sums, k, data):
    """Sum of Hessians of output `k`."""
    if data.own_hessian:
        return sums[data.n_outputs + k] * data.hessian_unit
    return row_weight(sums, data)


@borrowing
def node_score(sums, data, l2, lower, upper):
    """Score of a node, over all outputs."""
    score = 0.0
    for k in range(data.n_outputs):
        score += bounded_score(output_gradient(sums, k, data), output_hessian(sums, k, data), l2, lower, upper)
    return score


@borrowing
def child_scores(left, total, data, settings, monotonic, lower, upper):
    """Score of two children with sums `left` and ``total - left``; minus infinity where a limit forbids the split.

    left, total : int64 (n_channels,)
    """
    score, hessian_left, hessian_right = 0.0, 0.0, 0.0
    for k in range(data.n_outputs):
        g, h = output_gradient(left, k, data), output_hessian(left, k, data)
        g_right, h_right = output_gradient(total, k, data) - g, output_hessian(total, k, data) - h
        hessian_left += h
        hessian_right += h_right
        if monotonic != 0:
            difference = bounded_value(g_right, h_right, settings.l2, lower, upper) - bounded_value(
                g, h, settings.l2, lower, upper
            )
            if difference * monotonic < 0.0:
                return -np.inf
        if lower == -np.inf and upper == np.inf:
            score += free_score(g, h, settings.l2) + free_score(g_right, h_right, settings.l2)
        else:
            score += bounded_score(g, h, settings.l2, lower, upper)
            score += bounded_score(g_right, h_right, settings.l2, lower, upper)
    if hessian_left < settings.min_hessian or hessian_right < settings.min_hessian:
        return -np.inf
    return score
