"""Features and targets as plain numbers, for diagnostics that fit trees of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d

from skmtl._shared.tables import is_frame

_MAX_CLASSES = 20  # whole numbers of more different values are quantities


def as_numbers(X: Any) -> np.ndarray:
    """Return features as float64; categories and text become the positions of their sorted values."""
    if is_frame(X):
        columns = []
        for name in X.columns:
            column = np.asarray(X[name])
            if column.dtype.kind in "biuf":
                columns.append(column.astype(np.float64))
                continue
            texts = np.array([str(value) for value in column.tolist()])
            codes = np.unique(texts, return_inverse=True)[1].astype(np.float64)
            missing = np.array([value is None or value != value for value in column.tolist()])
            columns.append(np.where(missing, np.nan, codes))
        X = np.column_stack(columns)
    return check_array(X, dtype=np.float64, ensure_all_finite="allow-nan", input_name="X")


def is_classification(y: np.ndarray, problem: str) -> bool:
    """Return whether targets are classes."""
    if problem != "auto":
        return problem == "classification"
    if y.dtype.kind not in "iuf":
        return True
    return bool(np.all(y == np.floor(y))) and len(np.unique(y)) <= _MAX_CLASSES


def target_matrix(y: Any, problem: str, n_rows: int) -> np.ndarray:
    """Return targets as a matrix: one column of numbers, or zeros and ones for each class (one column for two)."""
    y = column_or_1d(np.asarray(y))
    if len(y) != n_rows:
        raise ValueError(f"'y' has {len(y)} rows but X has {n_rows} rows.")
    if not is_classification(y, problem):
        return check_array(y[:, None], dtype=np.float64, input_name="y")
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) == 2:
        return codes[:, None].astype(np.float64)
    return (codes[:, None] == np.arange(len(classes))).astype(np.float64)
