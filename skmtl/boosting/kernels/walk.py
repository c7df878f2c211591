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
#: For fewer rows than this packing the trees does not pay.
_FEW = 64


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
def _tree_size(forest, root):
    """Number of nodes of the tree at `root`."""
    size, node = 1, 0
    while node < size:
        if forest.left[root + node] != 0:
            size = max(size, forest.left[root + node] + 2)
        node += 1
    return size


@njit(cache=True, nogil=True)
def _pack_tree(forest, root, size, out):
    """Write each node as one integer, so that a step down the tree loads one word instead of five.

    Bits 0 to 7: threshold; 8: missing values go left; 9: categorical; 10 to 31: feature; from 32: left child.
    """
    for node in range(size):
        left = np.int64(forest.left[root + node])
        if left == 0:
            out[node] = 0
            continue
        flags = (np.int64(forest.missing_left[root + node] != 0) << 8) | (
            np.int64(forest.categorical[root + node] != 0) << 9
        )
        feature = np.int64(forest.feature[root + node])
        out[node] = (left << 32) | (feature << 10) | flags | np.int64(forest.threshold[root + node])


@njit(cache=True, nogil=True)
def add_trees(bins, n_bins, forest, roots, rows, out):
    """Add the trees at `roots` to the given rows of `out`.

    bins : uint8 (n_features, n); roots : int64 (n_trees,); rows : int32 (n_rows,); out : float64 (n, n_outputs)
    """
    n_trees = roots.shape[0]
    if rows.shape[0] < _FEW:
        for i in range(rows.shape[0]):
            for t in range(n_trees):
                leaf = find_leaf(bins, rows[i], n_bins, forest, roots[t])
                for k in range(out.shape[1]):
                    out[rows[i], k] += forest.value[leaf, k]
        return
    starts = np.zeros(n_trees + 1, np.int64)
    for t in range(n_trees):
        starts[t + 1] = starts[t] + _tree_size(forest, roots[t])
    packed = np.empty(starts[-1], np.int64)
    for t in range(n_trees):
        _pack_tree(forest, roots[t], starts[t + 1] - starts[t], packed[starts[t] :])
    one = np.uint32(1)
    for begin in range(0, rows.shape[0], _BLOCK):
        chosen = rows[begin : min(begin + _BLOCK, rows.shape[0])].view(np.uint32)
        for t in range(n_trees):
            tree, root = packed[starts[t] : starts[t + 1]], roots[t]
            for i in range(chosen.shape[0]):
                row, node = chosen[i], np.uint32(0)
                word = tree[node]
                while word != 0:
                    feature = np.uint32((word >> 10) & 0x3FFFFF)
                    code = np.int64(bins[feature, row])
                    left = code <= (word & 0xFF)
                    if word & 0x300 != 0:  # Missing values that go left, or categories: both are rare.
                        if word & 0x200 != 0:
                            codes = forest.left_codes[root + np.int64(node)]
                            left = (codes[code >> 5] >> np.uint32(code & 31)) & one != 0
                        else:
                            left = left or code == n_bins[feature]
                    node = np.uint32((word >> 32) + (0 if left else 1))
                    word = tree[node]
                for k in range(out.shape[1]):
                    out[row, k] += forest.value[root + np.int64(node), k]


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
