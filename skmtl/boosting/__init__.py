"""Robust multi-task gradient boosting, and LightGBM with the losses of the library."""

from ._classifier import RMTGBClassifier
from ._lightgbm_classifier import LightGBMClassifier
from ._lightgbm_regressor import LightGBMRegressor
from ._onnx import to_onnx
from ._published import published_settings
from ._regressor import RMTGBRegressor
from ._treelite import to_treelite

__all__ = [
    "LightGBMClassifier",
    "LightGBMRegressor",
    "RMTGBClassifier",
    "RMTGBRegressor",
    "published_settings",
    "to_onnx",
    "to_treelite",
]
