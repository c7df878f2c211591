"""Scores of very many classes that training never computes."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from sklearn.base import BaseEstimator

from ..losses._checks import check_number
from ._names import nearest
from ._objective import Objective

#: Scores that are computed at once in a prediction, about.
_SCORES_AT_ONCE = 2**24


class FactoredOutput(BaseEstimator):
    """Scores of the classes through a common linear layer that is kept in factors [1]_.

    The heads of the architecture give each row `width` features, and one matrix, the same for all tasks and members,
    makes scores of them; members are averaged before it. A step of training costs the same for any number of classes.
    It is for losses of the spherical family: Z-loss, spherical softmax and Taylor softmax of order 2.

    Parameters
    ----------
    width : int, default=64
        Number of features that scores are made of.
    lr : float, default=0.1
        Learning rate of the matrix, at its highest; it follows the estimator's `lr_schedule`. Its steps are those of
        plain SGD, whatever the estimator's `optimizer`, and are not clipped. The softmaxes want more, such as 10.
    weight_decay : float, default=0.0
        After each step the matrix is multiplied by one minus the learning rate times this.

    See Also
    --------
    skmtl.losses.layers.SphericalOutputLayer : The layer.

    References
    ----------
    .. [1] P. Vincent, A. de Brébisson, X. Bouthillier, "Exact gradient updates in time independent of output size for
       the spherical loss family", 2016. arXiv 1606.08061.
    """

    def __init__(self, width: int = 64, *, lr: float = 0.1, weight_decay: float = 0.0) -> None:
        self.width = width
        self.lr = lr
        self.weight_decay = weight_decay

    def build(self, n_classes: int, loss: Any) -> Any:
        """Build the layer.

        Parameters
        ----------
        n_classes : int
            Number of classes.
        loss : Loss
            A loss of the spherical family.

        Returns
        -------
        layer : SphericalOutputLayer
            The layer.
        """
        from ..losses.layers import SphericalOutputLayer

        return SphericalOutputLayer(self.width, n_classes, self.lr, loss, weight_decay=self.weight_decay)


def resolve_output(output: Any) -> FactoredOutput | None:
    """Return the description that a name stands for; None for scores that are computed one by one."""
    if isinstance(output, FactoredOutput):
        return output
    known = ("dense", "factored")
    if not isinstance(output, str) or output not in known:
        hint = nearest(output, known) if isinstance(output, str) else ""
        raise ValueError(f"'output' must be 'dense', 'factored' or a FactoredOutput. Got {output!r}.{hint}")
    return FactoredOutput() if output == "factored" else None


def check_factored(output: FactoredOutput, estimator: Any, loss: Any) -> None:
    """Raise where the other parameters of an estimator do not go with a factored output."""
    from ..losses.layers._spherical import check_spherical

    check_spherical("loss", loss, "output='factored'")
    if not isinstance(output.width, Integral) or isinstance(output.width, bool) or output.width < 1:
        raise ValueError(f"'width' must be an int, 1 or more. Got {output.width!r}.")
    check_number("lr", output.lr, 0.0, open_low=True)
    check_number("weight_decay", output.weight_decay, 0.0)
    for name in ("balancing", "regularizer"):
        value = getattr(estimator, name)
        if value is not None:
            raise ValueError(
                f"'{name}' must be None with output='factored', whose layer makes its own step in the one backward "
                f"pass of a batch. Got {value!r}."
            )


class FactoredObjective(Objective):
    """The loss of a batch from the statistics of the scores; raw predictions in training are own score, squares, sum.

    Parameters
    ----------
    loss : Loss
        A prepared loss of the spherical family.
    outputs : Outputs
        What the module gives: the features that scores are made of.
    lr : float
        Learning rate of the layer at its highest.
    """

    def __init__(self, loss, outputs, lr):
        super().__init__(loss, outputs, None, None)
        self.lr = lr

    def raw(self, module, batch, forward=None):
        """Statistics of the scores, (n_rows, 1, 3); for rows without targets all scores, (n_rows, 1, n_classes)."""
        h = (module if forward is None else forward)(*batch.inputs)
        if h.ndim == 4:
            h = h.mean(dim=1)
        layer = module.output_layer
        if not batch.y.numel():
            return layer.scores(h[:, 0])[:, None]
        layer.lr = self.lr * self.lr_factor[0]
        return torch.stack(layer.statistics(h[:, 0], batch.y[:, 0]), dim=1)[:, None]

    def _row_losses(self, raw, batch, units, around=None):
        from ..losses.layers._spherical import loss_of_statistics

        return loss_of_statistics(self.loss, self.loss._n_classes, *raw[:, 0].unbind(dim=1))


def rows_at_once(n_classes: int) -> int:
    """Rows whose scores are computed at once in a prediction."""
    return max(1, _SCORES_AT_ONCE // n_classes)
