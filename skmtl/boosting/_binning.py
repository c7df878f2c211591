"""Binning: every feature becomes a row of uint8 codes, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .kernels.bin_codes import copy_columns, write_category_codes, write_codes, write_few_codes
from .kernels.cuts import equal_count_cuts, equal_weight_cuts, few_value_cuts
from .kernels.sort_values import sort_values

#: Cut points are found on at most this many rows.
_MAX_ROWS = 200_000
#: Up to so many rows are coded in one call.
_FEW_ROWS = 32
#: Columns that are copied together, which is what a cache line has of a row.
_COLUMNS = 8


class Binner:
    """Cut points of the ordered features and numbers of categories of the others.

    Codes of feature ``f`` run from 0 to ``n_bins[f] - 1``; ``n_bins[f]`` means missing (or an unknown category). Bins
    hold nearly equal shares of the weight; up to `max_bins` distinct values get a bin each, with cuts half-way between
    them.

    Parameters
    ----------
    max_bins : int
        Most bins per feature, the one for missing values not counted.
    n_categories : ndarray of shape (n_features,)
        Number of categories of each feature, 0 for an ordered feature.
    n_threads : int
        Features are binned by so many threads; the codes do not depend on it.
    """

    def __init__(self, max_bins, n_categories, n_threads=1):
        self.max_bins = max_bins
        self.n_categories = n_categories
        self.n_threads = n_threads

    def fit(self, X, weight, rng):
        """Find the cut points of X, float64 (n_rows, n_features), with weights (n_rows,) or None."""
        if X.shape[0] > _MAX_ROWS:
            chosen = np.sort(rng.choice(X.shape[0], _MAX_ROWS, replace=False))
            X, weight = X[chosen], None if weight is None else weight[chosen]

        def cuts_of(f, column):
            return np.empty(0) if self.n_categories[f] else self._find_cuts(column, weight)

        self.cuts = self._map(cuts_of, X)
        self.n_bins = np.array(
            [n if n else len(cuts) + 1 for n, cuts in zip(self.n_categories, self.cuts, strict=True)], np.int32
        )
        ends = np.cumsum([0, *map(len, self.cuts)])
        self._flat = np.concatenate([np.empty(0), *self.cuts]), ends, np.asarray(self.n_categories, np.int64)
        return self

    def _find_cuts(self, column, weight):
        cuts = np.empty(self.max_bins)
        n_cuts = few_value_cuts(column, self.max_bins, cuts)
        if n_cuts >= 0:
            return cuts[:n_cuts].copy()
        weight = np.empty(0) if weight is None else weight
        ordered, ordered_weight = np.empty(len(column)), np.empty(len(weight))
        ordered = ordered[: sort_values(column, weight, ordered, ordered_weight)]
        if len(weight) == 0:
            return cuts[: equal_count_cuts(ordered, self.max_bins, cuts)].copy()
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        # Value by value: added up row by row, equal weights would differ from none by their rounding.
        totals = np.add.reduceat(ordered_weight[: len(ordered)], starts)
        return cuts[: equal_weight_cuts(ordered[starts], totals, self.max_bins, cuts)].copy()

    def transform(self, X):
        """Codes, uint8 of shape (n_features, n_rows), of X, float64 (n_rows, n_features)."""
        codes = np.empty((X.shape[1], X.shape[0]), np.uint8)
        if len(X) <= _FEW_ROWS:
            write_few_codes(np.ascontiguousarray(X), *self._flat, codes)
            return codes

        def write(f, column):
            if self.n_categories[f]:
                write_category_codes(column, self.n_categories[f], codes[f])
            else:
                write_codes(column, self.cuts[f], codes[f])

        self._map(write, X)
        return codes

    def _map(self, function, X):
        """What ``function(f, column)`` returns for every feature."""
        n_features = X.shape[1]
        n_threads = self.n_threads if X.size >= 1_000_000 else 1
        # As many groups for each thread.
        n_groups = n_threads * -(-n_features // (n_threads * _COLUMNS))
        bounds = [group * n_features // n_groups for group in range(n_groups + 1)]

        def call(begin, end):
            return [function(begin + j, column) for j, column in enumerate(_columns(X, begin, end))]

        if n_threads == 1:
            lots = map(call, bounds[:-1], bounds[1:])
            return [result for lot in lots for result in lot]
        with ThreadPoolExecutor(n_threads) as pool:
            return [result for lot in pool.map(call, bounds[:-1], bounds[1:]) for result in lot]


def _columns(X, begin, end):
    """Columns ``begin:end`` of X, one after the other in memory."""
    if not X.flags.c_contiguous:
        return np.ascontiguousarray(X[:, begin:end].T)
    columns = np.empty((end - begin, X.shape[0]))
    copy_columns(X, begin, columns)
    return columns
