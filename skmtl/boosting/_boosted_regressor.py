"""What both boosted regressors have in common: from raw predictions to numbers and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._shared.classes import by_column
from .._shared.regressor import TaskRegressorMixin
from ..losses import QuantilesLoss


class BoostedRegressorMixin(TaskRegressorMixin):
    """Predictions from ``_raw_predictions(X, tasks)``, (n_rows, n_outputs, outputs of the loss), of a subclass."""

    _fitted: Any
    _two_dimensional: bool

    def _raw_predictions(self, X, tasks) -> np.ndarray:
        raise NotImplementedError

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, in the unit of `y`.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        return self._answer(self._raw_predictions(X, tasks))

    def predict_quantiles(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict all quantiles of a model fitted with :class:`skmtl.losses.QuantilesLoss`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        quantiles : ndarray of shape (n_samples, n_quantiles) or (n_samples, n_outputs, n_quantiles)
            Quantiles, ascending in every row, in the unit of `y`.

        Raises
        ------
        TypeError
            If the model was fitted with another loss.
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        raw = self._raw_predictions(X, tasks)
        loss = self._fitted.loss
        if not isinstance(loss, QuantilesLoss):
            raise TypeError(f"'predict_quantiles' needs a fit with loss='quantiles'. It was made with {loss!r}.")
        values = by_column(loss.predict_quantiles, raw)
        return values if self._two_dimensional else values[:, 0]

    def _answer(self, raw):
        values = by_column(self._fitted.loss.inverse_link, raw)
        return values if self._two_dimensional else values[:, 0]
