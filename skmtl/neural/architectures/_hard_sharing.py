"""Hard parameter sharing."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from .._layers import MLP, MemberMLP, OwnHeads, ResidualMLP
from ._base import Architecture, Outputs
from ._checks import check_activation, check_count, check_option, check_share, check_sizes
from ._task_input import make_task_input, resolve_task_size


class HardSharing(Architecture):
    """One trunk that all tasks share, and a head for each task.

    The classical form [1]_ is ``HardSharing(trunk="mlp", task_size=0, common_head=False)``: the trunk sees the features
    alone and the heads have nothing in common. The defaults add what serves tables with many small tasks: an embedding
    of the task as a further input of the trunk, and heads that are a common head plus a difference of each task that
    starts from zero. Where a task has few rows, its difference stays small. The "members" trunk is several networks in
    one [2]_, which share their weight matrices; their predictions are averaged.

    Parameters
    ----------
    hidden_sizes : tuple of int, default=(128, 128)
        Width of each layer of the trunk. For "resnet" the first is the width of the whole trunk and each further one
        the inner width of a residual block.
    head_sizes : tuple of int, default=()
        Width of each layer of a task's own tower in front of its head; only with ``common_head=False``.
    trunk : {"members", "mlp", "resnet"}, default="members"
        The trunk: several MLPs in one, an MLP, or residual blocks with layer normalisation.
    n_members : int, default=8
        Number of networks of the "members" trunk.
    task_size : int or "auto", default="auto"
        Size of the embedding of the task of a row that the trunk sees beside the features; 0 for none. "auto": 16, but
        no more than the number of tasks; none for a single task.
    common_head : bool, default=True
        Whether heads are a common head plus a difference of each task.
    activation : {"relu", "silu", "mish", "selu", "tanh"}, default="relu"
        Function after each layer.
    dropout : float, default=0.1
        Share of the units of a layer that are dropped in training.

    References
    ----------
    .. [1] R. Caruana, "Multitask Learning", Machine Learning 28, 1997.
    .. [2] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
       Ensembling", ICLR 2025.
    """

    def __init__(
        self,
        hidden_sizes: Any = (128, 128),
        head_sizes: Any = (),
        *,
        trunk: str = "members",
        n_members: int = 8,
        task_size: int | str = "auto",
        common_head: bool = True,
        activation: str = "relu",
        dropout: float = 0.1,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.head_sizes = head_sizes
        self.trunk = trunk
        self.n_members = n_members
        self.task_size = task_size
        self.common_head = common_head
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
        trunk = check_option("trunk", self.trunk, {"members", "mlp", "resnet"})
        sizes = check_sizes("hidden_sizes", self.hidden_sizes, least=0 if trunk == "mlp" else 1)
        head_sizes = check_sizes("head_sizes", self.head_sizes)
        n_members = check_count("n_members", self.n_members)
        activation, dropout = check_activation(self.activation), check_share("dropout", self.dropout)
        if head_sizes and (self.common_head or trunk == "members"):
            raise ValueError(
                "'head_sizes' is for common_head=False and a trunk that is not \"members\". Got "
                f"head_sizes={self.head_sizes!r} with common_head={self.common_head!r}, trunk={trunk!r}."
            )
        task_size = resolve_task_size(self.task_size, outputs)
        n_in = n_features + task_size
        net: nn.Module
        if trunk == "members":
            net = MemberMLP(n_in, sizes, n_members, activation, dropout)
        elif trunk == "resnet":
            net = ResidualMLP(n_in, sizes, activation, dropout)
        else:
            net = MLP(n_in, sizes, activation, dropout)
        common = None
        if self.common_head:
            common = _CommonHead(net.n_out, outputs, n_members if trunk == "members" else 0)
        heads = None
        if not self.common_head or outputs.n_tasks > 1:
            heads = OwnHeads(outputs, net.n_out, head_sizes, activation, zero=bool(self.common_head))
        return _HardSharingModule(net, common, heads, task_size, outputs)


class _CommonHead(nn.Module):
    """A head for each column of y that all tasks share, and each member has to itself."""

    def __init__(self, n_in, outputs, n_members):
        super().__init__()
        self.shape = (outputs.n_columns, outputs.n_values)
        n_out, bound = math.prod(self.shape), 1.0 / math.sqrt(max(n_in, 1))
        self.n_members = n_members
        shape = (n_members, n_in, n_out) if n_members else (n_in, n_out)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros((n_members, n_out) if n_members else (n_out,)))

    def forward(self, z):
        """Map (n_rows, [n_members,] n_in) to (n_rows, [n_members,] n_columns, n_values)."""
        if self.n_members:
            raw = (z.transpose(0, 1) @ self.weight).transpose(0, 1) + self.bias
        else:
            raw = z @ self.weight + self.bias
        return raw.unflatten(-1, self.shape)


class _HardSharingModule(nn.Module):
    def __init__(self, trunk, common, heads, task_size, outputs):
        super().__init__()
        self.trunk, self.common, self.heads = trunk, common, heads
        self.task_input = make_task_input(task_size, outputs)
        self.single = outputs.n_units == 1
        self.representation = None

    def forward(self, x, tasks):
        """See :class:`Architecture`."""
        if self.task_input is not None:
            x = self.task_input(x, tasks)
        z = self.trunk(x)
        self.__dict__["representation"] = z  # torch's own way to set an attribute takes longer than a small layer
        own_part = None
        if self.heads is not None:
            own_part = self.heads.last.of_common(z, tasks) if z.ndim == 3 else self.heads(z, tasks)
        if self.common is None:
            return own_part
        return self.common(z) if own_part is None else self.common(z) + own_part

    def shared_parameters(self):
        """The trunk and the common head."""
        if self.single:
            return []
        return [*self.trunk.parameters(), *([] if self.common is None else self.common.parameters())]
