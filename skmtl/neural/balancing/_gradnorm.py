"""GradNorm and DB-MTL, which torchjd does not have."""

from __future__ import annotations

import torch

from ..architectures._checks import check_number, check_share
from ._base import Balancer, Balancing, add_flat, add_gradients, of_present, present_tasks, task_gradients


class GradNorm(Balancing):
    r"""Weights of the tasks that bring their gradients to a common size.

    Weights :math:`w_t`, which sum to the number of tasks, are learned so that the norms of the weighted gradients by
    the shared parameters approach :math:`\bar G r_t^\alpha`, with :math:`\bar G` their mean and :math:`r_t` the loss of
    the task relative to its first, over the mean of these over tasks [1]_.

    Parameters
    ----------
    alpha : float, default=1.5
        How strongly tasks that learn slowly are favoured; at 0 all norms are to be equal.
    lr : float, default=0.025
        Step of the weights, by Adam.

    References
    ----------
    .. [1] Z. Chen, V. Badrinarayanan, C.-Y. Lee, A. Rabinovich, "GradNorm: Gradient Normalization for Adaptive Loss
       Balancing in Deep Multitask Networks", ICML 2018, algorithm 1. There the norms are those by the last shared
       layer; here they are by all shared parameters.
    """

    def __init__(self, alpha: float = 1.5, lr: float = 0.025) -> None:
        self.alpha = alpha
        self.lr = lr

    def build(self, n_units: int) -> Balancer:
        """Build the balancer.

        Parameters
        ----------
        n_units : int
            Number of tasks.

        Returns
        -------
        balancer : Balancer
            The balancer.
        """
        return GradNormBalancer(n_units, check_number("alpha", self.alpha), check_number("lr", self.lr, positive=True))


class GradNormBalancer(Balancer):
    """See :class:`GradNorm`."""

    def __init__(self, n_units, alpha, lr):
        super().__init__()
        self.alpha, self.lr = alpha, lr
        self.register_buffer("weights", torch.ones(n_units))
        self.register_buffer("first", torch.full((n_units,), torch.nan))
        self.optimizer: torch.optim.Optimizer | None = None
        self.waits = True  # for the first loss of some task

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        losses = evaluate()
        present = present_tasks(losses)
        if not len(present):
            return losses
        values = of_present(losses.of_task, present)
        if self.waits:
            unset = torch.isnan(self.first[present])
            self.first[present] = torch.where(unset, values.detach(), self.first[present])
            self.waits = bool(torch.isnan(self.first).any())
        jacobian = task_gradients(losses, present, shared, own, values=values * of_present(self.weights, present))
        if losses.extra is not None:
            add_gradients(losses.extra, [*shared, *own])
        if jacobian is not None:
            add_flat(jacobian.sum(dim=0), shared)
            self._learn(present, values.detach(), jacobian.norm(dim=1))
        return losses

    def _learn(self, present, values, sizes):
        """A step of Adam on the sum of |w_t G_t - target|, then weights that sum to the number of tasks."""
        rates = values / of_present(self.first, present).clamp_min(1e-12)
        rates = rates / rates.mean().clamp_min(1e-12)
        target = sizes.mean() * rates**self.alpha
        gradient = torch.sign(sizes - target) * sizes / of_present(self.weights, present)
        if len(present) < len(self.weights):
            gradient = torch.zeros_like(self.weights).index_copy(0, present, gradient)
        if self.optimizer is None:
            self.optimizer = torch.optim.Adam([self.weights], lr=self.lr, fused=True)
        self.weights.grad = gradient
        self.optimizer.step()
        self.weights.grad = None
        self.weights.clamp_(min=1e-6)
        self.weights.mul_(len(self.weights) / self.weights.sum())


class DBMTL(Balancing):
    r"""Logarithms of the losses, and smoothed gradients of equal size.

    Tasks are balanced twice [1]_: the losses enter as :math:`\log(L_t + 10^{-8})`, and the moving averages
    :math:`m_t \leftarrow g_t + \beta_k (m_t - g_t)` of their gradients by the shared parameters, with
    :math:`\beta_k = \beta / k^{\sigma}` in step k, are all brought to the size of the largest before they are added.
    Losses must be positive.

    Parameters
    ----------
    beta : float, default=0.9
        Share of the past in the moving averages, from 0 to below 1.
    beta_sigma : float, default=0.0
        How fast this share falls with the steps.

    References
    ----------
    .. [1] B. Lin et al., "Dual-Balancing for Multi-Task Learning", arXiv 2308.12029, 2023.
    """

    def __init__(self, beta: float = 0.9, beta_sigma: float = 0.0) -> None:
        self.beta = beta
        self.beta_sigma = beta_sigma

    def build(self, n_units: int) -> Balancer:
        """Build the balancer.

        Parameters
        ----------
        n_units : int
            Number of tasks.

        Returns
        -------
        balancer : Balancer
            The balancer.
        """
        return DBMTLBalancer(n_units, check_share("beta", self.beta), check_number("beta_sigma", self.beta_sigma))


class DBMTLBalancer(Balancer):
    """See :class:`DBMTL`."""

    average: torch.Tensor | None

    def __init__(self, n_units, beta, beta_sigma):
        super().__init__()
        self.n_units, self.beta, self.beta_sigma, self.n_steps = n_units, beta, beta_sigma, 0
        self.register_buffer("average", None)

    def combine(self, jacobian, present):
        """Sum of the moving averages of the present tasks, all as long as the longest."""
        self.n_steps += 1
        if self.average is None:
            self.average = jacobian.new_zeros(self.n_units, jacobian.shape[1])
        share = self.beta / self.n_steps**self.beta_sigma
        mean = jacobian + share * (self.average[present] - jacobian)
        self.average[present] = mean
        norms = mean.norm(dim=1, keepdim=True)
        return (mean * (norms.max() / norms.clamp_min(1e-12))).sum(dim=0)

    def backward(self, evaluate, shared, own, replay=None):
        """See :class:`Balancer`."""
        losses = evaluate()
        present = present_tasks(losses)
        if not len(present):
            return losses
        values = torch.log(of_present(losses.of_task, present) + 1e-8)
        jacobian = task_gradients(losses, present, shared, own, values=values)
        if jacobian is not None:
            add_flat(self.combine(jacobian, present), shared)
        if losses.extra is not None:
            add_gradients(losses.extra, [*shared, *own])
        return losses
