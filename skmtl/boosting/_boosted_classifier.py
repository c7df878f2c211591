"""What both boosted classifiers have in common: weights of classes, and from raw predictions to probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from .._shared.class_weights import class_factors
from .._shared.classes import TaskClasses, by_column, restrict_columns
from .._shared.classifier import TaskClassifierMixin, decisions, has_one_target
from ..losses import CLASSIFICATION_LOSSES, resolve_loss


class BoostedClassifierMixin(TaskClassifierMixin):
    """Predictions from ``_raw_predictions(X, tasks)`` of a subclass.

    These are raw predictions, (n_rows, n_outputs, outputs of the loss), and the codes of the tasks.
    """

    loss: Any
    class_weight: Any
    unseen_classes: str
    _fitted: Any
    _classes: TaskClasses

    def _raw_predictions(self, X, tasks) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError

    @available_if(has_one_target)
    def decision_function(self, X: Any, *, tasks: Any = None) -> Any:
        """Compute raw predictions, for a 1-D `y`.

        They come before the link, and before classes that a task lacks are left out.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For two classes the raw prediction of the second (less that of the first, where the loss has both),
            otherwise all raw predictions of the loss: one for each class, or for each threshold between classes.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        return self._decisions(self._raw_predictions(X, tasks)[0])

    def _make_loss(self):
        return resolve_loss(self.loss, CLASSIFICATION_LOSSES, form="boosting")

    def _weigh(self, weight, y):
        if self.class_weight is None:
            return weight
        coded, labels = y.astype(np.intp), self._classes.labels
        share = np.bincount(coded, weights=weight, minlength=len(labels))
        factors = class_factors(self.class_weight, share, labels)[coded]
        return factors if weight is None else factors * weight

    def _probabilities(self, X, tasks):
        raw, codes = self._raw_predictions(X, tasks)
        return self._restricted(raw, self._classes.allowed(codes, self.unseen_classes))

    def _restricted(self, raw, allowed):
        return restrict_columns(by_column(self._fitted.loss.inverse_link, raw), allowed)

    def _decisions(self, raw):
        return decisions(raw[:, 0], len(self._classes.labels))
