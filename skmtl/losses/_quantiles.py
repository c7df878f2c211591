"""Several quantiles at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .._quantile import weighted_quantile
from ._base import RegressionLoss
from ._checks import check_number


class QuantilesLoss(RegressionLoss):
    r"""Mean of the pinball losses of several quantiles, with a raw prediction for each, from the same trees or net.

    Estimators predict the quantile nearest to the median; boosters have ``predict_quantiles`` for all. Predicted
    quantiles never cross: those of a row are put in order, which never makes them worse [1]_.

    In boosting the slopes are measured in mean absolute residuals over the square root of q (1 - q), with the weight of
    the row as second derivative: all quantiles have the same say in the splits, and steps do not depend on the unit of
    the target.

    Parameters
    ----------
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        Quantiles strictly between 0 and 1, ascending.

    References
    ----------
    .. [1] V. Chernozhukov, I. Fernández-Val, A. Galichon, "Quantile and probability curves without crossing",
       Econometrica 78, 2010.
    """

    def __init__(self, quantiles: Any = (0.1, 0.5, 0.9)) -> None:
        self.quantiles = quantiles

    def check_target(self, y):
        """Check the parameter; every finite target will do."""
        if isinstance(self.quantiles, str) or np.ndim(self.quantiles) != 1 or len(self.quantiles) == 0:
            raise ValueError(f"'quantiles' must be a sequence of numbers. Got {self.quantiles!r}.")
        values = [check_number("quantiles", q, 0.0, 1.0, open_low=True, open_high=True) for q in self.quantiles]
        if any(low >= high for low, high in pairwise(values)):
            raise ValueError(f"'quantiles' must ascend. Got {self.quantiles!r}.")

    def n_outputs_for(self, n_classes=None):
        """One for each quantile."""
        return len(self.quantiles)

    def _levels(self):
        return np.asarray(self.quantiles, dtype=np.float64)

    def _middle(self):
        return int(np.argmin(np.abs(self._levels() - 0.5)))

    def initial_raw(self, y, weight=None):
        """Weighted quantiles."""
        y = np.ascontiguousarray(y, dtype=np.float64)
        weight = np.ones_like(y) if weight is None else weight
        return np.array([weighted_quantile(y, weight, q) for q in self._levels()])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`; scaled as the class says."""
        levels = self._levels()
        spread = np.average(np.abs(y - raw[:, self._middle()]), weights=weight)
        w = np.ones(len(y)) if weight is None else weight
        above = (raw > y[:, None]) + 0.5 * (raw == y[:, None])
        gradient[:] = w[:, None] * (above - levels) * (spread / np.sqrt(levels * (1.0 - levels)))
        hessian[:] = w[:, None]

    def row_loss(self, y, raw):
        """Loss of each row."""
        difference, levels = y[:, None] - raw, self._levels()
        return np.maximum(levels * difference, (levels - 1.0) * difference).mean(axis=1)

    def predict_quantiles(self, raw: Any) -> np.ndarray:
        """Turn raw predictions into quantiles.

        Parameters
        ----------
        raw : ndarray of shape (n_rows, n_quantiles)
            Raw predictions.

        Returns
        -------
        quantiles : ndarray of shape (n_rows, n_quantiles)
            Quantiles, ascending in every row.
        """
        return np.sort(raw, axis=1)

    def inverse_link(self, raw):
        """The quantile nearest to the median."""
        return self.predict_quantiles(raw)[:, self._middle()]

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        import torch

        levels = torch.as_tensor(self._levels(), dtype=raw.dtype, device=raw.device)
        difference = y[:, None] - raw
        return (levels * difference.clamp(min=0.0) + (1.0 - levels) * (-difference).clamp(min=0.0)).mean(dim=1)
