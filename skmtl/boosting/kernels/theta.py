"""Sums over the rows of each unit for a step of the partition parameters."""

from __future__ import annotations

from ..._shared.jit import entry


@entry
def theta_sums(gradient, hessian, difference, units, weight, g, h):
    """Add to each unit its derivatives by the weight between the ensembles; returns the sum of squared gradients.

    gradient, hessian, difference : float64 (n, n_outputs), the last one outlying less inlying ensemble;
    units : intp (n,); weight : float64 (n,) or (0,) for weights of 1; g, h : float64 (n_units,), added to
    """
    squares = 0.0
    for i in range(units.shape[0]):
        unit = units[i]
        w = weight[i] if weight.shape[0] > 0 else 1.0
        for k in range(gradient.shape[1]):
            g[unit] += gradient[i, k] * difference[i, k]
            h[unit] += hessian[i, k] * difference[i, k] ** 2
            squares += gradient[i, k] ** 2 / w
    return squares
