"""Robust multi-task gradient boosting."""

from ._classifier import RMTGBClassifier
from ._published import published_settings
from ._regressor import RMTGBRegressor

__all__ = ["RMTGBClassifier", "RMTGBRegressor", "published_settings"]
