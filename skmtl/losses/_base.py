"""What every loss offers to the boosters."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone


class Loss(BaseEstimator):
    """Base of all losses: parameters as in any estimator, and a form for boosting.

    A booster keeps ``raw`` predictions of shape (n_rows, n_outputs) and asks the loss for its first and second
    derivatives by them. Derivatives are those of the sum over rows (no ``1 / n``), times the weight of the row.

    Attributes
    ----------
    constant_hessian : bool
        Whether the second derivative of every row is its weight.
    """

    constant_hessian: bool = False

    def prepare(self, y, weight=None, n_classes=None) -> Loss:
        """Return a copy with everything that depends on the targets of `fit` resolved.

        Parameters
        ----------
        y : ndarray of shape (n_rows,)
            Targets, or for classification the index of the class.
        weight : ndarray of shape (n_rows,) or None
            Weights of the rows.
        n_classes : int or None
            Number of classes, for classification.

        Returns
        -------
        loss : Loss
            The copy.

        Raises
        ------
        ValueError
            If the loss is not defined for a target.
        """
        self.check_target(y)
        return clone(self)

    def check_target(self, y) -> None:
        """Raise ValueError if the loss is not defined for a value of `y`."""

    @property
    def line_search(self) -> float | None:
        """The quantile of a leaf's residuals that is its best value, or None if that is no quantile."""
        return None

    @property
    def n_outputs(self) -> int:
        """Number of raw predictions per row."""
        return 1

    def initial_raw(self, y, weight=None) -> np.ndarray:
        """Constant raw prediction, of shape (n_outputs,), with the least loss."""
        raise TypeError(f"{type(self).__name__} has no form for boosting.")

    def derivatives(self, y, raw, weight, gradient, hessian) -> None:
        """Write the derivatives by `raw` to `gradient` and `hessian`.

        Parameters
        ----------
        y : float64 array of shape (n_rows,)
            Targets.
        raw : float64 array of shape (n_rows, n_outputs)
            Raw predictions.
        weight : float64 array of shape (n_rows,) or None
            Weights of the rows; None means 1.
        gradient, hessian : float64 arrays of shape (n_rows, n_outputs)
            Written to.
        """
        raise TypeError(f"{type(self).__name__} has no form for boosting.")

    def row_loss(self, y, raw) -> np.ndarray:
        """Loss of each row, of shape (n_rows,)."""
        raise TypeError(f"{type(self).__name__} has no form for boosting.")

    def mean_loss(self, y, raw, weight=None) -> float:
        """Weighted mean of the loss."""
        losses = self.row_loss(y, raw)
        return float(losses.mean() if weight is None else np.average(losses, weights=weight))

    def inverse_link(self, raw) -> np.ndarray:
        """Turn raw predictions into predictions: (n_rows,), or (n_rows, n_classes) for classification."""
        return raw[:, 0]
