"""Histograms: for every feature and code, the sums of the words of a node's rows.

A histogram is a flat int64 array: `n_channels` sums per code, codes of a feature next to each other, features at
``table.offsets``. Several histograms lie one after the other in one array, each in its `slot`.

Indices in the hot loops are unsigned, which spares a test for negative ones in every step, and two features are summed
at a time, so that the row number and its word are loaded once for both.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, embedded
from .pack_sums import FEW_CODES, add_packs, pack_end, pays, pick_few
from .pairs import add_pair, add_pair_twice


@borrowing
def _add_one(column, gathered, out):
    """Sum one feature over rows that follow each other; `column`, `gathered`: their codes and words."""
    for i in range(column.shape[0]):
        out[column[i]] += gathered[i, 0]


@borrowing
def _add_two(column_a, column_b, gathered, out_a, out_b):
    """Sum two features over rows that follow each other."""
    for i in range(column_a.shape[0]):
        word = gathered[i, 0]
        out_a[column_a[i]] += word
        out_b[column_b[i]] += word


@borrowing
def _pick_one(column, chosen, gathered, out):
    """Sum one feature over chosen rows, (n,) uint32."""
    for i in range(chosen.shape[0]):
        out[column[chosen[i]]] += gathered[i, 0]


@borrowing
def _pick_two(column_a, column_b, chosen, gathered, out_a, out_b):
    """Sum two features over chosen rows."""
    for i in range(chosen.shape[0]):
        row, word = chosen[i], gathered[i, 0]
        out_a[column_a[row]] += word
        out_b[column_b[row]] += word


@borrowing
def _pick_channels(column, chosen, gathered, out):
    """Sum one feature over chosen rows, several channels."""
    n_channels, two, one = np.uint32(gathered.shape[1]), np.uint32(2), np.uint32(1)
    if n_channels == two:
        for i in range(chosen.shape[0]):
            add_pair(out, np.uint32(column[chosen[i]]) * two, gathered, i, 0)
        return
    odd = n_channels % two == one
    for i in range(chosen.shape[0]):
        j = np.uint32(column[chosen[i]]) * n_channels
        for c in range(np.uint32(0), n_channels - one, two):
            add_pair(out, j + c, gathered, i, c)
        if odd:
            out[j + n_channels - one] += gathered[i, n_channels - one]


@borrowing
def _pick_pairs(column_a, column_b, chosen, gathered, out_a, out_b):
    """Sum two features over chosen rows, two channels."""
    two = np.uint32(2)
    for i in range(chosen.shape[0]):
        row = chosen[i]
        add_pair_twice(out_a, np.uint32(column_a[row]) * two, out_b, np.uint32(column_b[row]) * two, gathered, i)


@borrowing
def _add_task_features(table, columns, chosen, gathered, histogram, first_code, first, stop, sums):
    """Sum the features of the tasks: rows of a task follow each other, so each task's sum is added just once."""
    n_channels = gathered.shape[1]
    n_rows = np.uint64(chosen.shape[0])
    i = np.uint64(0)
    while i < n_rows:
        task = table.task_of_row[chosen[i]]
        task_stop, places = table.task_stops[task], table.task_places[task]
        if n_channels == 1:
            total = np.int64(0)
            while i < n_rows and chosen[i] < task_stop:
                total += gathered[i, 0]
                i += np.uint64(1)
            for a in range(first, stop):
                histogram[first_code + np.int64(places[columns[a] - table.n_own])] += total
            continue
        sums[:n_channels] = 0
        while i < n_rows and chosen[i] < task_stop:
            for c in range(n_channels):
                sums[c] += gathered[i, c]
            i += np.uint64(1)
        for a in range(first, stop):
            j = first_code + np.int64(places[columns[a] - table.n_own]) * n_channels
            for c in range(n_channels):
                histogram[j + c] += sums[c]


@borrowing
def next_run(table, columns, a, stop):
    """Features from ``columns[a]`` on that lie next to each other: where they end in `columns`, first and last code."""
    f = columns[a]
    begin = table.offsets[f]
    while a < stop and columns[a] == f:
        a += 1
        f += 1
    return a, begin, table.offsets[f]


@borrowing
def clear_codes(histogram, begin, end):
    """Set a part of a histogram to zero."""
    for j in range(np.uint64(begin), np.uint64(end)):
        histogram[j] = 0


@borrowing
def subtract_codes(histograms, from_code, code, n):
    """Take `n` sums from `code` on away from those from `from_code` on."""
    large, small = np.uint64(from_code), np.uint64(code)
    for j in range(np.uint64(n)):
        histograms[large + j] -= histograms[small + j]


@embedded
def fill_features(
    table, columns, first_column, stop_column, rows, start, stop, gathered, first, histogram, first_code, sums
):
    """Sum the features ``columns[first_column:stop_column]``, over ``rows[start:stop]``.

    The words of the rows are ``gathered[first:]``, the histogram begins at ``histogram[first_code]``; `sums`,
    int64 (PACK_SUMS * n_channels,), is scratch. Whoever shares out the features keeps packs whole.
    """
    n_channels = gathered.shape[1]
    n_rows = stop - start
    chosen, words = rows[start:stop].view(np.uint32), gathered[first : first + n_rows]
    # Rows stay in ascending order inside a node, so the ends tell whether they follow each other without a gap.
    low = np.int64(rows[start])
    together = np.int64(rows[stop - 1]) - low == n_rows - 1
    n_own = stop_column
    while n_own > first_column and columns[n_own - 1] >= table.n_own:
        n_own -= 1
    a = first_column
    while a < stop_column:
        a, begin, end = next_run(table, columns, a, stop_column)
        clear_codes(histogram, first_code + begin * n_channels, first_code + end * n_channels)
    if n_own < stop_column:
        _add_task_features(table, columns, chosen, words, histogram, first_code, n_own, stop_column, sums)
    a = first_column
    while a < n_own:
        f = columns[a]
        end = pack_end(table, columns, a)
        if pays(table, columns, a, end, n_rows):
            stop = end
            if n_channels == 1 and end < n_own:
                further = pack_end(table, columns, end)
                stop = further if pays(table, columns, end, further, n_rows) else end
            add_packs(table, columns, a, end, stop, chosen, words, histogram, first_code, sums)
            a = stop
            continue
        out = histogram[first_code + table.offsets[f] * n_channels : first_code + table.offsets[f + 1] * n_channels]
        if n_channels == 2 and a + 1 < n_own:
            g = columns[a + 1]
            out_g = histogram[first_code + 2 * table.offsets[g] : first_code + 2 * table.offsets[g + 1]]
            _pick_pairs(table.bins[f], table.bins[g], chosen, words, out, out_g)
            a += 2
        elif n_channels > 1:
            _pick_channels(table.bins[f], chosen, words, out)
            a += 1
        elif a + 1 < n_own:
            g = columns[a + 1]
            out_g = histogram[first_code + table.offsets[g] : first_code + table.offsets[g + 1]]
            if together:
                _add_two(table.bins[f, low : low + n_rows], table.bins[g, low : low + n_rows], words, out, out_g)
            else:
                _pick_two(table.bins[f], table.bins[g], chosen, words, out, out_g)
            a += 2
        else:
            n_codes = table.n_bins[f] + 1
            if n_codes <= FEW_CODES and n_rows > n_codes:
                pick_few(table.bins[f], chosen, words, n_codes, sums)
                for code in range(n_codes):
                    out[code] = sums[code]
            elif together:
                _add_one(table.bins[f, low : low + n_rows], words, out)
            else:
                _pick_one(table.bins[f], chosen, words, out)
            a += 1
