"""Weights of rows, tasks and classes as one weight for every target."""

from __future__ import annotations

import numpy as np

from .._shared.class_weights import class_factors


def combine_weights(estimator, weight, codes, dense, row_tasks, n_columns, n_classes):
    """Return the weight of every target, of mean one over those observed, or None if all weigh the same.

    Parameters
    ----------
    estimator : BaseMultiTask
        Holds `task_weight`, and `class_weight` if it is a classifier.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    codes : ndarray of int of shape (n_rows,)
        Tasks of the rows.
    dense : ndarray of shape (n_rows, n_columns)
        Targets, NaN where not observed.
    row_tasks : ndarray
        Labels of the tasks.
    n_columns : int
        Number of columns of y.
    n_classes : int or None
        Number of classes.
    """
    task_weight, class_weight = estimator.task_weight, getattr(estimator, "class_weight", None)
    observed = ~np.isnan(dense)
    total = np.where(observed, 1.0 if weight is None else weight[:, None], 0.0)
    if n_classes is not None and class_weight is not None:
        coded = np.where(observed, dense, 0.0).astype(np.intp)
        share = np.bincount(coded[observed], weights=total[observed], minlength=n_classes)
        factor = class_factors(class_weight, share, estimator._classes.labels)
        total = total * factor[coded]
    if task_weight is not None:
        units = codes[:, None] * n_columns + np.arange(n_columns)
        n_units = len(row_tasks) * n_columns
        if isinstance(task_weight, str):
            sums = np.bincount(units.ravel(), weights=total.ravel(), minlength=n_units)
            total = total / np.where(sums > 0, sums, 1.0)[units]
        else:
            total = total * _task_factors(task_weight, estimator, row_tasks, n_columns)[units]
        if not np.any(total > 0):
            raise ValueError("'task_weight' leaves no target any weight. Give at least one task a positive number.")
    of_observed = total[observed]
    if np.ptp(of_observed) <= 1e-12 * of_observed.max() and observed.all():
        return None
    return total / of_observed.mean()


def _task_factors(task_weight, estimator, row_tasks, n_columns):
    """Weight of every unit from a dict by task label, or by column of a 2-D y without labels."""
    by_column = len(row_tasks) == 1 and n_columns > 1
    names = estimator._output_labels.tolist() if by_column else np.asarray(row_tasks).tolist()
    unknown = [name for name in task_weight if name not in names]
    if unknown:
        raise ValueError(f"'task_weight' names unknown tasks: {unknown[:5]}. The tasks are {names[:5]}.")
    factors = np.array([task_weight.get(name, 1.0) for name in names], dtype=np.float64)
    if not np.all(np.isfinite(factors) & (factors >= 0)):
        raise ValueError(f"'task_weight' must give every task a number of at least 0. Got {task_weight}.")
    return factors if by_column else np.repeat(factors, n_columns)
