"""From values to bin codes."""

from __future__ import annotations

import numpy as np
from numba import njit

_ONE = np.uint32(1)


@njit(cache=True, nogil=True)
def equal_weight_cuts(values, weights, max_bins, cuts):
    """Cut points that give bins of nearly equal weight; returns how many.

    Each bin closes as soon as it holds its share of the weight not yet placed, so a heavy value gets a bin of its own
    and leaves the other bins for the rest. Cuts lie half-way between neighbouring values.

    values : float64 (n,), distinct and ascending; weights : float64 (n,); cuts : float64 (at least max_bins - 1,), out
    """
    n = values.shape[0]
    remaining = 0.0
    for i in range(n):
        remaining += weights[i]
    n_cuts, held = 0, 0.0
    bins_left = max_bins
    for i in range(n - 1):
        held += weights[i]
        # The smallest relative slack keeps the decision equal for weights that only rounding tells apart.
        if n <= max_bins or (bins_left > 1 and held * bins_left >= remaining * (1.0 - 1e-12)):
            middle = 0.5 * values[i] + 0.5 * values[i + 1]  # halved first: the sum of huge values would be infinite
            # Half-way between two neighbouring floats rounds to one of them; it must not be the upper one.
            cuts[n_cuts] = middle if values[i] <= middle < values[i + 1] else values[i]
            n_cuts += 1
            remaining -= held
            held = 0.0
            bins_left -= 1
    return n_cuts


@njit(cache=True, nogil=True)
def write_codes(values, cuts, codes):
    """Code of each value: the number of cuts below it; ``len(cuts) + 1`` for NaN.

    values : float64 (n,); cuts : float64 (n_cuts,), ascending; codes : uint8 (n,), out
    """
    n_cuts = cuts.shape[0]
    # Eight halvings of a table of 255 cuts, filled up with infinity: always the same steps, and none of them a branch.
    table = np.full(256, np.inf)
    table[:n_cuts] = cuts
    missing = np.uint8(n_cuts + 1)
    for i in range(values.shape[0]):
        value = values[i]
        low = np.uint32(0)
        step = np.uint32(128)
        while step > 0:
            low = np.uint32(low + step * np.uint32(table[low + step - _ONE] < value))
            step = np.uint32(step >> _ONE)
        codes[i] = missing if np.isnan(value) else np.uint8(low)


@njit(cache=True, nogil=True)
def write_category_codes(values, n_categories, codes):
    """Code of each category index; ``n_categories`` for NaN and for indices out of range.

    values : float64 (n,); codes : uint8 (n,), out
    """
    for i in range(values.shape[0]):
        value = values[i]
        if value >= 0.0 and value < n_categories:
            codes[i] = np.int64(value)
        else:
            codes[i] = n_categories
