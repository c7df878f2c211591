"""Comp-sum losses: the family between the exponential loss, cross-entropy and the mean absolute error."""

from __future__ import annotations

import numpy as np

from ._base import ClassificationLoss
from ._checks import check_number
from ._links import class_shares, log_own_probability, no_weight, raw_of_shares, softmax_factor, softmax_link
from ._torch import log_probability
from .kernels import own_probability as kernels

#: Beyond this exponent the loss goes on as a straight line in the logarithm of the probability.
LARGEST_EXPONENT = 30.0


class CompSumLoss(ClassificationLoss):
    r"""Comp-sum loss, :math:`(p_y^{\tau - 1} - 1) / (1 - \tau)`, and :math:`-\log p_y` for :math:`\tau = 1`.

    :math:`p_y` is the probability of the row's own class: logistic for two classes, softmax for more [1]_. A larger
    tau minds rows less that are badly wrong, such as rows with a wrong label. From about 2 on, and with many classes
    earlier, learning stalls: rows that start out wrong have no gradient left.

    Parameters
    ----------
    tau : float, default=1.0
        0: sum of exponentials; 1: cross-entropy; between 1 and 2: generalised cross-entropy; 2: mean absolute error.

    References
    ----------
    .. [1] A. Mao, M. Mohri, Y. Zhong, "Cross-entropy loss functions: theoretical analysis and applications", ICML 2023.
    """

    def __init__(self, tau: float = 1.0) -> None:
        self.tau = tau

    def _check(self):
        check_number("tau", self.tau, 0.0)

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        self._check()
        return super().prepare(y, weight, n_classes)

    def initial_raw(self, y, weight=None):
        """Raw prediction with the least loss, where p ∝ π^(1 / (2 - τ)) for class shares π.

        For τ above 1 that of τ = 1: the one with the least loss leaves rare classes without a gradient.
        """
        share = class_shares(y, weight, self._n_classes) ** (1.0 / (2.0 - min(float(self.tau), 1.0)))
        return raw_of_shares(share, self.n_outputs)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        weight, tau, n_outputs = no_weight(weight), float(self.tau), raw.shape[1]
        if n_outputs == 1:
            kernels.binary_comp_sum(y, raw, weight, tau, LARGEST_EXPONENT, gradient, hessian)
        else:
            scale = softmax_factor(n_outputs)
            kernels.softmax_comp_sum(y, raw, weight, tau, LARGEST_EXPONENT, scale, gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        log_p, tau = log_own_probability(y, raw), float(self.tau)
        if abs(tau - 1.0) < 1e-6:
            return -log_p
        exponent = (tau - 1.0) * log_p
        inside = np.minimum(exponent, LARGEST_EXPONENT)
        return (np.expm1(inside) + np.exp(inside) * (exponent - inside)) / (1.0 - tau)

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        return softmax_link(raw)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        log_p, tau = log_probability(raw, y, allowed), float(self.tau)
        if abs(tau - 1.0) < 1e-6:
            return -log_p
        exponent = (tau - 1.0) * log_p
        inside = exponent.clamp(max=LARGEST_EXPONENT)
        return (inside.expm1() + inside.exp() * (exponent - inside)) / (1.0 - tau)


class GeneralizedCrossEntropy(CompSumLoss):
    r"""Generalised cross-entropy, :math:`(1 - p_y^q) / q`: the comp-sum loss of :math:`\tau = 1 + q`.

    Parameters
    ----------
    q : float, default=0.7
        From above 0 (cross-entropy) to 1 (mean absolute error). Larger values mind wrong labels less [1]_.

    References
    ----------
    .. [1] Z. Zhang, M. Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels",
       NeurIPS 2018.
    """

    def __init__(self, q: float = 0.7) -> None:
        self.q = q

    def _check(self):
        check_number("q", self.q, 0.0, 1.0, open_low=True)

    @property
    def tau(self) -> float:  # type: ignore[override]
        """The tau of the comp-sum loss."""
        return 1.0 + self.q
