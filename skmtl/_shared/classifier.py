"""What all classifiers have in common: they know probabilities, and everything else follows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_consistent_length

from ..metrics import averaged_task_score
from .classes import TaskClasses
from .targets import output_names, read_classes


class ColumnAccuracy(ClassifierMixin):
    """The score of a classifier whose targets may be several columns with gaps."""

    def score(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> float:
        """Compute the accuracy.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets. For two dimensions the mean over columns, each over its observed rows.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows.

        Returns
        -------
        score : float
            Share of rows, by weight, whose class is predicted right.
        """
        predicted = self.predict(X, tasks=tasks)
        if predicted.ndim == 1:
            return float(accuracy_score(y, predicted, sample_weight=sample_weight))
        check_consistent_length(y, predicted)
        return averaged_task_score(y, predicted, None, _share_right, sample_weight=sample_weight)


def _share_right(y, predicted, sample_weight=None):
    """Accuracy, whatever kinds of labels the two arrays hold."""
    return float(np.average(y == predicted, weights=sample_weight))


class TaskClassifierMixin(ColumnAccuracy):
    """Predictions from ``_probabilities(X, tasks)``, (n_rows, n_outputs, n_classes), which a subclass defines.

    A subclass has `_classes`, the classes of all tasks, and `_two_dimensional`, whether y had two dimensions in `fit`.
    """

    _classes: TaskClasses
    _two_dimensional: bool

    def _probabilities(self, X, tasks) -> np.ndarray:
        raise NotImplementedError

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The most probable class of each row.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        return self._predicted_labels(X, tasks)

    def _predicted_labels(self, X, tasks):
        return self._labels(self._probabilities(X, tasks))

    def predict_proba(self, X: Any, *, tasks: Any = None) -> Any:
        """Predict probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), or list of them
            Probability of each class, in the order of `classes_`; rows sum to one. For a 2-D `y` a list, column by
            column.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        return self._per_column(self._probabilities(X, tasks))

    def predict_log_proba(self, X: Any, *, tasks: Any = None) -> Any:
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes), or list of them
            Logarithms of what :meth:`predict_proba` returns; minus infinity for a probability of zero.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        with np.errstate(divide="ignore"):
            return self._per_column(np.log(self._probabilities(X, tasks)))

    def _read_target(self, y, X):
        """Targets, and the labels of their columns."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        check_consistent_length(X, y)
        array = read_classes(y)
        return array, output_names(y, array)

    def _publish_classes(self):
        """Set `classes_`: all classes, or for a 2-D y those of each column."""
        labels = self._classes.labels
        self.classes_ = [labels[own] for own in self._classes.of_column] if self._two_dimensional else labels

    def _labels(self, probabilities):
        labels = self._classes.labels[np.argmax(probabilities, axis=2)]
        return labels if self._two_dimensional else labels[:, 0]

    def _per_column(self, values):
        if not self._two_dimensional:
            return values[:, 0]
        return [values[:, j][:, column] for j, column in enumerate(self._classes.of_column)]


def has_one_target(estimator):
    """Scores of several target columns have no common shape, so that ``decision_function`` is for one."""
    return not getattr(estimator, "_two_dimensional", False)


def decisions(raw, n_classes):
    """One score per row for two classes, otherwise the raw predictions, (n_rows, n_outputs), as they are."""
    if n_classes > 2:
        return raw
    return raw[:, 0] if raw.shape[1] == 1 else raw[:, 1] - raw[:, 0]
