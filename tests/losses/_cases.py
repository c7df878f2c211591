"""Every loss, with targets that it takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skmtl.losses import (
    AbsoluteLoss,
    AnyLoss,
    CompSumLoss,
    FocalLoss,
    GammaLoss,
    GeneralizedCrossEntropy,
    HuberLoss,
    LogCoshLoss,
    LogLoss,
    OrdinalCrossEntropy,
    PoissonLoss,
    QuantileLoss,
    QuantilesLoss,
    SphericalSoftmaxLoss,
    SquaredLoss,
    TaylorSoftmaxLoss,
    TweedieLoss,
    ZLoss,
)


class Case(NamedTuple):
    """A loss, how to draw targets for it, and which laws hold for it.

    hessian : "exact", the true second derivative and a floor; "weight", the weight of the row; "convex", the true one
        where it is large enough, see the kernels; "surrogate", something positive.
    start : "least", the loss of the initial constant is the least; "other".
    """

    name: str
    loss: Any
    n_classes: int | None = None
    hessian: str = "exact"
    start: str = "least"

    def targets(self, rng, n=40):
        if self.n_classes:
            return np.concatenate(
                [np.arange(self.n_classes), rng.integers(0, self.n_classes, n - self.n_classes)]
            ).astype(float)
        if self.name == "poisson":
            return rng.poisson(2.0, n).astype(float)
        if self.name == "gamma":
            return rng.gamma(2.0, 2.0, n)
        if self.name == "tweedie":
            return rng.gamma(2.0, 2.0, n) * (rng.random(n) < 0.7)
        return rng.normal(size=n)

    def prepared(self, y, weight=None):
        return self.loss.prepare(y, weight, self.n_classes)

    def raw(self, rng, y, loss):
        """Raw predictions away from the kinks of the loss."""
        raw = rng.normal(size=(len(y), loss.n_outputs))
        if not self.n_classes:
            raw += np.where(np.abs(raw - y[:, None]) < 0.05, 0.2, 0.0)
        return raw

    @property
    def log_link(self):
        return self.name in {"poisson", "gamma", "tweedie"}

    @property
    def softmax(self):
        """Whether the probabilities are those of a softmax, and certain for scores far apart."""
        return isinstance(self.loss, LogLoss | FocalLoss | CompSumLoss)


NUMBERS = [
    Case("squared_error", SquaredLoss(), hessian="weight"),
    Case("absolute_error", AbsoluteLoss(), hessian="weight"),
    Case("quantile", QuantileLoss(0.3), hessian="weight"),
    Case("quantiles", QuantilesLoss(), hessian="weight"),
    Case("quantiles, two", QuantilesLoss((0.25, 0.6)), hessian="weight"),
    Case("huber", HuberLoss(), hessian="weight"),
    Case("huber, delta", HuberLoss(delta=0.7), hessian="weight"),
    Case("log_cosh", LogCoshLoss()),
    Case("log_cosh, scale", LogCoshLoss(scale=0.4)),
    Case("poisson", PoissonLoss()),
    Case("gamma", GammaLoss()),
    Case("tweedie", TweedieLoss(1.3)),
]
OWN_PROBABILITY = [
    Case("focal", FocalLoss(), 2, "convex"),
    Case("focal, alpha", FocalLoss(gamma=1.5, alpha=0.25), 2, "convex"),
    Case("focal, four classes", FocalLoss(), 4, "convex"),
    Case("focal, alpha for four", FocalLoss(gamma=0.5, alpha=(1.0, 2.0, 0.5, 3.0)), 4, "convex"),
    Case("comp_sum, 0", CompSumLoss(0.0), 2, "convex"),
    Case("comp_sum, 0.5", CompSumLoss(0.5), 4, "convex"),
    Case("comp_sum, 1", CompSumLoss(), 4, "convex"),
    Case("comp_sum, 2", CompSumLoss(2.0), 4, "convex", "other"),
    Case("generalized_cross_entropy", GeneralizedCrossEntropy(), 2, "convex", "other"),
    Case("generalized_cross_entropy, 0.3", GeneralizedCrossEntropy(0.3), 4, "convex", "other"),
]
CLASSES = [
    Case("log_loss", LogLoss(), 2),
    Case("log_loss, one per class", LogLoss(one_output_per_class=True), 2),
    Case("log_loss, four classes", LogLoss(), 4),
    *OWN_PROBABILITY,
    Case("taylor_softmax", TaylorSoftmaxLoss(), 2, "surrogate"),
    Case("taylor_softmax, four classes", TaylorSoftmaxLoss(order=4), 4, "surrogate"),
    Case("spherical_softmax", SphericalSoftmaxLoss(), 2, "surrogate"),
    Case("spherical_softmax, four classes", SphericalSoftmaxLoss(eps=0.1), 4, "surrogate"),
    Case("ordinal", OrdinalCrossEntropy(), 4),
    Case("ordinal, weights", OrdinalCrossEntropy(importance_weights=(1.0, 0.5, 2.0)), 4),
    Case("ordinal, two classes", OrdinalCrossEntropy("corn"), 2),
    Case("ordinal, corn", OrdinalCrossEntropy("corn"), 5),
    Case("ordinal, cumulative", OrdinalCrossEntropy("cumulative_logit"), 4, "surrogate"),
    Case("z_loss", ZLoss(), 4, "surrogate", "other"),
    Case("z_loss, a and b", ZLoss(a=0.1, b=10.0), 5, "surrogate", "other"),
]
CASES = NUMBERS + CLASSES
#: Losses that are no mean over rows.
COUPLED = [
    Case("any_loss", AnyLoss(L=5.0), 2),
    *[Case(f"any_loss, {name}", AnyLoss(name, L=5.0), 2) for name in ("accuracy", "balanced_accuracy", "gmean", "mcc")],
    Case("any_loss, fbeta", AnyLoss("fbeta", beta=2.0, L=8.0, hessian="bce"), 2),
    *[Case(f"any_loss, {name}", AnyLoss(name, L=5.0), 2) for name in ("jaccard", "precision", "youden", "kappa")],
    *[Case(f"any_loss, four, {name}", AnyLoss(name, L=5.0), 4) for name in ("f1", "accuracy", "gmean", "mcc", "kappa")],
    Case("any_loss, four, recall", AnyLoss("recall", L=5.0, average="weighted", hessian="bce"), 4),
    Case("any_loss, four, micro", AnyLoss("f1", L=5.0, average="micro", multiclass="ovr", hessian="const"), 4),
    Case("any_loss, four, ovr", AnyLoss("mcc", L=5.0, multiclass="ovr"), 4),
    Case("any_loss, four, callable", AnyLoss(lambda tp, fp, tn, fn: tp / (tp + 2.0 * fp + fn), L=5.0), 4),
]


def derivatives(loss, y, raw, weight=None):
    gradient, hessian = np.full(raw.shape, np.nan), np.full(raw.shape, np.nan)
    loss.derivatives(y, raw, weight, gradient, hessian)
    return gradient, hessian


def slope_of_gradient(loss, y, raw, step=1e-5):
    """Diagonal of the second derivatives by central differences of the gradient."""
    slope = np.empty_like(raw)
    for k in range(raw.shape[1]):
        move = step * np.eye(raw.shape[1])[k]
        slope[:, k] = (derivatives(loss, y, raw + move)[0] - derivatives(loss, y, raw - move)[0])[:, k] / (2 * step)
    return slope


def slope_unit(loss, y, raw):
    """What the gradient is measured in: 1, but for a loss that says otherwise."""
    if not isinstance(loss, QuantilesLoss):
        return 1.0
    levels = np.array(loss.quantiles)
    return np.mean(np.abs(y - raw[:, np.argmin(np.abs(levels - 0.5))])) / np.sqrt(levels * (1 - levels)) * len(levels)
