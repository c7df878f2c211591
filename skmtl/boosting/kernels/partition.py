"""Sending rows left or right."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing


@borrowing
def goes_left(code, n_bins, threshold, missing_left, categorical, left_codes):
    """Whether a row with this code goes to the left child."""
    if categorical:
        return (left_codes[code >> 5] >> np.uint32(code & 31)) & np.uint32(1) != 0
    if code == n_bins:
        return missing_left != 0
    return code <= threshold


@borrowing
def write_sides(table, nodes, node, to_left):
    """For each code of the node's feature, whether it goes left, to `to_left`, uint8 (256,): one look-up per row."""
    n_bins = table.n_bins[nodes.feature[node]]
    if nodes.categorical[node]:
        for code in range(n_bins + 1):
            to_left[code] = (nodes.left_codes[node, code >> 5] >> np.uint32(code & 31)) & np.uint32(1)
        return
    threshold = np.uint64(nodes.threshold[node])
    for code in range(np.uint64(n_bins)):
        to_left[code] = code <= threshold
    to_left[n_bins] = nodes.missing_left[node]


@borrowing
def partition_slice(column, to_left, kept, moved):
    """Order rows by child, keeping the order inside each child; returns how many go left.

    column : uint8 (n,), codes of the feature; kept : uint32 (n_rows,), the rows: those that go left come first;
    moved : uint32 (n_rows,), out: the others
    """
    n_left = np.uint64(0)
    for i in range(np.uint64(kept.shape[0])):
        row = kept[i]
        left = np.uint64(to_left[column[row]])
        # Written to both sides; only the side that counts moves on. No branch to mispredict.
        kept[n_left] = row
        moved[i - n_left] = row
        n_left += left
    return np.int64(n_left)


@borrowing
def partition_rows(table, nodes, node, rows, buffer, to_left):
    """Order the node's rows by child, keeping the order inside each child; returns where the right child begins.

    rows : int32, of which ``nodes.start[node]:nodes.stop[node]`` is rearranged; buffer : int32, as long as `rows`;
    to_left : uint8 (256,), scratch
    """
    start, stop = nodes.start[node], nodes.stop[node]
    feature = nodes.feature[node]
    column = table.bins[feature]
    # One look-up per row instead of three comparisons.
    write_sides(table, nodes, node, to_left)
    moved = buffer[: stop - start].view(np.uint32)
    n_left = partition_slice(column, to_left, rows[start:stop].view(np.uint32), moved)
    for i in range(np.uint32(stop - start - n_left)):
        rows[start + n_left + np.int64(i)] = moved[i]
    return start + n_left
