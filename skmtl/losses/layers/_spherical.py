"""Output layer for very many classes, with a loss of the spherical family."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from .._checks import check_number, check_option
from .._registry import resolve_loss
from .._regression import SquaredLoss
from .._spherical import SphericalSoftmaxLoss, TaylorSoftmaxLoss, ZLoss
from ._factored import DenseMatrix, FactoredMatrix

_NAMES: dict = {"z_loss": ZLoss, "taylor_softmax": TaylorSoftmaxLoss, "spherical_softmax": SphericalSoftmaxLoss}


def check_spherical(name: str, loss: Any, purpose: str) -> None:
    """Raise ValueError unless `loss` sees the scores through their statistics alone."""
    if type(loss) not in set(_NAMES.values()) or getattr(loss, "order", 2) != 2:
        raise ValueError(
            f"'{name}' must be one of {sorted(_NAMES)} or an object of their classes (Taylor softmax of order 2) with "
            f"{purpose}. Got {loss!r}."
        )


def loss_of_statistics(loss: Any, n_classes: int, own: Any, squares: Any, total: Any) -> Any:
    """Loss of each row from its own score, the sum of squares and the sum of its scores."""
    if isinstance(loss, ZLoss):
        mean = total / n_classes
        sigma = (squares / n_classes - mean**2).clamp_min(0.0).add(loss.eps).sqrt()
        return torch.nn.functional.softplus(loss.a * (loss.b - (own - mean) / sigma)) / loss.a
    if isinstance(loss, TaylorSoftmaxLoss):
        return (n_classes + total + 0.5 * squares).log() - (1.0 + own + 0.5 * own**2).log()
    if isinstance(loss, SphericalSoftmaxLoss):
        return (squares + n_classes * loss.eps).log() - (own**2 + loss.eps).log()
    return squares - 2.0 * own + 1.0


class _Statistics(torch.autograd.Function):
    """Statistics of the scores; going backward, the weights make their step."""

    @staticmethod
    def forward(ctx, h, anchor, own, layer):
        statistics, saved = layer.matrix.statistics(h, own)
        ctx.layer, ctx.saved, ctx.n_updates = layer, saved, layer.n_updates
        ctx.save_for_backward(h, own)
        return statistics

    @staticmethod
    @once_differentiable
    def backward(ctx, by_own, by_squares, by_sum):
        layer = ctx.layer
        h, own = ctx.saved_tensors
        if layer.n_updates != ctx.n_updates:
            raise RuntimeError(
                "The weights of the output layer have changed since this forward pass. Call backward once after each "
                "forward pass, before the next one; gradients cannot be accumulated."
            )
        by_h, _ = layer.matrix.gradient(by_own, by_squares, by_sum, ctx.saved)
        if layer.training:
            layer.matrix.step(layer.lr, h, own, by_own, by_squares, by_sum, ctx.saved, layer.weight_decay)
            layer.n_updates += 1
        return by_h, None, None, None


class SphericalOutputLayer(torch.nn.Module):
    """Last layer and loss of a net for very many classes; a step of training costs the same for any number of them.

    The layer is linear in its input. With a loss that sees the scores only through the own one, their sum and the sum
    of their squares, loss, gradient and the step of plain SGD on the weights are exact without any score computed [1]_:
    O(d²) per row for d features. The weights are kept in factors, as buffers: the layer makes its own step in
    ``backward``, in training mode, and optimisers do not see it.

    Momentum, Adam, accumulated gradients, second derivatives and automatic mixed precision are not possible, and
    ``backward`` has to come once after each forward pass.

    Parameters
    ----------
    in_features : int
        Number of features, d.
    n_classes : int
        Number of classes.
    lr : float
        Learning rate of the weights. It may be changed at any time.
    loss : str or Loss, default="z_loss"
        "z_loss", "taylor_softmax", "spherical_softmax", their objects (Taylor of order 2), or "squared_error": the
        squared distance of the scores to 1 for the own class and 0 for the others.
    weight_decay : float, default=0.0
        After each step the weights are multiplied by one minus the learning rate times this.
    bias : bool, default=True
        Append a constant feature.
    scale : float, default=0.001
        Standard deviation of the weights at the start, drawn from torch's generator.
    mode : {"factored", "dense"}, default="factored"
        "dense" computes all scores: the same result, for comparison.
    stabilize_period : int, default=100
        Steps after which the factors are looked after (singular values of U), if they did not need it before.
    refresh_period : int, default=5000
        Steps after which what is derived from all weights is computed anew, in time that grows with the classes.
    dtype : torch.dtype, default=torch.float32
        Precision of the large factor. The small ones, loss and gradient are in double precision.

    References
    ----------
    .. [1] P. Vincent, A. de Brébisson, X. Bouthillier, "Efficient exact gradient update for training deep networks with
       very large sparse targets", NIPS 2015; "Exact gradient updates in time independent of output size for the
       spherical loss family", 2016. arXiv 1606.08061.

    Examples
    --------
    >>> import torch
    >>> from skmtl.losses.layers import ZLossOutputLayer
    >>> _ = torch.manual_seed(0)
    >>> layer = ZLossOutputLayer(8, 100_000, lr=0.1)
    >>> h, y = torch.randn(32, 8), torch.randint(100_000, (32,))
    >>> layer(h, y).backward()
    >>> layer.eval()(h, y).item() < 0.4
    True
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        lr: float,
        loss: Any = "z_loss",
        *,
        weight_decay: float = 0.0,
        bias: bool = True,
        scale: float = 1e-3,
        mode: str = "factored",
        stabilize_period: int = 100,
        refresh_period: int = 5000,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.lr = check_number("lr", lr, 0.0)
        self.weight_decay = check_number("weight_decay", weight_decay, 0.0)
        check_option("mode", mode, ("factored", "dense"))
        for name, value in (("stabilize_period", stabilize_period), ("refresh_period", refresh_period)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"'{name}' must be an int, 1 or more. Got {value!r}.")
        self.bias = bool(bias)
        self.n_classes = int(n_classes)
        squared = isinstance(loss, SquaredLoss) or (isinstance(loss, str) and loss == "squared_error")
        self.loss: Any = SquaredLoss() if squared else resolve_loss(loss, _NAMES)
        if type(self.loss) not in {SquaredLoss, *_NAMES.values()} or getattr(self.loss, "order", 2) != 2:
            raise ValueError(
                f"'loss' must be 'squared_error', one of {sorted(_NAMES)}, or an object of their classes (Taylor "
                f"softmax of order 2). Got {loss!r}."
            )
        self.loss.n_outputs_for(n_classes)
        weight = scale * torch.randn(n_classes, in_features + self.bias, dtype=dtype)
        kind = FactoredMatrix if mode == "factored" else DenseMatrix
        self.matrix = kind(weight, stabilize_period, refresh_period)
        self.n_updates = 0

    def forward(self, h: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None = None) -> torch.Tensor:
        """Compute the mean loss; its ``backward`` makes a step of the weights, in training mode.

        Parameters
        ----------
        h : tensor of shape (n_rows, in_features)
            Features.
        y : int64 tensor of shape (n_rows,)
            Own class of each row.
        weight : tensor of shape (n_rows,) or None, default=None
            Weights of the rows.

        Returns
        -------
        loss : scalar tensor
            Weighted mean of the loss, in double precision.

        Raises
        ------
        ValueError
            If a class is out of range.
        """
        if len(y) and not 0 <= int(y.min()) <= int(y.max()) < self.n_classes:
            raise ValueError(
                f"'y' must hold classes from 0 to {self.n_classes - 1}. Got {int(y.min())} to {int(y.max())}."
            )
        rows = loss_of_statistics(self.loss, self.n_classes, *self.statistics(h, y))
        return rows.mean() if weight is None else (rows * weight).sum() / weight.sum()

    def statistics(self, h: torch.Tensor, y: torch.Tensor) -> Any:
        """Compute what the loss sees of the scores; going backward, the weights make their step, in training mode.

        Parameters
        ----------
        h : tensor of shape (n_rows, in_features)
            Features.
        y : int64 tensor of shape (n_rows,)
            Own class of each row.

        Returns
        -------
        own, squares, total : tensors of shape (n_rows,)
            Own score, sum of squares and sum of the scores, in double precision.
        """
        # The anchor keeps the way back alive where the features themselves need no gradient.
        anchor = torch.zeros((), requires_grad=True)
        return _Statistics.apply(self._input(h), anchor, y, self)

    def _input(self, h):
        h = h.to(torch.float64)
        return torch.cat([h, h.new_ones((len(h), 1))], dim=1) if self.bias else h

    @torch.no_grad()
    def scores(self, h: torch.Tensor) -> torch.Tensor:
        """Compute the scores of all classes.

        Parameters
        ----------
        h : tensor of shape (n_rows, in_features)
            Features.

        Returns
        -------
        scores : tensor of shape (n_rows, n_classes)
            Scores, without a gradient.
        """
        return self.matrix.scores(self._input(h))

    @property
    def weight(self) -> torch.Tensor:
        """Weights, (n_classes, in_features), and one more column with a bias; computed when asked for."""
        return self.matrix.weight()


class ZLossOutputLayer(SphericalOutputLayer):
    """Last layer of a net for very many classes, with the Z-loss; see :class:`SphericalOutputLayer`.

    Parameters
    ----------
    in_features : int
        Number of features.
    n_classes : int
        Number of classes, 3 or more.
    lr : float
        Learning rate of the weights.
    a, b : float, default=1.0 and 0.0
        Sharpness and place of the loss, see :class:`skmtl.losses.ZLoss`.
    **options : dict
        Further options of :class:`SphericalOutputLayer`.
    """

    def __init__(
        self, in_features: int, n_classes: int, lr: float, a: float = 1.0, b: float = 0.0, **options: Any
    ) -> None:
        super().__init__(in_features, n_classes, lr, ZLoss(a, b), **options)
