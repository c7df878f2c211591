"""Losses for numbers."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import xlogy

from .._quantile import weighted_quantile
from ._base import RegressionLoss
from ._checks import check_number
from ._links import no_weight
from ._torch import safe_exp
from .kernels import regression as kernels


def _weighted_quantile(values, weight, q):
    values = np.ascontiguousarray(values, dtype=np.float64)
    return weighted_quantile(values, np.ones_like(values) if weight is None else weight, q)


def _robust_scale(y, weight):
    """1.4826 times the median absolute deviation; the mean deviation where more than half of the targets are equal."""
    center = _weighted_quantile(y, weight, 0.5)
    deviation = np.abs(y - center)
    scale = 1.4826 * _weighted_quantile(deviation, weight, 0.5)
    return scale if scale > 0.0 else float(np.average(deviation, weights=weight))


class SquaredLoss(RegressionLoss):
    r"""Half the squared error, :math:`(y - f)^2 / 2`."""

    constant_hessian = True

    def initial_raw(self, y, weight=None):
        """Weighted mean."""
        return np.array([np.average(y, weights=weight)])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.squared_error(y, raw, no_weight(weight), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        # In one array: where rows are many, new memory takes longer than the arithmetic.
        loss = y - raw[:, 0]
        loss *= loss
        loss *= 0.5
        return loss

    def mean_loss(self, y, raw, weight=None):
        """Weighted mean of the loss."""
        # After every round: in one pass, without the losses of rows in between.
        total = kernels.sum_of_squares(y, raw, no_weight(weight))
        return 0.5 * total / (len(y) if weight is None else float(np.sum(weight)))

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        from torch.nn.functional import mse_loss

        # One operation forward and one back; to squeeze makes no zeros for the gradient, as to index does.
        return 0.5 * mse_loss(raw.squeeze(1), y.to(raw.dtype), reduction="none")


class QuantileLoss(RegressionLoss):
    r"""Pinball loss, :math:`\max(q (y - f), (q - 1)(y - f))`.

    Parameters
    ----------
    quantile : float, default=0.5
        The quantile q to predict, strictly between 0 and 1.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46, 1978.
    """

    constant_hessian = True

    def __init__(self, quantile: float = 0.5) -> None:
        self.quantile = quantile

    @property
    def line_search(self) -> float | None:
        """The quantile of a leaf's residuals is its best value."""
        return float(self.quantile)

    def _slopes(self):
        """Slopes of the loss where the prediction is above and below the target."""
        return 1.0 - float(self.quantile), float(self.quantile)

    def check_target(self, y):
        """Check the parameter; every finite target will do."""
        if not isinstance(self.quantile, Real) or not 0.0 < float(self.quantile) < 1.0:
            raise ValueError(f"'quantile' must lie strictly between 0 and 1. Got {self.quantile!r}.")

    def initial_raw(self, y, weight=None):
        """Weighted quantile."""
        return np.array([_weighted_quantile(y, weight, self.quantile)])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        above, below = self._slopes()
        kernels.pinball(y, raw, no_weight(weight), above, below, gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        difference = y - raw[:, 0]
        return np.maximum(self.quantile * difference, (self.quantile - 1.0) * difference)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        above, below = self._slopes()
        difference = y - raw[:, 0]
        return below * difference.clamp(min=0.0) + above * (-difference).clamp(min=0.0)


class AbsoluteLoss(QuantileLoss):
    r"""Absolute error, :math:`|y - f|`: twice the pinball loss of the median."""

    def __init__(self) -> None:
        pass

    @property
    def quantile(self) -> float:  # type: ignore[override]
        """The median."""
        return 0.5

    def _slopes(self):
        return 1.0, 1.0

    def row_loss(self, y, raw):
        """Loss of each row."""
        return np.abs(y - raw[:, 0])


class HuberLoss(RegressionLoss):
    r"""Huber loss: :math:`r^2 / 2` for residuals up to delta, :math:`\delta (|r| - \delta / 2)` beyond.

    Parameters
    ----------
    delta : float or None, default=None
        Where the loss turns from squared to absolute, in the unit of `y`. None: 1.345 times a robust estimate
        of the standard deviation, 1.4826 times the median absolute deviation of the targets from their median
        (95 % efficiency for normal errors [1]_).

    References
    ----------
    .. [1] P. J. Huber, "Robust Statistics", Wiley, 1981.
    """

    constant_hessian = True

    def __init__(self, delta: Any = None) -> None:
        self.delta = delta

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        if self.delta is not None:
            if not isinstance(self.delta, Real) or not float(self.delta) > 0.0:
                raise ValueError(f"'delta' must be a positive number or None. Got {self.delta!r}.")
            return HuberLoss(float(self.delta))
        scale = _robust_scale(y, weight)
        return HuberLoss(1.345 * scale if scale > 0.0 else 1.0)

    def initial_raw(self, y, weight=None):
        """Minimiser of the loss over constants, by iteratively reweighted means."""
        value = _weighted_quantile(y, weight, 0.5)
        for _ in range(50):
            share = np.minimum(1.0, self.delta / np.maximum(np.abs(y - value), 1e-300))
            new = np.average(y, weights=share if weight is None else share * weight)
            if abs(new - value) <= 1e-12 * self.delta:
                break
            value = new
        return np.array([value])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.huber(y, raw, no_weight(weight), self.delta, gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        size = np.abs(y - raw[:, 0])
        return np.where(size <= self.delta, 0.5 * size**2, self.delta * (size - 0.5 * self.delta))

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        if self.delta is None:
            raise ValueError("'delta' is None: prepare the loss with the targets of the fit first, or set a number.")
        size = (y - raw[:, 0]).abs()
        inside = size.clamp(max=self.delta)
        return inside * (size - 0.5 * inside)


class LogCoshLoss(RegressionLoss):
    r"""Log-cosh loss, :math:`s^2 \log\cosh((y - f) / s)`: squared for small residuals, absolute for large ones, smooth.

    Parameters
    ----------
    scale : float or None, default=None
        The s, in the unit of `y`. None: 1.205 times the robust estimate of the standard deviation that
        :class:`HuberLoss` uses (95 % efficiency for normal errors [1]_).

    References
    ----------
    .. [1] P. W. Holland, R. E. Welsch, "Robust regression using iteratively reweighted least-squares", Communications
       in Statistics A 6, 1977.
    """

    def __init__(self, scale: Any = None) -> None:
        self.scale = scale

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        if self.scale is not None:
            if not isinstance(self.scale, Real) or not float(self.scale) > 0.0:
                raise ValueError(f"'scale' must be a positive number or None. Got {self.scale!r}.")
            return LogCoshLoss(float(self.scale))
        scale = _robust_scale(y, weight)
        return LogCoshLoss(1.205 * scale if scale > 0.0 else 1.0)

    def initial_raw(self, y, weight=None):
        """Constant with the least loss, where the slope, which grows, is zero."""
        low, high = float(np.min(y)), float(np.max(y))
        if low == high:
            return np.array([low])

        def slope(value):
            return np.average(np.tanh((value - y) / self.scale), weights=weight)

        return np.array([brentq(slope, low, high, xtol=1e-13 * self.scale, rtol=1e-15)])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.log_cosh(y, raw, no_weight(weight), float(self.scale), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        size = np.abs(y - raw[:, 0]) / self.scale
        return self.scale**2 * (size + np.log1p(np.exp(-2.0 * size)) - np.log(2.0))

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        from torch.nn.functional import softplus

        if self.scale is None:
            raise ValueError("'scale' is None: prepare the loss with the targets of the fit first, or set a number.")
        # Smooth at zero, where the size itself is not: log cosh x = softplus(2x) - x - log 2.
        x = (raw[:, 0] - y) / self.scale
        return self.scale**2 * (softplus(2.0 * x) - x - np.log(2.0))


class PoissonLoss(RegressionLoss):
    r"""Half the Poisson deviance with a log link; targets are counts or rates, zero included."""

    def check_target(self, y):
        """Targets must not be negative, and not all zero."""
        if np.any(y < 0) or not np.any(y > 0):
            raise ValueError(
                "loss='poisson' requires non-negative y with a positive sum. "
                f"Found {int(np.sum(y < 0))} negative values and the sum {float(np.sum(y)):g}."
            )

    def initial_raw(self, y, weight=None):
        """Log of the weighted mean."""
        return np.array([np.log(np.average(y, weights=weight))])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.poisson(y, raw, no_weight(weight), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        return xlogy(y, y) - y * raw[:, 0] - y + np.exp(raw[:, 0])

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        return y.xlogy(y) - y * raw[:, 0] - y + safe_exp(raw[:, 0])

    def inverse_link(self, raw):
        """Exponential."""
        return np.exp(raw[:, 0])


class GammaLoss(RegressionLoss):
    r"""Half the gamma deviance with a log link; targets are positive."""

    def check_target(self, y):
        """Targets must be positive."""
        if np.any(y <= 0):
            raise ValueError(
                f"loss='gamma' requires strictly positive y. Found {int(np.sum(y <= 0))} values that are not."
            )

    def initial_raw(self, y, weight=None):
        """Log of the weighted mean."""
        return np.array([np.log(np.average(y, weights=weight))])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.gamma(y, raw, no_weight(weight), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        return raw[:, 0] - np.log(y) + y * np.exp(-raw[:, 0]) - 1.0

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        return raw[:, 0] - y.log() + y * safe_exp(-raw[:, 0]) - 1.0

    def inverse_link(self, raw):
        """Exponential."""
        return np.exp(raw[:, 0])


class TweedieLoss(RegressionLoss):
    r"""Half the Tweedie deviance with a log link, for targets that are zero or positive.

    For a mean :math:`\mu = e^f` the loss is :math:`\frac{\mu^{2 - p}}{2 - p} - \frac{y \mu^{1 - p}}{1 - p}` and a term
    without f: the negative log-likelihood of a sum of a Poisson number of gamma variables [1]_.

    Parameters
    ----------
    power : float, default=1.5
        The power p of the mean that the variance grows with, strictly between 1 (Poisson) and 2 (gamma).

    References
    ----------
    .. [1] B. Jørgensen, "Exponential dispersion models", Journal of the Royal Statistical Society B 49, 1987.
    """

    def __init__(self, power: float = 1.5) -> None:
        self.power = power

    def check_target(self, y):
        """Check the power; targets must not be negative, and not all zero."""
        check_number("power", self.power, 1.0, 2.0, open_low=True, open_high=True)
        if np.any(y < 0) or not np.any(y > 0):
            raise ValueError(
                "loss='tweedie' requires non-negative y with a positive sum. "
                f"Found {int(np.sum(y < 0))} negative values and the sum {float(np.sum(y)):g}."
            )

    def initial_raw(self, y, weight=None):
        """Log of the weighted mean."""
        return np.array([np.log(np.average(y, weights=weight))])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.tweedie(y, raw, no_weight(weight), float(self.power), gradient, hessian)

    def _deviance(self, y, of_one, of_mean, of_y):
        """Half the deviance from the powers μ^(1 - p), μ^(2 - p) and y^(2 - p)."""
        one, two = 1.0 - self.power, 2.0 - self.power
        return of_mean / two - y * of_one / one + of_y / (one * two)

    def row_loss(self, y, raw):
        """Loss of each row."""
        f = raw[:, 0]
        return self._deviance(
            y, np.exp((1.0 - self.power) * f), np.exp((2.0 - self.power) * f), y ** (2.0 - self.power)
        )

    def inverse_link(self, raw):
        """Exponential."""
        return np.exp(raw[:, 0])

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        f = raw[:, 0]
        powers = safe_exp((1.0 - self.power) * f), safe_exp((2.0 - self.power) * f)
        return self._deviance(y, *powers, y ** (2.0 - self.power))
