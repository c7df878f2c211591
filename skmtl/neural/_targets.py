"""Targets of a regressor on a common scale, and where raw predictions start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Weight, in rows, of what all tasks have in common when the start of one task is estimated.
_PRIOR_ROWS = 5.0
#: A task has a spread of its own if it departs from the common one by such a factor, on at least so many rows.
_FACTOR, _LEAST_ROWS = 10.0, 5


class TargetScale(NamedTuple):
    """Level and spread of the targets of each unit, float64 (n_units,)."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def learn(cls, y, units, weight, n_units, n_columns, kind):
        """Learn them from the training rows.

        Parameters
        ----------
        y, units, weight : ndarrays of shape (n_pairs,)
            Targets with their units and weights.
        n_units, n_columns : int
            Number of units and of columns of y; unit u is column u % n_columns.
        kind : {"task", "pooled", "none"}
            What to undo: the level and spread of each task, those of each column of y, or nothing.

        Notes
        -----
        For "task", levels are the means of the tasks, pulled towards the mean of the column as if every task had a few
        more rows of it (as many as the spread within tasks against that between them suggests). Spreads are the median
        of those of the tasks, so that an error counts the same in every task, except where a task is evidently in
        another unit.
        """
        center, scale = np.zeros(n_units), np.ones(n_units)
        if kind == "none":
            return cls(center, scale)
        for column in range(n_columns):
            mine = units % n_columns == column
            task, x, w = units[mine] // n_columns, y[mine], weight[mine]
            size = max(np.abs(x).max(initial=0.0), np.finfo(float).tiny)
            x = x / size  # squares of targets of any size stay finite
            pooled = np.average(x, weights=w)
            spread = np.sqrt(np.average((x - pooled) ** 2, weights=w))
            own = slice(column, None, n_columns)
            level = np.full(n_units // n_columns, pooled)
            if kind == "task" and n_units > n_columns:
                level, spread = _shrunken(x, task, w, len(level), pooled)
            center[own] = level * size
            # A constant target, up to rounding, keeps its unit.
            scale[own] = np.where(spread > 1e-12, spread, 1.0) * size
        return cls(center, scale)

    def forward(self, y, units):
        """Put targets on the common scale."""
        return (y - self.center[units]) / self.scale[units]

    def backward(self, values, units):
        """Put predictions on the scale of y."""
        return values * self.scale[units] + self.center[units]


def _shrunken(x, task, w, n_tasks, pooled):
    """Level and spread of each task, pulled towards the common ones."""
    total = np.bincount(task, weights=w, minlength=n_tasks)
    known = total > 0
    safe = np.where(known, total, 1.0)
    mean = np.where(known, np.bincount(task, weights=w * x, minlength=n_tasks) / safe, pooled)
    within = np.bincount(task, weights=w * (x - mean[task]) ** 2, minlength=n_tasks)
    rows = np.bincount(task, minlength=n_tasks)
    freedom = max(total.sum() * (1.0 - known.sum() / max(rows.sum(), known.sum() + 1)), 1e-300)
    noise = within.sum() / freedom
    between = max(np.average((mean - pooled) ** 2, weights=total) - noise * known.sum() / total.sum(), 0.0)
    prior = noise / between if between > 0 else np.inf
    level = pooled + (mean - pooled) * (1.0 if prior == 0 else total / (total + prior) if np.isfinite(prior) else 0.0)
    own = np.sqrt(within / safe)
    usable = known & (rows >= _LEAST_ROWS) & (own > 1e-12)
    common = np.median(own[usable]) if usable.any() else np.sqrt(max(noise, 0.0))
    if common <= 1e-12:
        return level, np.sqrt(np.average((x - pooled) ** 2, weights=w))
    foreign = usable & ((own > _FACTOR * common) | (own * _FACTOR < common))
    return level, np.where(foreign, own, common)


def start_of_raw(loss, y, units, weight, n_units, n_columns, per_unit):
    """Constant raw prediction of each unit with the least loss, (n_units, n_values), or None if the loss has none.

    With `per_unit`, every unit counts a few rows of its whole column as its own, so that one with a single class, or a
    single row, does not start from certainty. Otherwise the units of a column start alike.
    """
    start = np.zeros((n_units, loss.n_outputs))
    order = np.argsort(units, kind="stable")
    bounds = np.searchsorted(units[order], np.arange(n_units + 1))
    try:
        for column in range(n_columns):
            mine = units % n_columns == column
            if not mine.any():
                continue
            own = slice(column, None, n_columns)
            start[own] = loss.initial_raw(y[mine], weight[mine])
            if not per_unit:
                continue
            common_y, common_w = _digest(y[mine], weight[mine], loss.targets == "classes")
            for unit in range(column, n_units, n_columns):
                rows = order[bounds[unit] : bounds[unit + 1]]
                start[unit] = loss.initial_raw(
                    np.concatenate([y[rows], common_y]), np.concatenate([weight[rows], common_w])
                )
    except TypeError:  # no form for boosting, so no initial score
        return None
    return start if np.all(np.isfinite(start)) else None


def _digest(y, weight, classes):
    """A few targets with weights that stand for all; together they weigh ``_PRIOR_ROWS``."""
    if classes:
        total = np.bincount(y.astype(np.intp), weights=weight)
        values = np.flatnonzero(total)
        total = total[values]
    else:
        order = np.argsort(y, kind="stable")
        parts = np.array_split(order, min(len(y), 100))
        total = np.array([weight[part].sum() for part in parts])
        values = np.array([np.average(y[part], weights=weight[part]) for part in parts])
    return values.astype(y.dtype), total * (_PRIOR_ROWS / total.sum())
