"""Walking rows down trees.

A forest is a set of flat arrays with one entry per node; a tree is known by the index of its root, and children by
their distance from it. Rows are taken in blocks, so that the codes of a block stay in cache while every tree is walked.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, entry, inner
from .partition import goes_left

#: Rows per block: 27 features of 1024 rows are 27 KiB.
_BLOCK = 1024
#: For fewer rows than this packing the trees does not pay.
_FEW = 64


@borrowing
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
            forest.left_codes[node if forest.categorical[node] else 0],
        )
        node = root + forest.left[node] + (0 if left else 1)
    return node


@borrowing
def _tree_size(forest, root):
    """Number of nodes of the tree at `root`."""
    size, node = 1, 0
    while node < size:
        if forest.left[root + node] != 0:
            size = max(size, forest.left[root + node] + 2)
        node += 1
    return size


@borrowing
def _pack_tree(forest, root, size, missing, out):
    """Write each node as one integer, so that a step down the tree loads one word instead of five.

    Bits 0 to 7: threshold; 8: missing values go left, and there may be some; 9: categorical; 10 to 31: feature; from
    32: left child. A leaf is its own left child, and no code is above its threshold. Returns whether no node has bit 8
    or 9.
    """
    plain = True
    for node in range(size):
        left = np.int64(forest.left[root + node])
        if left == 0:
            out[node] = (np.int64(node) << 32) | 0xFF
            continue
        feature = np.int64(forest.feature[root + node])
        flags = (np.int64(forest.missing_left[root + node] != 0 and missing[feature]) << 8) | (
            np.int64(forest.categorical[root + node] != 0) << 9
        )
        plain = plain and flags == 0
        out[node] = (left << 32) | (feature << 10) | flags | np.int64(forest.threshold[root + node])
    return plain


@inner
def _with_missing(bins, n_bins, rows, n_trees):
    """For each feature, whether one of the rows may lack it; for a few trees it does not pay to look."""
    n_features = bins.shape[0]
    missing = np.ones(n_features, np.bool_)
    if n_trees < n_features:
        return missing
    for feature in range(n_features):
        found = False
        for i in range(rows.shape[0]):
            found |= bins[feature, rows[i]] == n_bins[feature]
        missing[feature] = found
    return missing


@borrowing
def _step(word, bins, row):
    """Child of a node of a plain tree; a leaf stays where it is."""
    code = np.int64(bins[np.uint32((word >> 10) & 0x3FFFFF), row])
    return np.uint32((word >> 32) + (code > (word & 0xFF)))


@borrowing
def _add_leaf(forest, leaf, row, out):
    for k in range(out.shape[1]):
        out[row, k] += forest.value[leaf, k]


@borrowing
def _add_plain_tree(bins, tree, forest, root, rows, out):
    """Add a tree that asks for nothing but thresholds.

    Four rows go down together until none moves: the loads of one row fill the waiting time of the others, and there is
    one branch per step of the four.
    """
    n_rows = rows.shape[0]
    n_fours = n_rows - n_rows % 4
    for i in range(0, n_fours, 4):
        row_a, row_b, row_c, row_d = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        a = b = c = d = np.uint32(0)
        word_a = word_b = word_c = word_d = tree[a]
        moving = True
        while moving:
            next_a, next_b = _step(word_a, bins, row_a), _step(word_b, bins, row_b)
            next_c, next_d = _step(word_c, bins, row_c), _step(word_d, bins, row_d)
            moving = ((next_a ^ a) | (next_b ^ b) | (next_c ^ c) | (next_d ^ d)) != np.uint32(0)
            a, b, c, d = next_a, next_b, next_c, next_d
            word_a, word_b, word_c, word_d = tree[a], tree[b], tree[c], tree[d]
        _add_leaf(forest, root + np.int64(a), row_a, out)
        _add_leaf(forest, root + np.int64(b), row_b, out)
        _add_leaf(forest, root + np.int64(c), row_c, out)
        _add_leaf(forest, root + np.int64(d), row_d, out)
    for i in range(n_fours, n_rows):
        node, after = np.uint32(0), _step(tree[0], bins, rows[i])
        while after != node:
            node, after = after, _step(tree[after], bins, rows[i])
        _add_leaf(forest, root + np.int64(node), rows[i], out)


@borrowing
def _add_tree(bins, n_bins, tree, forest, root, rows, out):
    """Add any tree."""
    one = np.uint32(1)
    for i in range(rows.shape[0]):
        row, node = rows[i], np.uint32(0)
        word = tree[node]
        left_child = np.uint32(word >> 32)
        while left_child != node:
            feature = np.uint32((word >> 10) & 0x3FFFFF)
            code = np.int64(bins[feature, row])
            left = code <= (word & 0xFF)
            if word & 0x300 != 0:  # Missing values that go left, or categories: both are rare.
                if word & 0x200 != 0:
                    codes = forest.left_codes[root + np.int64(node)]
                    left = (codes[code >> 5] >> np.uint32(code & 31)) & one != 0
                else:
                    left = left or code == n_bins[feature]
            node = left_child if left else np.uint32(left_child + one)
            word = tree[node]
            left_child = np.uint32(word >> 32)
        _add_leaf(forest, root + np.int64(node), row, out)


@entry
def add_trees(bins, n_bins, forest, roots, rows, out):
    """Add the trees at `roots` to the given rows of `out`.

    bins : uint8 (n_features, n); roots : int64 (n_trees,); rows : int32 (n_rows,); out : float64 (n, n_outputs)
    """
    n_trees = roots.shape[0]
    if rows.shape[0] < _FEW:
        for i in range(rows.shape[0]):
            for t in range(n_trees):
                _add_leaf(forest, find_leaf(bins, rows[i], n_bins, forest, roots[t]), rows[i], out)
        return
    starts = np.zeros(n_trees + 1, np.int64)
    for t in range(n_trees):
        starts[t + 1] = starts[t] + _tree_size(forest, roots[t])
    packed, plain = np.empty(starts[-1], np.int64), np.empty(n_trees, np.bool_)
    missing = _with_missing(bins, n_bins, rows, n_trees)
    for t in range(n_trees):
        plain[t] = _pack_tree(forest, roots[t], starts[t + 1] - starts[t], missing, packed[starts[t] :])
    for begin in range(0, rows.shape[0], _BLOCK):
        chosen = rows[begin : min(begin + _BLOCK, rows.shape[0])].view(np.uint32)
        for t in range(n_trees):
            tree = packed[starts[t] : starts[t + 1]]
            if plain[t]:
                _add_plain_tree(bins, tree, forest, roots[t], chosen, out)
            else:
                _add_tree(bins, n_bins, tree, forest, roots[t], chosen, out)


@entry
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


@entry
def find_leaves(bins, n_bins, forest, root):
    """Index of the leaf that each row falls into, int64 (n,), for one tree."""
    out = np.empty(bins.shape[1], np.int64)
    for row in range(bins.shape[1]):
        out[row] = find_leaf(bins, row, n_bins, forest, root)
    return out
