"""The smallest estimators that keep the task contract, for tests of the contract alone."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._sklearn import Interval, StrOptions, _check_sample_weight, _fit_context
from skmtl.tasks import TaskRequests, learn_tasks, look_up_tasks, take_tasks


class TaskOffsetRegressor(TaskRequests, RegressorMixin, BaseEstimator):
    """Linear model with one offset per task.

    Parameters
    ----------
    shrinkage : float, default=0.5
        Fraction, in [0, 1], of each task's offset that is pulled back to zero.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in :meth:`fit`.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in :meth:`fit`.
    offset_ : ndarray of shape (n_tasks,)
        Offset of each task, in the unit of `y`.

    Examples
    --------
    >>> X, y = [[0.0], [1.0], [0.0], [1.0]], [0.0, 1.0, 4.0, 5.0]
    >>> model = TaskOffsetRegressor(shrinkage=0.0).fit(X, y, tasks=["a", "a", "b", "b"])
    >>> model.predict([[0.0]], tasks=["b"]).round(2)
    array([4.])
    """

    _parameter_constraints: dict = {
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
        "task_column": [str, Integral, None],
        "unseen_tasks": [StrOptions({"shared", "error"})],
    }

    def __init__(self, shrinkage=0.5, *, task_column=None, unseen_tasks="shared"):
        self.shrinkage = shrinkage
        self.task_column = task_column
        self.unseen_tasks = unseen_tasks

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, tasks=None, sample_weight=None):
        owner = type(self).__name__
        X, labels = take_tasks(X, tasks, self.task_column, owner=owner)
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        self.tasks_, codes = learn_tasks(labels, X.shape[0], owner=owner)
        self.mean_ = np.average(y, weights=weight)
        center = np.average(X, axis=0, weights=weight)
        root = np.sqrt(weight)
        coef, *_ = np.linalg.lstsq((X - center) * root[:, None], (y - self.mean_) * root, rcond=None)
        self.coef_, self.mean_ = coef, self.mean_ - center @ coef
        n_tasks = len(self.tasks_)
        residual = np.bincount(codes, weight * (y - X @ coef - self.mean_), minlength=n_tasks)
        total = np.bincount(codes, weight, minlength=n_tasks)
        # A task whose rows all have no weight has no offset.
        offset = np.divide(residual, total, out=np.zeros(n_tasks), where=total > 0)
        self.offset_ = (1 - self.shrinkage) * offset
        return self

    def predict(self, X, *, tasks=None):
        check_is_fitted(self)
        owner = type(self).__name__
        X, labels = take_tasks(X, tasks, self.task_column, owner=owner)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        codes = look_up_tasks(labels, self.tasks_, X.shape[0], unseen=self.unseen_tasks, owner=owner)
        return np.sum(X * self.coef_, axis=1) + self.mean_ + np.append(self.offset_, 0.0)[codes]  # code -1: no offset

    def score(self, X, y, *, tasks=None, sample_weight=None):
        return r2_score(y, self.predict(X, tasks=tasks), sample_weight=sample_weight)


class TaskOffsetClassifier(TaskRequests, ClassifierMixin, BaseEstimator):
    """Classifier of two classes on top of :class:`TaskOffsetRegressor`.

    Parameters
    ----------
    shrinkage : float, default=0.5
        Fraction, in [0, 1], of each task's offset that is pulled back to zero.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    """

    _parameter_constraints: dict = {
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
        "task_column": [str, Integral, None],
    }

    def __init__(self, shrinkage=0.5, *, task_column=None):
        self.shrinkage = shrinkage
        self.task_column = task_column

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, *, tasks=None, sample_weight=None):
        check_classification_targets(y)
        self.classes_, y = np.unique(y, return_inverse=True)
        self.model_ = TaskOffsetRegressor(self.shrinkage, task_column=self.task_column)
        self.model_.fit(X, 2.0 * y - 1.0, tasks=tasks, sample_weight=sample_weight)
        return self

    def decision_function(self, X, *, tasks=None):
        check_is_fitted(self)
        return self.model_.predict(X, tasks=tasks)

    def predict_proba(self, X, *, tasks=None):
        positive = 1 / (1 + np.exp(-self.decision_function(X, tasks=tasks)))
        return np.column_stack([1 - positive, positive])

    def predict(self, X, *, tasks=None):
        decision = self.decision_function(X, tasks=tasks)  # first: it raises NotFittedError
        return self.classes_[(decision > 0).astype(int)]

    def score(self, X, y, *, tasks=None, sample_weight=None):
        return accuracy_score(y, self.predict(X, tasks=tasks), sample_weight=sample_weight)
