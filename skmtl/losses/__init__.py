"""Losses: one object per loss, with a name under which estimators know it."""

from ._adversarial import SmoothAdversarialCompSumLoss
from ._any_loss import AnyLoss
from ._base import ClassificationLoss, Loss, RegressionLoss
from ._classification import LogLoss
from ._comp_sum import CompSumLoss, GeneralizedCrossEntropy
from ._distillation import BinaryKLLoss, DualHeadDistillationLoss
from ._equity import SampleEquityWeights
from ._focal import FocalLoss
from ._ordinal import OrdinalCrossEntropy
from ._quantiles import QuantilesLoss
from ._registry import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, resolve_loss
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

__all__ = [
    "CLASSIFICATION_LOSSES",
    "REGRESSION_LOSSES",
    "AbsoluteLoss",
    "AnyLoss",
    "BinaryKLLoss",
    "ClassificationLoss",
    "CompSumLoss",
    "DualHeadDistillationLoss",
    "FocalLoss",
    "GammaLoss",
    "GeneralizedCrossEntropy",
    "HuberLoss",
    "LogCoshLoss",
    "LogLoss",
    "Loss",
    "OrdinalCrossEntropy",
    "PoissonLoss",
    "QuantileLoss",
    "QuantilesLoss",
    "RegressionLoss",
    "SampleEquityWeights",
    "SmoothAdversarialCompSumLoss",
    "SphericalSoftmaxLoss",
    "SquaredLoss",
    "TaylorSoftmaxLoss",
    "TweedieLoss",
    "ZLoss",
    "resolve_loss",
]
