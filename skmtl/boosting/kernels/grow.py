"""Growing one tree, leaf by leaf: the leaf whose split gains most is split next.

One thread owns the tree. Each of its steps (gathering words, partitioning rows, summing and scanning features) is cut
into chunks that other threads may take, see `team`. What a chunk does depends on nothing but its number, sums are sums
of integers and features are scanned each on its own: the tree is the same whoever took which chunk, and however many
there are.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .histogram import fill_features, next_run, subtract_codes
from .jit import borrowing
from .partition import partition_slice, write_sides
from .score import bounded_value, output_gradient, output_hessian, row_weight
from .split import candidate_features, choose_split, split_features
from .split_numeric import N_CODES, SCAN_SUMS
from .team import (
    CONTROL_WORDS,
    IDLE,
    MOST_CHUNKS,
    OVER,
    STEP,
    await_chunks,
    close_tree,
    finish_chunk,
    offer_chunks,
    take_chunk,
    wait,
)
from .types import CODE_WORDS, Scratch

#: Steps: copy words; partition the rows of a node; put the rows where they belong; sum and scan features.
_GATHER, _PARTITION, _PLACE, _FEATURES = 0, 1, 2, 3
#: What a step needs to know stands in the control array from STEP on.
_KIND, _CHUNKS, _NODE, _OTHER, _SLOT, _OTHER_SLOT, _FLAGS = range(STEP, STEP + 7)
#: Flags of the last kind of step: sum the node; sum its sibling; take the node from its parent, which becomes the
#: sibling; scan the node; scan the sibling.
_SUM, _SUM_OTHER, _SUBTRACT, _SCAN, _SCAN_OTHER = 1, 2, 4, 8, 16
#: Rows of a chunk at least, and codes to look at (rows times features, and bins of the scans) of a chunk at least.
_ROWS_PER_CHUNK, _CODES_PER_CHUNK = 4096, 4096
#: Chunks per thread: with more of them nobody waits long for the last one.
_CHUNKS_PER_THREAD = 3


@borrowing
def _best_leaf(nodes, base, n_nodes):
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
def _start_node(nodes, node, start, stop, depth):
    nodes.start[node], nodes.stop[node], nodes.depth[node] = start, stop, depth
    nodes.left[node], nodes.feature[node], nodes.gain[node] = 0, -1, 0.0


@njit(cache=True, nogil=True)
def make_scratch(n_features, n_rows, n_nodes, n_channels, n_threads, histograms, gathered, moved_rows):
    """Memory for trees of up to so many rows and nodes."""
    scores = np.empty((n_threads, N_CODES))
    return Scratch(
        histograms,
        gathered,
        moved_rows,
        np.empty((n_rows, n_channels), np.int64),
        np.empty((n_nodes, n_channels), np.int64),
        np.empty((2, n_features), np.uint8),
        np.empty((2, n_features), np.float64),
        np.empty((2, n_features, 2), np.int64),
        np.empty((2, n_features, CODE_WORDS), np.uint32),
        np.empty((MOST_CHUNKS, n_channels + 1), np.int64),
        np.zeros(CONTROL_WORDS, np.int64),
        np.empty((n_threads, 256), np.uint8),
        np.empty((n_threads, 256 * n_channels), np.int64),
        np.empty((n_threads, max(SCAN_SUMS, n_channels)), np.int64),
        scores,
        scores.view(np.int64),
    )


@borrowing
def _gather_chunk(data, rows, scratch, first, start, stop, total):
    """Copy words of the rows to where the rows are, and sum them."""
    n_channels = data.words.shape[1]
    total[:] = 0
    for i in range(start, stop):
        for c in range(n_channels):
            word = data.words[rows[i], c]
            scratch.gathered[i - first, c] = word
            total[c] += word


@borrowing
def _copy_rows(rows, start, out, out_start, n):
    """Copy row numbers; the two arrays are not the same."""
    a, b = np.uint64(start), np.uint64(out_start)
    for i in range(np.uint64(n)):
        out[b + i] = rows[a + i]


@borrowing
def _copy_words(words, start, out, out_start, n):
    """Copy words, (…, n_channels); the two arrays are not the same."""
    a, b = np.uint64(start), np.uint64(out_start)
    if words.shape[1] == 1:
        for i in range(np.uint64(n)):
            out[b + i, 0] = words[a + i, 0]
    else:
        for i in range(np.uint64(n)):
            for c in range(words.shape[1]):
                out[b + i, c] = words[a + i, c]


@borrowing
def _partition_chunk(table, nodes, node, rows, scratch, first, start, stop, alone, total, to_left):
    """Order the rows of a chunk by child: in place if it is the only one, else in `scratch`, right ones first."""
    n_channels = scratch.gathered.shape[1]
    write_sides(table, nodes, node, to_left)
    kept, words = rows[start:stop].view(np.uint32), scratch.gathered[start - first : stop - first]
    moved, moved_words = scratch.moved_rows.view(np.uint32)[start - first :], scratch.moved_words[start - first :]
    n_left = partition_slice(
        table.bins[nodes.feature[node]], to_left, kept, words, moved, moved_words, total[:n_channels]
    )
    total[n_channels] = n_left
    n_right = stop - start - n_left
    here = start - first
    if alone:
        _copy_rows(scratch.moved_rows, here, rows, start + n_left, n_right)
        _copy_words(scratch.moved_words, here, scratch.gathered, here + n_left, n_right)
    else:
        _copy_rows(rows, start, scratch.moved_rows, here + n_right, n_left)
        _copy_words(scratch.gathered, here, scratch.moved_words, here + n_right, n_left)


@borrowing
def _place_chunk(rows, scratch, first, chunk, n_chunks, start, stop, node_start):
    """Put the rows of a chunk where they belong among those of its node: left ones first."""
    left, right = np.int64(0), np.int64(0)
    n_channels = scratch.gathered.shape[1]
    for other in range(n_chunks):
        right += scratch.totals[other, n_channels]
        if other < chunk:
            left += scratch.totals[other, n_channels]
    n_left = scratch.totals[chunk, n_channels]
    n_right = stop - start - n_left
    right += (start - node_start) - left
    here, left, right = start - first, node_start + left, node_start + right
    _copy_rows(scratch.moved_rows, here, rows, right, n_right)
    _copy_words(scratch.moved_words, here, scratch.gathered, right - first, n_right)
    _copy_rows(scratch.moved_rows, here + n_right, rows, left, n_left)
    _copy_words(scratch.moved_words, here + n_right, scratch.gathered, left - first, n_left)


@borrowing
def _features_chunk(table, columns, data, settings, rows, nodes, base, scratch, first, begin, end, member):
    """Sum some of the features and scan them; packs that begin in the chunk are part of it as a whole."""
    control, n_columns = scratch.control, columns.shape[0]
    node, other, slot, other_slot = control[_NODE], control[_OTHER], control[_SLOT], control[_OTHER_SLOT]
    flags = control[_FLAGS]
    if table.packs.shape[0] > 0:
        for side in range(2):
            edge = begin if side == 0 else end
            if 0 < edge < n_columns:
                pack = table.pack_of[columns[edge]]
                while edge < n_columns and pack >= 0 and pack == table.pack_of[columns[edge - 1]]:
                    edge += 1
                    pack = table.pack_of[columns[edge]] if edge < n_columns else -1
            if side == 0:
                begin = edge
            else:
                end = edge
    if begin >= end:
        return
    n_channels = data.words.shape[1]
    size = table.offsets[-1] * n_channels
    for which in range(2):
        if flags & (_SUM if which == 0 else _SUM_OTHER):
            summed = node if which == 0 else other
            start, stop = nodes.start[summed], nodes.stop[summed]
            fill_features(
                table,
                columns,
                begin,
                end,
                rows,
                start,
                stop,
                scratch.gathered,
                start - first,
                scratch.histograms,
                (slot if which == 0 else other_slot) * size,
                scratch.pack_sums[member],
            )
    if flags & _SUBTRACT:
        a = begin
        while a < end:
            a, low, high = next_run(table, columns, a, end)
            low, n = low * n_channels, (high - low) * n_channels
            subtract_codes(scratch.histograms, other_slot * size + low, slot * size + low, n)
    for which in range(2):
        if flags & (_SCAN if which == 0 else _SCAN_OTHER):
            scanned = node if which == 0 else other
            split_features(
                table,
                columns,
                begin,
                end,
                data,
                settings,
                scratch.histograms,
                (slot if which == 0 else other_slot) * size,
                scratch.sums[scanned - base],
                nodes.lower[scanned],
                nodes.upper[scanned],
                scratch.tried[which],
                scratch.scores[which],
                scratch.cuts[which],
                scratch.subsets[which],
                scratch.scan_sums[member],
                scratch.scan_scores[member],
                scratch.scan_words[member],
            )


@borrowing
def _take_part(table, data, settings, rows, first, stop, nodes, base, scratch, tree, n_members, member):
    """Take chunks: the owner (member 0) until the step has none left, the others until the tree is finished."""
    control = scratch.control
    columns = table.columns if table.packs.shape[0] > 0 else table.active
    chunk = control[_CHUNKS] if n_members == 1 else 0
    turns = np.int64(0)
    while True:
        if n_members == 1:
            chunk -= 1
            if chunk < 0:
                return
        else:
            chunk = take_chunk(control, tree)
            if chunk == OVER or (chunk == IDLE and member == 0):
                return
            if chunk == IDLE:
                turns = wait(turns)
                continue
            turns = np.int64(0)
        kind, n_chunks, node = control[_KIND], control[_CHUNKS], control[_NODE]
        if kind == _FEATURES:
            n = columns.shape[0]
            begin, end = chunk * n // n_chunks, (chunk + 1) * n // n_chunks
            _features_chunk(table, columns, data, settings, rows, nodes, base, scratch, first, begin, end, member)
        else:
            low, high = (first, stop) if kind == _GATHER else (nodes.start[node], nodes.stop[node])
            begin = low + chunk * (high - low) // n_chunks
            end = low + (chunk + 1) * (high - low) // n_chunks
            if kind == _GATHER:
                _gather_chunk(data, rows, scratch, first, begin, end, scratch.totals[chunk])
            elif kind == _PARTITION:
                alone = n_chunks == 1
                _partition_chunk(
                    table,
                    nodes,
                    node,
                    rows,
                    scratch,
                    first,
                    begin,
                    end,
                    alone,
                    scratch.totals[chunk],
                    scratch.sides[member],
                )
            else:
                _place_chunk(rows, scratch, first, chunk, n_chunks, begin, end, low)
        if n_members > 1:
            finish_chunk(control)


@borrowing
def _chunks(work, least, n_members):
    """Into how many chunks to cut a step."""
    return min(max(work // least, 1), n_members * _CHUNKS_PER_THREAD, MOST_CHUNKS) if n_members > 1 else 1


@njit(cache=True, nogil=True)
def grow_with_team(table, data, settings, rows, first, stop, nodes, base, scratch, state, tree, n_members, member):
    """Grow one tree as its owner, or help to grow it; see `grow_tree`.

    Parameters
    ----------
    scratch : Scratch, see `make_scratch`; all members of the team are given the same
    tree : int64, number of the tree (see `team`)
    n_members : int64, number of threads; 1: there is no team
    member : int64, number of this thread; 0 owns the tree, the others return when it is finished
    """
    if member > 0:
        _take_part(table, data, settings, rows, first, stop, nodes, base, scratch, tree, n_members, member)
        return 0
    control, sums, histograms = scratch.control, scratch.sums, scratch.histograms
    n_channels = data.words.shape[1]
    size = table.offsets[-1] * n_channels
    max_nodes = 2 * max(min(settings.max_leaf_nodes, stop - first), 1) - 1
    n_slots = min(histograms.shape[0] // max(size, 1), max_nodes + 2)
    # Slots 0 and 1 are scratch; a leaf that waits for its split keeps its histogram in one of the others.
    free = np.arange(n_slots - 1, 1, -1)
    n_free = free.shape[0]
    slot_of = np.full(max_nodes, -1, np.int64)
    n_active = table.active.shape[0]
    candidates = np.empty(max(n_active, 1), np.int32)
    open_groups = np.ones((max_nodes, table.groups.shape[0]), np.uint8)

    _start_node(nodes, base, first, stop, 0)
    nodes.lower[base], nodes.upper[base] = -np.inf, np.inf
    n_nodes, n_leaves = 1, 1
    node, small, large, middle, depth = base, base, base, first, 0
    slot_small, slot_large, kept = 1, 0, -1
    wanted_small, wanted_large = False, False
    sums[0] = 0
    if stop == first:
        nodes.weight[base] = 0.0
        if n_members > 1:
            close_tree(control)
        return n_nodes
    # What follows is a list of steps, each of which is offered to the team at one and the same place below.
    step = _GATHER
    while True:
        flags = 0
        if step == _GATHER:
            n_chunks = _chunks(stop - first, _ROWS_PER_CHUNK, n_members)
        elif step in (_PARTITION, _PLACE):
            n_chunks = _chunks(nodes.stop[node] - nodes.start[node], _ROWS_PER_CHUNK, n_members)
        else:
            n_rows = np.int64(0)
            if kept >= 0 or wanted_small:
                flags |= _SUM
                n_rows += nodes.stop[small] - nodes.start[small]
            if kept >= 0:
                flags |= _SUBTRACT
            elif wanted_large:
                flags |= _SUM_OTHER
                n_rows += nodes.stop[large] - nodes.start[large]
            flags |= (_SCAN if wanted_small else 0) | (_SCAN_OTHER if wanted_large else 0)
            n_chunks = min(_chunks(n_rows * n_active + 2 * table.offsets[-1], _CODES_PER_CHUNK, n_members), n_active)
        control[_KIND], control[_CHUNKS], control[_FLAGS] = step, n_chunks, flags
        if step == _FEATURES:
            control[_NODE], control[_OTHER], control[_SLOT], control[_OTHER_SLOT] = small, large, slot_small, slot_large
        else:
            control[_NODE] = node
        if n_members > 1:
            offer_chunks(control, n_chunks)
        _take_part(table, data, settings, rows, first, stop, nodes, base, scratch, tree, n_members, member)
        if n_members > 1:
            await_chunks(control, n_chunks)

        if step == _GATHER:
            for chunk in range(n_chunks):
                for c in range(n_channels):
                    sums[0, c] += scratch.totals[chunk, c]
            nodes.weight[base] = row_weight(sums[0], data)
            # The root is summed as if it were the small child of a node without a histogram.
            wanted_small = (
                settings.max_leaf_nodes >= 2
                and settings.max_depth >= 1
                and nodes.weight[base] >= 2.0 * settings.min_weight
                and n_active > 0
            )
        elif step == _PARTITION:
            left = sums[n_nodes]
            middle = nodes.start[node]
            left[:] = 0
            for chunk in range(n_chunks):
                middle += scratch.totals[chunk, n_channels]
                for c in range(n_channels):
                    left[c] += scratch.totals[chunk, c]
            if n_chunks > 1:
                step = _PLACE
                continue
        if step in (_PARTITION, _PLACE):
            local, feature = node - base, nodes.feature[node]
            children = base + n_nodes
            depth = nodes.depth[node] + 1
            _start_node(nodes, children, nodes.start[node], middle, depth)
            _start_node(nodes, children + 1, middle, nodes.stop[node], depth)
            nodes.left[node] = n_nodes
            for c in range(n_channels):
                sums[n_nodes + 1, c] = sums[local, c] - sums[n_nodes, c]
            for child in (children, children + 1):
                nodes.weight[child] = row_weight(sums[child - base], data)
            for group in range(table.groups.shape[0]):
                still = open_groups[local, group] & table.groups[group, feature]
                open_groups[n_nodes, group] = still
                open_groups[n_nodes + 1, group] = still
            _bound_children(
                nodes, node, children, table.monotonic[feature], sums[n_nodes], sums[n_nodes + 1], data, settings.l2
            )
            n_nodes += 2
            n_leaves += 1
            left_is_small = middle - nodes.start[node] <= nodes.stop[node] - middle
            small = children if left_is_small else children + 1
            large = children + 1 if left_is_small else children
            kept = slot_of[local]
            slot_of[local] = -1
            wanted_small = depth < settings.max_depth and nodes.weight[small] >= 2.0 * settings.min_weight
            wanted_large = depth < settings.max_depth and nodes.weight[large] >= 2.0 * settings.min_weight
            if n_leaves == settings.max_leaf_nodes or not (wanted_small or wanted_large):
                wanted_small, wanted_large = False, False
                if kept >= 0:
                    free[n_free] = kept
                    n_free += 1
        elif step == _FEATURES:
            for child in range(min(small, large), max(small, large) + 1):
                which = 0 if child == small else 1
                child_slot = slot_small if which == 0 else slot_large
                if wanted_small if which == 0 else wanted_large:
                    nodes.gain[child] = choose_split(
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
            step = _FEATURES
            continue
        node = _best_leaf(nodes, base, n_nodes) if n_leaves < settings.max_leaf_nodes else -1
        if node < 0:
            break
        step = _PARTITION

    if n_members > 1:
        close_tree(control)
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0:
            nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
    return n_nodes


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
    n_nodes = 2 * max(min(settings.max_leaf_nodes, stop - first), 1) + 1
    scratch = make_scratch(
        table.n_bins.shape[0], stop - first, n_nodes, data.words.shape[1], 1, histograms, gathered, buffer
    )
    one, zero = np.int64(1), np.int64(0)  # not literals, for which the kernel would be compiled once more
    return grow_with_team(table, data, settings, rows, first, stop, nodes, base, scratch, state, one, one, zero)
