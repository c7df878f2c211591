"""Equal rows of a small table as one row with their total weight."""

from __future__ import annotations

import numpy as np


def merge_rows(values, codes, targets, weight):
    """Sort rows and merge equal ones, so that neither their order nor their repetition changes a fit.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Features; NaN equals NaN.
    codes : ndarray of int of shape (n_rows,)
        Tasks.
    targets : ndarray of float of shape (n_rows, n_columns of y)
        Targets; NaN equals NaN.
    weight : ndarray of shape (n_rows,) or None
        Weights.

    Returns
    -------
    first : ndarray of int
        Position of one row of each kind, in sorted order.
    weight : ndarray of float64
        Total weight of the rows of each kind.
    """
    keys = np.column_stack([codes.astype(np.float64), targets, values])
    order = np.lexsort(keys.T[::-1])
    ordered = keys[order]
    same = (ordered[1:] == ordered[:-1]) | (np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
    begins = np.concatenate([[True], ~same.all(axis=1)])
    total = np.bincount(np.cumsum(begins) - 1, weights=None if weight is None else weight[order])
    return order[begins], total.astype(np.float64)
