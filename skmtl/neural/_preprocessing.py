"""From the float64 matrix that the feature reader makes to the float32 numbers and codes that a module sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Scaled values are squashed smoothly into (-_LIMIT, _LIMIT), so that an outlier does not swamp a layer.
_LIMIT = 3.0


class Inputs(NamedTuple):
    """What a module sees of X: float32 (n_rows, n_numbers) and int64 (n_rows, n_categorical)."""

    numbers: np.ndarray
    categories: np.ndarray


class Preprocessor:
    """Robust scaling of numbers with indicators of missing values, and codes of categories.

    A number x becomes z / sqrt(1 + (z / 3)²) with z = (x - median) / (third quartile - first quartile); where the
    quartiles are equal, half the range takes their place [1]_. A missing value becomes 0, the median; each column with
    missing values in `fit` has a further column that says where. A category is a number from 1 on; missing and unseen
    ones are 0.

    Parameters
    ----------
    categorical : ndarray of bool of shape (n_columns,)
        Which columns hold categories.
    n_categories : ndarray of int of shape (n_columns,)
        How many.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on
       Tabular Data", NeurIPS 2024 (robust scaling and smooth clipping).
    """

    def __init__(self, categorical, n_categories):
        self.categorical = np.flatnonzero(categorical)
        self.n_categories = n_categories[self.categorical]
        self.numeric = np.flatnonzero(~categorical)

    def fit(self, values):
        """Learn medians and scales from a float64 matrix with NaN for missing values."""
        n = len(self.numeric)
        self.center, self.scale, self.has_missing = np.zeros(n), np.zeros(n), np.zeros(n, bool)
        for j, column in enumerate(self.numeric):
            x = values[:, column]
            missing = np.isnan(x)
            self.has_missing[j] = missing.any()
            x = x[~missing] if self.has_missing[j] else x
            if not len(x):
                continue
            low, first, median, third, high = np.quantile(x, [0.0, 0.25, 0.5, 0.75, 1.0])
            spread = third - first if third > first else 0.5 * high - 0.5 * low
            self.center[j] = median
            if spread > np.abs([low, high]).max() * 1e-13 and np.isfinite(
                1.0 / spread
            ):  # else constant, up to rounding
                self.scale[j] = 1.0 / spread
        return self

    @property
    def n_numbers(self):
        """Number of columns of floats: one for each numeric column, one for each with missing values."""
        return len(self.numeric) + int(self.has_missing.sum())

    def transform(self, values, order=None):
        """Return the :class:`Inputs` of a float64 matrix, its rows in another order if there is one."""
        n_rows, n = len(values), len(self.numeric)
        numbers = np.empty((n_rows, self.n_numbers), np.float32)
        extra = n
        for j, column in enumerate(self.numeric):  # column by column: no second matrix of float64
            x = values[:, column] if order is None else values[order, column]
            missing = np.isnan(x)
            with np.errstate(over="ignore"):
                z = (x - self.center[j]) * self.scale[j]
            z = np.clip(z, -1e6, 1e6)
            z /= np.sqrt(1.0 + (z / _LIMIT) ** 2)
            z[missing] = 0.0
            numbers[:, j] = z
            if self.has_missing[j]:
                numbers[:, extra] = missing
                extra += 1
        categories = np.nan_to_num(values[:, self.categorical] + 1.0, nan=0.0).astype(np.int64)
        return Inputs(numbers, categories if order is None else categories[order])
