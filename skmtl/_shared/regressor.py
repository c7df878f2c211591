"""What all regressors have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_consistent_length

from ..metrics import averaged_task_score
from .targets import output_names, read_numbers


class ColumnR2(RegressorMixin):
    """The score of a regressor whose targets may be several columns with gaps."""

    def score(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> float:
        """Compute the coefficient of determination.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets. For two dimensions the mean over columns with two observed rows or more, each over those.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows.

        Returns
        -------
        score : float
            R² of the predictions; NaN if no column has two observed rows.
        """
        predicted = self.predict(X, tasks=tasks)
        if predicted.ndim == 1:
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        y = read_numbers(y)
        check_consistent_length(y, predicted)
        return averaged_task_score(y, predicted, None, _r2_of_two, sample_weight=sample_weight)


def _r2_of_two(y, predicted, sample_weight=None):
    """R², NaN for a single row, of which scikit-learn would warn."""
    return r2_score(y, predicted, sample_weight=sample_weight) if len(y) >= 2 else np.nan


class TaskRegressorMixin(ColumnR2):
    """Reads the targets, too."""

    def _read_target(self, y, X):
        """Targets, and the labels of their columns."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        array = read_numbers(y)
        check_consistent_length(X, array)
        return array, output_names(y, array)
