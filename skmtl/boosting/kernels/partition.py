"""Sending rows left or right."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def goes_left(code, n_bins, threshold, missing_left, categorical, left_codes):
    """Whether a row with this code goes to the left child."""
    if categorical:
        return (left_codes[code >> 5] >> np.uint32(code & 31)) & np.uint32(1) != 0
    if code == n_bins:
        return missing_left != 0
    return code <= threshold


@njit(cache=True, nogil=True)
def partition_rows(table, nodes, node, rows, buffer):
    """Order the node's rows by child, keeping the order inside each child; returns where the right child begins.

    rows : int32, of which ``nodes.start[node]:nodes.stop[node]`` is rearranged; buffer : int32, as long as `rows`
    """
    start, stop = nodes.start[node], nodes.stop[node]
    feature = nodes.feature[node]
    column = table.bins[feature]
    left_codes = nodes.left_codes[node]
    # One look-up per row instead of three comparisons.
    to_left = np.zeros(256, np.uint8)
    for code in range(table.n_bins[feature] + 1):
        to_left[code] = goes_left(
            code,
            table.n_bins[feature],
            nodes.threshold[node],
            nodes.missing_left[node],
            nodes.categorical[node],
            left_codes,
        )
    kept = rows[start:stop].view(np.uint32)
    moved = buffer[: stop - start].view(np.uint32)
    n_left, n_right = np.uint32(0), np.uint32(0)
    one = np.uint32(1)
    for i in range(kept.shape[0]):
        row = kept[i]
        left = np.uint32(to_left[column[row]])
        # Written to both sides; only the side that counts moves on. No branch to mispredict.
        kept[n_left] = row
        moved[n_right] = row
        n_left = np.uint32(n_left + left)
        n_right = np.uint32(n_right + (one - left))
    for i in range(n_right):
        kept[n_left + np.uint32(i)] = moved[i]
    return start + np.int64(n_left)
