"""Sums of features that take few values: in several parts, and of a pack of features at once.

Rows that follow each other often have the same code of such a feature. The processor then waits for the last sum to be
written before it can add the next word to it; rows therefore take turns among four copies of the sums.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing

#: Copies of the sums.
_COPIES = 4
#: Codes of a feature or a pack for which there are copies: as many fit into the scratch memory.
FEW_CODES = 256 // _COPIES
#: Features of a pack with so many codes or fewer are summed code by code.
_FEW_VALUES = 4


@borrowing
def pick_few(column, chosen, gathered, n_codes, sums):
    """Sum a column of few codes over chosen rows, to ``sums[:n_codes * n_channels]``.

    column : uint8 (n,); chosen : uint32 (n_rows,); gathered : int64 (n_rows, n_channels); sums : int64, out, room for
    256 codes
    """
    n_channels = np.uint64(gathered.shape[1])
    size = np.uint64(n_codes) * n_channels
    for j in range(np.uint64(_COPIES) * size):
        sums[j] = 0
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(_COPIES)
    n_rows = np.uint64(chosen.shape[0])
    fours = n_rows // four
    if n_channels == 1:
        a, b, c, d = sums[:size], sums[size : two * size], sums[two * size : three * size], sums[three * size :]
        for quarter in range(fours):
            i = quarter * four
            a[column[chosen[i]]] += gathered[i, 0]
            b[column[chosen[i + one]]] += gathered[i + one, 0]
            c[column[chosen[i + two]]] += gathered[i + two, 0]
            d[column[chosen[i + three]]] += gathered[i + three, 0]
        for i in range(fours * four, n_rows):
            a[column[chosen[i]]] += gathered[i, 0]
    else:
        for i in range(n_rows):
            j = (i % four) * size + np.uint64(column[chosen[i]]) * n_channels
            for channel in range(n_channels):
                sums[j + channel] += gathered[i, channel]
    for j in range(size):
        sums[j] += sums[size + j] + sums[two * size + j] + sums[three * size + j]


@borrowing
def _sum_of_value(sums, codes, n_codes, n_channels, channel, value):
    """Sum of one channel over the pack's codes that stand for `value`."""
    total = np.int64(0)
    if n_channels == 1:
        for code in range(np.uint64(n_codes)):
            total += sums[code] if codes[code] == value else np.int64(0)
    else:
        for code in range(n_codes):
            total += sums[code * n_channels + channel] if codes[code] == value else np.int64(0)
    return total


@borrowing
def add_pack(table, columns, pack, first, stop, chosen, gathered, histogram, first_code, sums):
    """Sum a pack of features, ``columns[first:stop]``: its column first, then what its codes say of each."""
    n_channels = gathered.shape[1]
    n_codes = table.pack_sizes[pack]
    pick_few(table.packs[pack], chosen, gathered, n_codes, sums)
    for a in range(first, stop):
        f = columns[a]
        begin = first_code + table.offsets[f] * n_channels
        codes = table.pack_codes[f]
        n_values = table.n_bins[f] + 1
        if n_values <= _FEW_VALUES:
            # As before: sums of few values are not to wait for each other.
            for value in range(n_values):
                for c in range(n_channels):
                    total = _sum_of_value(sums, codes, n_codes, n_channels, c, np.uint8(value))
                    histogram[begin + value * n_channels + c] = total
            continue
        for code in range(n_codes):
            j = begin + np.int64(codes[code]) * n_channels
            for c in range(n_channels):
                histogram[j + c] += sums[code * n_channels + c]


@borrowing
def pack_end(table, columns, a):
    """Where the pack ends that begins at ``columns[a]``; `a` where the feature is in no pack."""
    if table.packs.shape[0] == 0:
        return a
    pack, end = table.pack_of[columns[a]], a
    if pack >= 0:
        while end < columns.shape[0] and table.pack_of[columns[end]] == pack:
            end += 1
    return end
