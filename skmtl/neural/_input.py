"""Reading X in `fit` and in `predict`: the task column taken out, names and shape checked, categories as numbers."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import validate_data

from ..boosting._features import FeatureReader, categorical_mask, is_frame
from ..boosting._input import _task_position
from ..tasks import take_tasks

_ANY_NUMBER = np.iinfo(np.int64).max


def read_fit_features(estimator, X, tasks):
    """Read X in `fit`; returns the reader, values (n_rows, n_features) with NaN for missing, and the task labels."""
    owner, wanted = type(estimator).__name__, estimator.categorical_features
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=owner)
    none_wanted = wanted is None or (isinstance(wanted, str) and not is_frame(X))
    if estimator.task_column is None and none_wanted and not is_frame(X):
        values = validate_data(
            estimator, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        return FeatureReader(np.zeros(values.shape[1], bool), _ANY_NUMBER).fit(values), values, labels
    validate_data(estimator, X, skip_check_array=True)
    n_columns = getattr(estimator, "n_features_in_", 0)
    dropped = _task_position(X, features, estimator.task_column)
    mask = categorical_mask(wanted, X, getattr(estimator, "feature_names_in_", None), n_columns, dropped)
    positions = np.delete(np.arange(n_columns), [] if dropped is None else dropped)
    reader = FeatureReader(mask[positions], _ANY_NUMBER).fit(features)
    return reader, reader.read(features, estimator=estimator, min_rows=2), labels


def read_features(estimator, reader, X, tasks):
    """Read X after a `fit`; returns values and the task labels."""
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    if estimator.task_column is None and not is_frame(X) and not reader.encoders:
        values = validate_data(estimator, X, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan", reset=False)
        return values, labels
    validate_data(estimator, X, skip_check_array=True, reset=False)
    return reader.read(features, estimator=estimator), labels
