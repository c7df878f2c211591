"""What a unit adds to all of its rows, added and taken away."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry


@entry
def add_unit_values(values, pointers, out):
    """Add the values of a unit to each of its rows.

    values : float64 (n_units, n_outputs); pointers : int64 (n_units + 1,), unit u has the rows
    ``pointers[u]:pointers[u + 1]``; out : float64 (n_rows, n_outputs)
    """
    for u in range(values.shape[0]):
        for k in range(values.shape[1]):
            value = values[u, k]
            for i in range(np.uint64(pointers[u]), np.uint64(pointers[u + 1])):
                out[i, k] += value


@entry
def without_effects(raw, delta, values, pointers, out):
    """Write ``raw + delta`` less the values of the row's unit to `out`; see `add_unit_values` for the shapes."""
    for u in range(values.shape[0]):
        for k in range(values.shape[1]):
            value = values[u, k]
            for i in range(np.uint64(pointers[u]), np.uint64(pointers[u + 1])):
                out[i, k] = raw[i, k] + delta[i, k] - value
