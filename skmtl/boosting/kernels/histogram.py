"""Histograms: for every feature and code, the sums of the words of a node's rows.

A histogram is a flat int64 array: `n_channels` sums per code, codes of a feature next to each other, features at
``table.offsets``. Several histograms lie one after the other in one array, each in its `slot`.

Indices in the hot loops are unsigned, which spares a test for negative ones in every step, and two features are summed
at a time, so that the row number and its word are loaded once for both.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def gather_words(words, rows, start, stop, gathered):
    """Copy the words of ``rows[start:stop]`` to the front of `gathered`, (at least stop - start, n_channels)."""
    n_channels = words.shape[1]
    chosen = rows[start:stop].view(np.uint32)
    if n_channels == 1:
        for i in range(chosen.shape[0]):
            gathered[i, 0] = words[chosen[i], 0]
    else:
        for i in range(chosen.shape[0]):
            for c in range(n_channels):
                gathered[i, c] = words[chosen[i], c]


@njit(cache=True, nogil=True)
def sum_words(gathered, n_rows, sums):
    """Sum of the first `n_rows` rows of `gathered`, channel by channel, into `sums`, (n_channels,)."""
    sums[:] = 0
    for i in range(n_rows):
        for c in range(sums.shape[0]):
            sums[c] += gathered[i, c]


@njit(cache=True, nogil=True)
def _add_one(column, gathered, out):
    """Sum one feature over rows that follow each other; `column`, `gathered`: their codes and words."""
    for i in range(column.shape[0]):
        out[column[i]] += gathered[i, 0]


@njit(cache=True, nogil=True)
def _add_two(column_a, column_b, gathered, out_a, out_b):
    """Sum two features over rows that follow each other."""
    for i in range(column_a.shape[0]):
        word = gathered[i, 0]
        out_a[column_a[i]] += word
        out_b[column_b[i]] += word


@njit(cache=True, nogil=True)
def _pick_one(column, chosen, gathered, out):
    """Sum one feature over chosen rows, (n,) uint32."""
    for i in range(chosen.shape[0]):
        out[column[chosen[i]]] += gathered[i, 0]


@njit(cache=True, nogil=True)
def _pick_two(column_a, column_b, chosen, gathered, out_a, out_b):
    """Sum two features over chosen rows."""
    for i in range(chosen.shape[0]):
        row, word = chosen[i], gathered[i, 0]
        out_a[column_a[row]] += word
        out_b[column_b[row]] += word


@njit(cache=True, nogil=True)
def _pick_channels(column, chosen, gathered, out):
    """Sum one feature over chosen rows, several channels."""
    if gathered.shape[1] == 2:
        two, one = np.uint32(2), np.uint32(1)
        for i in range(chosen.shape[0]):
            j = np.uint32(column[chosen[i]]) * two
            out[j] += gathered[i, 0]
            out[j + one] += gathered[i, 1]
    else:
        n_channels = np.uint32(gathered.shape[1])
        for i in range(chosen.shape[0]):
            j = np.uint32(column[chosen[i]]) * n_channels
            for c in range(gathered.shape[1]):
                out[j + np.uint32(c)] += gathered[i, c]


@njit(cache=True, nogil=True)
def _add_task_features(table, chosen, gathered, histogram, first_active):
    """Sum the features of the tasks: rows of a task follow each other, so each task's sum is added just once."""
    n_channels = gathered.shape[1]
    sums = np.zeros(n_channels, np.int64)
    n_rows = chosen.shape[0]
    i = 0
    while i < n_rows:
        task = table.task_of_row[chosen[i]]
        sums[:] = 0
        while i < n_rows and table.task_of_row[chosen[i]] == task:
            for c in range(n_channels):
                sums[c] += gathered[i, c]
            i += 1
        for a in range(first_active, table.active.shape[0]):
            f = table.active[a]
            j = (table.offsets[f] + np.int64(table.task_codes[f - table.n_own, task])) * n_channels
            for c in range(n_channels):
                histogram[j + c] += sums[c]


@njit(cache=True, nogil=True)
def build_histogram(table, rows, start, stop, gathered, histograms, slot):
    """Fill the histogram in `slot` with the rows ``rows[start:stop]``, whose words are the front of `gathered`."""
    n_channels = gathered.shape[1]
    n_rows = stop - start
    size = table.offsets[-1] * n_channels
    histogram = histograms[slot * size : (slot + 1) * size]
    histogram[:] = 0
    chosen = rows[start:stop].view(np.uint32)
    # Rows stay in ascending order inside a node, so the ends tell whether they follow each other without a gap.
    first = np.int64(rows[start])
    together = np.int64(rows[stop - 1]) - first == n_rows - 1
    n_active = table.active.shape[0]
    while n_active > 0 and table.active[n_active - 1] >= table.n_own:
        n_active -= 1
    if n_active < table.active.shape[0]:
        _add_task_features(table, chosen, gathered, histogram, n_active)
    if n_channels > 1:
        for a in range(n_active):
            f = table.active[a]
            out = histogram[table.offsets[f] * n_channels : table.offsets[f + 1] * n_channels]
            _pick_channels(table.bins[f], chosen, gathered, out)
        return
    for a in range(0, n_active - 1, 2):
        f, g = table.active[a], table.active[a + 1]
        out_f = histogram[table.offsets[f] : table.offsets[f + 1]]
        out_g = histogram[table.offsets[g] : table.offsets[g + 1]]
        if together:
            last = first + n_rows
            _add_two(table.bins[f, first:last], table.bins[g, first:last], gathered, out_f, out_g)
        else:
            _pick_two(table.bins[f], table.bins[g], chosen, gathered, out_f, out_g)
    if n_active % 2 == 1:
        f = table.active[n_active - 1]
        out = histogram[table.offsets[f] : table.offsets[f + 1]]
        if together:
            _add_one(table.bins[f, first : first + n_rows], gathered, out)
        else:
            _pick_one(table.bins[f], chosen, gathered, out)


@njit(cache=True, nogil=True)
def subtract_histogram(histograms, size, from_slot, slot):
    """Take the histogram in `slot` away from the one in `from_slot`; `size` is codes times channels."""
    large, small = histograms[from_slot * size : (from_slot + 1) * size], histograms[slot * size : (slot + 1) * size]
    for j in range(size):
        large[j] -= small[j]
