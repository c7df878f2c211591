"""The steps of growing a tree, cut into chunks that several threads may take; see `team`.

What a chunk does depends on nothing but its number. What a step is about stands in the control array, written by the
thread that owns the tree.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, embedded, entry, inner
from .histogram import fill_features, next_run, subtract_codes
from .pack_sums import PACK_SUMS
from .partition import partition_slice, write_sides
from .split import split_features
from .split_numeric import SCAN_SCORES, SCAN_SUMS
from .team import CONTROL_WORDS, IDLE, MOST_CHUNKS, OVER, STEP, finish_chunk, take_chunk, wait
from .types import CODE_WORDS, Scratch, TreeSettings, Words

#: Steps: sum the words of a node's rows; partition the rows of a node; put the rows where they belong; sum and scan
#: features.
GATHER, PARTITION, PLACE, FEATURES = 0, 1, 2, 3
#: What a step needs to know stands in the control array from STEP on.
KIND, CHUNKS, NODE, OTHER, SLOT, OTHER_SLOT, FLAGS = range(STEP, STEP + 7)
#: What is known of the tree, from there on.
_TREE = STEP + 8
#: Flags of the last kind of step: sum the node; sum its sibling; take the node from its parent, which becomes the
#: sibling; scan the node; scan the sibling.
SUM, SUM_OTHER, SUBTRACT, SCAN, SCAN_OTHER = 1, 2, 4, 8, 16
#: Rows of a chunk at least, and codes to look at (rows times features, and bins of the scans) of a chunk at least.
ROWS_PER_CHUNK, CODES_PER_CHUNK = 4096, 4096
_N_NUMBERS = 7
#: Integers of a cache line, twice: the processor fetches lines in pairs.
_CACHE_LINE = 16
#: Chunks per thread: with more of them nobody waits long for the last one.
_CHUNKS_PER_THREAD = 6


@entry
def make_scratch(n_features, n_nodes, n_channels, n_threads, histograms, gathered, moved_rows):
    """Memory for trees of up to so many rows and nodes."""
    scores = np.empty((n_threads, SCAN_SCORES))
    # No other array may share a cache line with what threads agree through.
    control = np.zeros(CONTROL_WORDS + 32, np.int64)[16 : 16 + CONTROL_WORDS]
    return Scratch(
        histograms,
        gathered,
        moved_rows,
        np.empty((n_nodes, n_channels), np.int64),
        np.empty((2, n_features), np.uint8),
        np.empty((2, n_features), np.float64),
        np.empty((2, n_features, 2), np.int64),
        np.empty((2, n_features, CODE_WORDS), np.uint32),
        # Nor may two chunks: what they add up to is written row by row.
        np.empty((MOST_CHUNKS, n_channels + _CACHE_LINE), np.int64),
        control,
        np.zeros(_N_NUMBERS),
        np.empty((n_threads, 256), np.uint8),
        np.empty((n_threads, PACK_SUMS * n_channels), np.int64),
        np.empty((n_threads, max(SCAN_SUMS, n_channels)), np.int64),
        scores,
        scores.view(np.int64),
    )


@borrowing
def publish(scratch, data, settings):
    """Write down what tells one tree from another, for threads that stay from tree to tree."""
    numbers, control = scratch.numbers, scratch.control
    numbers[0], numbers[1], numbers[2] = data.gradient_unit, data.hessian_unit, data.weight_unit
    numbers[3], numbers[4], numbers[5] = settings.min_weight, settings.min_hessian, settings.l2
    numbers[6] = settings.noise
    control[_TREE], control[_TREE + 1] = data.shift, settings.max_leaf_nodes
    control[_TREE + 2], control[_TREE + 3] = settings.max_depth, settings.n_candidates


@inner
def read_published(scratch, data):
    """The words and the settings of the tree, as they were written down; the array of the words is that of `data`."""
    numbers, control = scratch.numbers, scratch.control
    words = Words(
        data.words,
        control[_TREE],
        numbers[0],
        numbers[1],
        numbers[2],
        data.n_outputs,
        data.own_hessian,
        data.weighted,
    )
    settings = TreeSettings(
        control[_TREE + 1], control[_TREE + 2], numbers[3], numbers[4], numbers[5], control[_TREE + 3], numbers[6]
    )
    return words, settings


@borrowing
def _gather_chunk(words, rows, together, gathered, first, start, stop, total):
    """Sum the words of the rows ``rows[start:stop]``, and copy them to where the rows are unless they are `together`.

    Only rows that are summed have their words copied, which is the smaller child of a split: taking the words along
    whenever rows move costs more than all of that.
    """
    n_channels = words.shape[1]
    n_rows = stop - start
    if together:
        here = words[rows[start] : rows[start] + n_rows]
        for c in range(n_channels):
            value = np.int64(0)
            for i in range(n_rows):
                value += here[i, c]
            total[c] = value
        return
    chosen, gathered = rows[start:stop].view(np.uint32), gathered[start - first : stop - first]
    if n_channels == 1:
        value = np.int64(0)
        for i in range(chosen.shape[0]):
            word = words[chosen[i], 0]
            gathered[i, 0] = word
            value += word
        total[0] = value
    elif n_channels == 2:
        value, other = np.int64(0), np.int64(0)
        for i in range(chosen.shape[0]):
            word, second = words[chosen[i], 0], words[chosen[i], 1]
            gathered[i, 0], gathered[i, 1] = word, second
            value += word
            other += second
        total[0], total[1] = value, other
    else:
        total[:n_channels] = 0
        for i in range(chosen.shape[0]):
            for c in range(n_channels):
                word = words[chosen[i], c]
                gathered[i, c] = word
                total[c] += word


@borrowing
def _copy_rows(rows, start, out, out_start, n):
    """Copy row numbers; the two arrays are not the same."""
    a, b = np.uint64(start), np.uint64(out_start)
    for i in range(np.uint64(n)):
        out[b + i] = rows[a + i]


@borrowing
def _partition_chunk(column, to_left, rows, moved_rows, first, start, stop, alone, total):
    """Order the rows of a chunk by child: in place if it is the only one, else in `moved_rows`, right ones first."""
    here = start - first
    kept, moved = rows[start:stop].view(np.uint32), moved_rows[here : stop - first].view(np.uint32)
    n_left = partition_slice(column, to_left, kept, moved)
    total[0] = n_left
    n_right = stop - start - n_left
    if alone:
        _copy_rows(moved_rows, here, rows, start + n_left, n_right)
    else:
        _copy_rows(rows, start, moved_rows, here + n_right, n_left)


@borrowing
def _place_chunk(rows, moved_rows, totals, first, chunk, n_chunks, start, stop, node_start):
    """Put the rows of a chunk where they belong among those of its node: left ones first."""
    left, right = np.int64(0), np.int64(0)
    for other in range(n_chunks):
        right += totals[other, 0]
        if other < chunk:
            left += totals[other, 0]
    n_left = totals[chunk, 0]
    n_right = stop - start - n_left
    right += (start - node_start) - left
    here = start - first
    _copy_rows(moved_rows, here, rows, node_start + right, n_right)
    _copy_rows(moved_rows, here + n_right, rows, node_start + left, n_left)


@borrowing
def follow_each_other(rows, start, stop):
    """Whether the rows of a node have no gaps: they are in ascending order, so that the ends tell."""
    return stop > start and np.int64(rows[stop - 1]) - np.int64(rows[start]) == stop - start - 1


@embedded
def _features_chunk(table, columns, data, settings, rows, nodes, base, scratch, first, begin, end, member):
    """Sum some of the features and scan them; packs that begin in the chunk are part of it as a whole."""
    control, n_columns = scratch.control, columns.shape[0]
    node, other, slot, other_slot = control[NODE], control[OTHER], control[SLOT], control[OTHER_SLOT]
    flags = control[FLAGS]
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
        if flags & (SUM if which == 0 else SUM_OTHER):
            summed = node if which == 0 else other
            start, stop = nodes.start[summed], nodes.stop[summed]
            together = follow_each_other(rows, start, stop)
            words = data.words if together else scratch.gathered
            fill_features(
                table,
                columns,
                begin,
                end,
                rows,
                start,
                stop,
                words,
                np.int64(rows[start]) if together else start - first,
                scratch.histograms,
                (slot if which == 0 else other_slot) * size,
                scratch.pack_sums[member],
            )
    if flags & SUBTRACT:
        a = begin
        while a < end:
            a, low, high = next_run(table, columns, a, end)
            low, n = low * n_channels, (high - low) * n_channels
            subtract_codes(scratch.histograms, other_slot * size + low, slot * size + low, n)
    for which in range(2):
        if flags & (SCAN if which == 0 else SCAN_OTHER):
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
def take_part(table, data, settings, rows, first, nodes, base, scratch, tree, alone, member):
    """Take chunks: the owner (member 0) until the step has none left, the others until the tree is finished.

    `alone`: the owner takes the single chunk, of which nobody else knows.
    """
    control = scratch.control
    columns = table.columns if table.packs.shape[0] > 0 else table.active
    chunk = np.int64(1)
    turns = np.int64(0)
    while True:
        if alone:
            chunk -= 1
            if chunk < 0:
                return
        else:
            chunk = take_chunk(control, tree, member)
            if chunk == OVER or (chunk == IDLE and member == 0):
                return
            if chunk == IDLE:
                turns = wait(turns)
                continue
            turns = np.int64(0)
        kind, n_chunks, node = control[KIND], control[CHUNKS], control[NODE]
        if kind == FEATURES:
            # Pairs of features stay together: they are summed at once.
            n = columns.shape[0]
            pairs = (n + 1) // 2
            begin, end = 2 * (chunk * pairs // n_chunks), min(2 * ((chunk + 1) * pairs // n_chunks), n)
            _features_chunk(table, columns, data, settings, rows, nodes, base, scratch, first, begin, end, member)
        else:
            low, high = nodes.start[node], nodes.stop[node]
            begin = low + chunk * (high - low) // n_chunks
            end = low + (chunk + 1) * (high - low) // n_chunks
            if kind == GATHER:
                together = follow_each_other(rows, low, high)
                _gather_chunk(data.words, rows, together, scratch.gathered, first, begin, end, scratch.totals[chunk])
            elif kind == PARTITION:
                column, to_left = table.bins[nodes.feature[node]], scratch.sides[member]
                write_sides(table, nodes, node, to_left)
                total = scratch.totals[chunk]
                _partition_chunk(column, to_left, rows, scratch.moved_rows, first, begin, end, alone, total)
            else:
                _place_chunk(rows, scratch.moved_rows, scratch.totals, first, chunk, n_chunks, begin, end, low)
        if not alone:
            finish_chunk(control)


@borrowing
def count_chunks(work, least, n_members):
    """Into how many chunks to cut a step."""
    return min(max(work // least, 1), n_members * _CHUNKS_PER_THREAD, MOST_CHUNKS) if n_members > 1 else 1
