"""The raw prediction that boosting starts from: a constant, and a shrunken effect of each unit.

A unit is what has parameters of its own: a task, or with several target columns a pair of task and column. The effect of
a unit with few rows is pulled to zero by as much as its own mean is uncertain (empirical Bayes, one-way random effects).
"""

from __future__ import annotations

import numpy as np

from ..losses import SquaredLoss

_ITERATIONS = 20


def unit_effects(loss, y, weight, units, n_units, constant):
    """Effect of each unit on top of `constant`, of shape (n_units, n_outputs); zero for a single unit.

    Parameters
    ----------
    loss : Loss
        Prepared loss.
    y : ndarray of shape (n_rows,)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Weights.
    units : ndarray of shape (n_rows,)
        Unit of each row.
    constant : ndarray of shape (n_outputs,)
        Raw prediction common to all units.
    """
    present = np.bincount(units, minlength=n_units) > 0
    if present.sum() < 2:
        return np.zeros((n_units, len(constant)))
    if loss.constant_hessian:
        return _shrunken_location(loss, y, weight, units, n_units, constant)
    return _random_intercepts(loss, y, weight, units, n_units, constant)


def _shrunken_location(loss, y, weight, units, n_units, constant):
    """Location of each unit (the loss's own: mean, median, quantile), shrunk by variance components of y.

    Analysis of variance estimator of the between-unit variance; S. R. Searle, G. Casella, C. E. McCulloch, "Variance
    Components", Wiley, 1992, chapter 3.
    """
    total = np.bincount(units, weights=weight, minlength=n_units).astype(np.float64)
    n_rows, n_present = total.sum(), np.count_nonzero(total)
    values = y if weight is None else weight * y
    safe = np.where(total > 0, total, 1.0)
    mean = np.bincount(units, weights=values, minlength=n_units) / safe
    overall = values.sum() / n_rows
    squares = (y - mean[units]) ** 2
    within = np.sum(squares if weight is None else weight * squares)
    if n_rows <= n_present:  # One row per unit: nothing tells a unit's effect from noise.
        return np.zeros((n_units, 1))
    within /= n_rows - n_present
    between = np.sum(total * (mean - overall) ** 2) / (n_present - 1)
    n0 = (n_rows - np.sum(total**2) / n_rows) / (n_present - 1)
    variance = max((between - within) / n0, 1e-6 * within)
    if variance <= 0.0:
        return np.zeros((n_units, 1))
    shrink = total / (total + within / variance)
    if isinstance(loss, SquaredLoss):
        location = mean - overall
    else:
        location = np.zeros(n_units)
        order = np.argsort(units, kind="stable")
        bounds = np.searchsorted(units[order], np.arange(n_units + 1))
        for u in np.flatnonzero(total > 0):
            rows = order[bounds[u] : bounds[u + 1]]
            location[u] = loss.initial_raw(y[rows], None if weight is None else weight[rows])[0] - constant[0]
    return (shrink * location)[:, None]


def _random_intercepts(loss, y, weight, units, n_units, constant):
    """Random intercepts by Newton steps, their variance estimated again after each step."""
    n_outputs = len(constant)
    effects = np.zeros((n_units, n_outputs))
    variance = np.ones(n_outputs)
    gradient, hessian = np.empty((len(y), n_outputs)), np.empty((len(y), n_outputs))
    present = np.bincount(units, minlength=n_units) > 0
    for _ in range(_ITERATIONS):
        loss.derivatives(y, constant + effects[units], weight, gradient, hessian)
        for k in range(n_outputs):
            g = np.bincount(units, weights=gradient[:, k], minlength=n_units)
            h = np.bincount(units, weights=hessian[:, k], minlength=n_units)
            precision = h + 1.0 / variance[k]
            effects[:, k] -= (g + effects[:, k] / variance[k]) / precision
            variance[k] = max(np.mean(effects[present, k] ** 2 + 1.0 / precision[present]), 1e-6)
    return effects
