"""Reading X: the task column taken out, names and shape checked, categories as numbers, missing values as NaN."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import validate_data

from ..tasks import take_tasks
from .features import FeatureReader, categorical_mask
from .tables import is_frame


def read_fit_features(estimator, X, tasks, *, most_categories, dtype=np.float64):
    """Read X in `fit`.

    Parameters
    ----------
    estimator : estimator
        Has the parameters `task_column` and `categorical_features`; gets `n_features_in_` and `feature_names_in_`.
    X, tasks : array-like
        As passed.
    most_categories : int
        Most categories of a feature.
    dtype : dtype or list of dtypes, default=numpy.float64
        What an array of numbers may be, or else becomes. Tables with categories become float64.

    Returns
    -------
    reader : FeatureReader
        Knows the categories.
    values : ndarray of shape (n_rows, n_features)
        Features.
    positions : ndarray of shape (n_features,)
        Their positions in X as passed.
    labels : array-like or None
        Task labels.
    """
    wanted = estimator.categorical_features
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    if estimator.task_column is None and not is_frame(X) and (wanted is None or isinstance(wanted, str)):
        values = validate_data(estimator, X, dtype=dtype, ensure_all_finite="allow-nan", ensure_min_samples=2)
        reader = FeatureReader(np.zeros(values.shape[1], bool), most_categories).fit(values)
        return reader, values, np.arange(values.shape[1]), labels
    validate_data(estimator, X, skip_check_array=True)
    n_columns = getattr(estimator, "n_features_in_", 0)
    dropped = _task_position(X, features, estimator.task_column)
    mask = categorical_mask(wanted, X, getattr(estimator, "feature_names_in_", None), n_columns, dropped)
    positions = np.delete(np.arange(n_columns), [] if dropped is None else dropped)
    reader = FeatureReader(mask[positions], most_categories).fit(features)
    return reader, reader.read(features, estimator=estimator, min_rows=2), positions, labels


def read_features(estimator, reader, X, tasks, *, dtype=np.float64):
    """Read X after a `fit`; returns values, (n_rows, n_features), and the task labels."""
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    if estimator.task_column is None and not reader.encoders and _is_ready(estimator, X, dtype):
        return X, labels
    if estimator.task_column is None and not is_frame(X) and not reader.encoders:
        return validate_data(estimator, X, dtype=dtype, ensure_all_finite="allow-nan", reset=False), labels
    validate_data(estimator, X, skip_check_array=True, reset=False)
    return reader.read(features, estimator=estimator), labels


def _is_ready(estimator, X, dtype):
    """Whether X is an array that scikit-learn's checks would hand back as it is, and without a warning.

    To predict one row takes less time than those checks, which look for tables of all kinds.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in (dtype if isinstance(dtype, list) else [dtype])
        and X.ndim == 2
        and len(X) > 0
        and X.shape[1] == estimator.n_features_in_
        and not hasattr(estimator, "feature_names_in_")
        and not np.isinf(X).any()
    )


def _task_position(X, features, task_column):
    """Position in X of the column that is missing from `features`."""
    if task_column is None:
        return None
    if is_frame(X):
        before, after = list(X.columns), list(features.columns)
        return next((i for i, name in enumerate(after) if name != before[i]), len(after))
    return int(task_column) % (features.shape[1] + 1)
