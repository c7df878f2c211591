"""Reading X: the task column taken out, names and shape checked, values as codes."""

from __future__ import annotations

import inspect
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import validate_data

from .._sklearn import _check_monotonic_cst, _check_sample_weight
from ..tasks import look_up_tasks, take_tasks
from ._binning import Binner
from ._constraints import interaction_groups
from ._features import FeatureReader, categorical_mask, is_frame
from ._task_features import TaskFeatures

#: Releases of scikit-learn that refuse all-zero weights themselves do so without naming the parameter.
_ALL_WEIGHTS = {
    name: True for name in ("allow_all_zero_weights",) if name in inspect.signature(_check_sample_weight).parameters
}


class FeaturePlan(NamedTuple):
    """How X becomes codes; learned in `fit`, used in `predict`."""

    reader: FeatureReader
    binner: Binner
    positions: np.ndarray  # positions of the features in X as passed
    task_features: TaskFeatures
    monotonic: np.ndarray  # int8, of the features and then the task features
    groups: np.ndarray  # uint8 (n_groups, ...), the same

    @property
    def n_bins(self):
        """Bins of the features and then the task features."""
        return np.concatenate([self.binner.n_bins, self.task_features.n_bins])

    @property
    def categorical(self):
        """Which of them are categorical, as uint8."""
        return np.concatenate([self.reader.categorical, np.zeros(len(self.task_features.source), bool)]).astype(
            np.uint8
        )

    @property
    def columns(self):
        """The column of X that each of them comes from."""
        return np.concatenate([self.positions, self.positions[self.task_features.source]])


def read_fit_features(estimator, X, tasks):
    """Read X in `fit`.

    Returns
    -------
    reader : FeatureReader
        Knows the categories.
    values : ndarray of shape (n_rows, n_features)
        Features as float64.
    positions : ndarray of shape (n_features,)
        Their positions in X as passed.
    labels : array-like or None
        Task labels.
    """
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    wanted = estimator.categorical_features
    plain = estimator.task_column is None and not is_frame(X) and (wanted is None or isinstance(wanted, str))
    if plain:
        features = validate_data(estimator, X, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
    else:
        validate_data(estimator, X, skip_check_array=True)
    n_columns = getattr(estimator, "n_features_in_", 0)
    dropped = _task_position(X, features, estimator.task_column)
    mask = categorical_mask(wanted, X, getattr(estimator, "feature_names_in_", None), n_columns, dropped)
    positions = np.delete(np.arange(n_columns), [] if dropped is None else dropped)
    reader = FeatureReader(mask[positions], estimator.max_bins).fit(features)
    return reader, reader.read(features, estimator=estimator, min_rows=2), positions, labels


def read_features(estimator, X, tasks):
    """Read X in `predict`; returns float64 values and the task labels."""
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    reader = estimator._plan.reader
    if estimator.task_column is None and not is_frame(X) and not reader.encoders:
        return (
            validate_data(estimator, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False),
            labels,
        )
    validate_data(estimator, X, skip_check_array=True, reset=False)
    return reader.read(features, estimator=estimator), labels


def read_rows(estimator, X, tasks):
    """Codes (task features included) and task codes (-1: unseen task) of rows to predict."""
    values, labels = read_features(estimator, X, tasks)
    task_codes = look_up_tasks(
        labels,
        estimator._row_tasks,
        len(values),
        unseen=estimator.unseen_tasks,
        owner=type(estimator).__name__,
    )
    plan = estimator._plan
    return plan.task_features.extend(plan.binner.transform(values), task_codes), task_codes


def plan_constraints(estimator, positions, reader, task_features):
    """Monotonic and interaction constraints in terms of the features and task features.

    For the rows of one task a task feature is a constant, so that no monotonic constraint concerns it; it may meet what
    its source may meet.
    """
    monotonic = _check_monotonic_cst(estimator, estimator.monotonic_cst)
    dropped = np.setdiff1d(np.arange(estimator.n_features_in_), positions)
    if np.any(monotonic[dropped] != 0):
        raise ValueError("'monotonic_cst' constrains the task column, which is no feature.")
    monotonic = monotonic[positions].astype(np.int8)
    if np.any(monotonic[reader.categorical] != 0):
        raise ValueError("'monotonic_cst' constrains categorical features, which have no order.")
    groups = interaction_groups(estimator.interaction_cst, estimator.n_features_in_)[:, positions]
    source = task_features.source
    return (
        np.concatenate([monotonic, np.zeros(len(source), np.int8)]),
        np.ascontiguousarray(np.concatenate([groups, groups[:, source]], axis=1)),
    )


def check_weight(sample_weight, X):
    """Weights as float64, or None where there are none; negative and all-zero weights raise."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, **_ALL_WEIGHTS)
    if np.any(weight < 0):
        raise ValueError(f"'sample_weight' must not be negative. Found {int(np.sum(weight < 0))} negative weights.")
    if not np.any(weight > 0):
        raise ValueError("'sample_weight' must have a positive entry. All weights are zero.")
    return weight


def _task_position(X, features, task_column):
    """Position in X of the column that is missing from `features`."""
    if task_column is None:
        return None
    if is_frame(X):
        before, after = list(X.columns), list(features.columns)
        return next((i for i, name in enumerate(after) if name != before[i]), len(after))
    return int(task_column) % (features.shape[1] + 1)
