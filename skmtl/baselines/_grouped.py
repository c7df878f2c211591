"""One multi-task model per group of tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier

from skmtl._shared.tables import take_rows
from skmtl._sklearn import HasMethods
from skmtl.baselines._base import TaskMetaClassifier, TaskMetaEstimator, TaskMetaRegressor


class _GroupedMultiTask(TaskMetaEstimator):
    """The part that both grouped estimators share."""

    _parameter_constraints: dict = {
        **TaskMetaEstimator._parameter_constraints,
        "grouper": [HasMethods(["fit"]), "array-like", None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        grouper: Any = None,
        task_column: str | int | None = None,
        unseen_tasks: str = "shared",
    ) -> None:
        self.estimator = estimator
        self.grouper = grouper
        self.task_column = task_column
        self.unseen_tasks = unseen_tasks

    def _default_estimator(self):
        from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

        return RMTGBClassifier() if is_classifier(self) else RMTGBRegressor()

    def _fit_part(self, part):
        grouper, numbers = self._group(part)
        n_groups = int(numbers.max()) + 1
        fitted = []
        for group in range(n_groups):
            rows = np.flatnonzero(numbers[part.codes] == group)
            whole = len(rows) == len(part.codes)
            fitted.append(self._fit_rows(part, None if whole else rows))
        common = None
        if part.has_unseen:
            common = fitted[0] if n_groups == 1 else self._fit_rows(part, None)
        return grouper, numbers, fitted, common

    def _group(self, part):
        """Return the fitted grouper, if there is one, and the number of the group of each task."""
        if part.n_codes == 1:
            return None, np.zeros(1, dtype=np.intp)
        if self.grouper is None or hasattr(self.grouper, "fit"):
            from skmtl.inspection import TaskGrouper

            grouper = TaskGrouper() if self.grouper is None else clone(self.grouper)
            grouper.fit(part.X, part.y, tasks=part.codes)
            return grouper, np.asarray(grouper.labels_, dtype=np.intp)
        given = np.asarray(self.grouper)
        if given.shape != (part.n_codes,):
            raise ValueError(
                f"'grouper' as an array must hold the group of each of {part.n_codes} tasks, in sorted order. Got "
                f"shape {given.shape}."
            )
        return None, np.unique(given, return_inverse=True)[1].astype(np.intp)

    def _fit_rows(self, part, rows):
        X, y, codes, weight = part.X, part.y, part.codes, part.weight
        if rows is not None:
            X, y, codes = take_rows(X, rows), y[rows], codes[rows]
            weight = None if weight is None else weight[rows]
        if is_classifier(self) and np.all(y == y[0]):
            return y[0]
        given = {} if part.n_codes == 1 else {"tasks": codes}
        if weight is not None:
            given["sample_weight"] = weight
        return self._inner().fit(X, y, **given)

    def _apply(self, fitted, X, codes, method):
        _, numbers, estimators, common = fitted
        groups = np.where(codes < 0, -1, numbers[codes])
        classifies = is_classifier(self)
        if method == "predict_proba":
            out = np.zeros((len(codes), len(self._labels)))
        else:
            out = np.empty(len(codes), dtype=self._labels.dtype if classifies else np.float64)
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            estimator = common if group < 0 else estimators[group]
            if not hasattr(estimator, "predict"):  # a group with a single class
                if method == "predict_proba":
                    out[rows, np.searchsorted(self._labels, estimator)] = 1.0
                else:
                    out[rows] = estimator
                continue
            given = {} if len(numbers) == 1 else {"tasks": codes[rows]}
            values = getattr(estimator, method)(take_rows(X, rows), **given)
            out[rows] = self._align(values, estimator.classes_) if method == "predict_proba" else values
        return out

    def _publish(self):
        one = len(self._parts) == 1
        self.groups_ = self._parts[0][1] if one else [numbers for _, numbers, _, _ in self._parts]
        self.estimators_ = [estimator for _, _, fitted, _ in self._parts for estimator in fitted]
        groupers = [grouper for grouper, *_ in self._parts]
        self.grouper_ = groupers[0] if one else groupers


class GroupedMultiTaskRegressor(_GroupedMultiTask, TaskMetaRegressor):  # numpydoc ignore=PR02
    """One multi-task regressor per group of tasks that do well together.

    Tasks that have little to do with each other are kept apart: learning them together could only hurt.

    Parameters
    ----------
    estimator : estimator, default=None
        Multi-task regressor to copy; its `fit` and `predict` take `tasks`. None: :class:`~skmtl.RMTGBRegressor`.
    grouper : grouper or array-like of shape (n_tasks,), default=None
        What finds the groups, with an attribute `labels_` after ``fit(X, y, tasks=tasks)``; or the group of each task,
        in the sorted order of the tasks. None: :class:`~skmtl.inspection.TaskGrouper`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" fits one more regressor, to all tasks, for that case, and
        leaves the rest to its own `unseen_tasks`.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    groups_ : ndarray of shape (n_tasks,), or list of them
        Number of the group of each task; for a 2-D `y` with task labels a list, column by column.
    estimators_ : list of estimators
        The regressor of each group.
    grouper_ : grouper, list of them or None
        The fitted grouper, if there is one.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    skmtl.inspection.TaskGrouper : Finds the groups.
    SingleTaskRegressor : Every task is a group of its own.

    References
    ----------
    .. [1] S. Emami, D. Hernández-Lobato, G. Martínez-Muñoz, "Robust multi-task boosting using clustering and local
       ensembling", arXiv 2602.14231.

    Examples
    --------
    >>> from skmtl import RMTGBRegressor
    >>> from skmtl.baselines import GroupedMultiTaskRegressor
    >>> from skmtl.datasets import make_fourier_tasks
    >>> X, y, tasks = make_fourier_tasks(4, n_tasks=5, n_outliers=2, return_X_y_tasks=True, random_state=0)
    >>> model = GroupedMultiTaskRegressor(RMTGBRegressor(max_iter=20), grouper=[0, 0, 1, 0, 1])
    >>> len(model.fit(X, y, tasks=tasks).estimators_)
    2
    """


class GroupedMultiTaskClassifier(_GroupedMultiTask, TaskMetaClassifier):  # numpydoc ignore=PR02
    """One multi-task classifier per group of tasks that do well together.

    Tasks that have little to do with each other are kept apart: learning them together could only hurt.

    Parameters
    ----------
    estimator : estimator, default=None
        Multi-task classifier to copy; its `fit` and `predict` take `tasks`. None: :class:`~skmtl.RMTGBClassifier`.
    grouper : grouper or array-like of shape (n_tasks,), default=None
        What finds the groups, with an attribute `labels_` after ``fit(X, y, tasks=tasks)``; or the group of each task,
        in the sorted order of the tasks. None: :class:`~skmtl.inspection.TaskGrouper`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels; it is taken out before learning.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" fits one more classifier, to all tasks, for that case, and
        leaves the rest to its own `unseen_tasks`.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    groups_ : ndarray of shape (n_tasks,), or list of them
        Number of the group of each task; for a 2-D `y` with task labels a list, column by column.
    estimators_ : list
        The classifier of each group; for a group with a single class that class.
    grouper_ : grouper, list of them or None
        The fitted grouper, if there is one.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    skmtl.inspection.TaskGrouper : Finds the groups.
    SingleTaskClassifier : Every task is a group of its own.

    References
    ----------
    .. [1] S. Emami, D. Hernández-Lobato, G. Martínez-Muñoz, "Robust multi-task boosting using clustering and local
       ensembling", arXiv 2602.14231.

    Examples
    --------
    >>> from skmtl import RMTGBClassifier
    >>> from skmtl.baselines import GroupedMultiTaskClassifier
    >>> from skmtl.datasets import make_fourier_tasks
    >>> X, y, tasks = make_fourier_tasks(
    ...     4, n_tasks=5, n_outliers=2, problem="classification", return_X_y_tasks=True, random_state=0
    ... )
    >>> model = GroupedMultiTaskClassifier(RMTGBClassifier(max_iter=20), grouper=[0, 0, 1, 0, 1])
    >>> len(model.fit(X, y, tasks=tasks).estimators_)
    2
    """
