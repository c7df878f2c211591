"""Losses of a batch, task by task."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from skmtl.losses import AnyLoss
from skmtl.neural._data import Batch
from skmtl.neural._objective import Objective
from skmtl.neural.architectures import Outputs


def one_by_one(objective, raw, batch):
    """The loss of every unit: a loop over units and members, with the rows of the unit alone."""
    n_tasks, n_columns, _ = objective.outputs
    losses = raw.new_zeros(n_tasks * n_columns)
    for task in range(n_tasks):
        for column in range(n_columns):
            weight = torch.ones(len(raw)) if batch.weight is None else batch.weight[:, column]
            rows = (batch.tasks == task) & (weight > 0)
            if rows.any():
                unit = task * n_columns + column
                allowed = None if objective.allowed is None else objective.allowed[unit].expand(int(rows.sum()), -1)
                values = [
                    objective.loss.torch_value(
                        raw[rows][:, member, column], batch.y[rows, column], weight[rows].to(raw.dtype), allowed
                    )
                    for member in range(raw.shape[1])
                ]
                losses[unit] = sum(values) / len(values)
    return losses


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("shape", [(4, 1), (1, 3), (2, 2)])
def test_losses_that_are_no_means_over_rows_are_formed_for_all_tasks_and_members_at_once(
    shape, n_classes, restricted, weighted
):
    n_tasks, n_columns = shape
    rng, n, n_members = np.random.default_rng(0), 50, 3
    loss = AnyLoss("f1", L=9.0).prepare(np.zeros(1), None, n_classes)
    n_values = loss.n_outputs
    allowed = np.ones((n_tasks * n_columns, n_classes), bool)
    allowed[1, 0] = not restricted
    objective = Objective(loss, Outputs(n_tasks, n_columns, n_values), None, allowed if restricted else None)
    tasks = rng.integers(0, max(n_tasks - 1, 1), n)  # the last of several has no rows
    units = tasks[:, None] * n_columns + np.arange(n_columns)
    y = np.where(allowed[units, 0], rng.integers(0, n_classes, units.shape), n_classes - 1)
    weight = torch.as_tensor(rng.exponential(size=y.shape) * (rng.random(y.shape) < 0.8)) if weighted else None
    empty = torch.zeros(n, 0)
    batch = Batch(empty, empty.long(), torch.as_tensor(tasks), torch.as_tensor(y), weight)
    raw = torch.as_tensor(rng.normal(size=(n, n_members, n_columns, n_values))).requires_grad_()
    found, expected = objective.losses(raw, batch).of_task, one_by_one(objective, raw, batch)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-12)
    factors = torch.as_tensor(rng.random(len(found)))
    slopes = [torch.autograd.grad((values * factors).sum(), raw)[0] for values in (found, expected)]
    torch.testing.assert_close(*slopes, rtol=0.0, atol=1e-12)
    of_one = objective.losses(raw[:, 0], batch).of_task
    torch.testing.assert_close(of_one, one_by_one(objective, raw[:, :1], batch), rtol=0.0, atol=1e-12)
