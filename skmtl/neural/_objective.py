"""Losses of the tasks in a batch, formed from the raw predictions of its rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import nn

from ._surroundings import Surroundings

#: A start below this is rounding: that of targets whose mean was taken out.
_NOTHING = 1e-7


class TaskLosses(NamedTuple):
    """Losses of one batch.

    Attributes
    ----------
    total : scalar tensor
        Weighted mean over all rows, what is minimised without balancing.
    of_task : tensor of shape (n_units,)
        Mean loss of every unit; zero for one without rows.
    weight : tensor of shape (n_units,)
        Total weight of every unit's rows in the batch, without gradient.
    extra : scalar tensor or None
        What a regularizer adds.
    rows : tensor of shape (n_rows * n_columns,) or None
        Losses of the rows, without gradient; None if the loss is no mean over rows.
    parts : pair of scalar tensors or None
        Two parts of the total whose gradients are to be aligned.
    raw : tensor of shape (n_rows, [n_members,] n_columns, n_values) or None
        Raw predictions, in the graph of the losses. The loss of a unit depends on those of its own rows and column
        alone.
    tasks : tensor of int of shape (n_rows,) or None
        Tasks of the rows.
    complete : bool
        Whether every unit is known to have rows.
    """

    total: Any
    of_task: Any
    weight: Any
    extra: Any = None
    rows: Any = None
    parts: Any = None
    raw: Any = None
    tasks: Any = None
    complete: bool = False


class Objective(nn.Module):
    """The loss of a batch, as a total and task by task.

    Parameters
    ----------
    loss : Loss
        A prepared loss object.
    outputs : Outputs
        What the module predicts.
    start : ndarray of shape (n_units, n_values) or None
        Added to the raw predictions of every unit.
    allowed : ndarray of bool of shape (n_units, n_classes) or None
        Classes of every unit, if some lack some.
    regularizer : object or None
        Its method `penalty` is asked for a further loss in training.
    movable : int64 tensor of shape (n_numbers,) or None
        For a loss that looks around, which numbers may move; see :class:`Surroundings`.
    """

    start: Any
    allowed: Any
    movable: Any

    def __init__(self, loss, outputs, start, allowed, regularizer=None, movable=None):
        super().__init__()
        self.lr_factor = [1.0]  # what the schedule makes of the learning rate
        self.register_buffer("movable", movable)
        self.loss, self.outputs, self.regularizer = loss, outputs, regularizer
        self.register_buffer("start", None if start is None else torch.as_tensor(start, dtype=torch.float32))
        self.register_buffer("allowed", None if allowed is None else torch.as_tensor(allowed))
        self._start_varies = False
        if start is not None:
            by_task = self.start.view(outputs.n_tasks, outputs.n_columns, -1)
            self._start_varies = not bool((by_task == by_task[:1]).all())
            if not (self.start.abs() > _NOTHING).any():
                self.start = None

    def units(self, tasks):
        """Unit of each row and column, (n_rows, n_columns)."""
        n_columns = self.outputs.n_columns
        if n_columns == 1:
            return tasks[:, None]
        return tasks[:, None] * n_columns + torch.arange(n_columns, device=tasks.device)

    def raw(self, module, batch, forward=None):
        """Raw predictions with the start added, (n_rows, [n_members,] n_columns, n_values).

        `forward` is called in place of the module, if it is given.
        """
        raw = (module if forward is None else forward)(*batch.inputs)
        if self.start is None:
            return raw
        if not self._start_varies:  # (n_columns, n_values)
            return raw + self.start[: self.outputs.n_columns]
        start = self.start[self.units(batch.tasks)]
        return raw + (start[:, None] if raw.ndim == 4 else start)

    def losses(self, raw, batch, module=None, per_task=True):
        """Return the :class:`TaskLosses`; with `module`, including the regularizer's."""
        wants_extra = module is not None and self.regularizer is not None
        units = None
        if self.allowed is not None or not self.loss.elementwise:
            units = self.units(batch.tasks).reshape(-1)
        weight = None if batch.weight is None else batch.weight.reshape(-1)
        rows: Any = None
        of_task: Any = None
        unit_weight: Any = None
        extra = parts = None
        complete = False
        around = None
        if self.loss.elementwise:
            if self.movable is not None and module is not None:
                around = Surroundings(self, module, batch, self.movable)
            rows = self._row_losses(raw, batch, units, around)
            if self.loss.in_parts:
                parts = tuple(_mean(part, weight) for part in rows)
                rows = rows[0] + rows[1]
            total = _mean(rows, weight)
            if per_task or wants_extra:
                complete = self.outputs.n_tasks == 1 and weight is None
                if complete:
                    of_task = rows.view(-1, self.outputs.n_columns).mean(dim=0)
                    unit_weight = rows.new_full((self.outputs.n_columns,), len(batch), requires_grad=False)
                else:
                    sums, unit_weight = self.sums(rows, batch.tasks, batch.weight)
                    of_task = sums / unit_weight.clamp_min(1e-30)
            rows = rows.detach()
        else:
            of_task, unit_weight = self._coupled(raw, batch, units, weight)
            total = (of_task * unit_weight).sum() / unit_weight.sum().clamp_min(1e-30)
        if wants_extra:
            extra = self.regularizer.penalty(of_task, unit_weight > 0, module.representation)
        # Losses of rows that were moved pass through the module a second time: `raw` is not all that they depend on.
        known = raw if around is None else None
        return TaskLosses(total, of_task, unit_weight, extra, rows, parts, known, batch.tasks, complete)

    def sums(self, rows, tasks, weight):
        """Sum of weighted losses, and of weights, of every unit."""
        n_tasks, n_columns, _ = self.outputs
        if n_tasks == 1:
            table = rows.view(-1, n_columns)
            if weight is None:
                return table.sum(dim=0), rows.new_full((n_columns,), len(table))
            return (table * weight).sum(dim=0), weight.sum(dim=0)
        units = self.units(tasks).reshape(-1)
        mass = torch.ones_like(rows, requires_grad=False) if weight is None else weight.reshape(-1)
        n_units = n_tasks * n_columns
        unit_weight = mass.new_zeros(n_units).index_add_(0, units, mass)
        return rows.new_zeros(n_units).index_add(0, units, rows * mass), unit_weight

    def _row_losses(self, raw, batch, units, around=None):
        """Loss of each row and column, (n_rows * n_columns,), averaged over members; a pair for a loss in parts."""
        y, members, more = batch.y, 1, {}
        if batch.given is not None:
            more["given"] = batch.given
        if raw.ndim == 4:
            members = raw.shape[1]
            y = y.repeat_interleave(members, dim=0)
            more = {name: value.repeat_interleave(members, dim=0) for name, value in more.items()}
            if units is not None:
                units = units.view(batch.y.shape).repeat_interleave(members, dim=0).reshape(-1)
        allowed = None if self.allowed is None else self.allowed[units]
        more = {name: value.flatten(0, 1) for name, value in more.items()}
        if around is not None:
            more["around"] = around
        form = self.loss.torch_parts if self.loss.in_parts else self.loss.torch_rows
        rows = form(raw.reshape(-1, raw.shape[-1]), y.reshape(-1), allowed, **more)
        if raw.ndim == 3:
            return rows
        if isinstance(rows, tuple):
            return tuple(part.view(-1, members, batch.y.shape[1]).mean(dim=1).reshape(-1) for part in rows)
        return rows.view(-1, members, batch.y.shape[1]).mean(dim=1).reshape(-1)

    def _coupled(self, raw, batch, units, weight):
        """Losses that are no means over rows: of each unit, averaged over members."""
        n_units = self.outputs.n_units
        mass = units.new_ones(len(units), dtype=raw.dtype) if weight is None else weight
        unit_weight = mass.new_zeros(n_units).index_add_(0, units, mass)
        y, allowed = batch.y.reshape(-1), None if self.allowed is None else self.allowed[units]
        n_members = 1
        if raw.ndim == 4:  # every member of a unit is a unit of its own
            n_members = raw.shape[1]
            raw = raw.transpose(1, 2)  # (n_rows, n_columns, n_members, n_values)
            units = (units[:, None] * n_members + torch.arange(n_members, device=units.device)).reshape(-1)
            y, weight, allowed = (
                None if part is None else part.repeat_interleave(n_members, dim=0) for part in (y, weight, allowed)
            )
        flat = raw.reshape(-1, raw.shape[-1])
        values = self.loss.torch_units(flat, y, units, n_units * n_members, weight, allowed)
        return values.view(n_units, n_members).mean(dim=1), unit_weight


def _mean(rows, weight):
    """Weighted mean, zero where there is no weight."""
    return rows.mean() if weight is None else (rows * weight).sum() / weight.sum().clamp_min(1e-30)
