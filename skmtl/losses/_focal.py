"""Focal loss."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ._base import ClassificationLoss
from ._checks import check_number
from ._links import class_shares, log_own_probability, no_weight, raw_of_shares, softmax_factor, softmax_link
from ._torch import log_probability
from .kernels import own_probability as kernels


class FocalLoss(ClassificationLoss):
    r"""Focal loss, :math:`-\alpha_y (1 - p_y)^\gamma \log p_y`, which looks away from rows that are right already.

    :math:`p_y` is the probability of the row's own class: logistic for two classes, softmax for more. Its probabilities
    are drawn towards the middle: it ranks classes rightly, but is not a proper score. Calibrate where they matter.

    Parameters
    ----------
    gamma : float, default=2.0
        How fast the weight of a row falls with its probability, 0 or more; 0 is the logistic loss.
    alpha : float, sequence of float or None, default=None
        Weight of each class. A number in (0, 1), for two classes, is the weight of the second class, beside one minus
        it of the first (0.25 in [1]_). None: 1 for all.

    References
    ----------
    .. [1] T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", ICCV 2017.
    """

    def __init__(self, gamma: float = 2.0, alpha: Any = None) -> None:
        self.gamma = gamma
        self.alpha = alpha

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        check_number("gamma", self.gamma, 0.0)
        self._factors(n_classes)
        return super().prepare(y, weight, n_classes)

    def _factors(self, n_classes):
        """Weight of each class, float64 (n_classes,)."""
        alpha = self.alpha
        if alpha is None:
            return np.ones(n_classes)
        if isinstance(alpha, Real):
            if n_classes != 2:
                raise ValueError(
                    f"'alpha' as a number is for two classes. Got {alpha!r} and {n_classes} classes; give a sequence "
                    "with the weight of each class."
                )
            positive = check_number("alpha", alpha, 0.0, 1.0, open_low=True, open_high=True)
            return np.array([1.0 - positive, positive])
        if not isinstance(alpha, Sequence | np.ndarray) or isinstance(alpha, str) or len(alpha) != n_classes:
            raise ValueError(
                f"'alpha' must be None, a number, or a sequence with one weight for each of the {n_classes} classes. "
                f"Got {alpha!r}."
            )
        return np.array([check_number("alpha", value, 0.0, open_low=True) for value in alpha])

    def initial_raw(self, y, weight=None):
        """Raw prediction with the least loss: all π_k φ'(log p_k) / p_k are equal there, and the p_k sum to one."""
        share = class_shares(y, weight, self._n_classes) * self._factors(self._n_classes)

        def log_probabilities(level):
            """Where log of -π φ' / p, which falls with p, is `level`; by bisection."""
            low, high = np.full(len(share), -80.0), np.full(len(share), -1e-18)
            for _ in range(90):
                middle = 0.5 * (low + high)
                q = -np.expm1(middle)
                slope = q**self.gamma * (1.0 - self.gamma * np.exp(middle) * middle / q)
                above = np.log(share * slope) - middle > level
                low, high = np.where(above, middle, low), np.where(above, high, middle)
            return 0.5 * (low + high)

        level = brentq(lambda level: np.exp(log_probabilities(level)).sum() - 1.0, -80.0, 60.0, xtol=1e-14, rtol=1e-14)
        return raw_of_shares(np.exp(log_probabilities(level)), self.n_outputs)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        weight, gamma, n_outputs = no_weight(weight), float(self.gamma), raw.shape[1]
        factors = self._factors(max(n_outputs, 2))
        if n_outputs == 1:
            kernels.binary_focal(y, raw, weight, factors, gamma, gradient, hessian)
        else:
            kernels.softmax_focal(y, raw, weight, factors, gamma, softmax_factor(n_outputs), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        log_p = log_own_probability(y, raw)
        factors = self._factors(max(raw.shape[1], 2))
        return -factors[y.astype(np.intp)] * (-np.expm1(log_p)) ** self.gamma * log_p

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        return softmax_link(raw)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        import torch

        log_p = log_probability(raw, y, allowed)
        # The power has no slope at 0, which is reached where the probability rounds to 1.
        others = (-torch.expm1(log_p)).clamp_min(torch.finfo(raw.dtype).tiny)
        loss = -(others**self.gamma) * log_p
        if self.alpha is None:
            return loss
        factors = torch.as_tensor(self._factors(max(raw.shape[1], 2)), dtype=raw.dtype, device=raw.device)
        return factors[y.long()] * loss
