"""Task-wise sharpness-aware training."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from ..architectures._checks import check_number, check_option
from ._base import Balancer, Balancing, add_flat, add_gradients, flat, present_tasks

_COMBINE = {"individual", "direct", "second", "each"}


class FlatRegions(Balancing):
    r"""Steps towards regions where the loss of every task is flat, over any aggregator.

    For each task t the parameters are moved by :math:`\rho\, g_t / \|g_t\|` along its own gradient, and its gradient is
    taken again there (sharpness-aware minimisation, task by task). The difference to the first gradient points away
    from sharp regions. Both parts are aggregated apart and added [1]_; heads take the second gradient. A step costs one
    forward pass and as many passes forward and back as there are tasks, on top of the aggregator's.

    Parameters
    ----------
    aggregator : str or torchjd.aggregation.Aggregator, default="pcgrad"
        Aggregator of the task gradients, by name or as an object.
    rho : float, default=0.05
        Length of the move of the shared parameters.
    rho_head : float or None, default=None
        Length of the move of the heads. None: `rho`.
    adaptive : bool, default=False
        Measure moves relative to the size of each parameter: along :math:`\theta^2 g`, with the norm of
        :math:`|\theta| g`.
    combine : {"individual", "direct", "second", "each"}, default="individual"
        "individual": aggregate the gradients and the differences apart, and add; "direct": aggregate the second
        gradients; "second": aggregate the two parts of "individual" once more; "each": aggregate the two parts of each
        task, then the tasks.
    joint_ball : bool, default=False
        Divide by the norm of shared and head parameters together.
    eps : float, default=1e-12
        Added to norms.

    References
    ----------
    .. [1] H. Phan et al., "Beyond Losses Reweighting: Empowering Multi-Task Learning via the Generalization
       Perspective", ICCV 2025; arXiv 2211.13723, algorithm 1.
    """

    def __init__(
        self,
        aggregator: Any = "pcgrad",
        *,
        rho: float = 0.05,
        rho_head: float | None = None,
        adaptive: bool = False,
        combine: str = "individual",
        joint_ball: bool = False,
        eps: float = 1e-12,
    ) -> None:
        self.aggregator = aggregator
        self.rho = rho
        self.rho_head = rho_head
        self.adaptive = adaptive
        self.combine = combine
        self.joint_ball = joint_ball
        self.eps = eps

    def build(self, n_units: int) -> Balancer:
        """Build the balancer.

        Parameters
        ----------
        n_units : int
            Number of tasks.

        Returns
        -------
        balancer : Balancer
            The balancer.
        """
        from ._registry import make_balancer
        from ._torchjd import AggregatorBalancer

        parts = [make_balancer(self.aggregator, n_units) for _ in range(2)]  # state of their own for either matrix
        if not all(isinstance(part, AggregatorBalancer) for part in parts):
            raise ValueError(
                f"'aggregator' of FlatRegions must be an aggregator of gradients. Got {self.aggregator!r}, which "
                "combines losses."
            )
        rho = check_number("rho", self.rho)
        return FlatRegionsBalancer(
            parts[0],
            parts[1],
            rho,
            rho if self.rho_head is None else check_number("rho_head", self.rho_head),
            bool(self.adaptive),
            check_option("combine", self.combine, _COMBINE),
            bool(self.joint_ball),
            check_number("eps", self.eps, positive=True),
        )


class FlatRegionsBalancer(Balancer):
    """See :class:`FlatRegions`."""

    def __init__(self, of_loss, of_flat, rho, rho_head, adaptive, combine, joint_ball, eps):
        super().__init__()
        self.of_loss, self.of_flat = of_loss, of_flat
        self.rho, self.rho_head, self.adaptive = rho, rho_head, adaptive
        self.combine, self.joint_ball, self.eps = combine, joint_ball, eps

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        replay = _NoReplay() if replay is None else replay
        replay.remember()
        losses = evaluate()
        present = present_tasks(losses).tolist()
        if not present:
            return losses
        parameters = [*shared, *own]
        n_shared = sum(parameter.numel() for parameter in shared)
        first = [
            flat(
                torch.autograd.grad(losses.of_task[task], parameters, retain_graph=True, allow_unused=True), parameters
            )
            for task in present
        ]
        if losses.extra is not None:
            add_gradients(losses.extra, parameters)
        kept = [parameter.detach().clone() for parameter in parameters]
        position = torch.cat([value.flatten() for value in kept])
        second = []
        try:
            for task, gradient in zip(present, first, strict=True):
                _write(position + self._move(gradient, position, n_shared), parameters)
                with replay():
                    value = evaluate().of_task[task]
                    second.append(flat(torch.autograd.grad(value, parameters, allow_unused=True), parameters))
        finally:
            with torch.no_grad():  # the saved values themselves: subtracting the move would lose bits
                for parameter, value in zip(parameters, kept, strict=True):
                    parameter.copy_(value)
        loss_part, sam_part = torch.stack(first), torch.stack(second)
        if shared:
            add_flat(self._combined(loss_part[:, :n_shared], sam_part[:, :n_shared]), shared)
        add_flat(sam_part[:, n_shared:].sum(dim=0), own)
        return losses

    def _move(self, gradient, position, n_shared):
        """Where the loss of the task is worst nearby, to first order."""
        size = position.abs() if self.adaptive else torch.ones_like(position)
        scaled = size * gradient
        if self.joint_ball:
            norms = scaled.norm().expand(2)
        else:
            norms = torch.stack([scaled[:n_shared].norm(), scaled[n_shared:].norm()])
        direction = size * scaled
        return torch.cat(
            [
                self.rho * direction[:n_shared] / (norms[0] + self.eps),
                self.rho_head * direction[n_shared:] / (norms[1] + self.eps),
            ]
        )

    def _combined(self, loss_part, sam_part):
        aggregate, aggregate_flat = self.of_loss.aggregate, self.of_flat.aggregate
        flat_part = sam_part - loss_part
        if self.combine == "direct":
            return aggregate(sam_part)
        if self.combine == "each":
            pairs = torch.stack([loss_part, flat_part], dim=1)
            return aggregate(torch.stack([aggregate_flat(pair) for pair in pairs]))
        parts = [aggregate(loss_part), aggregate_flat(flat_part)]
        if self.combine == "second":
            return aggregate(torch.stack(parts))
        return parts[0] + parts[1]


def _write(vector, parameters):
    begin = 0
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(vector[begin : begin + parameter.numel()].view_as(parameter))
            begin += parameter.numel()


class _NoReplay:
    """Nothing to remember and nothing to restore."""

    def remember(self):
        """See ``skmtl.neural._replay``."""

    def __call__(self):
        """Return a context that does nothing."""
        return contextlib.nullcontext()
