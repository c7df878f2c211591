"""Reading X: from what users pass to a float64 matrix in which categories are numbers and missing values are NaN."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils import check_array

from .tables import is_frame


def _column(X, position):
    """One column as an array of objects, missing values as NaN."""
    if hasattr(X, "iloc"):
        return X.iloc[:, position].astype(object).to_numpy(dtype=object, na_value=np.nan)
    if is_frame(X):
        return np.array([np.nan if value is None else value for value in X[:, int(position)].to_list()], dtype=object)
    return np.asarray(X)[:, position]


def _columns(X, positions):
    """Some columns, in the kind of X."""
    if hasattr(X, "iloc"):
        return X.iloc[:, positions]
    if is_frame(X):
        return X[:, positions.tolist()]
    return np.asarray(X)[:, positions]


def _has_category_dtype(X, n_features):
    if not is_frame(X):
        return np.zeros(n_features, bool)
    names = [str(dtype).lower() for dtype in X.dtypes]
    return np.array([name.startswith(("category", "categorical", "enum")) for name in names], bool)


def categorical_mask(categorical_features, X, feature_names, n_features, skip=None):
    """Which columns of X are categorical, as a bool array of shape (n_features,).

    Parameters
    ----------
    categorical_features : None, "from_dtype" or array-like
        As the estimators take it: positions, names or a mask.
    X : array-like or DataFrame
        As passed by the user.
    feature_names : ndarray of str or None
        Names of the columns.
    n_features : int
        Number of columns.
    skip : int or None
        Position of the task column, which is no feature.
    """
    mask = np.zeros(n_features, bool)
    if isinstance(categorical_features, str):  # "from_dtype"
        mask = _has_category_dtype(X, n_features)
        if skip is not None:
            mask[skip] = False
        return mask
    if categorical_features is None:
        return mask
    wanted = np.asarray(categorical_features)
    if wanted.size == 0:
        return mask
    if wanted.ndim != 1:
        raise ValueError(f"'categorical_features' must be one-dimensional. Got an array of shape {wanted.shape}.")
    if wanted.dtype.kind == "b":
        if wanted.size != n_features:
            raise ValueError(
                f"'categorical_features' as a mask must have one entry for each of the {n_features} columns of X. "
                f"Got {wanted.size}."
            )
        mask = wanted.copy()
    elif wanted.dtype.kind in "iu":
        outside = wanted[(wanted < 0) | (wanted >= n_features)]
        if outside.size:
            raise ValueError(
                f"'categorical_features' must hold positions from 0 to {n_features - 1}. Got {outside[:5].tolist()}."
            )
        mask[wanted] = True
    elif wanted.dtype.kind in "UO" and all(isinstance(name, str) for name in wanted):
        if feature_names is None:
            raise ValueError(
                "'categorical_features' holds names, but X has no column names. Pass positions or a DataFrame."
            )
        unknown = [name for name in wanted.tolist() if name not in feature_names]
        if unknown:
            raise ValueError(f"'categorical_features' names columns that X does not have: {unknown[:5]}.")
        mask = np.isin(feature_names, wanted)
    else:
        raise ValueError(
            "'categorical_features' must be None, 'from_dtype', or an array of positions, names or booleans. "
            f"Got an array of dtype {wanted.dtype}."
        )
    if skip is not None and mask[skip]:
        raise ValueError("'categorical_features' includes the task column, which is no feature.")
    return mask


class FeatureReader:
    """Reads X into float64, for `fit` and later for every prediction.

    Parameters
    ----------
    categorical : ndarray of bool of shape (n_features,)
        Which columns (the task column not counted) are categorical.
    max_categories : int
        Most categories that a column may have.
    """

    def __init__(self, categorical, max_categories):
        self.categorical = categorical
        self.max_categories = max_categories

    def fit(self, X):
        """Learn the categories."""
        self.encoders = {}
        self.n_categories = np.zeros(len(self.categorical), np.int64)
        for f in np.flatnonzero(self.categorical):
            column = _column(X, f)
            encoder = OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan, dtype=np.float64
            ).fit(column[:, None])
            known = [value for value in encoder.categories_[0].tolist() if value is not None and value == value]
            if len(known) > self.max_categories:
                raise ValueError(
                    f"Categorical features may have at most 'max_bins' = {self.max_categories} categories. "
                    f"Column {int(f)} has {len(known)}."
                )
            self.encoders[int(f)] = encoder
            self.n_categories[f] = max(len(known), 1)
        return self

    def read(self, X, *, estimator=None, min_rows=1):
        """Return X as float64 of shape (n_rows, n_features)."""
        if not self.encoders:
            return _to_float(X, estimator, min_rows)
        numeric = np.flatnonzero(~self.categorical)
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if n_rows < min_rows:
            raise ValueError(f"Found array with {n_rows} sample(s) while a minimum of {min_rows} is required.")
        out = np.empty((n_rows, len(self.categorical)))
        if numeric.size:
            out[:, numeric] = _to_float(_columns(X, numeric), estimator, min_rows)
        for f, encoder in self.encoders.items():
            out[:, f] = encoder.transform(_column(X, f)[:, None])[:, 0]
        return out


def _to_float(X, estimator, min_rows):
    if is_frame(X) and X.shape[1] == 0:
        raise ValueError(f"Found an X with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    try:
        return check_array(
            X,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            ensure_min_samples=min_rows,
            estimator=estimator,
            input_name="X",
        )
    except (TypeError, ValueError):
        if is_frame(X):
            bad = [
                str(name)
                for j, name in enumerate(X.columns)
                if any(isinstance(value, str) for value in _column(X, j).tolist())
            ]
            if bad:
                raise ValueError(
                    f"X has columns of text: {bad[:5]}. Give them the dtype 'category' or name them in "
                    "'categorical_features'."
                ) from None
        raise
