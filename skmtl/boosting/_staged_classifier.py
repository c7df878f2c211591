"""Predictions of a classifier after each round."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from .._shared.classifier import has_one_target
from ._boosted_classifier import BoostedClassifierMixin


class StagedClassifierMixin(BoostedClassifierMixin):
    """Staged predictions from ``_read``, ``_stages`` and ``_staged_raw`` of `BaseRMTGB`."""

    _read: Any
    _stages: Any
    _staged_raw: Any

    def staged_predict(self, X: Any, *, tasks: Any = None) -> Iterator[np.ndarray]:
        """Predict class labels after each round.

        Task effects and partition weights are those of the end of `fit` at every stage.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Yields
        ------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels after one more round.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        for probabilities in self._staged_probabilities(X, tasks):
            yield self._labels(probabilities)

    def staged_predict_proba(self, X: Any, *, tasks: Any = None) -> Iterator[Any]:
        """Predict probabilities after each round.

        Task effects and partition weights are those of the end of `fit` at every stage.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Yields
        ------
        probabilities : ndarray of shape (n_samples, n_classes), or list of them
            Probabilities after one more round.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        for probabilities in self._staged_probabilities(X, tasks):
            yield self._per_column(probabilities)

    @available_if(has_one_target)
    def staged_decision_function(self, X: Any, *, tasks: Any = None) -> Iterator[np.ndarray]:
        """Compute raw predictions after each round, for a 1-D `y`.

        Task effects and partition weights are those of the end of `fit` at every stage.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Yields
        ------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Raw predictions after one more round.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        bins, task_codes = self._read(X, tasks)
        for raw in self._staged_raw(bins, task_codes, self._stages()):
            yield self._decisions(raw)

    def _staged_probabilities(self, X, tasks):
        bins, task_codes = self._read(X, tasks)
        allowed = self._classes.allowed(task_codes, self.unseen_classes)
        for raw in self._staged_raw(bins, task_codes, self._stages()):
            yield self._restricted(raw, allowed)
