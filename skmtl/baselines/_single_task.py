"""One model per task."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.utils.parallel import Parallel, delayed

from skmtl._shared.tables import take_rows
from skmtl._sklearn import Interval
from skmtl.baselines._base import TaskMetaClassifier, TaskMetaEstimator, TaskMetaRegressor, call, fit_inner


class _SingleTask(TaskMetaEstimator):
    """The part that both single-task estimators share."""

    _parameter_constraints: dict = {
        **TaskMetaEstimator._parameter_constraints,
        "min_rows": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        task_column: str | int | None = None,
        min_rows: int = 2,
        unseen_tasks: str = "shared",
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.task_column = task_column
        self.min_rows = min_rows
        self.unseen_tasks = unseen_tasks
        self.n_jobs = n_jobs

    def _fit_part(self, part):
        order = np.argsort(part.codes, kind="stable")
        rows_of_tasks = np.split(order, np.cumsum(np.bincount(part.codes, minlength=part.n_codes))[:-1])
        if part.n_codes == 1:
            rows_of_tasks = [np.arange(len(order))]
        jobs = rows_of_tasks + ([np.arange(len(order))] if part.has_unseen else [])
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_inner)(
                self._estimator_for(part.y[rows]),
                take_rows(part.X, rows),
                part.y[rows],
                None if part.weight is None else part.weight[rows],
            )
            for rows in jobs
        )
        return fitted[: part.n_codes], fitted[part.n_codes] if part.has_unseen else None

    def _estimator_for(self, y):
        """Return what is fitted to these targets."""
        classifies = is_classifier(self)
        if len(y) < self.min_rows or (classifies and np.all(y == y[0])):
            return DummyClassifier(strategy="prior") if classifies else DummyRegressor()
        return self._inner()

    def _apply(self, fitted, X, codes, method):
        own, pooled = fitted
        out = None
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            values = call(self, pooled if code < 0 else own[code], take_rows(X, rows), method)
            if out is None:
                dtype = self._labels.dtype if method == "predict" and is_classifier(self) else np.float64
                out = np.empty((len(codes), *values.shape[1:]), dtype=dtype)
            out[rows] = values
        return out

    def _publish(self):
        self.estimators_ = [estimator for own, _ in self._parts for estimator in own]
        pooled = [pooled for _, pooled in self._parts if pooled is not None]
        self.pooled_ = pooled[0] if len(pooled) == 1 else pooled or None


class SingleTaskRegressor(_SingleTask, TaskMetaRegressor):  # numpydoc ignore=PR02
    """One regressor per task, fitted to the rows of that task alone.

    What multi-task learning has to beat: if it does not, the tasks have nothing to teach each other. Tasks are fitted
    in parallel.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor to copy. None: :class:`~sklearn.ensemble.HistGradientBoostingRegressor`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.
    min_rows : int, default=2
        Least number of rows of a task that gets a regressor; the prediction for smaller ones is their mean.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" fits one more regressor, to all rows, for that case.
    n_jobs : int or None, default=None
        Number of tasks that are fitted at the same time, as in joblib.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    estimators_ : list of estimators, of length n_tasks
        The regressor of each task; for a 2-D `y` with task labels those of the second column follow, and so on.
    pooled_ : estimator, list of estimators or None
        The regressor for tasks not seen in `fit`, if there is one; several for a 2-D `y` with task labels.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    PooledRegressor : One regressor for all tasks.
    skmtl.metrics.relative_gain : How much better another model is, task by task.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.baselines import SingleTaskRegressor
    >>> X, y, tasks = [[0.0], [1.0], [0.0], [1.0]], [0.0, 1.0, 2.0, 0.0], ["a", "a", "b", "b"]
    >>> model = SingleTaskRegressor(LinearRegression()).fit(X, y, tasks=tasks)
    >>> model.predict([[0.5], [0.5]], tasks=["a", "b"]).round(2).tolist()
    [0.5, 1.0]
    """


class SingleTaskClassifier(_SingleTask, TaskMetaClassifier):  # numpydoc ignore=PR02
    """One classifier per task, fitted to the rows of that task alone.

    What multi-task learning has to beat: if it does not, the tasks have nothing to teach each other. Tasks are fitted
    in parallel. A task's rows get no probability for a class that the task never had in `fit`.

    Parameters
    ----------
    estimator : estimator, default=None
        Classifier to copy. None: :class:`~sklearn.ensemble.HistGradientBoostingClassifier`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.
    min_rows : int, default=2
        Least number of rows of a task that gets a classifier; smaller ones, and those with a single class, are
        predicted by the shares of their classes.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" fits one more classifier, to all rows, for that case.
    n_jobs : int or None, default=None
        Number of tasks that are fitted at the same time, as in joblib.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    estimators_ : list of estimators, of length n_tasks
        The classifier of each task; for a 2-D `y` with task labels those of the second column follow, and so on.
    pooled_ : estimator, list of estimators or None
        The classifier for tasks not seen in `fit`, if there is one; several for a 2-D `y` with task labels.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    PooledClassifier : One classifier for all tasks.
    skmtl.metrics.relative_gain : How much better another model is, task by task.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmtl.baselines import SingleTaskClassifier
    >>> X, y, tasks = [[0.0], [1.0], [0.0], [1.0]], ["no", "yes", "yes", "no"], ["a", "a", "b", "b"]
    >>> model = SingleTaskClassifier(DecisionTreeClassifier()).fit(X, y, tasks=tasks)
    >>> model.predict([[1.0], [1.0]], tasks=["a", "b"]).tolist()
    ['yes', 'no']
    """
