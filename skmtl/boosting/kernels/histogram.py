"""Histograms: for every feature and code, the sums of the words of a node's rows.

A histogram is a flat int64 array: `n_channels` sums per code, codes of a feature next to each other, features at
``table.offsets``. Several histograms lie one after the other in one array, each in its `slot`.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def gather_words(words, rows, start, stop, gathered):
    """Copy the words of ``rows[start:stop]`` to the front of `gathered`, (at least stop - start, n_channels)."""
    n_channels = words.shape[1]
    if n_channels == 1:
        for i in range(start, stop):
            gathered[i - start, 0] = words[rows[i], 0]
    else:
        for i in range(start, stop):
            for c in range(n_channels):
                gathered[i - start, c] = words[rows[i], c]


@njit(cache=True, nogil=True)
def sum_words(gathered, n_rows, sums):
    """Sum of the first `n_rows` rows of `gathered`, channel by channel, into `sums`, (n_channels,)."""
    sums[:] = 0
    for i in range(n_rows):
        for c in range(sums.shape[0]):
            sums[c] += gathered[i, c]


@njit(cache=True, nogil=True)
def build_histogram(table, rows, start, stop, gathered, histograms, slot):
    """Fill the histogram in `slot` with the rows ``rows[start:stop]``, whose words are the front of `gathered`."""
    n_channels = gathered.shape[1]
    n_rows = stop - start
    size = table.offsets[-1]
    base = slot * size * n_channels
    histograms[base : base + size * n_channels] = 0
    # Rows stay in ascending order inside a node, so the ends tell whether they follow each other without a gap.
    first = rows[start]
    together = rows[stop - 1] - first == n_rows - 1
    for a in range(table.active.shape[0]):
        f = table.active[a]
        column = table.bins[f]
        begin = base + table.offsets[f] * n_channels
        if n_channels == 1:
            if together:
                for i in range(n_rows):
                    histograms[begin + column[first + i]] += gathered[i, 0]
            else:
                for i in range(n_rows):
                    histograms[begin + column[rows[start + i]]] += gathered[i, 0]
        elif n_channels == 2:
            for i in range(n_rows):
                j = begin + 2 * np.int64(column[rows[start + i]])
                histograms[j] += gathered[i, 0]
                histograms[j + 1] += gathered[i, 1]
        else:
            for i in range(n_rows):
                j = begin + n_channels * np.int64(column[rows[start + i]])
                for c in range(n_channels):
                    histograms[j + c] += gathered[i, c]


@njit(cache=True, nogil=True)
def subtract_histogram(histograms, size, from_slot, slot):
    """Take the histogram in `slot` away from the one in `from_slot`; `size` is codes times channels."""
    a, b = from_slot * size, slot * size
    for j in range(size):
        histograms[a + j] -= histograms[b + j]
