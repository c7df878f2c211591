"""What the estimators on LightGBM share: parameters, the way of a fit, raw predictions."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._shared.reading import read_features, read_fit_features
from .._shared.targets import check_weight
from .._shared.validation import validation_rows
from .._sklearn import Interval, StrOptions
from ..tasks import TaskRequests, learn_tasks, look_up_tasks, observed_pairs
from ._lightgbm_training import Fitted, Table, train
from ._training import stops_early

_AUTO = StrOptions({"auto"})
#: Rounds with "auto": without early stopping, and at most with it.
_ROUNDS, _MOST_ROUNDS = 100, 1000
#: What the estimators set themselves.
_OWN = {"objective", "metric", "num_class", "num_iterations", "early_stopping_round", "data_sample_strategy"}


class BaseLightGBM(TaskRequests, BaseEstimator):
    """LightGBM with any loss of the library; see the classifier and the regressor."""

    _parameter_constraints: dict = {
        "task_column": [str, Integral, None],
        "n_estimators": [_AUTO, Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "num_leaves": [Interval(Integral, 2, None, closed="left")],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_child_samples": [Interval(Integral, 1, None, closed="left")],
        "reg_lambda": [Interval(Real, 0, None, closed="left")],
        "colsample_bytree": [Interval(Real, 0, 1, closed="right")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "params": [dict, None],
        "early_stopping": [_AUTO, "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "refit": ["boolean"],
        "unseen_tasks": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    _fitted: Fitted

    def _fit(self, X, y, tasks, sample_weight):
        """Fit, or leave the estimator as it was."""
        before = dict(vars(self))
        try:
            self._fit_steps(X, y, tasks, sample_weight)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    def _fit_steps(self, X, y, tasks, sample_weight):
        owner = type(self).__name__
        loss = self._make_loss()
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        reader, values, self._positions, labels = read_fit_features(self, X, tasks, most_categories=self.max_bins)
        self._reader = reader
        targets, output_labels = self._read_target(y, values)
        weight = check_weight(sample_weight, values)
        self._row_tasks, codes = learn_tasks(labels, len(values), owner=owner)
        pairs = observed_pairs(targets, codes, owner=owner)
        if weight is not None:  # A weight of zero is no row at all.
            kept = weight[pairs.rows] > 0
            pairs = pairs._replace(rows=pairs.rows[kept], units=pairs.units[kept], values=pairs.values[kept])
            weight = weight[pairs.rows]
        self._n_outputs, self._two_dimensional = pairs.n_outputs, targets.ndim == 2
        self.tasks_ = output_labels if self._two_dimensional and len(self._row_tasks) == 1 else self._row_tasks
        coded, n_classes = self._code_target(pairs)
        weight = self._weigh(weight, coded)
        prepared = loss.prepare(coded, weight, n_classes)
        features = self._with_tasks(values[pairs.rows], codes[pairs.rows], pairs.units % pairs.n_outputs)
        table = Table(features, coded, weight, pairs.units)
        categorical = np.flatnonzero(reader.categorical).tolist() + list(range(values.shape[1], features.shape[1]))
        stopping = stops_early(self, len(coded))
        rounds = self.n_estimators
        if isinstance(rounds, str):
            rounds = _MOST_ROUNDS if stopping else _ROUNDS
        settings = self._settings(seed, features.shape[1], values.shape[1])
        if not stopping:
            self._fitted = train(table, None, categorical, prepared, settings, rounds, 0)
        else:
            classes = None if n_classes is None else coded
            mask = validation_rows(pairs.units, self.validation_fraction, np.random.default_rng(seed), classes)
            if not mask.any():
                raise ValueError(
                    f"'validation_fraction' = {self.validation_fraction} leaves no row of {len(coded)} to stop by. "
                    "Raise it, or set early_stopping=False."
                )
            parts = table.take(~mask), table.take(mask)
            fitted = train(*parts, categorical, prepared, settings, rounds, self.n_iter_no_change)
            if self.refit and fitted.n_rounds > 0:
                again = train(table, None, categorical, prepared, settings, fitted.n_rounds, 0)
                fitted = again._replace(validation_loss=fitted.validation_loss)
            self._fitted = fitted
        self.n_iter_ = self._fitted.n_rounds
        self.validation_score_ = -self._fitted.validation_loss

    def _with_tasks(self, values, task_codes, outputs):
        """Features with the task and the column of y as further columns, where there are several."""
        more = []
        if len(self._row_tasks) > 1:
            more.append(np.where(task_codes < 0, np.nan, task_codes))
        if self._n_outputs > 1:
            more.append(outputs)
        return np.column_stack([values, *more]) if more else values

    def _settings(self, seed, n_columns, n_own):
        extra = dict(self.params or {})
        taken = sorted(_OWN & set(extra))
        if taken:
            raise ValueError(f"'params' must leave alone what the estimator sets itself. Got {taken}.")
        settings = {
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "max_depth": -1 if self.max_depth is None else self.max_depth,
            "min_data_in_leaf": self.min_child_samples,
            "lambda_l2": self.reg_lambda,
            "feature_fraction": self.colsample_bytree,
            "bagging_fraction": self.subsample,
            "bagging_freq": int(self.subsample < 1.0),
            "max_bin": self.max_bins,
            "min_data_in_bin": 1,
            "feature_pre_filter": False,
            "num_threads": effective_n_jobs(self.n_jobs),
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        if len(self._row_tasks) > self.max_bins:  # a bin for every task
            more = [len(self._row_tasks) + 1, self.max_bins][: n_columns - n_own]
            settings["max_bin_by_feature"] = [self.max_bins] * n_own + more
        return {**settings, **extra}

    def _raw(self, X, tasks):
        """Raw predictions (n_rows, columns of y, outputs of the loss), and the task code of each row."""
        check_is_fitted(self)
        values, labels = read_features(self, self._reader, X, tasks)
        owner = type(self).__name__
        codes = look_up_tasks(labels, self._row_tasks, len(values), unseen=self.unseen_tasks, owner=owner)
        n_threads = effective_n_jobs(self.n_jobs)
        columns = [
            self._fitted.raw(self._with_tasks(values, codes, np.full(len(values), output)), n_threads)
            for output in range(self._n_outputs)
        ]
        return np.stack(columns, axis=1), codes

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of each column of X in the gain of all splits; sums to one. A task column has none."""
        check_is_fitted(self)
        booster, n_rounds = self._fitted.booster, self._fitted.n_rounds
        gains = booster.feature_importance("gain", iteration=n_rounds)[: len(self._positions)]
        out = np.zeros(self.n_features_in_)
        out[self._positions] = gains if n_rounds > 0 else 0.0
        return out / out.sum() if out.sum() > 0 else out

    def _make_loss(self) -> Any:
        raise NotImplementedError

    def _read_target(self, y, X) -> Any:
        raise NotImplementedError

    def _weigh(self, weight, y) -> Any:
        """Weights of the rows, with those of their classes."""
        return weight

    def _code_target(self, pairs) -> Any:
        raise NotImplementedError

    def __sklearn_tags__(self):
        """Say that missing values, several targets and a task column in X are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags
