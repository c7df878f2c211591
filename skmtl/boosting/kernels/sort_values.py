"""The values of a feature in ascending order."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry, inner

_SIGN = np.int64(-(2**63))
#: Bits of a digit, as many as let the counts of its values stay in the nearest cache.
_DIGIT = 11
_LOW_DIGITS = (0, 11, 22)
_HIGH_DIGITS = (32, 43, 54)


@entry
def sort_values(values, weights, ordered, ordered_weights):
    """Write the values that are not NaN in ascending order, and their weights along with them; returns how many.

    By the digits of their binary form, from the last to the first (radix sort): each value is moved a few times
    whatever the others are, where comparing would make several unpredictable decisions about it. The upper 32 bits tell
    most values apart; what they leave out of order is put right by insertion, or, where that is too much, by sorting
    all 64. Weights of equal values stay in their order.

    values : float64 (n,); weights : float64 (n,), or none; ordered, ordered_weights : float64, of the same shapes, out
    """
    keys, spare = np.empty(values.shape[0], np.uint64), ordered.view(np.uint64)
    loads, spare_loads = np.empty(weights.shape[0]), ordered_weights
    bits, n = values.view(np.int64), 0
    for i in range(values.shape[0]):
        # Flipped so that they compare as whole numbers: the sign of a positive value, all bits of a negative one.
        keys[n] = np.uint64(bits[i] ^ ((bits[i] >> 63) | _SIGN))
        if weights.shape[0] > 0:
            loads[n] = weights[i]
        n += np.int64(not np.isnan(values[i]))
    keys, spare = keys[:n], spare[:n]
    for digit in _HIGH_DIGITS:
        if _spread(keys, loads, spare, spare_loads, np.uint64(digit)):
            keys, spare = spare, keys
            loads, spare_loads = spare_loads, loads
    if not _insert(keys, loads):
        for digit in _LOW_DIGITS + _HIGH_DIGITS:
            if _spread(keys, loads, spare, spare_loads, np.uint64(digit)):
                keys, spare = spare, keys
                loads, spare_loads = spare_loads, loads
    bits = ordered.view(np.int64)
    for i in range(n):
        key = np.int64(keys[i])
        bits[i] = key ^ ((~key >> 63) | _SIGN)
    if weights.shape[0] > 0:
        for i in range(n):
            ordered_weights[i] = loads[i]
    return n


@inner
def _spread(keys, loads, spare, spare_loads, digit):
    """Write the keys in the order of one digit, ties as they come, to `spare`; False where all have the same."""
    mask = np.uint64(2**_DIGIT - 1)
    positions = np.zeros(2**_DIGIT, np.int64)
    for i in range(keys.shape[0]):
        positions[(keys[i] >> digit) & mask] += 1
    begin = 0
    for value in range(positions.shape[0]):
        count = positions[value]
        if count == keys.shape[0]:
            return False
        positions[value] = begin
        begin += count
    weighted = loads.shape[0] > 0
    for i in range(keys.shape[0]):
        value = (keys[i] >> digit) & mask
        spare[positions[value]] = keys[i]
        if weighted:
            spare_loads[positions[value]] = loads[i]
        positions[value] += 1
    return True


@inner
def _insert(keys, loads):
    """Sort by insertion, unless this moves more than each key once; returns whether it did."""
    n_moves = 0
    weighted = loads.shape[0] > 0
    for i in range(1, keys.shape[0]):
        key, j = keys[i], i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key
        if weighted and j < i:
            load = loads[i]
            for k in range(i, j, -1):
                loads[k] = loads[k - 1]
            loads[j] = load
        n_moves += i - j
        if n_moves > keys.shape[0]:
            return False
    return True
