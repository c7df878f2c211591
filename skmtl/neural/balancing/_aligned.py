"""Two parts of a loss, of which the second gives way to the first."""

from __future__ import annotations

import torch

from ._base import Balancer, add_flat, add_gradients, flat


class AlignedParts(Balancer):
    """The gradient of the first part, and what of the second does not go against it.

    Where the product of the two gradients is negative, the second loses its component along the first; the first is
    never altered. P. Yang et al., "Dual-head knowledge distillation", 2024, arXiv 2411.08937.
    """

    needs_tasks = False

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`; the losses have `parts`."""
        losses = evaluate()
        parameters = [*shared, *own]
        first, second = (
            flat(torch.autograd.grad(part, parameters, retain_graph=True, allow_unused=True), parameters)
            if part.requires_grad
            else torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
            for part in losses.parts
        )
        product = first @ second
        if product < 0:
            second = second - product / (first @ first) * first
        add_flat(first + second, parameters)
        if losses.extra is not None:
            add_gradients(losses.extra, parameters)
        return losses
