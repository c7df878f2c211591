"""Losses: one object per loss, with a name under which estimators know it."""

from ._base import ClassificationLoss, Loss, RegressionLoss
from ._classification import LogLoss
from ._registry import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, resolve_loss
from ._regression import AbsoluteLoss, GammaLoss, HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss

__all__ = [
    "CLASSIFICATION_LOSSES",
    "REGRESSION_LOSSES",
    "AbsoluteLoss",
    "ClassificationLoss",
    "GammaLoss",
    "HuberLoss",
    "LogLoss",
    "Loss",
    "PoissonLoss",
    "QuantileLoss",
    "RegressionLoss",
    "SquaredLoss",
    "resolve_loss",
]
