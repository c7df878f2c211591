"""Sums over the rows of each unit."""

from __future__ import annotations

from ..._shared.jit import entry


@entry
def unit_sums(values, pointers, sums):
    """Sum each column over the rows of each unit.

    values : float64 (n_rows, n_columns), rows sorted by unit; pointers : int64 (n_units + 1,), where the rows of each
    unit begin; sums : float64 (n_units, n_columns), out.
    """
    n_columns = values.shape[1]
    for u in range(sums.shape[0]):
        for k in range(n_columns):
            sums[u, k] = 0.0
        for i in range(pointers[u], pointers[u + 1]):
            for k in range(n_columns):
                sums[u, k] += values[i, k]
