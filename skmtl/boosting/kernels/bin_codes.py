"""From values to bin codes."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry

_ONE = np.uint32(1)
#: So many cuts are compared one by one.
_FEW_CUTS = 4


@entry
def equal_weight_cuts(values, weights, max_bins, cuts):
    """Cut points that give bins of nearly equal weight; returns how many.

    Each bin closes as soon as it holds its share of the weight not yet placed, so a heavy value gets a bin of its own
    and leaves the other bins for the rest. Cuts lie half-way between neighbouring values.

    values : float64 (n,), ascending; weights : float64 (n,), or (0,) where each value has weight 1;
    cuts : float64 (at least max_bins - 1,), out
    """
    n, weighted = values.shape[0], weights.shape[0] > 0
    n_distinct = np.int64(n > 0)
    for i in range(n - 1):
        n_distinct += np.int64(values[i] != values[i + 1])
    remaining = 0.0 if weighted else np.float64(n)
    for i in range(weights.shape[0]):
        remaining += weights[i]
    n_cuts, held = 0, 0.0
    bins_left = max_bins
    for i in range(n - 1):
        held += weights[i] if weighted else 1.0
        if values[i] == values[i + 1]:
            continue
        # The smallest relative slack keeps the decision equal for weights that only rounding tells apart.
        if n_distinct <= max_bins or (bins_left > 1 and held * bins_left >= remaining * (1.0 - 1e-12)):
            middle = 0.5 * values[i] + 0.5 * values[i + 1]  # halved first: the sum of huge values would be infinite
            # Half-way between two neighbouring floats rounds to one of them; it must not be the upper one.
            cuts[n_cuts] = middle if values[i] <= middle < values[i + 1] else values[i]
            n_cuts += 1
            remaining -= held
            held = 0.0
            bins_left -= 1
    return n_cuts


@entry
def write_codes(values, cuts, codes):
    """Code of each value: the number of cuts below it; ``len(cuts) + 1`` for NaN.

    values : float64 (n,); cuts : float64 (n_cuts,), ascending; codes : uint8 (n,), out
    """
    n_cuts = cuts.shape[0]
    missing = np.uint8(n_cuts + 1)
    if n_cuts <= _FEW_CUTS:
        for i in range(values.shape[0]):
            value, code = values[i], np.uint8(0)
            for j in range(n_cuts):
                code = np.uint8(code + np.uint8(cuts[j] < value))
            codes[i] = missing if np.isnan(value) else code
        return
    # Eight halvings of a table of 255 cuts, filled up with infinity: always the same steps, and none of them a branch.
    table = np.full(256, np.inf)
    for i in range(n_cuts):
        table[i] = cuts[i]
    for i in range(values.shape[0]):
        value = values[i]
        low = np.uint32(0)
        step = np.uint32(128)
        while step > 0:
            low = np.uint32(low + step * np.uint32(table[low + step - _ONE] < value))
            step = np.uint32(step >> _ONE)
        codes[i] = missing if np.isnan(value) else np.uint8(low)


@entry
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


@entry
def write_few_codes(X, cuts, pointers, n_categories, codes):
    """Codes of a few rows, all features in one call; the same as one call per feature of the functions above.

    X : float64 (n, n_features); cuts : float64 (n_cuts,), feature f has ``cuts[pointers[f]:pointers[f + 1]]``;
    n_categories : int64 (n_features,), 0 for an ordered feature; codes : uint8 (n_features, n), out
    """
    for f in range(X.shape[1]):
        n_cuts = pointers[f + 1] - pointers[f]
        for i in range(X.shape[0]):
            value = X[i, f]
            if n_categories[f] > 0:
                known = value >= 0.0 and value < n_categories[f]
                codes[f, i] = np.int64(value) if known else n_categories[f]
                continue
            low, high = pointers[f], pointers[f + 1]
            while low < high:
                middle = (low + high) >> 1
                if cuts[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            codes[f, i] = n_cuts + 1 if np.isnan(value) else low - pointers[f]
