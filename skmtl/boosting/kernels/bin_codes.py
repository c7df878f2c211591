"""From values to bin codes."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry, inner

_ONE = np.uint32(1)
#: So many cuts are compared one by one.
_FEW_CUTS = 4
#: Values are first looked up in so many intervals of equal width, if none of them holds more cuts than that.
_N_INTERVALS, _MOST_CUTS = 2048, 3


@entry
def copy_columns(X, first, columns):
    """Copy some columns of a table that lies row by row: together, for they share cache lines.

    X : float64 (n, n_features); columns : float64 (n_columns, n), out, the columns from `first` on
    """
    for i in range(X.shape[0]):
        for j in range(columns.shape[0]):
            columns[j, i] = X[i, first + j]


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
    # The cuts in the interval of a value are halved until its place is found: always as often as in the interval that
    # has most, and none of the steps is a branch. Filled up with infinity, for halvings that reach beyond the last cut.
    table = np.full(2 * 256, np.inf)
    for i in range(n_cuts):
        table[i] = cuts[i]
    first = np.empty(_N_INTERVALS, np.uint8)
    lowest, highest, scale, most = _divide(cuts, first)
    half = _ONE
    while np.int64(half) * 2 <= most:
        half = np.uint32(half * 2)
    for i in range(values.shape[0]):
        value = values[i]
        offset = 0.0 if np.isnan(value) else min(max(value, lowest), highest) - lowest
        low = np.uint32(first[np.int64(offset * scale)])
        step = half
        while step > 0:
            low = np.uint32(low + step * np.uint32(table[low + step - _ONE] < value))
            step = np.uint32(step >> _ONE)
        codes[i] = missing if np.isnan(value) else np.uint8(low)


@inner
def _divide(cuts, first):
    """Divide the range of the cuts into equal intervals; or, where one would hold too many cuts, take it as one.

    Value x belongs to interval ``int((x - lowest) * scale)``, which never falls as x grows, whatever the rounding.

    cuts : float64 (n_cuts,), ascending; first : uint8 (n_intervals,), out: the number of cuts in earlier intervals.
    Returns lowest, highest, scale and the most cuts of an interval.
    """
    n_cuts = cuts.shape[0]
    lowest, highest = cuts[0], cuts[n_cuts - 1]
    scale, most = 0.0, n_cuts
    # Far from the largest and the smallest floats, so that neither the range nor the scale is infinite or zero.
    if 1e-300 < 0.5 * highest - 0.5 * lowest < 1e300:
        scale = (first.shape[0] - 1) / (highest - lowest)
        n_intervals, count, most = 0, 0, 0
        for i in range(n_cuts):
            interval = np.int64((cuts[i] - lowest) * scale)
            count = count + 1 if interval < n_intervals else 1
            most = max(most, count)
            while n_intervals <= interval:
                first[n_intervals] = i
                n_intervals += 1
    if most > _MOST_CUTS:
        first[0] = 0
        return 0.0, 0.0, 0.0, n_cuts
    return lowest, highest, scale, most


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
