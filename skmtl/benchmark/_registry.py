"""All models by name. The names are written to files: they stay."""

from __future__ import annotations

from skmtl.benchmark._lightgbm import LightGBMOwnRounds, LightGBMPerTask, LightGBMTamed, LightGBMTask
from skmtl.benchmark._loss_models import LOSS_MODELS
from skmtl.benchmark._models import RMTGB, Model
from skmtl.benchmark._nets import Net
from skmtl.benchmark._peers import CatBoostTask, GPBoostEffect, HistGradientBoosting, XGBoostTask

MODELS: dict[str, type[Model]] = {
    "rmtgb": RMTGB,
    "lightgbm_task": LightGBMTask,
    "lightgbm_tamed": LightGBMTamed,
    "xgboost_task": XGBoostTask,
    "catboost_task": CatBoostTask,
    "hist_gradient_boosting": HistGradientBoosting,
    "gpboost": GPBoostEffect,
    "lightgbm_per_task": LightGBMPerTask,
    "lightgbm_own_rounds": LightGBMOwnRounds,
    "net": Net,
    **LOSS_MODELS,
}
