"""What the meta-estimators share: the task contract round estimators that know no tasks.

A *part* is a learning problem with one code per row: 1-D targets give one part, coded by task; a 2-D `y` without task
labels one part, coded by column; a 2-D `y` with task labels one part per column, coded by task. Subclasses say how a
part is fitted (``_fit_part``) and how it predicts (``_apply``).
"""

from __future__ import annotations

from abc import abstractmethod
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skmtl._shared.classifier import ColumnAccuracy
from skmtl._shared.regressor import ColumnR2
from skmtl._shared.tables import read_table, take_rows
from skmtl._shared.targets import read_classes, read_numbers
from skmtl._sklearn import HasMethods, StrOptions, _check_sample_weight, _fit_context, _num_samples
from skmtl.tasks import TaskRequests, learn_tasks, look_up_tasks, observed_pairs


class Part(NamedTuple):
    """The rows of a learning problem."""

    X: Any
    codes: np.ndarray  # (n_rows,), from 0 to n_codes - 1
    n_codes: int
    y: np.ndarray
    weight: np.ndarray | None
    has_unseen: bool  # whether codes of -1 may come up in `predict`


class TaskMetaEstimator(TaskRequests, BaseEstimator):
    """A meta-estimator with the task contract; see the subclasses."""

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, None],
        "unseen_tasks": [StrOptions({"shared", "error"})],
    }

    estimator: Any
    task_column: Any

    @abstractmethod
    def _fit_part(self, part):
        """Return what `_apply` needs, fitted to a part."""

    @abstractmethod
    def _apply(self, fitted, X, codes, method):
        """Return the output of `method` for each row; code -1 is an unseen task."""

    @abstractmethod
    def _read_target(self, y, n_rows):
        """Return the checked targets, 1-D or 2-D."""

    @abstractmethod
    def _default_estimator(self):
        """Return the estimator that None stands for."""

    def _inner(self):
        """Return an unfitted copy of the estimator inside."""
        return self._default_estimator() if self.estimator is None else clone(self.estimator)

    @property
    def _unseen(self):
        return getattr(self, "unseen_tasks", "shared")

    @_fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X, y, tasks, sample_weight):
        owner = type(self).__name__
        features, labels = read_table(self, X, tasks, reset=True)
        if y is None:
            raise ValueError(f"{owner} requires y to be passed, but the target y is None.")
        n_rows = _num_samples(features)
        columns = list(y.columns) if hasattr(y, "columns") else None
        y = self._read_target(y, n_rows)
        weight = None
        if sample_weight is not None:
            if not has_fit_parameter(self._inner(), "sample_weight"):
                raise ValueError(
                    f"'sample_weight' is given, but the fit of {type(self._inner()).__name__} takes no weights. Leave "
                    "it out, or choose another estimator."
                )
            weight = _check_sample_weight(sample_weight, np.empty((n_rows, 1)), dtype=np.float64)
            if np.any(weight < 0):
                raise ValueError(f"'sample_weight' must not be negative. Found {int(np.sum(weight < 0))} such weights.")
            if not np.any(weight > 0):
                raise ValueError("'sample_weight' must have a positive entry. All weights are zero.")
            kept = np.flatnonzero(weight > 0)  # a weight of zero is no row at all
            if len(kept) < n_rows:
                features, y, weight = take_rows(features, kept), y[kept], weight[kept]
                labels = None if labels is None else take_rows(labels, kept)
        row_tasks, codes = learn_tasks(labels, len(y), owner=owner)
        pairs = observed_pairs(y, codes, owner=owner)
        values = self._learn_classes(pairs, y.ndim)
        self._row_tasks, self._n_columns, n_tasks = row_tasks, y.shape[1] if y.ndim == 2 else None, len(row_tasks)
        by_task = y.ndim == 1 or n_tasks > 1
        self.tasks_ = row_tasks if by_task else np.array(columns or list(range(pairs.n_outputs)))
        self._parts = []
        if y.ndim == 1 or n_tasks == 1:
            problems = [np.arange(len(pairs.rows))]
        else:
            problems = [np.flatnonzero(pairs.units % pairs.n_outputs == j) for j in range(pairs.n_outputs)]
        for of_part in problems:
            rows = pairs.rows[of_part]
            whole = len(rows) == len(y) and np.array_equal(rows, np.arange(len(y)))
            part = Part(
                features if whole else take_rows(features, rows),
                codes[rows] if by_task else pairs.units[of_part],
                len(self.tasks_),
                values[of_part],
                None if weight is None else weight[rows],
                by_task and n_tasks > 1 and self._unseen == "shared",
            )
            self._parts.append(self._fit_part(part))
        self._publish()
        return self

    def _publish(self):
        """Set public attributes of the fitted parts."""

    def _learn_classes(self, pairs, n_dimensions):
        return pairs.values

    def _outputs(self, X, tasks, method):
        """Return the output of a method: one array for a 1-D `y`, otherwise a list with one per column."""
        check_is_fitted(self)
        features, labels = read_table(self, X, tasks, reset=False)
        n_rows = _num_samples(features)
        codes = look_up_tasks(labels, self._row_tasks, n_rows, unseen=self._unseen, owner=type(self).__name__)
        if self._n_columns is None:
            return self._apply(self._parts[0], features, codes, method)
        if len(self._row_tasks) == 1:
            return [
                self._apply(self._parts[0], features, np.full(n_rows, column), method)
                for column in range(self._n_columns)
            ]
        return [self._apply(part, features, codes, method) for part in self._parts]

    def __sklearn_tags__(self):
        """Take what the estimator inside takes, and several targets."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._inner())
        tags.input_tags = inner.input_tags
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = inner.target_tags.positive_only
        tags.non_deterministic = inner.non_deterministic
        if inner.regressor_tags is not None and tags.regressor_tags is not None:
            tags.regressor_tags.poor_score = inner.regressor_tags.poor_score
        if inner.classifier_tags is not None and tags.classifier_tags is not None:
            tags.classifier_tags.poor_score = inner.classifier_tags.poor_score
            tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags


class TaskMetaRegressor(ColumnR2, TaskMetaEstimator):
    """The methods of a regressor."""

    def _default_estimator(self):
        return HistGradientBoostingRegressor()

    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> TaskMetaRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features, handed on in the form they came in.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; in two dimensions every column is a task, and NaN means not observed.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for estimators that take them.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If lengths differ, labels are missing, both `tasks` and `task_column` are given, or the estimator takes no
            weights.
        """
        return self._fit(X, y, tasks, sample_weight)

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,), default=None
            Task labels; needed after a `fit` on several tasks.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        values = self._outputs(X, tasks, "predict")
        return values if self._n_columns is None else np.column_stack(values).astype(np.float64, copy=False)

    def _read_target(self, y, n_rows):
        array = read_numbers(y)
        if len(array) != n_rows:
            raise ValueError(f"'y' has {len(array)} rows but X has {n_rows} rows.")
        return array


def _inner_has(method):
    def check(self):
        getattr(self._inner(), method)  # raises its own AttributeError
        return True

    return check


class TaskMetaClassifier(ColumnAccuracy, TaskMetaEstimator):
    """The methods of a classifier."""

    def _default_estimator(self):
        return HistGradientBoostingClassifier()

    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> TaskMetaClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features, handed on in the form they came in.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; in two dimensions every column is a task, and NaN or None means not observed.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for estimators that take them.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If lengths differ, labels are missing, both `tasks` and `task_column` are given, or the estimator takes no
            weights.
        """
        return self._fit(X, y, tasks, sample_weight)

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,), default=None
            Task labels; needed after a `fit` on several tasks.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predicted class of each row.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        values = self._outputs(X, tasks, "predict")
        return values if self._n_columns is None else np.column_stack(values)

    @available_if(_inner_has("predict_proba"))
    def predict_proba(self, X: Any, *, tasks: Any = None) -> Any:
        """Predict probabilities, where the estimator inside does.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,), default=None
            Task labels; needed after a `fit` on several tasks.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), or list of them
            Probability of each class, in the order of `classes_`. For a 2-D `y` a list, column by column.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        return self._outputs(X, tasks, "predict_proba")

    def _read_target(self, y, n_rows):
        if _num_samples(y) != n_rows:
            raise ValueError(f"'y' has {_num_samples(y)} rows but X has {n_rows} rows.")
        return read_classes(y)

    def _learn_classes(self, pairs, n_dimensions):
        values = pairs.values
        if n_dimensions == 2:
            if values.dtype.kind == "O" and all(isinstance(value, str) for value in values.tolist()):
                values = values.astype(np.str_)
            check_classification_targets(values)
            columns = pairs.units % pairs.n_outputs
            self.classes_: Any = [np.unique(values[columns == column]) for column in range(pairs.n_outputs)]
            self._labels = np.unique(values)
        else:
            self.classes_ = self._labels = np.unique(values)
        return values

    def _outputs(self, X, tasks, method):
        values = super()._outputs(X, tasks, method)
        if self._n_columns is None or method != "predict_proba":
            return values
        return [
            _restricted(proba, np.searchsorted(self._labels, own))
            for proba, own in zip(values, self.classes_, strict=True)
        ]

    def _align(self, values, classes):
        """Put probabilities of some classes into the columns of all classes."""
        if len(classes) == len(self._labels):
            return values
        out = np.zeros((len(values), len(self._labels)))
        out[:, np.searchsorted(self._labels, classes)] = values
        return out


def _restricted(proba, columns):
    """Return the probabilities of some classes, scaled to a sum of one."""
    if len(columns) == proba.shape[1]:
        return proba
    kept = proba[:, columns]
    total = kept.sum(axis=1, keepdims=True)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), 1.0 / len(columns))


def call(owner, fitted, X, method):
    """Return the output of a fitted estimator, with probabilities of all classes."""
    values = getattr(fitted, method)(X)
    return owner._align(values, fitted.classes_) if method == "predict_proba" else np.asarray(values)


def fit_inner(estimator, X, y, weight):
    """Fit an estimator, with weights if there are any."""
    return estimator.fit(X, y) if weight is None else estimator.fit(X, y, sample_weight=weight)
