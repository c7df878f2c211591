"""AnyLoss: a metric of the confusion matrix as a loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import clone

from ._base import ClassificationLoss
from ._checks import check_number, check_option
from ._confusion import averaged, check_metric, joint, one_against_rest, slopes
from ._links import softmax_link

#: Least second derivative of a row in boosting.
_DAMPING = 1e-3
#: The L of "auto": in boosting, where a large one takes the gradient from most rows, and in nets, as published.
_L_BOOSTING, _L_NETS = 5.0, 73.0
#: Soft labels keep this distance from 0 and 1.
_MARGIN = {"float32": 1e-7, "float64": 1e-15}


class AnyLoss(ClassificationLoss):
    r"""One minus a metric of the confusion matrix, made smooth.

    Probabilities p are pushed towards 0 and 1, :math:`\hat y = 1 / (1 + e^{-L (p - 1/2)})`, and the counts of the
    confusion matrix are sums of these soft labels [1]_. Counts are those of all rows of a task in a batch: use large or
    stratified batches in nets. Of two classes the second one is the positive one. In a task with rows of one class
    only, for which most metrics are not defined, the metric is accuracy.

    Parameters
    ----------
    metric : str or callable, default="f1"
        "accuracy", "f1", "fbeta", "balanced_accuracy", "gmean" (geometric mean of the recalls), "mcc", "jaccard",
        "precision", "recall", "youden", "kappa", or a function of the counts (tp, fp, tn, fn) to be made large, out of
        arithmetic that arrays and tensors have.
    beta : float, default=1.0
        Weight of recall over precision for "fbeta".
    L : float or "auto", default="auto"
        Steepness. "auto": 73 in nets, the largest integer for which 1 is not reached in float64 [1]_; 5 in boosting,
        where rows far from 1/2 would otherwise have no gradient.
    anneal : tuple of two floats or None, default=None
        In nets, grow L geometrically from the first to the second number over the training, such as ``(5, 73)``.
    multiclass : {"sharpened", "ovr"}, default="sharpened"
        Soft labels of three classes or more. "sharpened": the softmax of L p, which sums to one, and one confusion
        matrix; "ovr": each class against the rest, as for two classes.
    average : {"macro", "weighted", "micro"}, default="macro"
        Average over three classes or more, where the metric is one of a single class: each class with rows alike, by
        its rows, or the metric of the summed counts.
    hessian : {"abs", "bce", "const"}, default="abs"
        What stands for the second derivative in boosting: the size of the slope, that of the logistic loss times the
        slope of the metric, or 1.

    References
    ----------
    .. [1] D. Han, N. Moniz, N. V. Chawla, "AnyLoss: transforming classification metrics into loss functions", KDD 2024.
       arXiv 2405.14745. The forms for several classes and for boosting are ours.
    """

    elementwise = False

    def __init__(
        self,
        metric: Any = "f1",
        *,
        beta: Any = 1.0,
        L: Any = "auto",
        anneal: Any = None,
        multiclass: Any = "sharpened",
        average: Any = "macro",
        hessian: Any = "abs",
    ) -> None:
        self.metric = metric
        self.beta = beta
        self.L = L
        self.anneal = anneal
        self.multiclass = multiclass
        self.average = average
        self.hessian = hessian

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`."""
        check_metric(self.metric)
        check_number("beta", self.beta, 0.0, open_low=True)
        if not (isinstance(self.L, str) and self.L == "auto"):
            check_number("L", self.L, 0.0, open_low=True)
        if self.anneal is not None:
            if not isinstance(self.anneal, tuple | list) or len(self.anneal) != 2:
                raise ValueError(f"'anneal' must be None or two numbers, such as (5, 73). Got {self.anneal!r}.")
            for value in self.anneal:
                check_number("anneal", value, 0.0, open_low=True)
        check_option("multiclass", self.multiclass, ("sharpened", "ovr"))
        check_option("average", self.average, ("macro", "weighted", "micro"))
        check_option("hessian", self.hessian, ("abs", "bce", "const"))
        return super().prepare(y, weight, n_classes)

    def inverse_link(self, raw):
        """Probabilities of all classes."""
        return softmax_link(raw)

    def set_progress(self, progress):
        """See :class:`Loss`."""
        self._progress = float(progress)

    def _steepness(self, auto):
        if self.anneal is not None:
            first, last = self.anneal
            return first * (last / first) ** getattr(self, "_progress", 0.0)
        return auto if isinstance(self.L, str) else float(self.L)

    def _metric_of(self, right, actual, given, total, present, known=None):
        """The metric, (...), of counts (..., n_columns); one column for two classes. See _confusion.

        `known` : (..., n_columns), 1 for classes that the unit may have; None for all.
        """
        if right.shape[-1] == 1:
            return one_against_rest(self.metric, self.beta, right, actual, given, total)[..., 0]
        value = joint(self.metric, right, actual, given, total, present) if self.multiclass == "sharpened" else None
        if value is not None:
            return value
        if self.average == "micro":
            n_columns = right.shape[-1] if known is None else known.sum(-1)[..., None]
            right, actual, given = (counts.sum(-1)[..., None] for counts in (right, actual, given))
            return one_against_rest(self.metric, self.beta, right, actual, given, total * n_columns)[..., 0]
        # Half a row right, half a row missed for a class without rows: it counts for nothing, but 0 / 0 would spread.
        absent = 1.0 - present
        counts = right + 0.5 * absent, actual + absent, given + 0.5 * absent, total + absent
        values = one_against_rest(self.metric, self.beta, *counts)
        return averaged(values, actual, total, present, self.average)

    # Boosting --------------------------------------------------------------------------------------------------------

    def bind(self, units):
        """See :class:`Loss`."""
        if self.anneal is not None:
            raise ValueError(f"'anneal' is for nets. Got {self.anneal!r} in boosting: set 'L' to a number instead.")
        loss = clone(self)
        loss._n_classes = self._n_classes
        loss._units = np.asarray(units)
        return loss

    def initial_raw(self, y, weight=None):
        """Zeros, for all tasks: rows at a probability of one half have the largest gradient."""
        return np.zeros(self.n_outputs)

    def _soft(self, y, raw):
        """Probabilities, soft labels and indicators of the classes, (n_rows, n_columns): one column for two classes."""
        steepness = self._steepness(_L_BOOSTING)
        if raw.shape[1] == 1:
            p, own = expit(raw), y[:, None]
            soft = expit(steepness * (p - 0.5))
        else:
            p, own = softmax(raw, axis=1), (y[:, None] == np.arange(raw.shape[1])).astype(np.float64)
            soft = softmax(steepness * p, axis=1) if self.multiclass == "sharpened" else expit(steepness * (p - 0.5))
        return p, np.clip(soft, _MARGIN["float64"], 1.0 - _MARGIN["float64"]), own

    def _counts(self, soft, own, weight):
        units = getattr(self, "_units", None)
        if units is None or len(units) != len(own):
            raise TypeError("AnyLoss is formed task by task: bind it to the units of the rows first, with bind(units).")
        weight = np.ones(len(own)) if weight is None else weight
        n_units = int(units.max()) + 1

        def sums(values):
            return np.column_stack([np.bincount(units, weights=column, minlength=n_units) for column in values.T])

        w = weight[:, None]
        return weight, sums(w * own * soft), sums(w * own), sums(w * soft), sums(w)

    def _metrics(self, right, actual, given, total):
        """Metric of each unit, (n_units,), and its slopes by `right` and `given`; accuracy where there is one class."""
        out, by_right, by_given = np.zeros(len(total)), np.zeros_like(right), np.zeros_like(right)
        several = actual[:, 0] * (total - actual)[:, 0] > 0 if right.shape[1] == 1 else (actual > 0).sum(axis=1) > 1
        for rows, single in ((several, False), (~several & (total[:, 0] > 0), True)):
            if not rows.any():
                continue
            constants = actual[rows], total[rows], (actual[rows] > 0).astype(np.float64)
            loss = AnyLoss("accuracy", multiclass=self.multiclass) if single else self

            def value(right, given, loss=loss, constants=constants):
                return loss._metric_of(right, constants[0], given, constants[1], constants[2])

            out[rows] = value(right[rows], given[rows])
            by_right[rows], by_given[rows] = slopes(value, right[rows], given[rows], not callable(loss.metric))
        return out, by_right, by_given

    def mean_loss(self, y, raw, weight=None):
        """One minus the metric of each unit, averaged by the weight of its rows."""
        _, soft, own = self._soft(y, raw)
        _, *counts = self._counts(soft, own, weight)
        metrics, _, _ = self._metrics(*counts)
        return float(np.average(1.0 - metrics, weights=counts[-1][:, 0]))

    def derivatives(self, y, raw, weight, gradient, hessian):
        """See :class:`Loss`; of the loss of each unit times the weight of its rows, with a surrogate second one."""
        p, soft, own = self._soft(y, raw)
        weight, *counts = self._counts(soft, own, weight)
        _, by_right, by_given = self._metrics(*counts)
        units, steepness = self._units, self._steepness(_L_BOOSTING)
        scale = (weight * counts[-1][units, 0])[:, None]
        slope = -(by_right[units] * own + by_given[units]) * scale  # by the soft labels
        if raw.shape[1] == 1:
            inner = steepness * soft * (1.0 - soft) * p * (1.0 - p)
            gradient[:] = slope * inner
            size = np.abs(slope) * (inner if self.hessian == "abs" else p * (1.0 - p))
        else:
            if self.multiclass == "sharpened":
                by_p = steepness * soft * (slope - (slope * soft).sum(axis=1, keepdims=True))
            else:
                by_p = steepness * soft * (1.0 - soft) * slope
            gradient[:] = p * (by_p - (by_p * p).sum(axis=1, keepdims=True))
            inner = np.abs(by_p if self.hessian == "abs" else slope)
            size = p * (inner + (inner * p).sum(axis=1, keepdims=True))
        hessian[:] = weight[:, None] if self.hessian == "const" else size + _DAMPING * weight[:, None]

    # Nets ------------------------------------------------------------------------------------------------------------

    def torch_value(self, raw, y, weight=None, allowed=None):
        """See :class:`Loss`."""
        import torch

        units = torch.zeros(len(raw), dtype=torch.int64, device=raw.device)
        return self.torch_units(raw, y, units, 1, weight, allowed)[0]

    def torch_units(self, raw, y, units, n_units, weight=None, allowed=None):
        """See :class:`Loss`."""
        import torch

        soft, own = self._torch_soft(raw, y, allowed)
        w = torch.ones_like(raw[:, :1], requires_grad=False) if weight is None else weight.to(raw.dtype)[:, None]
        # Right, given and actual weights of all classes and the total, summed by unit in one go.
        parts = torch.cat([w * own * soft, w * soft, w * own, w], dim=1)
        sums = parts.new_zeros(n_units, parts.shape[1]).index_add(0, units, parts)
        right, given, actual, total = sums.split([soft.shape[1]] * 3 + [1], dim=1)
        known = torch.ones_like(right, requires_grad=False)
        if allowed is not None and soft.shape[1] > 1:
            known[units] = allowed.to(raw.dtype)
        if soft.shape[1] == 1:
            several = (actual > 0) & (actual < total)
        else:
            several = (actual > 0).sum(dim=1, keepdim=True) > 1
        several, some = several[:, 0], total[:, 0] > 0
        losses = (raw * 0.0).sum() + raw.new_zeros(n_units)
        accuracy = AnyLoss("accuracy", multiclass=self.multiclass)
        for loss, chosen in ((self, several & some), (accuracy, ~several & some)):
            (rows,) = torch.nonzero(chosen, as_tuple=True)
            if len(rows):
                here, present = actual[rows], (actual[rows] > 0).to(raw.dtype)
                metric = loss._metric_of(right[rows], here, given[rows], total[rows], present, known[rows])
                losses = losses.index_add(0, rows, 1.0 - metric)
        return losses

    def _torch_soft(self, raw, y, allowed):
        """Soft labels and indicators of the classes, as for `_soft`; classes that are not allowed have 0."""
        import torch

        steepness = self._steepness(_L_NETS)
        margin = _MARGIN["float64" if raw.dtype == torch.float64 else "float32"]
        if raw.shape[1] == 1:
            p, own = torch.sigmoid(raw), y[:, None].to(raw.dtype)
            if allowed is not None:  # a row whose task has one class is right whatever its score
                p = torch.where(allowed.all(dim=1, keepdim=True), p, own)
            return torch.sigmoid(steepness * (p - 0.5)).clamp(margin, 1.0 - margin), own
        p = torch.softmax(raw if allowed is None else raw.masked_fill(~allowed, -torch.inf), dim=1)
        own = torch.nn.functional.one_hot(y.long(), raw.shape[1]).to(raw.dtype)
        if self.multiclass == "sharpened":
            scores = steepness * p
            soft = torch.softmax(scores if allowed is None else scores.masked_fill(~allowed, -torch.inf), dim=1)
        else:
            soft = torch.sigmoid(steepness * (p - 0.5))
        soft = soft.clamp(margin, 1.0 - margin)
        return (soft if allowed is None else soft * allowed), own
