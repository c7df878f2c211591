"""The regressor."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import assert_all_finite, check_array, check_consistent_length

from .._sklearn import Interval, StrOptions, _fit_context
from ..losses import REGRESSION_LOSSES, resolve_loss
from ._base import BaseRMTGB, output_names


class RMTGBRegressor(RegressorMixin, BaseRMTGB):
    _parameter_constraints: dict = {
        **BaseRMTGB._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES)), *REGRESSION_LOSSES.values()],
        "quantile": [Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        *,
        quantile: float | None = None,
        task_column: str | int | None = None,
        learning_rate: float = 0.1,
        max_iter: int = 500,
        schedule: str | dict[str, int] = "sequential",
        max_leaf_nodes: Any = "auto",
        max_depth: Any = None,
        min_samples_leaf: Any = "auto",
        l2_regularization: Any = "auto",
        max_features: float = 1.0,
        subsample: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        init: str = "task",
        leaf_step: str = "newton",
        theta_init: Any = "residuals",
        theta_update: str = "newton",
        theta_learning_rate: float | None = None,
        theta_l2: float = 1.0,
        early_stopping: str | bool = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        tol: float = 1e-7,
        refit: bool = True,
        unseen_tasks: str = "shared",
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.quantile = quantile
        self.task_column = task_column
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.schedule = schedule
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.init = init
        self.leaf_step = leaf_step
        self.theta_init = theta_init
        self.theta_update = theta_update
        self.theta_learning_rate = theta_learning_rate
        self.theta_l2 = theta_l2
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.refit = refit
        self.unseen_tasks = unseen_tasks
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> RMTGBRegressor:
        return self._fit(X, y, tasks, sample_weight)

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        return self._answer(self._raw(*self._read(X, tasks)))

    def staged_predict(self, X: Any, *, tasks: Any = None):
        for raw in self._staged_raw(*self._read(X, tasks), self._stages()):
            yield self._answer(raw)

    def score(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> float:
        predicted = self.predict(X, tasks=tasks)
        if predicted.ndim == 1:
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        y = check_array(y, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y")
        check_consistent_length(y, predicted)
        scores = []
        for target, prediction in zip(y.T, predicted.T, strict=True):
            seen = ~np.isnan(target)
            if seen.sum() >= 2:
                weight = None if sample_weight is None else np.asarray(sample_weight)[seen]
                scores.append(r2_score(target[seen], prediction[seen], sample_weight=weight))
        return float(np.mean(scores)) if scores else float("nan")

    def _answer(self, raw):
        values = np.stack([self._fitted.loss.inverse_link(raw[:, j]) for j in range(raw.shape[1])], axis=1)
        return values if self._two_dimensional else values[:, 0]

    def _read_target(self, y, X):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        array = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y")
        if array.ndim == 1:
            assert_all_finite(array, input_name="y")
        check_consistent_length(X, array)
        return array, output_names(y, array.shape[1] if array.ndim == 2 else 1)

    def _code_target(self, pairs, earlier):
        return np.ascontiguousarray(pairs.values, dtype=np.float64), None

    def _make_loss(self):
        if isinstance(self.loss, str) and self.loss == "quantile":
            if self.quantile is None:
                raise ValueError("loss='quantile' needs 'quantile', a number strictly between 0 and 1. Got None.")
            return resolve_loss(self.loss, REGRESSION_LOSSES, quantile=float(self.quantile))
        return resolve_loss(self.loss, REGRESSION_LOSSES)
