"""Reading y and weights: one column or several, in which NaN is a target that was not observed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from .._sklearn import _check_sample_weight
from ..tasks._values import as_array
from .tables import is_frame

#: Releases of scikit-learn that refuse all-zero weights themselves do so without naming the parameter.
_ALL_WEIGHTS = {
    name: True for name in ("allow_all_zero_weights",) if name in inspect.signature(_check_sample_weight).parameters
}


def read_numbers(y: Any) -> np.ndarray:
    """Targets as float64, (n_rows,), all finite, or (n_rows, n_outputs), where NaN is allowed."""
    array = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y")
    if array.ndim == 1:
        assert_all_finite(array, input_name="y")
    return array


def read_classes(y: Any) -> np.ndarray:
    """Class labels as they are, (n_rows,), none missing, or (n_rows, n_outputs), where some may be."""
    shape = getattr(y, "shape", None) or np.asarray(y).shape
    if len(shape) == 2:
        return as_array(y)
    y = column_or_1d(y)
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y


def output_names(y: Any, array: np.ndarray) -> np.ndarray:
    """Labels of the columns of y, which was read as `array`: their names, or their positions."""
    return np.array(list(y.columns)) if is_frame(y) else np.arange(array.shape[1] if array.ndim == 2 else 1)


def check_weight(sample_weight: Any, X: Any) -> np.ndarray | None:
    """Weights as float64, or None where there are none; negative and all-zero weights raise."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, **_ALL_WEIGHTS)
    if np.any(weight < 0):
        raise ValueError(f"'sample_weight' must not be negative. Found {int(np.sum(weight < 0))} negative weights.")
    if not np.any(weight > 0):
        raise ValueError("'sample_weight' must have a positive entry. All weights are zero.")
    return weight
