"""Growing one tree, leaf by leaf: the leaf whose split gains most is split next."""

from __future__ import annotations

import numpy as np
from numba import njit

from .histogram import build_histogram, gather_words, subtract_histogram, sum_words
from .partition import partition_rows
from .score import bounded_value, output_gradient, output_hessian, row_weight
from .split import candidate_features, find_split
from .types import CODE_WORDS


@njit(cache=True, nogil=True)
def _best_leaf(nodes, base, n_nodes):
    """The leaf with the largest gain, or -1; of equal gains the one that came first."""
    best, best_gain = -1, 0.0
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0 and nodes.gain[node] > best_gain * (1.0 + 1e-10):
            best, best_gain = node, nodes.gain[node]
    return best


@njit(cache=True, nogil=True)
def _bound_children(nodes, node, left, monotonic, left_sums, right_sums, data, l2):
    """Hand the bounds of a node to its children; a split on a monotonic feature puts a wall between them."""
    lower, upper = nodes.lower[node], nodes.upper[node]
    for child in (left, left + 1):
        nodes.lower[child], nodes.upper[child] = lower, upper
    if monotonic != 0:
        value_left = bounded_value(
            output_gradient(left_sums, 0, data), output_hessian(left_sums, 0, data), l2, lower, upper
        )
        value_right = bounded_value(
            output_gradient(right_sums, 0, data), output_hessian(right_sums, 0, data), l2, lower, upper
        )
        middle = 0.5 * (value_left + value_right)
        if monotonic > 0:
            nodes.upper[left], nodes.lower[left + 1] = middle, middle
        else:
            nodes.lower[left], nodes.upper[left + 1] = middle, middle


@njit(cache=True, nogil=True)
def _start_node(nodes, node, start, stop, depth):
    nodes.start[node], nodes.stop[node], nodes.depth[node] = start, stop, depth
    nodes.left[node], nodes.feature[node], nodes.gain[node] = 0, -1, 0.0


@njit(cache=True, nogil=True)
def grow_tree(table, data, settings, rows, first, stop, nodes, base, histograms, gathered, buffer, state):
    """Grow one tree on ``rows[first:stop]`` into ``nodes[base:]``; returns its number of nodes.

    Parameters
    ----------
    table, data, settings : Table, Words, TreeSettings
    rows : int32; the part ``first:stop``, in ascending order, is rearranged so that every leaf is a slice
    nodes : Nodes, with room for ``2 * max_leaf_nodes - 1`` (or, if less, ``2 * (stop - first) - 1``) nodes after `base`
    histograms : int64, room for three histograms or more. Where it runs out, a leaf's histogram is computed again
        instead of kept.
    gathered : int64 (at least stop - first, n_channels), scratch
    buffer : int32 (at least stop - first,), scratch
    state : int64, state of the generator that samples features
    """
    n_channels = data.words.shape[1]
    size = table.offsets[-1] * n_channels
    max_nodes = 2 * max(min(settings.max_leaf_nodes, stop - first), 1) - 1
    n_slots = min(histograms.shape[0] // max(size, 1), max_nodes + 2)
    # Slots 0 and 1 are scratch; a leaf that waits for its split keeps its histogram in one of the others.
    free = np.arange(n_slots - 1, 1, -1)
    n_free = free.shape[0]
    slot_of = np.full(max_nodes, -1, np.int64)
    sums = np.zeros((max_nodes, n_channels), np.int64)
    left = np.empty(n_channels, np.int64)
    codes = np.empty(CODE_WORDS, np.uint32)
    candidates = np.empty(max(table.active.shape[0], 1), np.int32)
    open_groups = np.ones((max_nodes, table.groups.shape[0]), np.uint8)

    _start_node(nodes, base, first, stop, 0)
    nodes.lower[base], nodes.upper[base] = -np.inf, np.inf
    n_nodes, n_leaves = 1, 1
    if stop == first:
        nodes.weight[base] = 0.0
        return n_nodes
    gather_words(data.words, rows, first, stop, gathered)
    sum_words(gathered, stop - first, sums[0])
    nodes.weight[base] = row_weight(sums[0], data)
    if settings.max_leaf_nodes < 2 or settings.max_depth < 1 or nodes.weight[base] < 2.0 * settings.min_weight:
        return n_nodes
    slot = 0
    if n_free > 0:
        n_free -= 1
        slot = free[n_free]
        slot_of[0] = slot
    build_histogram(table, rows, first, stop, gathered, histograms, slot)
    n_candidates, state = candidate_features(table, settings, open_groups[0], candidates, state)
    nodes.gain[base] = find_split(
        table, data, settings, histograms, slot, sums[0], nodes, base, candidates, n_candidates, left, codes
    )

    while n_leaves < settings.max_leaf_nodes:
        node = _best_leaf(nodes, base, n_nodes)
        if node < 0:
            break
        local = node - base
        feature = nodes.feature[node]
        middle = partition_rows(table, nodes, node, rows, buffer)
        children = base + n_nodes
        depth = nodes.depth[node] + 1
        _start_node(nodes, children, nodes.start[node], middle, depth)
        _start_node(nodes, children + 1, middle, nodes.stop[node], depth)
        nodes.left[node] = n_nodes
        for group in range(table.groups.shape[0]):
            still = open_groups[local, group] & table.groups[group, feature]
            open_groups[n_nodes, group] = still
            open_groups[n_nodes + 1, group] = still
        n_nodes += 2
        n_leaves += 1

        left_is_small = middle - nodes.start[node] <= nodes.stop[node] - middle
        small = children if left_is_small else children + 1
        large = children + 1 if left_is_small else children
        gather_words(data.words, rows, nodes.start[small], nodes.stop[small], gathered)
        sum_words(gathered, nodes.stop[small] - nodes.start[small], sums[small - base])
        for c in range(n_channels):
            sums[large - base, c] = sums[local, c] - sums[small - base, c]
        for child in (children, children + 1):
            nodes.weight[child] = row_weight(sums[child - base], data)
        _bound_children(
            nodes,
            node,
            children,
            table.monotonic[feature],
            sums[children - base],
            sums[children + 1 - base],
            data,
            settings.l2,
        )
        kept = slot_of[local]
        slot_of[local] = -1
        wanted_small = depth < settings.max_depth and nodes.weight[small] >= 2.0 * settings.min_weight
        wanted_large = depth < settings.max_depth and nodes.weight[large] >= 2.0 * settings.min_weight
        if n_leaves == settings.max_leaf_nodes or not (wanted_small or wanted_large):
            if kept >= 0:
                free[n_free] = kept
                n_free += 1
            continue

        if kept < 0 and wanted_large:
            # The parent's histogram was not kept: sum the large child anew, then the small one.
            gather_words(data.words, rows, nodes.start[large], nodes.stop[large], gathered)
            build_histogram(table, rows, nodes.start[large], nodes.stop[large], gathered, histograms, 0)
            if wanted_small:
                gather_words(data.words, rows, nodes.start[small], nodes.stop[small], gathered)
        slot_small, slot_large = 1, 0
        if wanted_small or kept >= 0:
            if n_free > 0:
                n_free -= 1
                slot_small = free[n_free]
            build_histogram(table, rows, nodes.start[small], nodes.stop[small], gathered, histograms, slot_small)
        if kept >= 0:
            subtract_histogram(histograms, size, kept, slot_small)
            slot_large = kept
        # Left before right, whichever is smaller, so that the features drawn do not depend on how rows are counted.
        for child in (children, children + 1):
            child_slot = slot_small if child == small else slot_large
            wanted = wanted_small if child == small else wanted_large
            if wanted:
                n_candidates, state = candidate_features(table, settings, open_groups[child - base], candidates, state)
                nodes.gain[child] = find_split(
                    table,
                    data,
                    settings,
                    histograms,
                    child_slot,
                    sums[child - base],
                    nodes,
                    child,
                    candidates,
                    n_candidates,
                    left,
                    codes,
                )
            if child_slot > 1:
                if nodes.gain[child] > 0.0:
                    slot_of[child - base] = child_slot
                else:
                    free[n_free] = child_slot
                    n_free += 1

    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0:
            nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
    return n_nodes
