"""Losses for ordered classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_expit

from ._base import ClassificationLoss
from ._checks import check_number, check_option
from ._links import class_shares, no_weight
from .kernels import ordinal as kernels

#: Thresholds start within these bounds, also beside classes without rows.
_LARGEST_START = 8.0


class OrdinalCrossEntropy(ClassificationLoss):
    r"""Loss for ordered classes 0, ..., K - 1 (the sorted labels), with a raw prediction for each of K - 1 thresholds.

    "coral": :math:`\sigma(\ell_k)` is the probability of a class above threshold k, and the loss is the sum over k of
    the logistic losses of that question [1]_. "corn": the same of the probability to pass threshold k for those that
    passed the one before [2]_, whose products fall by themselves. "cumulative_logit": minus the logarithm of the
    probability of the own class, :math:`\sigma(\ell_y) - \sigma(\ell_{y + 1})`, with thresholds :math:`\ell_1 = r_1`,
    :math:`\ell_{k + 1} = \ell_k - \log(1 + e^{r_{k + 1}})` that fall for any raw predictions r (the model of
    proportional odds [3]_, where only :math:`r_1` depends on the row).

    Where the questions of "coral" contradict each other, the smallest probability so far counts. All classes count in
    all tasks: those that a task lacks are no obstacle to an order.

    Parameters
    ----------
    kind : {"coral", "corn", "cumulative_logit"}, default="coral"
        The loss.
    importance_weights : sequence of float or None, default=None
        Weight of each of the K - 1 thresholds in the sum of "coral" and "corn". None: 1.

    See Also
    --------
    skmtl.losses.layers.OrdinalHead : Layer of a net in which all thresholds share their weights.

    References
    ----------
    .. [1] W. Cao, V. Mirjalili, S. Raschka, "Rank consistent ordinal regression for neural networks", Pattern
       Recognition Letters 140, 2020.
    .. [2] X. Shi, W. Cao, S. Raschka, "Deep neural networks for rank-consistent ordinal regression based on conditional
       probabilities", 2021. arXiv 2111.08851.
    .. [3] P. McCullagh, "Regression models for ordinal data", Journal of the Royal Statistical Society B 42, 1980.
    """

    def __init__(self, kind: str = "coral", *, importance_weights: Any = None) -> None:
        self.kind = kind
        self.importance_weights = importance_weights

    def n_outputs_for(self, n_classes=None):
        """One less than there are classes."""
        return n_classes - 1

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        check_option("kind", self.kind, ("coral", "corn", "cumulative_logit"))
        self._importance(n_classes - 1)
        return super().prepare(y, weight, n_classes)

    def _importance(self, n_thresholds):
        if self.importance_weights is None:
            return np.ones(n_thresholds)
        if self.kind == "cumulative_logit":
            raise ValueError("'importance_weights' is for kind='coral' and 'corn'. Set it to None.")
        if np.ndim(self.importance_weights) != 1 or len(self.importance_weights) != n_thresholds:
            raise ValueError(
                f"'importance_weights' must be None or one number for each of the {n_thresholds} thresholds between "
                f"{n_thresholds + 1} classes. Got {self.importance_weights!r}."
            )
        return np.array([check_number("importance_weights", value, 0.0) for value in self.importance_weights])

    def initial_raw(self, y, weight=None):
        """Raw predictions whose probabilities are the class shares."""
        share = class_shares(y, weight, self._n_classes)
        above = np.cumsum(share[::-1])[::-1][1:]
        if self.kind == "corn":
            return np.clip(np.log(above) - np.log(share[:-1]), -_LARGEST_START, _LARGEST_START)
        below = np.cumsum(share)[:-1]
        level = np.clip(np.log(above) - np.log(below), -_LARGEST_START, _LARGEST_START)
        if self.kind == "coral":
            return level
        gap = np.maximum(level[:-1] - level[1:], 1e-6)
        return np.concatenate([level[:1], np.log(np.expm1(gap))])

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`."""
        if self.kind == "cumulative_logit":
            kernels.cumulative_logit(y, raw, no_weight(weight), gradient, hessian)
        else:
            importance = self._importance(raw.shape[1])
            kernels.thresholds(y, raw, no_weight(weight), importance, self.kind == "corn", gradient, hessian)

    def row_loss(self, y, raw):
        """Loss of each row."""
        thresholds = np.arange(raw.shape[1])
        if self.kind != "cumulative_logit":
            sign = np.where(y[:, None] > thresholds, 1.0, -1.0)
            loss = -log_expit(sign * raw) * self._importance(raw.shape[1])
            return (loss * (y[:, None] >= thresholds) if self.kind == "corn" else loss).sum(axis=1)
        level = np.pad(_falling(raw), ((0, 0), (1, 1)), constant_values=((0, 0), (np.inf, -np.inf)))
        own = y.astype(np.intp)[:, None]
        a, b = (np.take_along_axis(level, own + j, axis=1)[:, 0] for j in (0, 1))
        gap = np.pad(np.logaddexp(0.0, raw), ((0, 0), (0, 1)), constant_values=np.inf)
        gap[:, 0] = np.inf
        gap = np.maximum(np.take_along_axis(gap, own, axis=1)[:, 0], 1e-100)
        return -np.log(-np.expm1(-gap)) - log_expit(a) - log_expit(-b)

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        above = expit(_falling(raw) if self.kind == "cumulative_logit" else raw)
        if self.kind == "corn":
            above = np.cumprod(above, axis=1)
        above = np.pad(np.minimum.accumulate(above, axis=1), ((0, 0), (1, 1)), constant_values=((0, 0), (1.0, 0.0)))
        return above[:, :-1] - above[:, 1:]

    def torch_rows(self, raw, y, allowed=None):
        """See :class:`Loss`; all classes count, whatever is allowed."""
        import torch
        from torch.nn.functional import logsigmoid, softplus

        thresholds = torch.arange(raw.shape[1], device=raw.device)
        y = y[:, None].long()
        if self.kind != "cumulative_logit":
            sign = torch.where(y > thresholds, 1.0, -1.0).to(raw.dtype)
            importance = torch.as_tensor(self._importance(raw.shape[1]), dtype=raw.dtype, device=raw.device)
            loss = softplus(-sign * raw) * importance
            return (loss * (y >= thresholds) if self.kind == "corn" else loss).sum(dim=1)
        steps = softplus(raw[:, 1:])
        level = raw[:, :1] - torch.cat([torch.zeros_like(raw[:, :1]), steps.cumsum(dim=1)], dim=1)
        # Thresholds that are not there are at any finite place: their terms are left out.
        last = raw.shape[1]
        a, b = level.gather(1, (y - 1).clamp_min(0))[:, 0], level.gather(1, y.clamp_max(last - 1))[:, 0]
        y = y[:, 0]
        loss = torch.where(y > 0, -logsigmoid(a), 0.0) + torch.where(y < last, softplus(b), 0.0)
        if last == 1:
            return loss
        inner = (y > 0) & (y < last)
        gap = steps.gather(1, (y[:, None] - 1).clamp(0, last - 2))[:, 0].clamp_min(torch.finfo(raw.dtype).tiny)
        return loss - torch.where(inner, (-torch.expm1(-gap)).log(), 0.0)


def _falling(raw):
    """Thresholds that fall, from raw predictions of "cumulative_logit"."""
    steps = np.cumsum(np.logaddexp(0.0, raw[:, 1:]), axis=1)
    return raw[:, :1] - np.concatenate([np.zeros((len(raw), 1)), steps], axis=1)
