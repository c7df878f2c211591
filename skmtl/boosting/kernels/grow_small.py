"""One tree per task (unit) where the table is plain: numeric features without constraints, and one output.

Grows the trees that `grow_unit_trees` grows, bit for bit. A tree of twenty rows is so little work that the steps of
the general kernel, made to be shared by threads, would take most of its time. Here the codes of a node lie next to each
other, feature after feature, and are gone through in one loop. What is kept of a node is not its histogram but the sums
on the left of every threshold, which subtract just as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._shared.jit import borrowing, borrowing_entry, embedded, entry
from .grow import best_leaf, start_node
from .histogram import subtract_codes
from .score import row_weight
from .split_numeric import N_CODES, least_count
from .split_small import draw_candidates, split_node
from .types import Words

#: A feature has room for a multiple of so many codes: loops over whole vectors are easier to foresee.
LANES = 4
#: And all features together.
_VECTOR = 8


class UnitCodes(NamedTuple):
    """Codes of all rows, row by row, as places among the codes of their unit; see `place_codes`."""

    places: Any  # uint16 (n_rows, n_features)
    offsets: Any  # int64 (n_units, n_features + 1), where each feature begins
    n_bins: Any  # int32 (n_units, n_features), codes without the missing one, which comes next if there is one
    some_missing: Any  # bool (n_units,), whether any code is missing
    table_n_bins: Any  # int32 (n_features,)
    local_map: Any  # uint8, the threshold of the table for each code of a unit, see `compact_codes`
    map_pointers: Any  # int64 (n_units * n_features + 1,)


class SmallScratch(NamedTuple):
    """Memory for a tree."""

    left: Any  # int64, for each node kept the sums on the left of each code, channel by channel
    shifted: Any  # int64 (n_channels * N_CODES,), the sums of a feature with missing values on the left
    scores: Any  # float64, of each code
    bits: Any  # int64, the same memory
    totals: Any  # int64 (n_nodes, n_channels)
    slots: Any  # int64 (n_nodes,), which of the nodes kept
    moved: Any  # int32, rows
    candidates: Any  # int32 (n_features,)
    missing: Any  # int64 (n_channels,)
    found: Any  # int64 (3,), a split


@entry
def place_codes(bins, n_bins, pointers, places, offsets, some_missing):
    """Put the codes of a unit in one row: every code of its first feature, then those of the second, and so on.

    bins : uint8 (n_features, n), `n_bins` : int32 (n_units, n_features), codes by rank, see `compact_codes`;
    places, offsets, some_missing : see `UnitCodes`, out
    """
    for u in range(pointers.shape[0] - 1):
        begin = np.int64(0)
        some_missing[u] = False
        for f in range(bins.shape[0]):
            offsets[u, f] = begin
            largest = np.int64(n_bins[u, f]) - 1
            for i in range(pointers[u], pointers[u + 1]):
                code = np.int64(bins[f, i])
                largest = max(largest, code)
                places[i, f] = begin + code
            some_missing[u] |= largest == n_bins[u, f]
            begin += (largest + LANES) // LANES * LANES
        offsets[u, bins.shape[0]] = begin


@borrowing
def _whole_vectors(n_codes):
    """Room for the codes of a unit."""
    return (n_codes + _VECTOR - 1) // _VECTOR * _VECTOR


@embedded
def _sum_left(places, words, rows, start, stop, offsets, size, total, sums, base):
    """Sum the words of ``rows[start:stop]`` up to each code, to ``sums[base:]``, one channel after the other.

    At its last code a feature has come to the `total`. It is taken away in advance from the first code of the next one,
    so that one loop sums all of them, which are `size`.
    """
    n_features, n_channels = np.uint64(places.shape[1]), np.uint64(words.shape[1])
    base, size = np.uint64(base), np.uint64(size)
    for j in range(base, base + n_channels * size):
        sums[j] = 0
    for c in range(n_channels):
        for f in range(np.uint64(1), n_features):
            sums[base + c * size + np.uint64(offsets[f])] = -total[c]
    if n_channels == 1:
        for i in range(np.uint64(start), np.uint64(stop)):
            row = np.uint64(rows[i])
            word = words[row, 0]
            for f in range(n_features):
                sums[base + np.uint64(places[row, f])] += word
    else:
        for i in range(np.uint64(start), np.uint64(stop)):
            row = np.uint64(rows[i])
            for c in range(n_channels):
                word, first = words[row, c], base + c * size
                for f in range(n_features):
                    sums[first + np.uint64(places[row, f])] += word
    for c in range(n_channels):
        first = base + c * size
        left = np.int64(0)
        for j in range(first, first + size):
            left += sums[j]
            sums[j] = left


@embedded
def _sum_side(offsets, n_bins, feature, threshold, missing_left, base, size, total, left, out):
    """Sum the words of the rows that a split sends to the left, to `out`."""
    begin, n = offsets[feature], np.int64(n_bins[feature])
    for c in range(total.shape[0]):
        first = base + c * size + begin
        out[c] = left[first + threshold]
        if missing_left:
            out[c] += total[c] - left[first + n - 1]


@embedded
def _partition(places, feature, last, missing_place, missing_left, rows, start, stop, moved):
    """Put the rows that a split sends to the left first; both sides keep their order."""
    n_left, n_right = np.uint64(start), np.uint64(0)
    f = np.uint64(feature)
    other = missing_place if missing_left else np.int64(-1)
    for i in range(np.uint64(start), np.uint64(stop)):
        row = rows[i]
        place = np.int64(places[np.uint64(row), f])
        to_left = (place <= last) | (place == other)
        rows[n_left] = row
        moved[n_right] = row
        n_left += np.uint64(to_left)
        n_right += np.uint64(not to_left)
    for i in range(n_right):
        rows[n_left + i] = moved[i]


def small_scratch(n_features, n_rows, n_codes, n_channels, max_leaf_nodes):
    """Memory for trees of up to so many rows and leaves, whose codes take so much room."""
    n_codes = (n_codes + _VECTOR - 1) // _VECTOR * _VECTOR
    scores = np.empty(n_codes + 1)
    n_nodes = 2 * max_leaf_nodes + 1
    return SmallScratch(
        np.empty(n_codes * n_channels * max_leaf_nodes, np.int64),
        np.empty(n_channels * N_CODES, np.int64),
        scores,
        scores.view(np.int64),
        np.empty((n_nodes, n_channels), np.int64),
        np.empty(n_nodes, np.int64),
        np.empty(n_rows + 1, np.int32),
        np.empty(n_features + 1, np.int32),
        np.empty(n_channels, np.int64),
        np.empty(3, np.int64),
    )


@borrowing_entry
def grow_small_trees(
    codes, data, settings, rows, row_pointers, first_unit, stop_unit, nodes, node_pointers, n_nodes, scratch, seeds
):
    """Grow a tree for each of the units ``first_unit:stop_unit``; see `grow_unit_trees`.

    codes : UnitCodes; scratch : SmallScratch with room for the largest unit; nodes : Nodes, whose bounds are left alone
    """
    places, words = codes.places, data.words
    left, totals, slots, candidates, found = (
        scratch.left, scratch.totals, scratch.slots, scratch.candidates, scratch.found
    )  # fmt: skip
    n_channels = words.shape[1]
    least = least_count(settings)
    for u in range(first_unit, stop_unit):
        own = Words(
            words,
            data.shift,
            data.gradient_unit[u],
            data.hessian_unit[u],
            data.weight_unit[u],
            data.n_outputs,
            data.own_hessian,
            data.weighted,
        )
        first, stop = row_pointers[u], row_pointers[u + 1]
        base, state = node_pointers[u], seeds[u]
        offsets, n_bins = codes.offsets[u], codes.n_bins[u]
        size = _whole_vectors(offsets[places.shape[1]])
        stride = size * n_channels
        start_node(nodes, base, first, stop, 0)
        n_grown, n_leaves, n_slots = np.int64(1), np.int64(1), np.int64(0)
        for c in range(n_channels):
            sum_of_rows = np.int64(0)
            for i in range(np.uint64(first), np.uint64(stop)):
                sum_of_rows += words[np.uint64(rows[i]), c]
            totals[0, c] = sum_of_rows
        nodes.weight[base] = row_weight(totals[0], own)
        n_candidates, whole, _ = draw_candidates(n_bins, codes.table_n_bins, settings, candidates, state)
        n_active = n_candidates
        small, large = base, base
        wanted_small = (
            settings.max_leaf_nodes >= 2
            and settings.max_depth >= 1
            and nodes.weight[base] >= 2.0 * settings.min_weight
            and n_active > 0
        )
        wanted_large = False
        while True:
            if wanted_small or wanted_large:
                start, end = nodes.start[small], nodes.stop[small]
                slots[small - base] = n_slots
                kept = n_slots * stride
                n_slots += 1
                _sum_left(places, words, rows, start, end, offsets, size, totals[small - base], left, kept)
                if wanted_large:
                    subtract_codes(left, slots[large - base] * stride, kept, stride)
                # Left before right, so that the features drawn do not depend on how rows are counted.
                for child in range(min(small, large), max(small, large) + 1):
                    if wanted_small if child == small else wanted_large:
                        if not whole:
                            n_candidates, _, state = draw_candidates(
                                n_bins, codes.table_n_bins, settings, candidates, state
                            )
                        nodes.gain[child] = split_node(
                            offsets, n_bins, size, codes.some_missing[u], candidates, n_candidates, whole,
                            left, slots[child - base] * stride, totals[child - base], own, settings, least,
                            scratch.scores, scratch.bits, scratch.shifted, scratch.missing, found,
                        )  # fmt: skip
                        nodes.feature[child], nodes.threshold[child] = found[0], found[1]
                        nodes.missing_left[child], nodes.categorical[child] = found[2], 0
            node = best_leaf(nodes, base, n_grown) if n_leaves < settings.max_leaf_nodes else np.int64(-1)
            if node < 0:
                break
            feature, threshold = np.int64(nodes.feature[node]), np.int64(nodes.threshold[node])
            missing_left = nodes.missing_left[node] != 0
            kept, total = slots[node - base] * stride, totals[node - base]
            a = n_grown
            _sum_side(offsets, n_bins, feature, threshold, missing_left, kept, size, total, left, totals[a])
            for c in range(n_channels):
                totals[a + 1, c] = total[c] - totals[a, c]
            middle = nodes.start[node] + (totals[a, 0] & ((np.int64(1) << data.shift) - 1))
            begin, n = offsets[feature], np.int64(n_bins[feature])
            start, end = nodes.start[node], nodes.stop[node]
            _partition(places, feature, begin + threshold, begin + n, missing_left, rows, start, end, scratch.moved)
            depth = nodes.depth[node] + 1
            nodes.left[node] = n_grown
            n_grown += 2
            n_leaves += 1
            start_node(nodes, base + a, start, middle, depth)
            start_node(nodes, base + a + 1, middle, end, depth)
            left_is_small = middle - start <= end - middle
            small = base + a if left_is_small else base + a + 1
            large = base + a + 1 if left_is_small else base + a
            for child in range(base + a, base + a + 2):
                nodes.weight[child] = row_weight(totals[child - base], own)
            slots[large - base] = slots[node - base]
            more = n_leaves < settings.max_leaf_nodes and depth < settings.max_depth
            wanted_small = more and nodes.weight[small] >= 2.0 * settings.min_weight
            wanted_large = more and nodes.weight[large] >= 2.0 * settings.min_weight
        for node in range(base, base + n_grown):
            if nodes.left[node] == 0:
                nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
            else:
                f = nodes.feature[node]
                begin = codes.map_pointers[u * places.shape[1] + f]
                nodes.threshold[node] = codes.local_map[begin + np.int64(nodes.threshold[node])]
        n_nodes[u] = n_grown
