"""Names of losses."""

from __future__ import annotations

import difflib

from sklearn.base import clone

from ._base import Loss
from ._classification import LogLoss
from ._regression import AbsoluteLoss, GammaLoss, HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss

#: Losses for numbers, by name.
REGRESSION_LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredLoss,
    "absolute_error": AbsoluteLoss,
    "huber": HuberLoss,
    "quantile": QuantileLoss,
    "poisson": PoissonLoss,
    "gamma": GammaLoss,
}
#: Losses for classes, by name.
CLASSIFICATION_LOSSES: dict[str, type[Loss]] = {"log_loss": LogLoss}


def resolve_loss(loss: str | Loss, known: dict[str, type[Loss]], **parameters) -> Loss:
    """Return the loss object that `loss` names, or a clone of `loss` if it is one.

    Parameters
    ----------
    loss : str or Loss
        Name or object.
    known : dict
        The names that will do, with their classes: ``REGRESSION_LOSSES`` or ``CLASSIFICATION_LOSSES``.
    **parameters
        Parameters of the loss, where it is named.

    Returns
    -------
    loss : Loss
        A fresh object.

    Raises
    ------
    ValueError
        If the name is not known, or the object is not of one of the known classes.
    """
    if isinstance(loss, str) and loss in known:
        return known[loss](**parameters)
    if isinstance(loss, tuple(known.values())):
        return clone(loss)
    near = difflib.get_close_matches(str(loss), known, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ValueError(f"'loss' must be one of {sorted(known)} or an object of their classes. Got {loss!r}.{hint}")
