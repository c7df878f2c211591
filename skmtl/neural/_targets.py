"""Targets of a regressor on a common scale, and where raw predictions start from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Weight, in rows, of what all tasks have in common when the start of one task is estimated.
_PRIOR_ROWS = 5.0
#: A task has a spread of its own if it departs from the common one by such a factor, on at least so many rows.
_FACTOR, _LEAST_ROWS = 10.0, 5
#: A spread below this share of the level is the rounding of a constant.
_ROUNDING = 1e-9


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
            if not mine.any():
                continue
            task, x = units[mine] // n_columns, y[mine]
            w = weight[mine] if weight[mine].any() else np.ones(len(x))
            size = max(np.abs(x).max(), np.finfo(float).tiny)
            x = x / size  # squares of targets of any size stay finite
            own = slice(column, None, n_columns)
            if kind == "task" and n_units > n_columns:
                level, spread = _of_tasks(x, task, w, n_units // n_columns)
            else:
                level, spread = _of_all(x, w)
            center[own] = level * size
            scale[own] = np.where(spread > 0, spread, 1.0) * size
        return cls(center, scale)

    def forward(self, y, units):
        """Put targets on the common scale."""
        return (y - self.center[units]) / self.scale[units]

    def backward(self, values, units):
        """Put predictions on the scale of y."""
        return values * self.scale[units] + self.center[units]


def _of_all(x, w):
    """Mean and standard deviation, which is 0 for a constant, up to rounding."""
    level = np.average(x, weights=w)
    spread = np.sqrt(np.average((x - level) ** 2, weights=w))
    return level, spread if spread > _ROUNDING * abs(level) else 0.0


def _of_tasks(x, task, w, n_tasks):
    """Level and spread of each task."""
    total, rows = np.bincount(task, weights=w, minlength=n_tasks), np.bincount(task, minlength=n_tasks)
    known = total > 0
    safe = np.where(known, total, 1.0)
    mean = np.bincount(task, weights=w * x, minlength=n_tasks) / safe
    squares = np.bincount(task, weights=w * (x - mean[task]) ** 2, minlength=n_tasks)
    own = np.sqrt(squares / safe)
    varies = known & (rows >= _LEAST_ROWS) & (own > _ROUNDING * np.abs(mean))
    common = np.median(own[varies]) if varies.any() else 0.0
    foreign = varies & ((own > _FACTOR * common) | (own * _FACTOR < common))
    alike = known & ~foreign
    here = alike[task]
    if not here.any():
        return mean, own
    pooled, spread = _of_all(x[here], w[here])
    # Empirical Bayes: the variance between means, less what the rows' own noise makes, against that noise.
    n_alike = alike.sum()
    noise = squares[alike].sum() / total[alike].sum() * (rows[alike].sum() / max(rows[alike].sum() - n_alike, 1))
    between = np.average((mean[alike] - pooled) ** 2, weights=total[alike]) - noise * n_alike / total[alike].sum()
    shrunken = np.full(n_tasks, pooled)
    if between > 0:
        shrunken = pooled + (mean - pooled) * total / (total + noise / between)
    level = np.where(foreign, mean, np.where(known, shrunken, pooled))
    return level, np.where(foreign, own, common if common > 0 else spread)


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
            mass = weight[mine] if weight[mine].any() else np.ones(mine.sum())
            common_y, common_w = _digest(y[mine], mass, loss)
            start[column::n_columns] = loss.initial_raw(common_y, common_w)
            if not per_unit:
                continue
            for unit in range(column, n_units, n_columns):
                rows = order[bounds[unit] : bounds[unit + 1]]
                start[unit] = loss.initial_raw(
                    np.concatenate([y[rows], common_y]), np.concatenate([weight[rows], common_w])
                )
    except TypeError:  # no form for boosting, so no initial score
        return None
    return start if np.all(np.isfinite(start)) else None


def _digest(y, weight, loss):
    """A few targets with weights that stand for all; together they weigh ``_PRIOR_ROWS``."""
    if loss.targets == "classes":
        n_classes = loss._n_classes
        values = np.arange(n_classes, dtype=y.dtype)
        total = np.bincount(y.astype(np.intp), weights=weight, minlength=n_classes) + 0.5  # no class is impossible
    else:
        order = np.argsort(y, kind="stable")
        parts = np.array_split(order, min(len(y), 100))
        total = np.array([max(weight[part].sum(), np.finfo(float).tiny) for part in parts])
        values = np.array([np.average(y[part], weights=weight[part] if weight[part].any() else None) for part in parts])
    return values, total * (_PRIOR_ROWS / total.sum())
