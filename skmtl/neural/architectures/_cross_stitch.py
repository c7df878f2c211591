"""Cross-stitch networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .._layers import OwnLinear, ParallelMLP
from ._base import Architecture, Outputs
from ._checks import check_activation, check_share, check_sizes
from ._task_input import make_task_input, resolve_task_size


class CrossStitch(Architecture):
    r"""A tower of its own for every task, whose layers exchange what they have found.

    After each layer but the last, tower t goes on with :math:`\sum_s \alpha_{ts} x_s`, a mixture of the layers of all
    towers s with learned weights [1]_. They start near the identity, with rows that sum to one. All towers are computed
    for every row, so this is for tens of tasks, not hundreds.

    Parameters
    ----------
    hidden_sizes : tuple of int, default=(64, 32)
        Width of each layer of a tower.
    alpha_same : float, default=0.9
        Start of the weight of a tower for itself, from 0 to 1; the other towers share the rest.
    per_unit : bool, default=False
        Learn a weight for each unit of a layer instead of one for each pair of towers.
    task_size : int or "auto", default=0
        Size of an embedding of the task of a row that all towers see beside the features; 0 for none, as in the
        paper. "auto": 16, but no more than the number of tasks; none for a single task or columns of `y` alone.
    activation : {"relu", "silu", "mish", "selu", "tanh"}, default="relu"
        Function after each layer.
    dropout : float, default=0.0
        Share of the units of a layer that are dropped in training.

    References
    ----------
    .. [1] I. Misra, A. Shrivastava, A. Gupta, M. Hebert, "Cross-stitch Networks for Multi-task Learning", CVPR 2016.
    """

    def __init__(
        self,
        hidden_sizes: Any = (64, 32),
        *,
        alpha_same: float = 0.9,
        per_unit: bool = False,
        task_size: int | str = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.alpha_same = alpha_same
        self.per_unit = per_unit
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
        return _CrossStitchModule(
            n_features,
            outputs,
            check_sizes("hidden_sizes", self.hidden_sizes, least=1),
            check_share("alpha_same", self.alpha_same, up_to_one=True),
            bool(self.per_unit),
            resolve_task_size(self.task_size, outputs),
            check_activation(self.activation),
            check_share("dropout", self.dropout),
        )


class _CrossStitchModule(nn.Module):
    def __init__(self, n_features, outputs, sizes, alpha_same, per_unit, task_size, activation, dropout):
        super().__init__()
        n = outputs.n_units
        self.outputs = outputs
        self.towers = ParallelMLP(n, n_features + task_size, sizes, activation, dropout)
        start = torch.full((n, n), (1.0 - alpha_same) / max(n - 1, 1))
        start.fill_diagonal_(alpha_same if n > 1 else 1.0)
        self.alphas = nn.ParameterList(
            nn.Parameter(start[..., None].repeat(1, 1, size if per_unit else 1)) for size in sizes[:-1]
        )
        self.heads = OwnLinear(outputs, self.towers.n_out, outputs.n_values)
        self.task_input = make_task_input(task_size, outputs)

    def forward(self, x, tasks):
        """See :class:`Architecture`."""
        if self.task_input is not None:
            x = self.task_input(x, tasks)
        for i in range(self.towers.n_layers):
            x = self.towers.layer(i, x)  # (n_units, n_rows, width)
            if i < len(self.alphas):
                alpha = self.alphas[i]
                if alpha.shape[2] == 1:
                    x = torch.tensordot(alpha[..., 0], x, dims=1)
                else:
                    x = torch.einsum("tsd,sbd->tbd", alpha, x)
        n_tasks, n_columns, _ = self.outputs
        x = x.view(n_tasks, n_columns, *x.shape[1:])
        rows = torch.arange(x.shape[2], device=x.device)
        z = x[0].transpose(0, 1) if n_tasks == 1 else x[tasks, :, rows]  # (n_rows, n_columns, width)
        return self.heads(z, tasks)

    def shared_parameters(self):
        """All but the last layer of each tower and the heads: other tasks reach them through the stitches."""
        if self.outputs.n_units == 1:
            return []
        n_shared = len(self.alphas)
        return [*self.towers.weights[:n_shared], *self.towers.biases[:n_shared], *self.alphas]
