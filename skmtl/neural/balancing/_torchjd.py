"""Aggregators and scalarisations of torchjd as balancers."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import torch
from torchjd.aggregation import GramianWeightedAggregator, NashMTL

from ._base import Balancer, add_flat, add_gradients, present_tasks, task_gradients


class WeightedTotal(Balancer):
    """The weighted mean over all rows: no balancing, one backward pass."""

    needs_tasks = False
    one_pass = True

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        losses = evaluate()
        total = losses.total if losses.extra is None else losses.total + losses.extra
        if total.requires_grad:
            total.backward()
        return losses


class ScalarBalancer(Balancer):
    """A scalarisation: one backward pass of one number made of the task losses.

    A task without rows in the batch stands at the loss it had last, as a constant.

    Parameters
    ----------
    scalarizer : torchjd.scalarization.Scalarizer
        The scalarisation.
    n_units : int
        Number of tasks.
    """

    last: torch.Tensor
    one_pass = True

    def __init__(self, scalarizer, n_units):
        super().__init__()
        self.scalarizer = scalarizer
        self.register_buffer("last", torch.full((n_units,), torch.nan))

    def _values(self, losses):
        values, present = losses.of_task, losses.weight > 0
        if not bool(present.all()):
            mean = values.detach()[present].mean() if bool(present.any()) else values.new_ones(())
            stand_in = torch.where(torch.isnan(self.last), mean, self.last)
            values = torch.where(present, values, stand_in.to(values.dtype))
        self.last = values.detach().clone()
        return values

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        losses = evaluate()
        value = self.scalarizer(self._values(losses))
        if losses.extra is not None:
            value = value + losses.extra
        if value.requires_grad:
            value.backward()
        return losses

    def after_step(self, evaluate):
        """Update weights that learn from the change of the losses (FAMO)."""
        if hasattr(self.scalarizer, "update"):
            with torch.no_grad():
                losses = evaluate()
                self.scalarizer.update(self._values(losses))

    def after_epoch(self):
        """Close the epoch of weights that learn from means over epochs (DWA)."""
        if hasattr(self.scalarizer, "step"):
            self.scalarizer.step()


class AggregatorBalancer(Balancer):
    """An aggregator of the task gradients by the shared parameters; heads keep their own gradients.

    Aggregators with state have one for every number of tasks in a batch.

    Parameters
    ----------
    make : callable
        Makes an aggregator for a number of tasks.
    """

    def __init__(self, make):
        super().__init__()
        self.make = make
        self.by_size: dict[int, Any] = {}

    def aggregate(self, jacobian):
        """Aggregate a matrix of gradients, (n_tasks, n_parameters); one of zeros stays zero.

        Where numbers are not finite there is nothing to solve: the step gives NaN, and the net reports the loss.
        """
        n = len(jacobian)
        gramian = jacobian @ jacobian.T
        largest = float(gramian.diagonal().max()) if n else 0.0
        if largest == 0.0 or not math.isfinite(largest):
            return jacobian.new_full(jacobian.shape[1:], 0.0 if largest == 0.0 else math.nan)
        if n not in self.by_size:
            self.by_size[n] = self.make(n).to(jacobian.device)
        aggregator = self.by_size[n]
        of_gramian = isinstance(aggregator, GramianWeightedAggregator)
        if of_gramian and type(aggregator).forward is GramianWeightedAggregator.forward:  # the same, without its checks
            return aggregator.gramian_weighting(gramian) @ jacobian
        if not isinstance(aggregator, NashMTL):
            return aggregator(jacobian)
        with warnings.catch_warnings():  # takes a while, so it is not for all
            # cvxpy on how NashMTL states its problem to it; nothing that a user could change.
            warnings.filterwarnings("ignore", message="You are solving a parameterized problem that is not DPP")
            return aggregator(jacobian)

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        losses = evaluate()
        present = present_tasks(losses)
        if len(present):
            jacobian = task_gradients(losses, present, shared, own)
            if jacobian is not None:
                add_flat(self.aggregate(jacobian), shared)
        if losses.extra is not None:
            add_gradients(losses.extra, [*shared, *own])
        return losses


def copies_of(aggregator):
    """Return a function that copies an aggregator that the user made."""
    return _Copies(aggregator)


class _Copies:
    """Picklable, unlike a lambda."""

    def __init__(self, aggregator):
        self.aggregator = aggregator

    def __call__(self, n):
        return copy.deepcopy(self.aggregator)
