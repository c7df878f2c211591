"""Losses for classes."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logsumexp, softmax

from . import _kernels
from ._base import ClassificationLoss
from ._torch import log_probability


def _weights(weight):
    return np.empty(0) if weight is None else weight


class LogLoss(ClassificationLoss):
    r"""Logistic loss, also known as cross-entropy.

    Two classes have one raw prediction f with :math:`P(y = 1) = 1 / (1 + e^{-f})`; more classes have one each and a
    softmax.

    Parameters
    ----------
    one_output_per_class : bool, default=False
        Use a softmax over one raw prediction per class for two classes as well.
    """

    def __init__(self, one_output_per_class=False):
        self.one_output_per_class = one_output_per_class

    def n_outputs_for(self, n_classes=None):
        """One for two classes, unless asked otherwise; one for each of more."""
        return 1 if n_classes == 2 and not self.one_output_per_class else n_classes

    def initial_raw(self, y, weight=None):
        """Log-odds, or logs of the class shares (of zero mean)."""
        n_classes = max(self.n_outputs, 2)
        share = np.bincount(y.astype(np.intp), weights=weight, minlength=n_classes)
        share = np.clip(share / share.sum(), 1e-10, 1.0 - 1e-10)
        if self.n_outputs == 1:
            return np.array([np.log(share[1] / share[0])])
        logs = np.log(share)
        return logs - logs.mean()

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        if self.n_outputs == 1:
            _kernels.binary_log_loss(y, raw, _weights(weight), gradient, hessian)
        else:
            # A softmax has one output too many, so steps along the diagonal alone would be too long by this factor
            # (J. Friedman, "Greedy function approximation", Annals of Statistics 29, 2001, algorithm 6).
            factor = self.n_outputs / (self.n_outputs - 1.0)
            _kernels.softmax_log_loss(y, raw, _weights(weight), factor, gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        if raw.shape[1] == 1:
            return np.logaddexp(0.0, raw[:, 0]) - y * raw[:, 0]
        return logsumexp(raw, axis=1) - np.take_along_axis(raw, y.astype(np.intp)[:, None], axis=1)[:, 0]

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        if raw.shape[1] == 1:
            positive = expit(raw[:, 0])
            return np.column_stack([1.0 - positive, positive])
        return softmax(raw, axis=1)

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`."""
        return -log_probability(raw, y, allowed)
