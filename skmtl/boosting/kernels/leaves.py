"""Values of leaves, and of the rows that grew the trees."""

from __future__ import annotations

import numpy as np

from ..._quantile import quantile_of
from ..._shared.jit import borrowing, entry, inner

#: Rows per block: their gradients and Hessians take 128 KiB.
_BLOCK = 8192
#: Of trees with so many rows or fewer, all of that stays in cache from the first leaf to the last.
_FEW_ROWS = 4 * _BLOCK


@borrowing
def _is_leaf_of(nodes, node, begin, end):
    """Whether a node is a leaf whose rows begin in ``rows[begin:end]``."""
    return nodes.left[node] == 0 and nodes.start[node] >= begin and nodes.start[node] < end


@borrowing
def _write_leaves(nodes, base, n_nodes, begin, end, leaves):
    """Write the indices of the leaves of a tree that begin in ``rows[begin:end]``; returns how many there are."""
    n = np.int64(0)
    for node in range(base, base + n_nodes):
        if _is_leaf_of(nodes, node, begin, end):
            leaves[n] = node
            n += 1
    return n


@borrowing
def _most_leaves(counts):
    """Leaves of the largest of trees with so many nodes."""
    most = np.int64(0)
    for t in range(counts.shape[0]):
        most = max(most, counts[t])
    return most // 2 + 1


@borrowing
def _row_range(nodes, leaves, n_leaves, rows):
    """First and last row of the leaves, or none in particular where they are few: one block for all."""
    n_rows = np.int64(0)
    for i in range(n_leaves):
        n_rows += nodes.stop[leaves[i]] - nodes.start[leaves[i]]
    if n_rows <= _BLOCK:
        return np.int64(2**31), np.int64(2**31)
    first, last = np.int64(2**31), np.int64(-1)
    for i in range(n_leaves):
        leaf = leaves[i]
        if nodes.stop[leaf] > nodes.start[leaf]:
            first = min(first, np.int64(rows[nodes.start[leaf]]))
            last = max(last, np.int64(rows[nodes.stop[leaf] - 1]))
    return first, last


@borrowing
def _sum_leaf(rows, begin, stop, end_row, values, total):
    """Add values of the rows ``rows[begin:stop]`` below `end_row` to `total`; returns it and where it stopped.

    values : float64 (n, 1)
    """
    chosen = rows.view(np.uint32)
    i = np.uint64(begin)
    while i < np.uint64(stop) and chosen[i] < end_row:
        total += values[chosen[i], 0]
        i += np.uint64(1)
    return total, np.int64(i)


@borrowing
def _sum_leaf_outputs(rows, begin, stop, end_row, gradient, hessian, totals):
    """The same for all outputs of both derivatives at once, which lie next to each other; returns where it stopped."""
    chosen, n_outputs = rows.view(np.uint32), gradient.shape[1]
    counted = hessian.shape[0] == 0
    i = np.uint64(begin)
    while i < np.uint64(stop) and chosen[i] < end_row:
        for k in range(n_outputs):
            totals[k] += gradient[chosen[i], k]
        for k in range(0 if counted else n_outputs):
            totals[n_outputs + k] += hessian[chosen[i], k]
        i += np.uint64(1)
    return np.int64(i)


@inner
def newton_values(nodes, bases, counts, rows, begin, end, gradient, hessian, l2, shrinkage, values):
    """Write ``-shrinkage * G / (H + l2)`` of the leaves to `values`, kept within the leaf's bounds, 0 for other nodes.

    Rows of a leaf are summed in ascending order. All leaves of a tree go through the rows together, block by block, so
    that what they read stays in cache.

    bases, counts : int64 (n_trees,), tree t is ``nodes[bases[t] : bases[t] + counts[t]]``; begin, end : int64, only
    leaves that begin in ``rows[begin:end]`` count;
    gradient : float64 (n, n_outputs); hessian : float64 (n, n_outputs), or (0, n_outputs) where every Hessian is 1;
    values : float64 (n_nodes, n_outputs)
    """
    counted, n_outputs = hessian.shape[0] == 0, values.shape[1]
    room = _most_leaves(counts)
    leaves, at, sums = np.empty(room, np.int64), np.empty(room, np.int64), np.empty((room, 2 * n_outputs))
    for t in range(bases.shape[0]):
        for node in range(bases[t], bases[t] + counts[t]):
            if nodes.left[node] != 0:
                for k in range(n_outputs):
                    values[node, k] = 0.0
        n_leaves = _write_leaves(nodes, bases[t], counts[t], begin, end, leaves)
        first, last = _row_range(nodes, leaves, n_leaves, rows)
        for leaf in range(n_leaves):
            at[leaf] = nodes.start[leaves[leaf]]
            sums[leaf, :] = 0.0
        for row in range(first + _BLOCK, last + _BLOCK + 1, _BLOCK):
            for leaf in range(n_leaves):
                here, stop = at[leaf], nodes.stop[leaves[leaf]]
                if n_outputs > 1:
                    at[leaf] = _sum_leaf_outputs(rows, here, stop, row, gradient, hessian, sums[leaf])
                    continue
                sums[leaf, 0], at[leaf] = _sum_leaf(rows, here, stop, row, gradient, sums[leaf, 0])
                if not counted:
                    sums[leaf, 1], _ = _sum_leaf(rows, here, stop, row, hessian, sums[leaf, 1])
        for leaf in range(n_leaves):
            node = leaves[leaf]
            for k in range(n_outputs):
                g = sums[leaf, k]
                h = np.float64(nodes.stop[node] - nodes.start[node]) if counted else sums[leaf, n_outputs + k]
                values[node, k] = _leaf_value(nodes, node, g, h, l2, shrinkage)


@borrowing
def _leaf_value(nodes, node, g, h, l2, shrinkage):
    """Value of a leaf with these sums, kept within its bounds."""
    if h + l2 > 0.0:
        return shrinkage * min(max(-g / (h + l2), nodes.lower[node]), nodes.upper[node])
    return 0.0


@borrowing
def _harvest_small_tree(nodes, base, n_nodes, rows, begin, end, gradient, hessian, l2, shrinkage, values, out):
    """Find the values of the leaves of one tree, leaf by leaf, and write them to its rows.

    The same sums in the same order as `newton_values`; the rows of the tree are so few that they stay in cache.
    """
    chosen = rows.view(np.uint32)
    counted = hessian.shape[0] == 0
    for node in range(np.uint64(base), np.uint64(base + n_nodes)):
        if nodes.left[node] != 0:
            for k in range(values.shape[1]):
                values[node, k] = 0.0
            continue
        start, stop = nodes.start[node], nodes.stop[node]
        if start < begin or start >= end:
            continue
        for k in range(values.shape[1]):
            g, h = 0.0, np.float64(stop - start)
            for i in range(np.uint64(start), np.uint64(stop)):
                g += gradient[chosen[i], k]
            if not counted:
                h = 0.0
                for i in range(np.uint64(start), np.uint64(stop)):
                    h += hessian[chosen[i], k]
            value = _leaf_value(nodes, node, g, h, l2, shrinkage)
            values[node, k] = value
            for i in range(np.uint64(start), np.uint64(stop)):
                out[chosen[i], k] = value


@inner
def _tree_quantiles(nodes, base, n_nodes, rows, residual, coefficient, weight, q, monotonic, shrinkage, values):
    """Write the exact line search of the absolute (or pinball) loss to ``values[base:]``.

    The value v of a leaf minimises the loss of ``residual - coefficient * v``: it is the quantile of ``residual /
    coefficient`` with weights ``weight * coefficient``. Where features are monotonic, values of inner nodes put
    walls between their children, from the root down.

    residual, coefficient, weight : float64 (n,); coefficients are positive; values : float64 (n_nodes, 1)
    """
    constrained = np.any(monotonic != 0)
    lower, upper = np.full(n_nodes, -np.inf), np.full(n_nodes, np.inf)
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0 or constrained:
            start, stop = nodes.start[node], nodes.stop[node]
            ratio, share = np.empty(stop - start), np.empty(stop - start)
            for i in range(start, stop):
                row = rows[i]
                ratio[i - start] = residual[row] / coefficient[row]
                share[i - start] = weight[row] * coefficient[row]
            values[node, 0] = quantile_of(ratio, share, q)
    if constrained:
        for node in range(base, base + n_nodes):  # Parents come before their children.
            local = node - base
            values[node, 0] = min(max(values[node, 0], lower[local]), upper[local])
            left = nodes.left[node]
            if left == 0:
                continue
            lower[left : left + 2], upper[left : left + 2] = lower[local], upper[local]
            sign = monotonic[nodes.feature[node]]
            if sign != 0:
                a = min(max(values[base + left, 0], lower[local]), upper[local])
                b = min(max(values[base + left + 1, 0], lower[local]), upper[local])
                if sign > 0:
                    upper[left], lower[left + 1] = 0.5 * (a + b), 0.5 * (a + b)
                else:
                    lower[left], upper[left + 1] = 0.5 * (a + b), 0.5 * (a + b)
    for node in range(base, base + n_nodes):
        values[node, 0] = shrinkage * values[node, 0] if nodes.left[node] == 0 else 0.0


@inner
def quantile_values(nodes, bases, counts, rows, residual, coefficient, weight, q, monotonic, shrinkage, values):
    """Find the values of the leaves by line search, tree by tree; see `_tree_quantiles`."""
    for t in range(bases.shape[0]):
        _tree_quantiles(
            nodes, bases[t], counts[t], rows, residual, coefficient, weight, q, monotonic, shrinkage, values
        )


@inner
def write_leaf_values(nodes, bases, counts, rows, begin, end, values, out):
    """Write to `out`, float64 (n, n_outputs), the value of the leaf of each row of the trees; see `newton_values`."""
    chosen = rows.view(np.uint32)
    room = _most_leaves(counts)
    leaves, at = np.empty(room, np.int64), np.empty(room, np.int64)
    for t in range(bases.shape[0]):
        n_leaves = _write_leaves(nodes, bases[t], counts[t], begin, end, leaves)
        first, last = _row_range(nodes, leaves, n_leaves, rows)
        for leaf in range(n_leaves):
            at[leaf] = nodes.start[leaves[leaf]]
        for row in range(first + _BLOCK, last + _BLOCK + 1, _BLOCK):
            for leaf in range(n_leaves):
                node = leaves[leaf]
                i, stop = np.uint64(at[leaf]), np.uint64(nodes.stop[node])
                while i < stop and chosen[i] < row:
                    for k in range(out.shape[1]):
                        out[chosen[i], k] = values[node, k]
                    i += np.uint64(1)
                at[leaf] = np.int64(i)


@entry
def unit_quantiles(values, weights, pointers, q):
    """Weighted quantile of the values of each unit, float64 (n_units,); 0 where a unit has no rows.

    values, weights : float64 (n,); pointers : int64 (n_units + 1,), unit u has ``values[pointers[u]:pointers[u + 1]]``
    """
    out = np.zeros(pointers.shape[0] - 1)
    for u in range(out.shape[0]):
        if pointers[u + 1] > pointers[u]:
            out[u] = quantile_of(values[pointers[u] : pointers[u + 1]], weights[pointers[u] : pointers[u + 1]], q)
    return out


@borrowing
def take_trees(nodes, bases, counts, begin, end, values, flat):
    """Copy trees without what only growing them needs, one after the other; see `harvest_trees`."""
    b = np.int64(0)
    for t in range(bases.shape[0]):
        for a in range(bases[t], bases[t] + counts[t]):
            if _is_leaf_of(nodes, a, begin, end) or (begin == 0 and nodes.left[a] != 0):
                for k in range(values.shape[1]):
                    flat.value[b, k] = values[a, k]
            if begin > 0:
                b += 1
                continue
            flat.feature[b] = nodes.feature[a]
            flat.threshold[b] = nodes.threshold[a]
            flat.left[b] = nodes.left[a]
            flat.missing_left[b] = nodes.missing_left[a]
            flat.categorical[b] = nodes.categorical[a]
            flat.gain[b] = nodes.gain[a]
            flat.unit_row[b] = -1
            if flat.left_codes.shape[0] > 1:
                for word in range(flat.left_codes.shape[1]):
                    flat.left_codes[b, word] = nodes.left_codes[a, word] if nodes.categorical[a] else np.uint32(0)
            b += 1


@entry
def harvest_trees(nodes, bases, counts, rows, begin, end, gradient, hessian, l2, shrinkage, values, flat, out):
    """Take trees out of the arrays that they were grown in, and write their values to their rows, in one call.

    Or a part of them: the leaves that begin in ``rows[begin:end]``, and with the first part all else that is known of
    the nodes. Parts may be taken at the same time by several threads.

    values : float64 (n_nodes, n_outputs), scratch; flat : FlatTrees with room for the trees, written to;
    out : float64 (n, n_outputs). See `newton_values` for the others.
    """
    t, n_trees = 0, bases.shape[0]
    while t < n_trees:
        # Trees of few rows, of which there may be many, by the shorter way.
        while t < n_trees and nodes.stop[bases[t]] - nodes.start[bases[t]] <= _FEW_ROWS:
            base, n_nodes = bases[t], counts[t]
            _harvest_small_tree(nodes, base, n_nodes, rows, begin, end, gradient, hessian, l2, shrinkage, values, out)
            t += 1
        some = t
        while t < n_trees and nodes.stop[bases[t]] - nodes.start[bases[t]] > _FEW_ROWS:
            t += 1
        newton_values(nodes, bases[some:t], counts[some:t], rows, begin, end, gradient, hessian, l2, shrinkage, values)
        write_leaf_values(nodes, bases[some:t], counts[some:t], rows, begin, end, values, out)
    take_trees(nodes, bases, counts, begin, end, values, flat)


@entry
def harvest_quantile_trees(
    nodes, bases, counts, rows, residual, coefficient, weight, q, monotonic, shrinkage, values, flat, out
):
    """Like `harvest_trees`, with the values of `quantile_values`."""
    begin, end = np.int64(0), np.int64(rows.shape[0])
    quantile_values(nodes, bases, counts, rows, residual, coefficient, weight, q, monotonic, shrinkage, values)
    write_leaf_values(nodes, bases, counts, rows, begin, end, values, out)
    take_trees(nodes, bases, counts, begin, end, values, flat)
