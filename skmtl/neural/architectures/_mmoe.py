"""Multi-gate mixture of experts."""

from __future__ import annotations

from typing import Any

from torch import nn

from .._layers import OwnHeads, ParallelMLP
from ._base import Architecture, Outputs
from ._checks import check_activation, check_count, check_share, check_sizes
from ._experts import Gates, mix
from ._task_input import make_task_input, resolve_task_size


class MMoE(Architecture):
    r"""Experts that all tasks share, mixed for each task by a gate of its own (multi-gate mixture of experts).

    Task t sees :math:`z_t = \sum_k g_{tk}(x) E_k(x)` with :math:`g_t(x) = softmax(W_t x)` [1]_.

    Parameters
    ----------
    n_experts : int, default=8
        Number of experts.
    expert_sizes : tuple of int, default=(64,)
        Width of each layer of an expert.
    head_sizes : tuple of int, default=(32,)
        Width of each layer of a task's own tower on top of its mixture.
    gate_bias : bool, default=False
        Whether gates have a bias. The paper's have none.
    gate_dropout : float, default=0.0
        Share of the experts that a gate cannot see in a training step, against gates that fix on one expert.
    task_size : int or "auto", default=0
        Size of an embedding of the task of a row that experts and gates see beside the features; 0 for none, as in the
        paper. "auto": 16, but no more than the number of tasks; none for a single task or columns of `y` alone.
    activation : {"relu", "silu", "mish", "selu", "tanh"}, default="relu"
        Function after each layer.
    dropout : float, default=0.0
        Share of the units of an expert's layer that are dropped in training.

    References
    ----------
    .. [1] J. Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD
       2018.
    """

    def __init__(
        self,
        n_experts: int = 8,
        expert_sizes: Any = (64,),
        head_sizes: Any = (32,),
        *,
        gate_bias: bool = False,
        gate_dropout: float = 0.0,
        task_size: int | str = 0,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        self.n_experts = n_experts
        self.expert_sizes = expert_sizes
        self.head_sizes = head_sizes
        self.gate_bias = gate_bias
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
        activation = check_activation(self.activation)
        n_experts = check_count("n_experts", self.n_experts)
        sizes = check_sizes("expert_sizes", self.expert_sizes, least=1)
        task_size = resolve_task_size(self.task_size, outputs)
        n_in = n_features + task_size
        experts = ParallelMLP(n_experts, n_in, sizes, activation, check_share("dropout", self.dropout))
        gate_dropout = check_share("gate_dropout", self.gate_dropout)
        gates = Gates(outputs, n_in, n_experts, bool(self.gate_bias), gate_dropout)
        heads = OwnHeads(outputs, experts.n_out, check_sizes("head_sizes", self.head_sizes), activation)
        return _MMoEModule(experts, gates, heads, task_size, outputs)


class _MMoEModule(nn.Module):
    def __init__(self, experts, gates, heads, task_size, outputs):
        super().__init__()
        self.experts, self.gates, self.heads = experts, gates, heads
        self.task_input = make_task_input(task_size, outputs)
        self.single = outputs.n_units == 1

    def forward(self, x, tasks):
        """See :class:`Architecture`."""
        if self.task_input is not None:
            x = self.task_input(x, tasks)
        return self.heads(mix(self.gates(x, tasks), self.experts(x)), tasks)

    def shared_parameters(self):
        """The experts."""
        return [] if self.single else list(self.experts.parameters())
