"""One model for all tasks, which does not know them."""

from __future__ import annotations

from typing import Any

from skmtl.baselines._base import TaskMetaClassifier, TaskMetaEstimator, TaskMetaRegressor, call, fit_inner


class _Pooled(TaskMetaEstimator):
    """The part that both pooled estimators share."""

    _parameter_constraints: dict = {
        name: TaskMetaEstimator._parameter_constraints[name] for name in ("estimator", "task_column")
    }

    def __init__(self, estimator: Any = None, *, task_column: str | int | None = None) -> None:
        self.estimator = estimator
        self.task_column = task_column

    def _fit_part(self, part):
        return fit_inner(self._inner(), part.X, part.y, part.weight)

    def _apply(self, fitted, X, codes, method):
        return call(self, fitted, X, method)

    def _publish(self):
        self.estimator_ = self._parts[0] if len(self._parts) == 1 else list(self._parts)


class PooledRegressor(_Pooled, TaskMetaRegressor):  # numpydoc ignore=PR02
    """One regressor for the rows of all tasks, which does not see the tasks.

    It shows what is lost if the tasks are ignored.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor to fit. None: :class:`~sklearn.ensemble.HistGradientBoostingRegressor`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    estimator_ : estimator, or list of them
        The fitted regressor; for a 2-D `y` with task labels a list, column by column.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    SingleTaskRegressor : The other extreme.
    TaskAsFeatureRegressor : One regressor that sees the tasks.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.baselines import PooledRegressor
    >>> X, y, tasks = [[0.0], [1.0], [0.0], [1.0]], [0.0, 1.0, 2.0, 3.0], ["a", "a", "b", "b"]
    >>> PooledRegressor(LinearRegression()).fit(X, y, tasks=tasks).predict([[0.0]], tasks=["a"]).round(2).tolist()
    [1.0]
    """


class PooledClassifier(_Pooled, TaskMetaClassifier):  # numpydoc ignore=PR02
    """One classifier for the rows of all tasks, which does not see the tasks.

    It shows what is lost if the tasks are ignored.

    Parameters
    ----------
    estimator : estimator, default=None
        Classifier to fit. None: :class:`~sklearn.ensemble.HistGradientBoostingClassifier`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    estimator_ : estimator, or list of them
        The fitted classifier; for a 2-D `y` with task labels a list, column by column.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    SingleTaskClassifier : The other extreme.
    TaskAsFeatureClassifier : One classifier that sees the tasks.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmtl.baselines import PooledClassifier
    >>> X, y, tasks = [[0.0], [1.0], [0.0]], ["no", "yes", "no"], ["a", "a", "b"]
    >>> PooledClassifier(DecisionTreeClassifier()).fit(X, y, tasks=tasks).predict([[1.0]], tasks=["b"]).tolist()
    ['yes']
    """
