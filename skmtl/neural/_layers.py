"""Building blocks of the architectures."""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "selu": nn.SELU,
    "tanh": nn.Tanh,
}


#: Up to so many tasks, linear maps of all of them are computed for every row.
_FEW_TASKS = 32


class MLP(nn.Sequential):
    """Linear layers, each followed by an activation and dropout.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    sizes : sequence of int
        Width of each layer; none makes this the identity.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the units that are dropped in training.
    """

    def __init__(self, n_in, sizes, activation="relu", dropout=0.0):
        layers: list[nn.Module] = []
        for n_out in sizes:
            layers += [nn.Linear(n_in, n_out), ACTIVATIONS[activation]()]
            if dropout > 0.0:
                layers.append(nn.Dropout(dropout))
            n_in = n_out
        super().__init__(*layers)
        self.n_out = n_in


class ResidualMLP(nn.Module):
    """A linear layer, then residual blocks of equal width with layer normalisation (a ResNet for tables).

    Parameters
    ----------
    n_in : int
        Number of inputs.
    sizes : sequence of int
        The first is the width of the whole; each further one is the inner width of a block.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the inner units that are dropped in training.

    References
    ----------
    .. [1] Y. Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021, section 3.2 (there
       with batch normalisation).
    """

    def __init__(self, n_in, sizes, activation="relu", dropout=0.0):
        super().__init__()
        width = sizes[0]
        self.first = nn.Linear(n_in, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, inner),
                ACTIVATIONS[activation](),
                nn.Dropout(dropout),
                nn.Linear(inner, width),
            )
            for inner in sizes[1:]
        )
        self.last = nn.Sequential(nn.LayerNorm(width), ACTIVATIONS[activation]())
        self.n_out = width

    def forward(self, x):
        """Map (n_rows, n_in) to (n_rows, n_out)."""
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class MemberMLP(nn.Module):
    """Several MLPs that share their weight matrices and differ in scales and biases (TabM).

    Parameters
    ----------
    n_in : int
        Number of inputs.
    sizes : sequence of int
        Width of each layer.
    n_members : int
        Number of MLPs.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the units that are dropped in training.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
       Ensembling", ICLR 2025.
    """

    def __init__(self, n_in, sizes, n_members, activation="relu", dropout=0.0):
        super().__init__()
        import tabm

        layers: list[nn.Module] = []
        for i, n_out in enumerate(sizes):
            scaling = ("random-signs", "ones") if i == 0 else "ones"
            layers += [
                tabm.LinearBatchEnsemble(n_in, n_out, k=n_members, scaling_init=scaling),
                ACTIVATIONS[activation](),
            ]
            if dropout > 0.0:
                layers.append(_MemberDropout(dropout))
            n_in = n_out
        self.layers = nn.Sequential(*layers)
        self.n_members = n_members
        self.n_out = n_in

    def forward(self, x):
        """Map (n_rows, n_in) to (n_rows, n_members, n_out)."""
        return self.layers(x[:, None].expand(-1, self.n_members, -1))


class _MemberDropout(nn.Module):
    """Dropout that drops the same units of a row in all members: drawing random numbers is what costs."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        """Map (n_rows, n_members, width) to the same shape."""
        if not self.training:
            return x
        return x * nn.functional.dropout(x.new_ones(len(x), 1, x.shape[2]), self.p)


class OwnLinear(nn.Module):
    """One linear map for each task and column of y, applied to the rows of that task.

    Parameters
    ----------
    outputs : Outputs
        The tasks and columns.
    n_in, n_out : int
        Size of each map.
    zero : bool, default=False
        Start from zeros instead of random weights.
    """

    def __init__(self, outputs, n_in, n_out, zero=False):
        super().__init__()
        self.shape = (outputs.n_tasks, outputs.n_columns, n_out, n_in)
        n_rows = math.prod(self.shape[:3])
        bound = 0.0 if zero or n_in == 0 else 1.0 / math.sqrt(n_in)
        # All maps as one: where they are computed together, a step needs no view of them and none of their gradients.
        self.matrix = nn.Parameter(torch.empty(n_rows, n_in).uniform_(-bound, bound))
        self.offset = nn.Parameter(torch.empty(n_rows).uniform_(-bound, bound))

    @property
    def weight(self):
        """Matrices of all tasks and columns, (n_tasks, n_columns, n_out, n_in)."""
        return self.matrix.view(self.shape)

    @property
    def bias(self):
        """What is added, (n_tasks, n_columns, n_out)."""
        return self.offset.view(self.shape[:3])

    def forward(self, x, tasks):
        """Map (n_rows, n_in) or (n_rows, n_columns, n_in) to (n_rows, n_columns, n_out)."""
        if x.ndim == 2:
            return self.of_common(x, tasks)
        if self.shape[0] == 1:
            return torch.baddbmm(self.bias[0][:, None], x.transpose(0, 1), self.weight[0].mT).transpose(0, 1)
        return (self.weight[tasks] @ x[..., None])[..., 0] + self.bias[tasks]

    def of_common(self, x, tasks):
        """Map (n_rows, ..., n_in), the same for all columns, to (n_rows, ..., n_columns, n_out)."""
        n_tasks, n_columns, n_out, _ = self.shape
        if n_tasks <= _FEW_TASKS:  # one product for all tasks is quicker than one matrix for every row
            every = nn.functional.linear(x, self.matrix, self.offset)
            if n_tasks == 1:
                return every.view(*x.shape[:-1], n_columns, n_out)
            if x.ndim == 2 and n_columns * n_out == 1:
                return every.gather(1, tasks[:, None])[..., None]
            every = every.view(*x.shape[:-1], n_tasks, n_columns, n_out)
            return pick(every if x.ndim == 2 else every.transpose(1, 2), tasks)
        weight, bias = self.weight[tasks], self.bias[tasks]
        if x.ndim == 3:
            return torch.einsum("bmi,bcoi->bmco", x, weight) + bias[:, None]
        return (weight @ x[:, None, :, None])[..., 0] + bias


def own(values, tasks):
    """Take from values of all tasks, (n_tasks, ...), those of the task of each row; (1, ...) for a single task."""
    return values if len(values) == 1 else values[tasks]


def pick(values, tasks):
    """Take from values of all rows and tasks, (n_rows, n_tasks, ...), those of each row's own task."""
    if values.shape[1] == 1:
        return values[:, 0]
    index = tasks.view(-1, 1, *(1 for _ in values.shape[2:])).expand(-1, 1, *values.shape[2:])
    return values.gather(1, index)[:, 0]  # to index with two arrays takes twice the time, back as well as forward


class OwnHeads(nn.Module):
    """A head for each task and column: towers, and a linear map to the raw predictions.

    Parameters
    ----------
    outputs : Outputs
        The tasks and columns.
    n_in : int
        Size of the representation.
    sizes : sequence of int
        Widths of the layers of a tower.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    zero : bool, default=False
        Start the linear map from zeros.
    """

    def __init__(self, outputs, n_in, sizes=(), activation="relu", zero=False):
        super().__init__()
        widths = [n_in, *sizes]
        self.towers = nn.ModuleList(OwnLinear(outputs, a, b) for a, b in itertools.pairwise(widths))
        self.activation = ACTIVATIONS[activation]()
        self.last = OwnLinear(outputs, widths[-1], outputs.n_values, zero=zero)

    def forward(self, x, tasks):
        """Map (n_rows, n_in) or (n_rows, n_columns, n_in) to (n_rows, n_columns, n_values)."""
        for layer in self.towers:
            x = self.activation(layer(x, tasks))
        return self.last(x, tasks)


class ParallelMLP(nn.Module):
    """Several MLPs of the same shape, computed together.

    Parameters
    ----------
    n_nets : int
        Number of MLPs.
    n_in : int
        Number of inputs of each.
    sizes : sequence of int
        Width of each layer.
    activation : str, default="relu"
        A key of ``ACTIVATIONS``.
    dropout : float, default=0.0
        Share of the units that are dropped in training.
    """

    def __init__(self, n_nets, n_in, sizes, activation="relu", dropout=0.0):
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for n_out in sizes:
            bound = 1.0 / math.sqrt(n_in)
            self.weights.append(nn.Parameter(torch.empty(n_nets, n_in, n_out).uniform_(-bound, bound)))
            self.biases.append(nn.Parameter(torch.empty(n_nets, 1, n_out).uniform_(-bound, bound)))
            n_in = n_out
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)
        self.n_nets, self.n_out, self.n_layers = n_nets, n_in, len(sizes)

    def layer(self, i, x):
        """Apply layer i to x, (n_nets, n_rows, ...) or (n_rows, ...)."""
        if x.ndim == 2:
            x = x.expand(self.n_nets, -1, -1)
        return self.dropout(self.activation(torch.baddbmm(self.biases[i], x, self.weights[i])))

    def forward(self, x):
        """Map (n_rows, n_in) or (n_nets, n_rows, n_in) to (n_nets, n_rows, n_out)."""
        for i in range(self.n_layers):
            x = self.layer(i, x)
        return x
