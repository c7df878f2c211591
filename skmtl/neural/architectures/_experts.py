"""Gates over experts."""

from __future__ import annotations

import math

import torch
from torch import nn

from .._layers import pick


class Gates(nn.Module):
    """A softmax over experts for each task and column, linear in the input.

    Parameters
    ----------
    outputs : Outputs
        The tasks and columns.
    n_in : int
        Number of inputs.
    n_experts : int
        Number of experts that each gate chooses among.
    bias : bool, default=True
        Whether the linear map has a bias.
    dropout : float, default=0.0
        Share of the experts that a gate cannot see in a training step.
    """

    def __init__(self, outputs, n_in, n_experts, bias=True, dropout=0.0):
        super().__init__()
        self.shape = (outputs.n_tasks, outputs.n_columns, n_experts)
        self.linear = nn.Linear(n_in, math.prod(self.shape), bias=bias)
        self.dropout = dropout

    def forward(self, x, tasks):
        """Weights of the experts for the rows' own tasks, (n_rows, n_columns, n_experts); they sum to one."""
        scores = pick(self.linear(x).view(len(x), *self.shape), tasks)
        return expert_softmax(scores, self.dropout if self.training else 0.0)


def expert_softmax(scores, dropout):
    """Softmax over the last dimension, of which random entries, never all, are left out."""
    if dropout > 0.0 and scores.shape[-1] > 1:
        chance = torch.rand_like(scores)
        hidden = (chance < dropout) & (chance < chance.amax(-1, keepdim=True))
        scores = scores.masked_fill(hidden, -torch.inf)
    return torch.softmax(scores, dim=-1)


def mix(gates, experts):
    """Mixtures of the experts' outputs.

    gates : (n_rows, n_columns, n_experts); experts : (n_experts, n_rows, width) -> (n_rows, n_columns, width)
    """
    return gates @ experts.transpose(0, 1)
