"""An effect of each unit: what lifts or lowers all predictions of a task by a constant.

A unit is what has parameters of its own: a task, or with several target columns a pair of task and column. The effect
of a unit with few rows is pulled to zero by as much as it is uncertain (empirical Bayes, one-way random effects).
Effects are estimated on what the trees leave, and move towards the estimate at the pace of the trees: tasks whose rows
differ in X have means that differ for that reason alone, and only the trees can tell.
"""

from __future__ import annotations

import numpy as np

from ..losses import SquaredLoss
from .kernels.leaves import unit_quantiles
from .kernels.unit_sums import unit_sums
from .kernels.variance import variance_ratio

_NO_WEIGHT = np.empty(0)
#: Most Newton steps from where the effects have come to where they are going.
_SETTLING_STEPS = 10
#: Longest Newton step of an intercept, on the scale of log-odds.
_LONGEST_STEP = 1.0


class UnitEffects:
    """Effects of all units and the variance between them, as far as they are known.

    Parameters
    ----------
    loss : Loss
        Prepared loss.
    y, weight, units : ndarrays of shape (n_rows,)
        Targets, weights (or None) and units of the training rows, sorted by unit.
    n_units : int
        Number of units.
    values, variance : ndarrays of shape (n_units, n_outputs) and (n_outputs,), or None
        Effects and variances to go on from; None: zeros and ones.
    """

    def __init__(self, loss, y, weight, units, n_units, values=None, variance=None):
        self.loss, self.y, self.weight, self.units, self.n_units = loss, y, weight, units, n_units
        self.total = np.bincount(units, weights=weight, minlength=n_units).astype(np.float64)
        self.n_present = np.count_nonzero(self.total)
        self.pointers = np.searchsorted(units, np.arange(n_units + 1)).astype(np.int64)
        self.variance = np.ones(loss.n_outputs) if variance is None else variance.copy()
        self.values = np.zeros((n_units, loss.n_outputs)) if values is None else values

    def estimate(self, offset):
        """Effects given the rest of the raw prediction, (n_units, n_outputs). Zero where there is only one unit.

        Where the estimate has no closed form, this is one Newton step towards it from the present effects.
        """
        if self.n_present < 2:
            return np.zeros_like(self.values)
        if self.loss.constant_hessian:
            return self._locations(offset, self.values)
        return self._intercepts(offset, self.values, learn=True)

    def settle(self, offset):
        """Effects all the way at their estimate, for a finished model; see :meth:`estimate`.

        The variance of intercepts stays what the rounds made of it. Estimated anew, on what trees that were fitted to
        the same rows leave, it would be too large.
        """
        if self.n_present < 2:
            return np.zeros_like(self.values)
        values = self.values
        for _ in range(_SETTLING_STEPS):
            before = values
            if self.loss.constant_hessian:
                values = self._locations(offset, before)
            else:
                values = self._intercepts(offset, before, learn=False)
            if np.array_equal(values, before):  # at once after the first step where there is a closed form
                break
        return values

    def _sum(self, values):
        """Sum each column over the rows of each unit, (n_units, n_columns)."""
        sums = np.empty((self.n_units, values.shape[1]))
        unit_sums(values, self.pointers, sums)
        return sums

    def _locations(self, offset, values):
        """Location of each unit's residuals (mean, median, quantile), shrunk by their variance components."""
        residual = self.y - offset[:, 0]
        weight = _NO_WEIGHT if self.weight is None else self.weight
        mean = np.empty(self.n_units)
        ratio, overall = variance_ratio(residual, weight, self.pointers, self.total, mean)
        if ratio == np.inf:
            return np.zeros_like(self.values)
        if isinstance(self.loss, SquaredLoss):
            return (self.total / (self.total + ratio) * (mean - overall))[:, None]
        if self.loss.line_search is not None:
            weight = np.ones_like(residual) if self.weight is None else weight
            location = unit_quantiles(residual, weight, self.pointers, float(self.loss.line_search))
            return (self.total / (self.total + ratio) * location)[:, None]
        gradient, hessian = self._derivatives(offset, values)
        return values - (self._sum(gradient) + ratio * values) / (self._sum(hessian) + ratio)

    def _intercepts(self, offset, values, learn):
        """Random intercepts by a Newton step; with `learn` their variance is estimated again after it."""
        values, present = values.copy(), self.total > 0
        gradient, hessian = self._derivatives(offset, values)
        precision = self._sum(hessian) + 1.0 / self.variance
        step = (self._sum(gradient) + values / self.variance) / precision
        # Where probabilities are close to 0 or 1 the curvature says little about the way to go.
        values -= np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        if learn:
            self.variance = np.maximum(np.mean(values[present] ** 2 + 1.0 / precision[present], axis=0), 1e-6)
        return values

    def _derivatives(self, offset, values):
        gradient, hessian = np.empty_like(offset), np.empty_like(offset)
        self.loss.derivatives(self.y, offset + values[self.units], self.weight, gradient, hessian)
        return gradient, hessian
