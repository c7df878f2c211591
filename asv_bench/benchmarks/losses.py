"""Speed of the losses: derivatives for boosting, and the output layer for very many classes."""

from __future__ import annotations

import numpy as np

from skmtl.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES


class Derivatives:
    """First and second derivatives of 100 000 rows with two classes, or with numbers."""

    params = sorted(
        name
        for name, loss in {**CLASSIFICATION_LOSSES, **REGRESSION_LOSSES}.items()
        if loss().has_boosting_form and name != "z_loss"
    )
    param_names = ["loss"]

    def setup(self, name):
        rng, n = np.random.default_rng(0), 100_000
        if name in CLASSIFICATION_LOSSES:
            self.y = rng.integers(0, 2, n).astype(float)
            loss = CLASSIFICATION_LOSSES[name]().prepare(self.y, None, 2)
        else:
            self.y = rng.gamma(2.0, 2.0, n)
            loss = REGRESSION_LOSSES[name]().prepare(self.y)
        self.loss = loss.bind(np.zeros(n, np.intp))
        self.raw = rng.normal(size=(n, loss.n_outputs))
        self.gradient, self.hessian = np.empty_like(self.raw), np.empty_like(self.raw)
        self.time_derivatives(name)  # compile before timing

    def time_derivatives(self, name):
        self.loss.derivatives(self.y, self.raw, None, self.gradient, self.hessian)


class OutputLayer:
    """Forward and backward of the output layer alone, 64 features and 32 rows."""

    params = (["factored", "dense", "log_softmax", "adaptive_log_softmax"], [1_000, 10_000, 100_000, 1_000_000])
    param_names = ("layer", "n_classes")

    def setup(self, kind, n_classes):
        import torch

        from skmtl.losses.layers import ZLossOutputLayer

        torch.manual_seed(0)
        self.h, self.y = torch.randn(32, 64, requires_grad=True), torch.randint(n_classes, (32,))
        if kind in {"factored", "dense"}:
            layer = ZLossOutputLayer(64, n_classes, lr=0.01, mode=kind)
            self.step = lambda: layer(self.h, self.y).backward()
            return
        if kind == "log_softmax":
            layer = torch.nn.Linear(64, n_classes)
            loss = lambda: torch.nn.functional.cross_entropy(layer(self.h), self.y)  # noqa: E731
        else:
            layer = torch.nn.AdaptiveLogSoftmaxWithLoss(64, n_classes, [n_classes // 20, n_classes // 5])
            loss = lambda: layer(self.h, self.y).loss  # noqa: E731
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.01)

        def step():
            optimiser.zero_grad()
            loss().backward()
            optimiser.step()

        self.step = step

    def time_step(self, kind, n_classes):
        self.step()
