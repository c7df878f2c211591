"""Sums of features that take few values: in several parts, and of a pack of features at once.

Rows that follow each other often have the same code of such a feature. The processor then waits for the last sum to be
written before it can add the next word to it; rows therefore take turns among four copies of the sums.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing
from .pairs import add_pair

#: Copies of the sums.
_COPIES = 4
#: Codes of a feature or a pack for which there are copies: as many fit into the scratch memory.
FEW_CODES = 512 // _COPIES
#: Scratch memory for sums: of a column of whatever many codes, or of the copies for two.
PACK_SUMS = 4 * 256


@borrowing
def pick_few(column, chosen, gathered, n_codes, sums):
    """Sum a column of few codes over chosen rows, to ``sums[:n_codes * n_channels]``.

    column : uint8 (n,); chosen : uint32 (n_rows,); gathered : int64 (n_rows, n_channels); sums : int64, out, room for
    `PACK_SUMS` codes
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
    elif n_channels == two:
        for quarter in range(fours):
            i = quarter * four
            add_pair(sums, two * np.uint64(column[chosen[i]]), gathered, i, 0)
            add_pair(sums, size + two * np.uint64(column[chosen[i + one]]), gathered, i + one, 0)
            add_pair(sums, two * size + two * np.uint64(column[chosen[i + two]]), gathered, i + two, 0)
            add_pair(sums, three * size + two * np.uint64(column[chosen[i + three]]), gathered, i + three, 0)
        for i in range(fours * four, n_rows):
            add_pair(sums, two * np.uint64(column[chosen[i]]), gathered, i, 0)
    else:
        for i in range(n_rows):
            j = (i % four) * size + np.uint64(column[chosen[i]]) * n_channels
            for channel in range(n_channels):
                sums[j + channel] += gathered[i, channel]
    for j in range(size):
        sums[j] += sums[size + j] + sums[two * size + j] + sums[three * size + j]


@borrowing
def _pick_two_few(column_a, column_b, chosen, gathered, n_a, n_b, sums):
    """Sum two columns of few codes over chosen rows; see `pick_few`. One channel; sums of the second from `n_a` on.

    Twice as many additions are on their way at the same time, and row and word are loaded once for both.
    """
    n = np.uint64(n_a + n_b)
    for j in range(np.uint64(_COPIES) * n):
        sums[j] = 0
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(_COPIES)
    a, b, c, d = sums[:n], sums[n : two * n], sums[two * n : three * n], sums[three * n :]
    n_rows = np.uint64(chosen.shape[0])
    fours = n_rows // four
    second = np.uint64(n_a)
    a2, b2, c2, d2 = a[second:], b[second:], c[second:], d[second:]
    for quarter in range(fours):
        i = quarter * four
        row, word = chosen[i], gathered[i, 0]
        a[column_a[row]] += word
        a2[column_b[row]] += word
        row, word = chosen[i + one], gathered[i + one, 0]
        b[column_a[row]] += word
        b2[column_b[row]] += word
        row, word = chosen[i + two], gathered[i + two, 0]
        c[column_a[row]] += word
        c2[column_b[row]] += word
        row, word = chosen[i + three], gathered[i + three, 0]
        d[column_a[row]] += word
        d2[column_b[row]] += word
    for i in range(fours * four, n_rows):
        row, word = chosen[i], gathered[i, 0]
        a[column_a[row]] += word
        a2[column_b[row]] += word
    for j in range(n):
        sums[j] += sums[n + j] + sums[two * n + j] + sums[three * n + j]


@borrowing
def _hand_out(table, columns, pack, first, stop, n_channels, histogram, first_code, sums):
    """Write what the codes of a pack, with these `sums`, say of its features ``columns[first:stop]``.

    The value that most codes stand for is given what the others leave of the sum of all.
    """
    n_codes, step = np.uint64(table.pack_sizes[pack]), np.uint64(n_channels)
    for channel in range(step):
        total = np.int64(0)
        for code in range(n_codes):
            total += sums[code * step + channel]
        for a in range(first, stop):
            f = np.uint64(columns[a])
            begin = np.uint64(first_code + table.offsets[f] * n_channels) + channel
            runs, order = table.pack_runs[f], table.pack_order[f]
            rest = total
            for value in range(np.uint64(table.n_bins[f] + 1)):
                part = np.int64(0)
                for k in range(np.uint64(runs[value]), np.uint64(runs[value + np.uint64(1)])):
                    part += sums[np.uint64(order[k]) * step + channel]
                histogram[begin + value * step] = part
                rest -= part
            histogram[begin + np.uint64(table.pack_most[f]) * step] = rest


@borrowing
def add_packs(table, columns, first, middle, stop, chosen, gathered, histogram, first_code, sums):
    """Sum a pack of features, ``columns[first:middle]``, or two, the second of which ends at `stop`.

    Their columns first, then what the codes of these say of each feature.
    """
    n_channels = gathered.shape[1]
    pack = table.pack_of[columns[first]]
    n_codes = table.pack_sizes[pack]
    if stop == middle:
        pick_few(table.packs[pack], chosen, gathered, n_codes, sums)
    else:
        second = table.pack_of[columns[middle]]
        n_more = table.pack_sizes[second]
        _pick_two_few(table.packs[pack], table.packs[second], chosen, gathered, n_codes, n_more, sums)
        _hand_out(table, columns, second, middle, stop, n_channels, histogram, first_code, sums[n_codes:])
    _hand_out(table, columns, pack, first, middle, n_channels, histogram, first_code, sums)


@borrowing
def pays(table, columns, a, end, n_rows):
    """Whether it takes less to sum the pack ``columns[a:end]`` than each of its features."""
    return end > a and n_rows * (end - a - 1) > table.pack_costs[table.pack_of[columns[a]]]


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
