"""Sending rows left or right, and their words with them: the words of a node then lie next to each other."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import allocating, borrowing


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
    feature = nodes.feature[node]
    n_bins = table.n_bins[feature]
    for code in range(n_bins + 1):
        to_left[code] = goes_left(
            code,
            n_bins,
            nodes.threshold[node],
            nodes.missing_left[node],
            nodes.categorical[node],
            nodes.left_codes[node],
        )


@borrowing
def partition_slice(column, to_left, kept, kept_words, moved, moved_words, sums):
    """Order rows and their words by child, keeping the order inside each child; returns how many go left.

    column : uint8 (n,), codes of the feature; kept, kept_words : the rows, uint32 (n_rows,), and their words, int64
    (n_rows, n_channels): rearranged; moved, moved_words : scratch as long as they;
    sums : int64 (n_channels,), out: words of the rows that go left
    """
    n_left, n_right = np.uint32(0), np.uint32(0)
    one = np.uint32(1)
    n_channels = kept_words.shape[1]
    if n_channels == 1:
        total = np.int64(0)
        # Written to both sides; only the side that counts moves on. No branch to mispredict.
        for i in range(kept.shape[0]):
            row, word = kept[i], kept_words[i, 0]
            side = to_left[column[row]]
            left = np.uint32(side)
            total += word * np.int64(side)
            kept[n_left] = row
            moved[n_right] = row
            kept_words[n_left, 0] = word
            moved_words[n_right, 0] = word
            n_left = np.uint32(n_left + left)
            n_right = np.uint32(n_right + (one - left))
        sums[0] = total
    elif n_channels == 2:  # twin of the general loop below, with the sums in registers
        total, second = np.int64(0), np.int64(0)
        for i in range(kept.shape[0]):
            row, word, other = kept[i], kept_words[i, 0], kept_words[i, 1]
            side = to_left[column[row]]
            left = np.uint32(side)
            total += word * np.int64(side)
            second += other * np.int64(side)
            kept[n_left] = row
            moved[n_right] = row
            kept_words[n_left, 0], kept_words[n_left, 1] = word, other
            moved_words[n_right, 0], moved_words[n_right, 1] = word, other
            n_left = np.uint32(n_left + left)
            n_right = np.uint32(n_right + (one - left))
        sums[0], sums[1] = total, second
    else:
        sums[:] = 0
        for i in range(kept.shape[0]):
            row = kept[i]
            side = to_left[column[row]]
            left = np.uint32(side)
            kept[n_left] = row
            moved[n_right] = row
            for c in range(n_channels):
                word = kept_words[i, c]
                sums[c] += word * np.int64(side)
                kept_words[n_left, c] = word
                moved_words[n_right, c] = word
            n_left = np.uint32(n_left + left)
            n_right = np.uint32(n_right + (one - left))
    return np.int64(n_left)


@allocating
def partition_rows(table, nodes, node, rows, buffer):
    """Order the node's rows by child, keeping the order inside each child; returns where the right child begins.

    rows : int32, of which ``nodes.start[node]:nodes.stop[node]`` is rearranged; buffer : int32, as long as `rows`
    """
    start, stop = nodes.start[node], nodes.stop[node]
    feature = nodes.feature[node]
    column = table.bins[feature]
    to_left = np.empty(256, np.uint8)  # One look-up per row instead of three comparisons.
    write_sides(table, nodes, node, to_left)
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
