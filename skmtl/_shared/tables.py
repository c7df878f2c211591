"""How meta-estimators read X: checked, but left in the container it came in, for the estimator inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skmtl._sklearn import _num_samples, _safe_indexing
from skmtl.tasks import take_tasks

__all__ = ["is_frame", "read_table", "take_rows"]


def take_rows(values: Any, rows: np.ndarray, n_rows: int | None = None) -> Any:
    """Return some rows of a container; with `n_rows` leave what has not that many as it is."""
    if n_rows is not None:
        if values is None or isinstance(values, str) or not (hasattr(values, "__len__") or hasattr(values, "shape")):
            return values
        if _num_samples(values) != n_rows:
            return values
    if not (isinstance(values, list | tuple | np.ndarray) or hasattr(values, "iloc") or hasattr(values, "to_numpy")):
        values = values.tocsr() if sparse.issparse(values) else np.asarray(values)
    return _safe_indexing(values, rows)


def is_frame(X: Any) -> bool:
    """Return whether X is a DataFrame of pandas or polars."""
    return hasattr(X, "columns") and (hasattr(X, "iloc") or hasattr(X, "get_column"))


def read_table(estimator: Any, X: Any, tasks: Any, *, reset: bool) -> tuple[Any, Any]:
    """Return the features, without a task column, and the task labels.

    Parameters
    ----------
    estimator : estimator
        Has the parameter `task_column`; gets `n_features_in_` and `feature_names_in_`, or is checked against them.
    X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
        Input data; missing values and text are left to the estimator inside.
    tasks : array-like of shape (n_samples,) or None
        Task labels.
    reset : bool
        Whether this is `fit`.

    Returns
    -------
    features : ndarray, DataFrame or sparse matrix of shape (n_samples, n_features)
        A DataFrame stays what it is; of the rest, what is not sparse becomes an array.
    labels : array-like of shape (n_samples,) or None
        Task labels as they came.
    """
    features, labels = take_tasks(X, tasks, estimator.task_column, owner=type(estimator).__name__)
    if is_frame(features) or sparse.issparse(features):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        return (features.tocsr() if sparse.issparse(features) else features), labels
    settings: dict[str, Any] = {"dtype": None, "ensure_all_finite": False}
    if estimator.task_column is None:
        return validate_data(estimator, X, reset=reset, **settings), labels
    validate_data(estimator, np.asarray(X), skip_check_array=True, reset=reset)
    return check_array(features, estimator=estimator, input_name="X", **settings), labels
