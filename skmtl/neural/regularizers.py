"""Regularizers: further losses made of the shared representation and the losses of the tasks."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from .._optional import import_optional
from ._names import nearest
from .architectures._checks import check_number, check_option

torch = import_optional("torch", extra="neural")

__all__ = ["RepMTL", "cross_task_alignment", "saliency_entropy"]


class RepMTL(BaseEstimator):
    r"""Representation-level task saliency: tasks are to own rows of the representation, and to agree in what they use.

    The saliency of task t is :math:`S_t = \nabla_Z L_t`, the gradient of its loss by the shared representation Z. Two
    terms are added to the loss [1]_: the mean entropy over rows of how the tasks share a row
    (:func:`saliency_entropy`), and a contrastive term that draws the saliencies of a row together and those of
    different rows apart (:func:`cross_task_alignment`). Rows need a target of more than one task, so it is for a 2-D
    `y`, with an architecture that keeps its `representation`, such as :class:`~skmtl.neural.architectures.HardSharing`.
    A step takes a backward pass per task and one of second order. Losses such as the absolute error, whose slope is
    constant, give it nothing to learn from. The defaults are the paper's, for images; on small tables they did great
    harm and 0.01 for both did little, see the page "Results of papers, made small".

    Parameters
    ----------
    lambda_tsr : float, default=0.9
        Weight of the entropy.
    lambda_csa : float, default=0.9
        Weight of the contrastive term.
    tau : float, default=0.1
        Temperature of the contrastive term. The paper does not state its own.
    log_losses : bool, default=False
        Take the saliencies of the logarithms of the losses.
    saliency_reduce : {"mean", "l2", "none"}, default="mean"
        How the saliency of a row becomes one number: the mean over the width (as in the paper), the norm, or not at
        all, with an entropy for every unit of the width.
    eps : float, default=1e-12
        Added to denominators and inside logarithms.

    References
    ----------
    .. [1] Z. Wang, S. Li, D. Xu, "Rep-MTL: Unleashing the Power of Representation-level Task Saliency for Multi-Task
       Learning", ICCV 2025; arXiv 2507.21049. The closed form for tables avoids matrices of width times width.
    """

    def __init__(
        self,
        lambda_tsr: float = 0.9,
        lambda_csa: float = 0.9,
        *,
        tau: float = 0.1,
        log_losses: bool = False,
        saliency_reduce: str = "mean",
        eps: float = 1e-12,
    ) -> None:
        self.lambda_tsr = lambda_tsr
        self.lambda_csa = lambda_csa
        self.tau = tau
        self.log_losses = log_losses
        self.saliency_reduce = saliency_reduce
        self.eps = eps

    def check(self) -> None:
        """Raise ValueError if a parameter is out of its range."""
        check_number("lambda_tsr", self.lambda_tsr)
        check_number("lambda_csa", self.lambda_csa)
        check_number("tau", self.tau, positive=True)
        check_number("eps", self.eps, positive=True)
        check_option("saliency_reduce", self.saliency_reduce, {"mean", "l2", "none"})

    def penalty(self, losses: Any, present: Any, representation: Any) -> Any:
        """Compute the further loss of a batch.

        Parameters
        ----------
        losses : tensor of shape (n_tasks,)
            Mean loss of every task.
        present : bool tensor of shape (n_tasks,)
            Tasks that have rows in the batch.
        representation : tensor of shape (n_rows, width) or (n_rows, n_members, width)
            The shared representation, part of the graph of the losses.

        Returns
        -------
        penalty : scalar tensor or None
            The further loss; None if both weights are zero.

        Raises
        ------
        ValueError
            If the architecture keeps no representation.
        """
        if self.lambda_tsr == 0 and self.lambda_csa == 0:
            return None
        if representation is None:
            raise ValueError(
                "'regularizer' needs an architecture that keeps the representation of a batch in 'representation', "
                "such as 'hard_sharing'."
            )
        saliency = []
        for value in losses[present]:
            value = torch.log(value + self.eps) if self.log_losses else value
            (gradient,) = torch.autograd.grad(value, representation, create_graph=True, allow_unused=True)
            saliency.append(torch.zeros_like(representation) if gradient is None else gradient)
        if not saliency:
            return None
        stacked = torch.stack(saliency, dim=1)  # (n_rows, n_tasks, [n_members,] width)
        if stacked.ndim == 4:
            stacked = stacked.transpose(1, 2).flatten(0, 1)
        return self.lambda_tsr * saliency_entropy(stacked, self.saliency_reduce, self.eps) + (
            self.lambda_csa * cross_task_alignment(stacked, self.tau, self.eps)
        )


def saliency_entropy(saliency: Any, reduce: str = "mean", eps: float = 1e-12) -> Any:
    r"""Mean entropy, over rows, of the shares of the tasks in the saliency.

    With :math:`P_{it} = |\hat S_{it}| / \sum_k |\hat S_{ik}|` it is the mean of :math:`-\sum_t P_{it} \log P_{it}`,
    between 0 and the logarithm of the number of tasks. Rows without saliency count as 0.

    Parameters
    ----------
    saliency : tensor of shape (n_rows, n_tasks, width)
        Gradients of the tasks' losses by the representation.
    reduce : {"mean", "l2", "none"}, default="mean"
        How the width becomes one number.
    eps : float, default=1e-12
        Added to denominators and inside logarithms, relative to the largest saliency of the batch.

    Returns
    -------
    entropy : scalar tensor
        The mean entropy.
    """
    scale = saliency.detach().abs().max().clamp_min(torch.finfo(saliency.dtype).tiny)
    saliency = saliency / scale  # the shares do not depend on the unit of the loss, and neither may eps
    if reduce == "mean":
        size = saliency.mean(dim=2, keepdim=True).abs()
    elif reduce == "l2":
        size = (saliency.square().sum(dim=2, keepdim=True) + eps**2).sqrt() - eps
    else:
        size = saliency.abs()
    share = size / (size.sum(dim=1, keepdim=True) + eps)
    return -(share * torch.log(share + eps)).sum(dim=1).mean()


def cross_task_alignment(saliency: Any, tau: float = 0.1, eps: float = 1e-12) -> Any:
    r"""Contrastive loss between the saliencies of rows.

    With :math:`s_{bt}` the saliency of row b and task t, :math:`M_{bt} = s_{bt} s_{bt}^T` its affinity and
    :math:`A_b = \sum_t M_{bt}` the anchor of the row, it is the mean over rows and tasks of
    :math:`-\log(e^{sim(A_b, M_{bt}) / \tau} / \sum_{k \ne b} e^{sim(A_b, A_k) / \tau})` with cosine similarities. They
    follow from the inner products of the saliencies alone. Pairs without saliency are left out; fewer than two rows
    with saliency give 0.

    Parameters
    ----------
    saliency : tensor of shape (n_rows, n_tasks, width)
        Gradients of the tasks' losses by the representation.
    tau : float, default=0.1
        Temperature.
    eps : float, default=1e-12
        Added to denominators.

    Returns
    -------
    loss : scalar tensor
        The mean.
    """
    n_rows, n_tasks, width = saliency.shape
    scale = saliency.detach().norm(dim=2).amax(dim=1).clamp_min(torch.finfo(saliency.dtype).tiny)
    s = saliency / scale[:, None, None]  # cosines do not depend on the size of a row's saliency
    has = (s.detach().abs().amax(dim=2) > 0).to(s.dtype)  # (n_rows, n_tasks)
    rows = has.amax(dim=1)
    if n_rows < 2 or float(rows.sum()) < 2:
        return saliency.sum() * 0.0
    flat = s.reshape(n_rows * n_tasks, width)
    squares = (flat @ flat.T).square().view(n_rows, n_tasks, n_rows, n_tasks)
    anchors = squares.sum(dim=(1, 3))  # <A_b, A_k>
    own = torch.diagonal(squares, dim1=0, dim2=2)  # (n_tasks, n_tasks, n_rows)
    own = own.permute(2, 0, 1)
    norm = (torch.diagonal(anchors) + eps).sqrt()
    size = torch.diagonal(own, dim1=1, dim2=2)  # |s_bt|^4
    positive = own.sum(dim=1) / (norm[:, None] * (size + eps).sqrt())
    negative = anchors / (norm[:, None] * norm[None, :]) / tau
    hidden = torch.eye(n_rows, dtype=torch.bool, device=s.device) | (rows == 0)[None, :]
    denominator = torch.logsumexp(negative.masked_fill(hidden, -torch.inf), dim=1)
    losses = torch.where(has > 0, denominator[:, None] - positive / tau, torch.zeros_like(positive))
    of_row = losses.sum(dim=1) / has.sum(dim=1).clamp_min(1.0)
    return of_row.sum() / rows.sum()


#: Regularizers, by name.
REGULARIZERS: dict[str, Any] = {"rep_mtl": RepMTL}


def resolve_regularizer(regularizer: Any) -> Any:
    """Return the description that a name stands for.

    Parameters
    ----------
    regularizer : str, object or None
        A key of ``REGULARIZERS``, an object with a method `penalty` as :class:`RepMTL` has it, or None.

    Returns
    -------
    regularizer : object or None
        The object.

    Raises
    ------
    ValueError
        If the name is not known, or the object has no method `penalty`.
    """
    if regularizer is None:
        return None
    if isinstance(regularizer, str) and regularizer in REGULARIZERS:
        regularizer = REGULARIZERS[regularizer]()
    wrong = isinstance(regularizer, str | type) or not callable(getattr(regularizer, "penalty", None))
    if wrong:
        raise ValueError(
            f"'regularizer' must be None, one of {sorted(REGULARIZERS)} or an object with a method 'penalty'. Got "
            f"{regularizer!r}.{nearest(regularizer, REGULARIZERS)}"
        )
    if hasattr(regularizer, "check"):
        regularizer.check()
    return regularizer
