"""Every loss, with targets that it takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skmtl.losses import AbsoluteLoss, GammaLoss, HuberLoss, LogLoss, PoissonLoss, QuantileLoss, SquaredLoss


class Case(NamedTuple):
    """A loss, how to draw targets for it, and whether its second derivative is the true one."""

    name: str
    loss: Any
    n_classes: int | None = None
    smooth: bool = True

    def targets(self, rng, n=40):
        if self.n_classes:
            return np.concatenate(
                [np.arange(self.n_classes), rng.integers(0, self.n_classes, n - self.n_classes)]
            ).astype(float)
        if self.name == "poisson":
            return rng.poisson(2.0, n).astype(float)
        if self.name == "gamma":
            return rng.gamma(2.0, 2.0, n)
        return rng.normal(size=n)

    def prepared(self, y, weight=None):
        return self.loss.prepare(y, weight, self.n_classes)

    def raw(self, rng, y, loss):
        """Raw predictions away from the kinks of the loss."""
        raw = rng.normal(size=(len(y), loss.n_outputs))
        if not self.n_classes:
            near = np.abs(raw[:, 0] - y)
            raw[:, 0] += np.where(near < 0.05, 0.2, 0.0)
        return raw


CASES = [
    Case("squared_error", SquaredLoss()),
    Case("absolute_error", AbsoluteLoss(), smooth=False),
    Case("quantile", QuantileLoss(0.3), smooth=False),
    Case("huber", HuberLoss(), smooth=False),
    Case("huber, delta", HuberLoss(delta=0.7), smooth=False),
    Case("poisson", PoissonLoss()),
    Case("gamma", GammaLoss()),
    Case("log_loss", LogLoss(), 2),
    Case("log_loss, one per class", LogLoss(one_output_per_class=True), 2),
    Case("log_loss, four classes", LogLoss(), 4),
]


def derivatives(loss, y, raw, weight=None):
    gradient, hessian = np.full(raw.shape, np.nan), np.full(raw.shape, np.nan)
    loss.derivatives(y, raw, weight, gradient, hessian)
    return gradient, hessian
