"""What sets a task's rows apart, as further features of the trees that all tasks share.

For every ordered feature, the mean over the rows of the task. The trees can then let a common effect depend on the kind
of task (a school with strong pupils on entry, say) without a task of its own having to show it; a task of a few rows
borrows from tasks like it. Targets take no part in it.

Where tasks hold the same kind of rows their means differ by chance alone. Such a feature would merely number the tasks,
and let shared trees hide a task that does not fit; only means that differ beyond chance are used.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import f as f_distribution

from ._binning import Binner

#: Probability, if all tasks held the same kind of rows, of means that differ as much (one-way analysis of variance).
_CHANCE = 1e-3


class TaskFeatures:
    """Codes of the features of the tasks.

    Parameters
    ----------
    codes : uint8 array of shape (n_task_features, n_tasks + 1)
        Code of every task; the last column is for unseen tasks, which get the mean over all rows.
    n_bins : int32 array of shape (n_task_features,)
        Bins of every task feature.
    source : int array of shape (n_task_features,)
        Feature whose mean it is.
    """

    def __init__(self, codes, n_bins, source):
        self.codes = codes
        self.n_bins = n_bins
        self.source = source

    @classmethod
    def none(cls, n_tasks):
        """No feature."""
        return cls(np.empty((0, n_tasks + 1), np.uint8), np.empty(0, np.int32), np.empty(0, np.int64))

    @classmethod
    def learn(cls, values, weight, task_codes, n_tasks, ordered, max_bins):
        """Means of the rows of each task.

        Parameters
        ----------
        values : float64 array of shape (n_rows, n_features)
            Features, NaN where missing.
        weight : float64 array of shape (n_rows,) or None
            Weights of the rows.
        task_codes : intp array of shape (n_rows,)
            Task of each row.
        n_tasks : int
            Number of tasks.
        ordered : bool array of shape (n_features,)
            Features that have a mean.
        max_bins : int
            Most bins of a task feature.
        """
        weight = np.ones(len(values)) if weight is None else weight
        source, columns = [], []
        for f in np.flatnonzero(ordered):
            seen = ~np.isnan(values[:, f])
            column = _telling_means(values[seen, f], weight[seen], task_codes[seen], n_tasks)
            if column is not None:
                source.append(f)
                columns.append(column)
        if not source:
            return cls.none(n_tasks)
        means = np.stack(columns, axis=1)
        # Means that only the order of summation tells apart are the same mean.
        digits, exponents = np.frexp(means)
        means = np.ldexp(np.round(digits * 2.0**24), exponents - 24)
        task_weight = np.bincount(task_codes, weights=weight, minlength=n_tasks)
        binner = Binner(max_bins, np.zeros(len(source), np.int64))
        binner.fit(means[:-1], task_weight, np.random.default_rng(0))
        codes = binner.transform(means)
        return cls(codes, binner.n_bins, np.array(source, np.int64))

    def extend(self, bins, task_codes):
        """Codes of rows with those of their tasks after them, uint8 (n_features + n_task_features, n_rows)."""
        if len(self.source) == 0:
            return bins
        return np.concatenate([bins, self.codes[:, task_codes]])


def _telling_means(x, weight, task_codes, n_tasks):
    """Mean of `x` in every task and, last, over all; None where the tasks' means differ by no more than chance."""
    total = np.bincount(task_codes, weights=weight, minlength=n_tasks)
    n_rows, present = total.sum(), total > 0
    if present.sum() < 2 or n_rows <= present.sum():
        return None
    # The squares of huge values overflow; the test does not depend on the unit.
    unit = np.ldexp(1.0, int(np.frexp(np.abs(x).max())[1]) - 1)
    x = x / unit
    mean = np.full(n_tasks + 1, np.nan)
    mean[:-1][present] = np.bincount(task_codes, weights=weight * x, minlength=n_tasks)[present] / total[present]
    mean[-1] = np.average(x, weights=weight)
    between = np.sum(total[present] * (mean[:-1][present] - mean[-1]) ** 2)
    within = np.sum(weight * (x - mean[task_codes]) ** 2)
    # What rounding leaves of equal values is no spread.
    scale = np.sum(weight * (x - mean[-1]) ** 2)
    if scale == 0.0 or between <= 1e-12 * scale:
        return None
    degrees = present.sum() - 1, n_rows - present.sum()
    if within > 1e-12 * scale and f_distribution.sf(between / degrees[0] / (within / degrees[1]), *degrees) > _CHANCE:
        return None
    return mean * unit
