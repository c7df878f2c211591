"""Growing one tree, leaf by leaf: the leaf whose split gains most is split next.

One thread owns the tree. Each of its steps (gathering words, partitioning rows, summing and scanning features) is cut
into chunks that other threads may take, see `team`. What a chunk does depends on nothing but its number, sums are sums
of integers and features are scanned each on its own: the tree is the same whoever took which chunk, and however many
there are.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, entry
from .grow_steps import (
    CHUNKS,
    CODES_PER_CHUNK,
    FEATURES,
    FLAGS,
    GATHER,
    KIND,
    NODE,
    OTHER,
    OTHER_SLOT,
    PARTITION,
    PLACE,
    ROWS_PER_CHUNK,
    SCAN,
    SCAN_OTHER,
    SLOT,
    SUBTRACT,
    SUM,
    SUM_OTHER,
    count_chunks,
    make_scratch,
    publish,
    read_published,
    take_part,
)
from .score import bounded_value, output_gradient, output_hessian, row_weight
from .split import candidate_features, choose_split
from .team import OVER, await_chunks, await_tree, close_tree, offer_chunks, open_tree


@borrowing
def best_leaf(nodes, base, n_nodes):
    """The leaf with the largest gain, or -1; of equal gains the one that came first."""
    best, best_gain = -1, 0.0
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0 and nodes.gain[node] > best_gain * (1.0 + 1e-10):
            best, best_gain = node, nodes.gain[node]
    return best


@borrowing
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


@borrowing
def start_node(nodes, node, start, stop, depth):
    """Make a leaf of the rows ``rows[start:stop]``."""
    nodes.start[node], nodes.stop[node], nodes.depth[node] = start, stop, depth
    nodes.left[node], nodes.feature[node], nodes.gain[node] = 0, -1, 0.0
    nodes.threshold[node], nodes.missing_left[node] = 0, 0


@entry
def grow_with_team(table, data, settings, rows, first, stop, nodes, base, scratch, state, tree, n_members, member):
    """Grow one tree as its owner, or help to grow trees; see `grow_tree`.

    Parameters
    ----------
    scratch : Scratch, see `make_scratch`; all members of the team are given the same
    tree : int64, number of the tree (see `team`)
    n_members : int64, number of threads; 1: there is no team
    member : int64, number of this thread; 0 owns the tree. The others help with this tree and with later ones whose
        arrays and channels are the same, and return when none has come for a while; what else differs is published.
    """
    control, sums, histograms = scratch.control, scratch.sums, scratch.histograms
    n_channels = data.words.shape[1]
    size = table.offsets[-1] * n_channels
    # Who only helps keeps no books.
    max_nodes = 2 * max(min(settings.max_leaf_nodes, stop - first), 1) - 1 if member == 0 else 0
    n_slots = min(histograms.shape[0] // max(size, 1), max_nodes + 2)
    # Slots 0 and 1 are scratch; a leaf that waits for its split keeps its histogram in one of the others.
    n_free = max(n_slots - 2, 0)
    free = np.empty(n_free, np.int64)
    for i in range(n_free):
        free[i] = n_slots - 1 - i
    slot_of = np.full(max_nodes, -1, np.int64)
    n_active = table.active.shape[0]
    candidates = np.empty(max(n_active, 1), np.int32)
    open_groups = np.ones((max_nodes, table.groups.shape[0]), np.uint8)

    if member == 0:
        start_node(nodes, base, first, stop, 0)
        nodes.lower[base], nodes.upper[base] = -np.inf, np.inf
    n_nodes, n_leaves = 1, 1
    node, small, large, gathered = base, base, base, base
    slot_small, slot_large, kept = 1, 0, -1
    wanted_small, wanted_large = False, False
    if member == 0 and stop == first:
        nodes.weight[base] = 0.0
        return n_nodes
    if member == 0 and n_members > 1:
        publish(scratch, data, settings)
        open_tree(control, tree)
    # What follows is a list of steps, each of which is offered to the team at one and the same place below, where the
    # other members take part until the tree is finished.
    step = GATHER
    while True:
        flags = 0
        if member > 0:
            tree = await_tree(control)
            if tree == OVER:
                return 0
            # Should the tree be over before all is read, then `take_part` finds that it is.
            data, settings = read_published(scratch, data)
            n_chunks = 0
        elif step == GATHER:
            n_chunks = count_chunks(nodes.stop[gathered] - nodes.start[gathered], ROWS_PER_CHUNK, n_members)
        elif step in (PARTITION, PLACE):
            n_chunks = count_chunks(nodes.stop[node] - nodes.start[node], ROWS_PER_CHUNK, n_members)
        else:
            n_rows = np.int64(0)
            if kept >= 0 or wanted_small:
                flags |= SUM
                n_rows += nodes.stop[small] - nodes.start[small]
            if kept >= 0:
                flags |= SUBTRACT
            elif wanted_large:
                flags |= SUM_OTHER
                n_rows += nodes.stop[large] - nodes.start[large]
            flags |= (SCAN if wanted_small else 0) | (SCAN_OTHER if wanted_large else 0)
            n_chunks = min(
                count_chunks(n_rows * n_active + 2 * table.offsets[-1], CODES_PER_CHUNK, n_members), (n_active + 1) // 2
            )
        if member == 0:
            control[KIND], control[CHUNKS], control[FLAGS] = step, n_chunks, flags
            if step == FEATURES:
                control[NODE], control[OTHER], control[SLOT], control[OTHER_SLOT] = small, large, slot_small, slot_large
            else:
                control[NODE] = gathered if step == GATHER else node
            if n_chunks > 1:
                offer_chunks(control, n_chunks)
        # Called from this place alone, it becomes part of this kernel: its records of arrays are not copied.
        # A single chunk is the owner's: others would only make it wait.
        alone = n_chunks == 1
        take_part(table, data, settings, rows, first, nodes, base, scratch, tree, alone, member)
        if member > 0:
            continue
        if not alone:
            await_chunks(control, n_chunks)

        if step == PARTITION and n_chunks > 1:
            step = PLACE
            continue
        if step in (PARTITION, PLACE):
            feature = nodes.feature[node]
            children, depth = base + n_nodes, nodes.depth[node] + 1
            middle = nodes.start[node]
            for chunk in range(n_chunks):
                middle += scratch.totals[chunk, 0]
            start_node(nodes, children, nodes.start[node], middle, depth)
            start_node(nodes, children + 1, middle, nodes.stop[node], depth)
            nodes.left[node] = n_nodes
            for group in range(table.groups.shape[0]):
                still = open_groups[node - base, group] & table.groups[group, feature]
                open_groups[n_nodes, group] = still
                open_groups[n_nodes + 1, group] = still
            n_nodes += 2
            n_leaves += 1
            left_is_small = middle - nodes.start[node] <= nodes.stop[node] - middle
            small = children if left_is_small else children + 1
            large = children + 1 if left_is_small else children
            gathered, step = small, GATHER
            continue
        if step == GATHER:
            total = sums[gathered - base]
            total[:] = 0
            for chunk in range(n_chunks):
                for c in range(n_channels):
                    total[c] += scratch.totals[chunk, c]
            if n_nodes == 1:
                nodes.weight[base] = row_weight(total, data)
                # The root is summed as if it were the small child of a node without a histogram.
                wanted_small = (
                    settings.max_leaf_nodes >= 2
                    and settings.max_depth >= 1
                    and nodes.weight[base] >= 2.0 * settings.min_weight
                    and n_active > 0
                )
            elif gathered == small:
                for c in range(n_channels):
                    sums[large - base, c] = sums[node - base, c] - total[c]
                for child in (small, large):
                    nodes.weight[child] = row_weight(sums[child - base], data)
                left = min(small, large)
                monotonic = table.monotonic[nodes.feature[node]]
                _bound_children(
                    nodes, node, left, monotonic, sums[left - base], sums[left + 1 - base], data, settings.l2
                )
                kept = slot_of[node - base]
                slot_of[node - base] = -1
                deep = nodes.depth[small] == settings.max_depth
                wanted_small = not deep and nodes.weight[small] >= 2.0 * settings.min_weight
                wanted_large = not deep and nodes.weight[large] >= 2.0 * settings.min_weight
                if n_leaves == settings.max_leaf_nodes or not (wanted_small or wanted_large):
                    wanted_small, wanted_large = False, False
                    if kept >= 0:
                        free[n_free] = kept
                        n_free += 1
                elif wanted_large and kept < 0:
                    # Without a histogram of its parent the large child is summed, too.
                    gathered = large
                    continue
        elif step == FEATURES:
            for child in range(min(small, large), max(small, large) + 1):
                which = 0 if child == small else 1
                child_slot = slot_small if which == 0 else slot_large
                if wanted_small if which == 0 else wanted_large:
                    nodes.gain[child], state = choose_split(
                        table,
                        data,
                        settings,
                        histograms,
                        child_slot * size,
                        sums[child - base],
                        nodes,
                        child,
                        scratch.tried[which],
                        scratch.scores[which],
                        scratch.cuts[which],
                        scratch.subsets[which],
                        scratch.scan_sums[0],
                        state,
                    )
                if child_slot > 1:
                    if nodes.gain[child] > 0.0:
                        slot_of[child - base] = child_slot
                    else:
                        free[n_free] = child_slot
                        n_free += 1
            wanted_small, wanted_large = False, False

        if wanted_small or wanted_large:
            slot_small, slot_large = 1, 0
            if (wanted_small or kept >= 0) and n_free > 0:
                n_free -= 1
                slot_small = free[n_free]
            if kept >= 0:
                slot_large = kept
            # Left before right, whichever is smaller, so that the features drawn do not depend on how rows are counted.
            for child in range(min(small, large), max(small, large) + 1):
                which = 0 if child == small else 1
                scratch.tried[which, :] = 0
                if wanted_small if which == 0 else wanted_large:
                    n, state = candidate_features(table, settings, open_groups[child - base], candidates, state)
                    for i in range(n):
                        scratch.tried[which, candidates[i]] = 1
                        scratch.cuts[which, candidates[i], 0] = -1
            step = FEATURES
            continue
        node = best_leaf(nodes, base, n_nodes) if n_leaves < settings.max_leaf_nodes else -1
        if node < 0:
            break
        step = PARTITION

    if n_members > 1:
        close_tree(control)
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0:
            nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
    return n_nodes


@entry
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
    n_nodes = 2 * max(min(settings.max_leaf_nodes, stop - first), 1) + 1
    one, zero = np.int64(1), np.int64(0)  # not literals, for which the kernels would be compiled once more
    scratch = make_scratch(table.n_bins.shape[0], n_nodes, data.words.shape[1], one, histograms, gathered, buffer)
    return grow_with_team(table, data, settings, rows, first, stop, nodes, base, scratch, state, one, one, zero)
