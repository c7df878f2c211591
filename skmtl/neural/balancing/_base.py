"""What a balancing method does with the losses of the tasks."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.base import BaseEstimator
from torch import nn


class Balancing(BaseEstimator):
    """Base of the descriptions of balancing methods that are not in torchjd.

    A description holds parameters, as any estimator does, and builds a :class:`Balancer`.
    """

    def build(self, n_units: int) -> Balancer:
        """Build the balancer.

        Parameters
        ----------
        n_units : int
            Number of tasks: task labels times columns of y.

        Returns
        -------
        balancer : Balancer
            The balancer.
        """
        raise NotImplementedError(f"{type(self).__name__} must define 'build(n_units)'.")


class Balancer(nn.Module):
    """Turns the losses of the tasks into gradients.

    It may own parameters, which the optimiser learns without weight decay, and state.

    Attributes
    ----------
    needs_tasks : bool
        Whether it looks at the losses of the tasks, or at their weighted mean alone.
    """

    needs_tasks: bool = True

    def __init__(self) -> None:
        super().__init__()

    def backward(self, evaluate: Any, shared: list, own: list, replay: Any = None) -> Any:
        """Fill the gradients of one step.

        Parameters
        ----------
        evaluate : callable
            Returns the losses of the batch (an object with `total`, `of_task`, `weight` and `extra`) at the current
            parameters.
        shared, own : list of Parameter
            Parameters that the losses of several tasks reach, and all others.
        replay : object or None
            After ``replay.remember()``, evaluations under ``with replay():`` draw the same random numbers.

        Returns
        -------
        losses : object
            What `evaluate` returned the first time.
        """
        raise NotImplementedError

    def after_step(self, evaluate: Any) -> None:
        """Learn from the losses of the same batch after the step of the optimiser.

        Parameters
        ----------
        evaluate : callable
            Returns the losses of the batch at the current parameters.
        """

    def after_epoch(self) -> None:
        """Close an epoch."""


def present_tasks(losses):
    """Positions of the tasks that have rows in the batch."""
    return torch.nonzero(losses.weight > 0)[:, 0]


#: Up to so many tasks, the gradients of the heads come with those of the shared parameters, task by task.
_FEW_TASKS = 32


def task_gradients(values, shared, own, factors=None):
    """Jacobian of the losses by the shared parameters, (n_tasks, n_parameters); adds the gradients of the heads.

    Parameters
    ----------
    values : tensor of shape (n_tasks,)
        Losses.
    shared, own : list of Parameter
        Shared parameters, and all others, which get the gradient of the sum of the losses times `factors`.
    factors : tensor of shape (n_tasks,) or None
        Weights for the heads; None: 1.
    """
    together = len(values) <= _FEW_TASKS
    parameters = [*shared, *own] if together else shared
    rows, heads = [], None
    for i, value in enumerate(values.unbind() if shared else ()):
        gradients = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
        rows.append(flat(gradients[: len(shared)], shared))
        if together:
            of_own = gradients[len(shared) :]
            if factors is not None:
                of_own = [None if g is None else factors[i] * g for g in of_own]
            heads = of_own if heads is None else [_sum(a, b) for a, b in zip(heads, of_own, strict=True)]
    if heads is None:
        add_gradients((values if factors is None else values * factors).sum(), own, retain=True)
    else:
        for parameter, gradient in zip(own, heads, strict=True):
            if gradient is not None:
                parameter.grad = _sum(parameter.grad, gradient)
    return torch.stack(rows) if rows else None


def _sum(a, b):
    return b if a is None else a if b is None else a + b


def flat(gradients, parameters):
    """One vector of the gradients, zero where there is none."""
    parts = [
        torch.zeros_like(parameter).flatten() if gradient is None else gradient.flatten()
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]
    return torch.cat(parts)


def add_flat(vector, parameters):
    """Add a vector to the gradients of parameters."""
    begin = 0
    for parameter in parameters:
        part = vector[begin : begin + parameter.numel()].view_as(parameter)
        parameter.grad = part.clone() if parameter.grad is None else parameter.grad + part
        begin += parameter.numel()


def add_gradients(value, parameters, *, retain=False):
    """Add the gradients of a scalar to those of parameters."""
    parameters = list(parameters)
    if not parameters or not value.requires_grad:
        return
    gradients = torch.autograd.grad(value, parameters, retain_graph=retain, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            parameter.grad = _sum(parameter.grad, gradient)
