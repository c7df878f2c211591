"""Losses of the spherical family: they see the scores through their sum, the sum of squares and the own score."""

from __future__ import annotations

import math
from numbers import Integral

import numpy as np
from scipy.special import softmax

from ._base import ClassificationLoss
from ._checks import check_number
from ._links import class_shares, no_weight
from .kernels import spherical as kernels

#: A class with a smaller share starts as if it had this one: the score of the others grows as the share falls.
_LEAST_SHARE = 1e-4


class _PositiveShares(ClassificationLoss):
    """Logarithmic loss of probabilities T(o_k) / Σ T(o_j) with a positive function T."""

    def n_outputs_for(self, n_classes=None):
        """One for each class: T knows no shift, so that two classes do not reduce to a difference."""
        return n_classes

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        self._check()
        return super().prepare(y, weight, n_classes)

    def initial_raw(self, y, weight=None):
        """Scores whose probabilities are the class shares, on the branch where T grows."""
        share = class_shares(y, weight, self._n_classes, _LEAST_SHARE)
        return self._inverse(share / share.min())

    def row_loss(self, y, raw):
        """Loss of each row."""
        values = self._values(raw)
        own = np.take_along_axis(values, y.astype(np.intp)[:, None], axis=1)[:, 0]
        return np.log(values.sum(axis=1)) - np.log(own)

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        values = self._values(raw)
        return values / values.sum(axis=1, keepdims=True)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        values = self._values(raw)
        if allowed is not None:
            values = values.masked_fill(~allowed, 0.0)
        return values.sum(dim=1).log() - values.gather(1, y[:, None].long())[:, 0].log()


class TaylorSoftmaxLoss(_PositiveShares):
    r"""Logarithmic loss of the Taylor softmax, :math:`p_k \propto \sum_{i \leq n} o_k^i / i!`.

    For the order 2, :math:`p_k \propto 1 + o_k + o_k^2 / 2` [1]_; higher orders after [2]_. There is one score per
    class, for two classes too. Below the minimum of the polynomial (-1 for order 2) a lower score makes a class more
    probable again: predictions are read from the probabilities, not from the scores.

    Parameters
    ----------
    order : int, default=2
        Order of the polynomial, 2, 4, 6, ...; polynomials of odd order become negative.

    References
    ----------
    .. [1] A. de Brébisson, P. Vincent, "An exploration of softmax alternatives belonging to the spherical loss family",
       ICLR 2016. arXiv 1511.05042.
    .. [2] K. Banerjee et al., "Exploring alternatives to softmax function", 2020. arXiv 2011.11538.
    """

    def __init__(self, order: int = 2) -> None:
        self.order = order

    def _check(self):
        if not isinstance(self.order, Integral) or isinstance(self.order, bool) or self.order < 2 or self.order % 2:
            raise ValueError(f"'order' must be an even number, 2 or more. Got {self.order!r}.")

    def _values(self, raw):
        return sum(raw**i / math.factorial(i) for i in range(1, self.order + 1)) + 1.0

    def _inverse(self, values):
        """Scores, zero or positive, of values from 1 on; by bisection."""
        low, high = np.zeros(len(values)), np.maximum(values - 1.0, 1e-300)
        for _ in range(200):
            middle = 0.5 * (low + high)
            above = self._values(middle) > values
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return 0.5 * (low + high)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.taylor_softmax(y, raw, no_weight(weight), int(self.order), gradient, hessian)


class SphericalSoftmaxLoss(_PositiveShares):
    r"""Logarithmic loss of the spherical softmax, :math:`p_k \propto o_k^2 + \epsilon`.

    There is one score per class, for two classes too. Its sign does not count, and a score of zero gets no gradient:
    predictions are read from the probabilities, and a net had better start from scores away from zero, such as those
    of :meth:`initial_raw` as its biases [1]_.

    Parameters
    ----------
    eps : float, default=0.01
        Keeps probabilities away from zero.

    References
    ----------
    .. [1] A. de Brébisson, P. Vincent, "An exploration of softmax alternatives belonging to the spherical loss family",
       ICLR 2016. arXiv 1511.05042.
    """

    def __init__(self, eps: float = 0.01) -> None:
        self.eps = eps

    def _check(self):
        check_number("eps", self.eps, 0.0, open_low=True)

    def _values(self, raw):
        return raw**2 + self.eps

    def _inverse(self, values):
        return np.sqrt(values * (1.0 + self.eps) - self.eps)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        kernels.spherical_softmax(y, raw, no_weight(weight), float(self.eps), gradient, hessian)


class ZLoss(ClassificationLoss):
    r"""Z-loss, :math:`\frac{1}{a} \log(1 + e^{a (b - z_y)})` with standardised scores :math:`z_k`.

    They are :math:`z_k = (o_k - \mu) / \sigma`, with mean and standard deviation over the scores of the row, so that
    neither a shift nor a positive scale of the scores counts [1]_. The loss ranks classes; it is no model of
    probabilities. What estimators call probabilities is a softmax over z, right in its order but not calibrated: see
    :class:`sklearn.calibration.CalibratedClassifierCV`.

    Parameters
    ----------
    a : float, default=1.0
        Sharpness of the step at b.
    b : float, default=0.0
        How many standard deviations the own class is to stand out; at most ``sqrt(n_classes - 1)`` is possible.
    eps : float, default=1e-12
        Added to the variance; at least 1e-8 in float32.

    References
    ----------
    .. [1] A. de Brébisson, P. Vincent, "The Z-loss: a shift and scale invariant classification loss belonging to the
       spherical family", 2016. arXiv 1604.08859.
    """

    def __init__(self, a: float = 1.0, b: float = 0.0, eps: float = 1e-12) -> None:
        self.a = a
        self.b = b
        self.eps = eps

    def n_outputs_for(self, n_classes=None):
        """One for each class, of which there must be three."""
        if n_classes is not None and n_classes < 3:
            raise ValueError(
                f"ZLoss needs three classes or more. Got {n_classes}: of two standardised scores one is always 1 and "
                "the other -1, and nothing can be learned. Use another loss, such as 'log_loss'."
            )
        return n_classes

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        check_number("a", self.a, 0.0, open_low=True)
        check_number("b", self.b, -math.inf)
        check_number("eps", self.eps, 0.0, open_low=True)
        self.n_outputs_for(n_classes)
        return super().prepare(y, weight, n_classes)

    def initial_raw(self, y, weight=None):
        """Logarithms of the class shares, and a small ramp: equal scores would have no standard deviation."""
        logs = np.log(class_shares(y, weight, self._n_classes))
        return logs - logs.mean() + 1e-3 * np.arange(self._n_classes)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        a, b, eps = float(self.a), float(self.b), float(self.eps)
        kernels.z_loss(y, raw, no_weight(weight), a, b, eps, gradient, hessian)

    def _standardised(self, raw):
        centred = raw - raw.mean(axis=1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.eps)

    def row_loss(self, y, raw):
        """Loss of each row."""
        z = np.take_along_axis(self._standardised(raw), y.astype(np.intp)[:, None], axis=1)[:, 0]
        return np.logaddexp(0.0, self.a * (self.b - z)) / self.a

    def inverse_link(self, raw):
        """Softmax over the standardised scores."""
        return softmax(self._standardised(raw), axis=1)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`; a row with fewer than three allowed classes is standardised over all of them."""
        import torch

        eps = self.eps if raw.dtype == torch.float64 else max(self.eps, 1e-8)
        if allowed is None:
            counted = torch.ones_like(raw)
        else:
            counted = (allowed | (allowed.sum(dim=1, keepdim=True) < 3)).to(raw.dtype)
        n = counted.sum(dim=1, keepdim=True)
        centred = raw - (raw * counted).sum(dim=1, keepdim=True) / n
        variance = (centred**2 * counted).sum(dim=1, keepdim=True) / n
        z = (centred / (variance + eps).sqrt()).gather(1, y[:, None].long())[:, 0]
        return torch.nn.functional.softplus(self.a * (self.b - z)) / self.a
