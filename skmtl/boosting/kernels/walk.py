"""Walking rows down trees.

A forest is a set of flat arrays with one entry per node; a tree is known by the index of its root, and children by
their distance from it. Rows are taken in blocks, so that the codes of a block stay in cache while every tree is walked.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .partition import goes_left

#: Rows per block: 27 features of 1024 rows are 27 KiB.
_BLOCK = 1024


@njit(cache=True, nogil=True)
def find_leaf(bins, row, n_bins, forest, root):
    """Index of the leaf of the tree at `root` that the row falls into."""
    node = root
    while forest.left[node] != 0:
        feature = forest.feature[node]
        left = goes_left(
            bins[feature, row],
            n_bins[feature],
            forest.threshold[node],
            forest.missing_left[node],
            forest.categorical[node],
            forest.left_codes[node],
        )
        node = root + forest.left[node] + (0 if left else 1)
    return node


@njit(cache=True, nogil=True)
def add_trees(bins, n_bins, forest, roots, rows, out):
    """Add the trees at `roots` to the given rows of `out`.

    bins : uint8 (n_features, n); roots : int64 (n_trees,); rows : int32 (n_rows,); out : float64 (n, n_outputs)
    """
    for begin in range(0, rows.shape[0], _BLOCK):
        end = min(begin + _BLOCK, rows.shape[0])
        for t in range(roots.shape[0]):
            for i in range(begin, end):
                leaf = find_leaf(bins, rows[i], n_bins, forest, roots[t])
                for k in range(out.shape[1]):
                    out[rows[i], k] += forest.value[leaf, k]


@njit(cache=True, nogil=True)
def add_unit_trees(bins, n_bins, forest, pointers, roots, units, rows, out):
    """Add to each row the trees of its own unit.

    pointers : int64 (n_units + 1,), unit u owns ``roots[pointers[u]:pointers[u + 1]]``; units : intp (n,), -1 where the
    unit is unknown (nothing is added)
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        unit = units[row]
        if unit < 0:
            continue
        for t in range(pointers[unit], pointers[unit + 1]):
            leaf = find_leaf(bins, row, n_bins, forest, roots[t])
            for k in range(out.shape[1]):
                out[row, k] += forest.value[leaf, k]


@njit(cache=True, nogil=True)
def find_leaves(bins, n_bins, forest, root):
    """Index of the leaf that each row falls into, int64 (n,), for one tree."""
    out = np.empty(bins.shape[1], np.int64)
    for row in range(bins.shape[1]):
        out[row] = find_leaf(bins, row, n_bins, forest, root)
    return out
