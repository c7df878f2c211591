"""A small module with two parts, and losses of its tasks, for the tests of balancing."""

from __future__ import annotations

import torch

from skmtl.neural._objective import TaskLosses


class Problem:
    """Two layers: one shared, one head for each task; squared error on a few rows; optionally with missing tasks."""

    def __init__(self, n_tasks=3, seed=0, dropout=0.0, batch_norm=False, activation=torch.nn.Tanh):
        torch.manual_seed(seed)
        layers = [torch.nn.Linear(4, 5), activation()]
        if batch_norm:
            layers.insert(1, torch.nn.BatchNorm1d(5))
        if dropout:
            layers.append(torch.nn.Dropout(dropout))
        self.trunk = torch.nn.Sequential(*layers).double()
        self.head = torch.nn.Linear(5, n_tasks).double()
        self.module = torch.nn.Sequential(self.trunk, self.head)
        self.x = torch.randn(20, 4, dtype=torch.float64)
        self.y = torch.randn(20, n_tasks, dtype=torch.float64)
        self.weight = torch.ones(n_tasks, dtype=torch.float64)
        self.n_calls = 0

    @property
    def shared(self):
        return list(self.trunk.parameters())

    @property
    def own(self):
        return list(self.head.parameters())

    def evaluate(self):
        self.n_calls += 1
        self.representation = self.trunk(self.x)
        losses = (self.head(self.representation) - self.y).square().mean(dim=0) * (self.weight > 0)
        return TaskLosses((losses * self.weight).sum() / self.weight.sum(), losses, self.weight)

    def gradients(self):
        """Jacobian of the losses by the shared parameters, and by all."""
        losses = self.evaluate().of_task
        return [
            torch.stack(
                [
                    torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters, retain_graph=True)])
                    for loss in losses
                ]
            )
            for parameters in (self.shared, self.own)
        ]

    def run(self, balancer, **kwargs):
        """Gradients that a balancer leaves: of the shared parameters and of the heads, flat."""
        for parameter in self.module.parameters():
            parameter.grad = None
        balancer.double().backward(self.evaluate, self.shared, self.own, **kwargs)
        return [
            torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in parameters])
            for parameters in (self.shared, self.own)
        ]
