"""Customized gate control, and progressive layered extraction, which stacks it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .._layers import OwnHeads, ParallelMLP, pick
from ._base import Architecture, Outputs
from ._checks import check_activation, check_count, check_share, check_sizes
from ._experts import expert_softmax
from ._task_input import make_task_input, resolve_task_size


class CGC(Architecture):
    """Experts that all tasks share, experts of each task, and a gate for each task over both (customized gate control).

    This is :class:`PLE` with a single level [1]_. All experts are computed for every row, so own experts are for tens
    of tasks, not hundreds.

    Parameters
    ----------
    n_shared : int, default=2
        Number of shared experts.
    n_specific : int, default=1
        Number of experts of each task; may be 0.
    expert_sizes : tuple of int, default=(64,)
        Width of each layer of an expert.
    head_sizes : tuple of int, default=(32,)
        Width of each layer of a task's own tower on top of its mixture.
    gate_dropout : float, default=0.0
        Share of the experts that a gate cannot see in a training step.
    task_size : int or "auto", default=0
        Size of an embedding of the task of a row that experts and gates see beside the features; 0 for none, as in the
        paper. "auto": 16, but no more than the number of tasks; none for a single task or columns of `y` alone.
    activation : {"relu", "silu", "mish", "selu", "tanh"}, default="relu"
        Function after each layer.
    dropout : float, default=0.0
        Share of the units of an expert's layer that are dropped in training.

    References
    ----------
    .. [1] H. Tang, J. Liu, M. Zhao, X. Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL)
       Model for Personalized Recommendations", RecSys 2020.
    """

    def __init__(
        self,
        n_shared: int = 2,
        n_specific: int = 1,
        expert_sizes: Any = (64,),
        head_sizes: Any = (32,),
        *,
        gate_dropout: float = 0.0,
        task_size: int | str = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        self.n_shared = n_shared
        self.n_specific = n_specific
        self.expert_sizes = expert_sizes
        self.head_sizes = head_sizes
        self.gate_dropout = gate_dropout
        self.task_size = task_size
        self.activation = activation
        self.dropout = dropout

    def build(self, n_features: int, outputs: Outputs) -> Any:
        """Build the module.

        Parameters
        ----------
        n_features : int
            Number of features that come out of scaling and embedding.
        outputs : Outputs
            What is to be predicted.

        Returns
        -------
        module : torch.nn.Module
            The module.
        """
        return _build(self, 1, n_features, outputs)


class PLE(Architecture):
    """Levels of shared experts and experts of each task, joined by gates (progressive layered extraction).

    Each task's gate mixes the shared experts of a level with its own; a shared gate mixes the experts of all tasks and
    the shared ones into what the shared experts of the next level see [1]_. All experts are computed for every row, so
    this is for tens of tasks, not hundreds.

    Parameters
    ----------
    n_levels : int, default=2
        Number of levels.
    n_shared : int, default=2
        Number of shared experts per level.
    n_specific : int, default=1
        Number of experts of each task per level; may be 0.
    expert_sizes : tuple of int, default=(64,)
        Width of each layer of an expert.
    head_sizes : tuple of int, default=(32,)
        Width of each layer of a task's own tower on top of its mixture.
    gate_dropout : float, default=0.0
        Share of the experts that a gate cannot see in a training step.
    task_size : int or "auto", default=0
        Size of an embedding of the task of a row that experts and gates see beside the features; 0 for none, as in the
        paper. "auto": 16, but no more than the number of tasks; none for a single task or columns of `y` alone.
    activation : {"relu", "silu", "mish", "selu", "tanh"}, default="relu"
        Function after each layer.
    dropout : float, default=0.0
        Share of the units of an expert's layer that are dropped in training.

    References
    ----------
    .. [1] H. Tang, J. Liu, M. Zhao, X. Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL)
       Model for Personalized Recommendations", RecSys 2020.
    """

    def __init__(
        self,
        n_levels: int = 2,
        n_shared: int = 2,
        n_specific: int = 1,
        expert_sizes: Any = (64,),
        head_sizes: Any = (32,),
        *,
        gate_dropout: float = 0.0,
        task_size: int | str = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        self.n_levels = n_levels
        self.n_shared = n_shared
        self.n_specific = n_specific
        self.expert_sizes = expert_sizes
        self.head_sizes = head_sizes
        self.gate_dropout = gate_dropout
        self.task_size = task_size
        self.activation = activation
        self.dropout = dropout

    def build(self, n_features: int, outputs: Outputs) -> Any:
        """Build the module.

        Parameters
        ----------
        n_features : int
            Number of features that come out of scaling and embedding.
        outputs : Outputs
            What is to be predicted.

        Returns
        -------
        module : torch.nn.Module
            The module.
        """
        return _build(self, check_count("n_levels", self.n_levels), n_features, outputs)


def _build(description, n_levels, n_features, outputs):
    n_shared = check_count("n_shared", description.n_shared)
    n_specific = check_count("n_specific", description.n_specific, least=0)
    sizes = check_sizes("expert_sizes", description.expert_sizes, least=1)
    activation = check_activation(description.activation)
    dropout = check_share("dropout", description.dropout)
    gate_dropout = check_share("gate_dropout", description.gate_dropout)
    task_size = resolve_task_size(description.task_size, outputs)
    levels, width = [], n_features + task_size
    for level in range(n_levels):
        last = level == n_levels - 1
        level_module = _Level(outputs, width, n_shared, n_specific, sizes, activation, dropout, gate_dropout, last)
        levels.append(level_module)
        width = level_module.n_out
    heads = OwnHeads(outputs, width, check_sizes("head_sizes", description.head_sizes), activation)
    return _PLEModule(levels, heads, task_size, outputs)


class _Level(nn.Module):
    """One level of extraction; states are (n_units, n_rows, width) for the tasks and (n_rows, width) shared."""

    def __init__(self, outputs, n_in, n_shared, n_specific, sizes, activation, dropout, gate_dropout, last):
        super().__init__()
        n_units = outputs.n_units
        self.n_specific, self.gate_dropout = n_specific, gate_dropout
        self.shared = ParallelMLP(n_shared, n_in, sizes, activation, dropout)
        self.specific = ParallelMLP(n_units * n_specific, n_in, sizes, activation, dropout) if n_specific else None
        self.n_out = self.shared.n_out
        # One gate per task as a batch of linear maps without bias, as the paper has them.
        bound = n_in**-0.5
        self.gates = nn.Parameter(torch.empty(n_units, n_in, n_specific + n_shared).uniform_(-bound, bound))
        self.shared_gate = None if last else nn.Linear(n_in, n_units * n_specific + n_shared, bias=False)

    def forward(self, own, shared):
        """States of the tasks and the shared state, after this level."""
        n_units, n_rows = len(self.gates), shared.shape[0]
        own = own.expand(n_units, -1, -1)
        from_shared = self.shared(shared)  # (n_shared, n_rows, width)
        candidates = from_shared.transpose(0, 1).expand(n_units, -1, -1, -1)  # (n_units, n_rows, n_shared, width)
        from_own = None
        if self.specific is not None:
            from_own = self.specific(own.repeat_interleave(self.n_specific, dim=0))
            by_unit = from_own.view(n_units, self.n_specific, n_rows, -1).transpose(1, 2)
            candidates = torch.cat([by_unit, candidates], dim=2)
        dropout = self.gate_dropout if self.training else 0.0
        gates = expert_softmax(own @ self.gates, dropout)  # (n_units, n_rows, n_candidates)
        new_own = (gates[..., None, :] @ candidates)[..., 0, :]
        if self.shared_gate is None:
            return new_own, None
        everything = from_shared if from_own is None else torch.cat([from_own, from_shared])
        gate = expert_softmax(self.shared_gate(shared), dropout)
        return new_own, (gate[:, None] @ everything.transpose(0, 1))[:, 0]


class _PLEModule(nn.Module):
    def __init__(self, levels, heads, task_size, outputs):
        super().__init__()
        self.levels, self.heads, self.outputs = nn.ModuleList(levels), heads, outputs
        self.task_input = make_task_input(task_size, outputs)

    def forward(self, x, tasks):
        """See :class:`Architecture`."""
        if self.task_input is not None:
            x = self.task_input(x, tasks)
        own, shared = x[None], x
        for level in self.levels:
            own, shared = level(own, shared)
        n_tasks, n_columns, _ = self.outputs
        by_row = own.transpose(0, 1).reshape(len(x), n_tasks, n_columns, -1)
        return self.heads(pick(by_row, tasks), tasks)

    def shared_parameters(self):
        """Shared experts and gates; below the last level also what the next level's shared experts see."""
        if self.outputs.n_units == 1:
            return []
        *lower, last = self.levels
        shared = [*last.shared.parameters()]
        for i, level in enumerate(lower):
            shared += [*level.shared.parameters(), *level.shared_gate.parameters()]
            if level.specific is not None:
                shared += level.specific.parameters()
                if i < len(lower) - 1:
                    shared.append(level.gates)  # the tasks' states go into experts that a later shared gate mixes
        return shared
