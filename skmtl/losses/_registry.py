"""Names of losses."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from sklearn.base import clone

from ._adversarial import SmoothAdversarialCompSumLoss
from ._any_loss import AnyLoss
from ._base import ClassificationLoss, Loss, RegressionLoss
from ._classification import LogLoss
from ._comp_sum import CompSumLoss, GeneralizedCrossEntropy
from ._focal import FocalLoss
from ._ordinal import OrdinalCrossEntropy
from ._quantiles import QuantilesLoss
from ._regression import (
    AbsoluteLoss,
    GammaLoss,
    HuberLoss,
    LogCoshLoss,
    PoissonLoss,
    QuantileLoss,
    SquaredLoss,
    TweedieLoss,
)
from ._spherical import SphericalSoftmaxLoss, TaylorSoftmaxLoss, ZLoss

#: Losses for numbers, by name.
REGRESSION_LOSSES: dict[str, type[Loss]] = {
    "squared_error": SquaredLoss,
    "absolute_error": AbsoluteLoss,
    "huber": HuberLoss,
    "quantile": QuantileLoss,
    "quantiles": QuantilesLoss,
    "poisson": PoissonLoss,
    "gamma": GammaLoss,
    "log_cosh": LogCoshLoss,
    "tweedie": TweedieLoss,
}
#: Losses for classes, by name.
CLASSIFICATION_LOSSES: dict[str, type[Loss]] = {
    "log_loss": LogLoss,
    "focal": FocalLoss,
    "comp_sum": CompSumLoss,
    "generalized_cross_entropy": GeneralizedCrossEntropy,
    "smooth_adversarial_comp_sum": SmoothAdversarialCompSumLoss,
    "taylor_softmax": TaylorSoftmaxLoss,
    "spherical_softmax": SphericalSoftmaxLoss,
    "z_loss": ZLoss,
    "any_loss": AnyLoss,
    "ordinal": OrdinalCrossEntropy,
}

Form = Literal["boosting", "torch"]
_BASES: dict[str, type[Loss]] = {"classes": ClassificationLoss, "numbers": RegressionLoss}


def resolve_loss(
    loss: str | Loss, known: dict[str, type[Loss]], *, form: Form | None = None, **parameters: Any
) -> Loss:
    """Return the loss object that `loss` names, or a clone of `loss` if it is one.

    Parameters
    ----------
    loss : str or Loss
        Name or object. An object may be of a class of your own, derived from the same base as the known ones.
    known : dict
        The names that will do, with their classes: ``REGRESSION_LOSSES`` or ``CLASSIFICATION_LOSSES``.
    form : {"boosting", "torch"} or None, default=None
        The form that is needed; None: either.
    **parameters
        Parameters of the loss, where it is named.

    Returns
    -------
    loss : Loss
        A fresh object.

    Raises
    ------
    ValueError
        If the name is not known, or the object is a loss for other targets or no loss at all.
    TypeError
        If the loss has no such form.
    """
    if isinstance(loss, str) and loss in known:
        found = known[loss](**parameters)
    elif isinstance(loss, tuple(_BASES[kind] for kind in {cls.targets for cls in known.values()})):
        found = clone(loss)
    else:
        near = difflib.get_close_matches(str(loss), known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"'loss' must be one of {sorted(known)} or an object of their classes. Got {loss!r}.{hint}")
    if form is not None and not _has_form(found, form):
        others = sorted(name for name, cls in known.items() if _has_form(cls(), form))
        purpose = "boosting" if form == "boosting" else "nets"
        raise TypeError(f"'loss' is {found!r}, which has no form for {purpose}. These have one: {others}.")
    return found


def _has_form(loss: Loss, form: Form) -> bool:
    return loss.has_boosting_form if form == "boosting" else loss.has_torch_form
