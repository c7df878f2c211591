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
    one_pass : bool
        Whether it takes a single backward pass of a batch, so that the module may be compiled.
    """

    needs_tasks: bool = True
    one_pass: bool = False

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
    if losses.complete:
        return torch.arange(len(losses.weight), device=losses.weight.device)
    return torch.nonzero(losses.weight > 0)[:, 0]


def of_present(values, present):
    """Values of the present tasks, without gathering them if these are all."""
    return values if len(present) == len(values) else values[present]


def task_gradients(losses, present, shared, own, *, values=None):
    """Jacobian of the losses by the shared parameters, (n_present, n_parameters); adds the gradients of the heads.

    Where the batch knows its raw predictions, one pass goes from all losses back to them and to the heads, and from
    there one pass for each task to the shared parameters: a raw prediction belongs to one task.

    Parameters
    ----------
    losses : TaskLosses
        Losses of the batch.
    present : tensor of int of shape (n_present,)
        The tasks that have rows in it.
    shared, own : list of Parameter
        Shared parameters, and all others, which get the gradient of the sum of the losses.
    values : tensor of shape (n_present,) or None
        What to differentiate, one number for each loss; None: the losses.
    """
    values = of_present(losses.of_task, present) if values is None else values
    if not shared or losses.raw is None:
        add_gradients(values.sum(), own, retain=True)
        starts = ((value, None) for value in values.unbind())
    else:
        slopes, *gradients = torch.autograd.grad(values.sum(), [losses.raw, *own], retain_graph=True, allow_unused=True)
        _add(gradients, own)
        starts = _starts(losses, present, slopes)
    if not shared:
        return None
    jacobian = values.new_empty(len(values), sum(parameter.numel() for parameter in shared))
    for row, (output, slope) in zip(jacobian.unbind(), starts, strict=True):
        gradients = torch.autograd.grad(output, shared, slope, retain_graph=True, allow_unused=True)
        torch.cat(_flat_parts(gradients, shared), out=row)
    return jacobian


def _starts(losses, present, slopes):
    """Where the backward pass of each present task starts: the raw predictions, and the gradient of its loss by them.

    `slopes` is the gradient of all losses together.
    """
    n_columns = slopes.shape[-2]
    for unit in present.tolist():
        slope = slopes
        if n_columns > 1:
            column = unit % n_columns
            slope = torch.zeros_like(slopes)
            slope[..., column, :] = slopes[..., column, :]
        if len(losses.of_task) > n_columns:
            slope = slope * (losses.tasks == unit // n_columns).view(-1, *(1 for _ in slopes.shape[1:]))
        yield losses.raw, slope


def flat(gradients, parameters):
    """One vector of the gradients, zero where there is none."""
    return torch.cat(_flat_parts(gradients, parameters))


def _flat_parts(gradients, parameters):
    return [
        torch.zeros_like(parameter).flatten() if gradient is None else gradient.flatten()
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]


def add_flat(vector, parameters):
    """Add a vector, which nothing else may use afterwards, to the gradients of parameters."""
    parts = vector.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        part = part.view_as(parameter)
        parameter.grad = part if parameter.grad is None else parameter.grad + part


def add_gradients(value, parameters, *, retain=False):
    """Add the gradients of a scalar to those of parameters."""
    parameters = list(parameters)
    if parameters and value.requires_grad:
        _add(torch.autograd.grad(value, parameters, retain_graph=retain, allow_unused=True), parameters)


def _add(gradients, parameters):
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
