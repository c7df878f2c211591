"""Where to cut the values of a feature into bins."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry, inner

#: Distinct values that are looked for one by one; to sort as many takes longer.
_FEW_VALUES = 8


@entry
def few_value_cuts(values, max_bins, cuts):
    """Cut points of values of which only a few are distinct, in any order; returns how many, or -1 if it is not so.

    They are those of `equal_count_cuts`: each value gets a bin. NaN is none of them.

    values : float64 (n,); cuts : float64 (at least max_bins - 1,), out
    """
    most = min(_FEW_VALUES, max_bins)
    distinct = np.empty(most)
    n_distinct = 0
    for i in range(values.shape[0]):
        value = values[i]
        new = not np.isnan(value)
        for j in range(n_distinct):
            new &= value != distinct[j]
        if new:
            if n_distinct == most:
                return -1
            j = n_distinct
            while j > 0 and distinct[j - 1] > value:
                distinct[j] = distinct[j - 1]
                j -= 1
            distinct[j] = value
            n_distinct += 1
    for j in range(n_distinct - 1):
        cuts[j] = _between(distinct[j], distinct[j + 1])
    return max(n_distinct - 1, 0)


@entry
def equal_count_cuts(values, max_bins, cuts):
    """Cut points that give bins of nearly equal numbers of values; returns how many.

    Up to `max_bins` distinct values get a bin each. Otherwise a bin closes as soon as it holds its share of the values
    not yet placed, so a frequent value gets a bin of its own and leaves the other bins for the rest. Cuts lie half-way
    between neighbouring values.

    values : float64 (n,), ascending; cuts : float64 (at least max_bins - 1,), out, whatever comes after them
    """
    n, n_cuts = values.shape[0], 0
    for i in range(n - 1):
        if values[i] != values[i + 1]:
            if n_cuts == max_bins - 1:
                break
            cuts[n_cuts] = _between(values[i], values[i + 1])
            n_cuts += 1
    else:
        return n_cuts
    n_cuts, begin = 0, 0
    while n_cuts < max_bins - 1:
        bins_left = max_bins - n_cuts
        end = begin + (n - begin + bins_left - 1) // bins_left
        while end < n and values[end - 1] == values[end]:
            end += 1
        if end == n:
            break
        cuts[n_cuts] = _between(values[end - 1], values[end])
        n_cuts += 1
        begin = end
    return n_cuts


@entry
def equal_weight_cuts(values, weights, max_bins, cuts):
    """The same for distinct values with weights: bins of nearly equal weight.

    values : float64 (n,), ascending; weights : float64 (n,); cuts : float64 (at least max_bins - 1,), out
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
            cuts[n_cuts] = _between(values[i], values[i + 1])
            n_cuts += 1
            remaining -= held
            held = 0.0
            bins_left -= 1
    return n_cuts


@inner
def _between(lower, upper):
    """A cut that tells two values apart: half-way, or the lower one."""
    middle = 0.5 * lower + 0.5 * upper  # halved first: the sum of huge values would be infinite
    # Half-way between two neighbouring floats rounds to one of them; it must not be the upper one.
    return middle if lower <= middle < upper else lower
