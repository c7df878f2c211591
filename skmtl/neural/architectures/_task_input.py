"""An embedding of the task of a row as a further input."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import nn

from .._layers import own
from ._base import Outputs

#: Size of the embedding with "auto", unless there are fewer tasks.
_AUTO_SIZE = 16


class TaskInput(nn.Module):
    """Features with an embedding of the row's task beside them.

    Parameters
    ----------
    n_tasks : int
        Number of tasks.
    size : int
        Size of the embedding, at least 1.
    """

    def __init__(self, n_tasks, size):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(n_tasks, size))

    def forward(self, x, tasks):
        """Map (n_rows, n_features) to (n_rows, n_features + size)."""
        return torch.cat([x, own(self.embedding, tasks)], dim=1)


def resolve_task_size(task_size: Any, outputs: Outputs) -> int:
    """Return the size of the embedding of tasks, 0 for none.

    Parameters
    ----------
    task_size : int or "auto"
        Parameter of an architecture. "auto": 16, but no more than the number of tasks.
    outputs : Outputs
        What is to be predicted; where rows are of a single task there is nothing to embed.
    """
    auto = isinstance(task_size, str) and task_size == "auto"
    if not auto and (not isinstance(task_size, Integral) or isinstance(task_size, bool) or int(task_size) < 0):
        raise ValueError(f"'task_size' must be 'auto' or an integer of at least 0. Got {task_size!r}.")
    if outputs.n_tasks == 1:
        return 0
    return min(_AUTO_SIZE, outputs.n_tasks) if auto else int(task_size)


def make_task_input(size: int, outputs: Outputs) -> Any:
    """Return the module for a size, None for 0."""
    return TaskInput(outputs.n_tasks, size) if size else None
