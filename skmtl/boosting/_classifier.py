"""The classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from .._sklearn import StrOptions, _fit_context
from ..losses import CLASSIFICATION_LOSSES, resolve_loss
from ..tasks import observed_pairs
from ..tasks._values import as_array
from ._base import BaseRMTGB, output_names


def _has_one_target(estimator):
    """Scores of several target columns have no common shape, so that ``decision_function`` is for one."""
    return not getattr(estimator, "_two_dimensional", False)


class RMTGBClassifier(ClassifierMixin, BaseRMTGB):
    _parameter_constraints: dict = {
        **BaseRMTGB._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFICATION_LOSSES)), *CLASSIFICATION_LOSSES.values()],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "unseen_classes": [StrOptions({"zero", "shared"})],
    }

    def __init__(
        self,
        loss: Any = "log_loss",
        *,
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
        class_weight: Any = None,
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
        unseen_classes: str = "zero",
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
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
        self.class_weight = class_weight
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
        self.unseen_classes = unseen_classes
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> RMTGBClassifier:
        return self._fit(X, y, tasks, sample_weight)

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        return self._labels(self._probabilities(X, tasks))

    def predict_proba(self, X: Any, *, tasks: Any = None) -> Any:
        return self._per_column(self._probabilities(X, tasks))

    def predict_log_proba(self, X: Any, *, tasks: Any = None) -> Any:
        with np.errstate(divide="ignore"):
            return self._per_column(np.log(self._probabilities(X, tasks)))

    @available_if(_has_one_target)
    def decision_function(self, X: Any, *, tasks: Any = None) -> Any:
        return self._decisions(self._raw(*self._read(X, tasks)))

    def staged_predict(self, X: Any, *, tasks: Any = None):
        for probabilities in self._staged_probabilities(X, tasks):
            yield self._labels(probabilities)

    def staged_predict_proba(self, X: Any, *, tasks: Any = None):
        for probabilities in self._staged_probabilities(X, tasks):
            yield self._per_column(probabilities)

    @available_if(_has_one_target)
    def staged_decision_function(self, X: Any, *, tasks: Any = None):
        for raw in self._staged_raw(*self._read(X, tasks), self._stages()):
            yield self._decisions(raw)

    def score(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> float:
        predicted = self.predict(X, tasks=tasks)
        if predicted.ndim == 1:
            return float(accuracy_score(y, predicted, sample_weight=sample_weight))
        check_consistent_length(y, predicted)
        pairs = observed_pairs(y, np.zeros(len(predicted), np.intp), owner=type(self).__name__)
        right = predicted[pairs.rows, pairs.units] == pairs.values
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[pairs.rows]
        hits = np.bincount(pairs.units, weights=right if weight is None else right * weight)
        return float(np.mean(hits / np.bincount(pairs.units, weights=weight)))

    # Targets ---------------------------------------------------------------------------------------------------------

    def _read_target(self, y, X):
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        check_consistent_length(X, y)
        shape = getattr(y, "shape", None) or np.asarray(y).shape
        if len(shape) == 2:
            return as_array(y), output_names(y, shape[1])
        y = column_or_1d(y)
        if y.dtype.kind == "f":
            assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        return y, output_names(y, 1)

    def _code_target(self, pairs, earlier):
        if earlier is None:
            check_classification_targets(pairs.values)
            known, coded = np.unique(pairs.values, return_inverse=True)
            if len(known) < 2:
                raise ValueError(f"{type(self).__name__} needs at least two classes in y. Got one class: {known.tolist()}.")
        else:
            known = self._known_classes
            coded = np.minimum(np.searchsorted(known, pairs.values), len(known) - 1)
            new = np.unique(pairs.values[known[coded] != pairs.values])
            if len(new):
                raise ValueError(
                    f"With warm_start=True 'y' must have no new classes. Got {new[:5].tolist()}, not in {known[:5].tolist()}."
                )
        n_units = int(pairs.units.max()) + 1
        if earlier is not None:
            n_units = max(n_units, len(earlier.theta))
        support = np.zeros((n_units, len(known)), bool)
        support[pairs.units, coded] = True
        self._support = support if earlier is None else support | self._support
        self._known_classes = known
        self._column_support = np.array(
            [self._support[j :: pairs.n_outputs].any(axis=0) for j in range(pairs.n_outputs)]
        )
        return coded.astype(np.float64), len(known)

    def _publish(self, output_labels):
        super()._publish(output_labels)
        if self._two_dimensional:
            self.classes_ = [self._known_classes[column] for column in self._column_support]
        else:
            self.classes_ = self._known_classes

    def _weigh(self, weight, y, n_classes):
        if self.class_weight is None:
            return weight
        share = np.bincount(y.astype(np.intp), weights=weight, minlength=n_classes)
        if isinstance(self.class_weight, str):  # "balanced", in which a weight of two counts as the row twice
            factor = share.sum() / (n_classes * share)
        else:
            factor = compute_class_weight(self.class_weight, classes=self._known_classes, y=self._known_classes)
        return factor[y.astype(np.intp)] * (1.0 if weight is None else weight)

    def _check_plan(self, n_classes):
        if n_classes > 2 and np.any(self._plan.monotonic != 0):
            raise ValueError("'monotonic_cst' is for regression and two classes. Got " + f"{n_classes} classes.")

    def _make_loss(self):
        return resolve_loss(self.loss, CLASSIFICATION_LOSSES)

    # Predictions -----------------------------------------------------------------------------------------------------

    def _allowed(self, task_codes):
        """Which classes each row may have, (n_rows, columns of y, classes)."""
        n_columns = self._n_outputs
        allowed = np.repeat(self._column_support[None], len(task_codes), axis=0)
        if self.unseen_classes == "zero":
            for j in range(n_columns):
                known = task_codes >= 0
                allowed[known, j] = self._support[task_codes[known] * n_columns + j]
        return allowed

    def _restrict(self, raw, allowed):
        """Probabilities, with none for classes that are not allowed."""
        n, m, _ = raw.shape
        out = np.empty((n, m, allowed.shape[2]))
        for j in range(m):
            probabilities = self._fitted.loss.inverse_link(raw[:, j])
            if not allowed[:, j].all():
                probabilities = np.where(allowed[:, j], probabilities, 0.0)
                total = probabilities.sum(axis=1, keepdims=True)
                # Where all that is allowed has underflown, the allowed classes are equally likely.
                even = allowed[:, j] / allowed[:, j].sum(axis=1, keepdims=True)
                probabilities = np.where(total > 0, probabilities / np.where(total > 0, total, 1.0), even)
            out[:, j] = probabilities
        return out

    def _probabilities(self, X, tasks):
        bins, task_codes = self._read(X, tasks)
        return self._restrict(self._raw(bins, task_codes), self._allowed(task_codes))

    def _staged_probabilities(self, X, tasks):
        bins, task_codes = self._read(X, tasks)
        allowed = self._allowed(task_codes)
        for raw in self._staged_raw(bins, task_codes, self._stages()):
            yield self._restrict(raw, allowed)

    def _labels(self, probabilities):
        labels = self._known_classes[np.argmax(probabilities, axis=2)]
        return labels if self._two_dimensional else labels[:, 0]

    def _per_column(self, values):
        if not self._two_dimensional:
            return values[:, 0]
        return [values[:, j][:, column] for j, column in enumerate(self._column_support)]

    def _decisions(self, raw):
        raw = raw[:, 0]
        if len(self._known_classes) > 2:
            return raw
        return raw[:, 0] if raw.shape[1] == 1 else raw[:, 1] - raw[:, 0]
