"""Logistic loss."""

from __future__ import annotations

from ._base import ClassificationLoss
from ._links import class_shares, log_own_probability, no_weight, raw_of_shares, softmax_factor, softmax_link
from ._torch import log_probability
from .kernels import own_probability as kernels


class LogLoss(ClassificationLoss):
    r"""Logistic loss, also known as cross-entropy.

    Two classes have one raw prediction f with :math:`P(y = 1) = 1 / (1 + e^{-f})`; more classes have one each and a
    softmax.

    Parameters
    ----------
    one_output_per_class : bool, default=False
        Use a softmax over one raw prediction per class for two classes as well.
    """

    def __init__(self, one_output_per_class: bool = False) -> None:
        self.one_output_per_class = one_output_per_class

    def n_outputs_for(self, n_classes=None):
        """One for two classes, unless asked otherwise; one for each of more."""
        return 1 if n_classes == 2 and not self.one_output_per_class else n_classes

    def initial_raw(self, y, weight=None):
        """Log-odds, or logs of the class shares (of zero mean)."""
        return raw_of_shares(class_shares(y, weight, self._n_classes), self.n_outputs)

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        if raw.shape[1] == 1:
            kernels.binary_log_loss(y, raw, no_weight(weight), gradient, hessian)
        else:
            kernels.softmax_log_loss(y, raw, no_weight(weight), softmax_factor(raw.shape[1]), gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        return -log_own_probability(y, raw)

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        return softmax_link(raw)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        return -log_probability(raw, y, allowed)
