"""One tree per task (unit), all of a round in one call.

A task of 20 rows has at most 20 distinct codes per feature. Its rows are therefore coded anew, by rank among the codes
that the task has, and where it has many, several in a row share one: its histograms are as long as the task is large.
Splits are translated back to the codes of the whole table.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, entry, inner
from .grow import grow_with_team
from .grow_steps import make_scratch
from .types import Table, Words

#: Neighbouring codes of a unit that may become one.
_CODES_TOGETHER = 3


@borrowing
def _codes_to_keep(n, least):
    """How many of the `n` codes that a unit has of an ordered feature to tell apart: see `compact_codes`."""
    return min(n, max(least, (n + _CODES_TOGETHER - 1) // _CODES_TOGETHER))


@entry
def compact_codes(bins, n_bins, categorical, least, pointers, local_bins, local_n_bins, map_pointers, local_map):
    """Code each unit's rows by rank among the unit's own codes.

    Where a unit has more than `least` codes of an ordered feature, up to three neighbours share one: of so many
    thresholds the next but one is as good, and trees are grown in half the time. How many times a code occurs is of no
    account, so that a row of weight 2 is the row twice.

    Parameters
    ----------
    bins : uint8 (n_features, n), rows of unit u are ``pointers[u]:pointers[u + 1]``
    n_bins : int32 (n_features,)
    categorical : uint8 (n_features,)
    least : int64
    pointers : int64 (n_units + 1,)
    local_bins : uint8 (n_features, n), out
    local_n_bins : int32 (n_units, n_features), out
    map_pointers : int64 (n_units * n_features + 1,), out; where in `local_map` each feature of each unit begins
    local_map : uint8, out, room for ``sum(min(rows of unit, 256)) * n_features`` codes: for each local code of an
        ordered feature the threshold of the table that stands for one after it, for each category its code in the table
    """
    n_features = bins.shape[0]
    rank, codes = np.empty(256, np.uint8), np.empty(256, np.uint8)
    position = 0
    for u in range(pointers.shape[0] - 1):
        for f in range(n_features):
            map_pointers[u * n_features + f] = position
            present = np.zeros(256, np.uint8)
            for i in range(pointers[u], pointers[u + 1]):
                present[bins[f, i]] = 1
            n = np.int64(0)
            for code in range(n_bins[f]):
                codes[n] = code
                n += np.int64(present[code])
            n_kept = n if categorical[f] else _codes_to_keep(n, least)
            kept = 0
            for k in range(n):
                code = np.int64(codes[k])
                rank[code] = kept
                if (k + 1) * n_kept < (kept + 1) * n:
                    continue
                # Half-way to the next code that the unit has; after the last one only missing values come.
                cut = (code + np.int64(codes[k + 1])) // 2 if k + 1 < n else np.int64(n_bins[f]) - 1
                local_map[position] = code if categorical[f] else cut
                position += 1
                kept += 1
            local_n_bins[u, f] = kept
            rank[n_bins[f]] = kept
            for i in range(pointers[u], pointers[u + 1]):
                local_bins[f, i] = rank[bins[f, i]]
    map_pointers[-1] = position


@inner
def _to_global(nodes, base, n_nodes, n_bins, codes_of, pointers, unit):
    """Translate splits from the local codes of `unit` to the codes of the table."""
    n_features = n_bins.shape[0]
    for node in range(base, base + n_nodes):
        if nodes.left[node] == 0:
            continue
        f = nodes.feature[node]
        begin, end = pointers[unit * n_features + f], pointers[unit * n_features + f + 1]
        n_local = end - begin
        if nodes.categorical[node]:
            local_codes = nodes.left_codes[node].copy()
            # Codes that the task does not have go with its missing values, which go with the heavier child if there are
            # none.
            nodes.left_codes[node, :] = np.uint32(0xFFFFFFFF) if nodes.missing_left[node] else np.uint32(0)
            for local in range(n_local + 1):
                code = np.int64(codes_of[begin + local]) if local < n_local else np.int64(n_bins[f])
                bit = np.uint32(1) << np.uint32(code & 31)
                if (local_codes[local >> 5] >> np.uint32(local & 31)) & np.uint32(1):
                    nodes.left_codes[node, code >> 5] |= bit
                else:
                    nodes.left_codes[node, code >> 5] &= ~bit
        else:
            nodes.threshold[node] = codes_of[begin + np.int64(nodes.threshold[node])]


@entry
def grow_unit_trees(
    table,
    local_n_bins,
    local_map,
    map_pointers,
    data,
    settings,
    rows,
    row_pointers,
    first_unit,
    stop_unit,
    nodes,
    node_pointers,
    n_nodes,
    histograms,
    gathered,
    buffer,
    seeds,
):
    """Grow a tree for each of the units ``first_unit:stop_unit``.

    Parameters
    ----------
    table : Table with the local codes as `bins`, the codes of the whole table otherwise
    local_n_bins, local_map, map_pointers : see `compact_codes`
    data : Words with the scales of each unit, see `to_unit_words`
    rows : int32, the rows to use; those of unit u are ``rows[row_pointers[u]:row_pointers[u + 1]]``, rearranged
    nodes : Nodes; the tree of unit u goes to ``nodes[node_pointers[u]:]``
    n_nodes : int64 (n_units,), out
    seeds : int64 (n_units,)
    histograms, gathered, buffer : scratch, see `grow_tree`
    """
    n_features = table.bins.shape[0]
    offsets = np.zeros(n_features + 1, np.int64)
    active = np.empty(n_features, np.int32)
    # Codes are those of the unit, so that packs of the table's features are of no use.
    no_columns, no_packs = np.empty(0, np.int32), np.empty((0, 0), np.uint8)
    no_numbers, no_codes = np.empty(0, np.int64), np.empty((0, 256), np.uint8)
    # Not literals, for which `grow_with_team` would be compiled once more.
    one, zero = np.int64(1), np.int64(0)
    largest = one
    for u in range(first_unit, stop_unit):
        largest = max(largest, row_pointers[u + 1] - row_pointers[u])
    room = 2 * min(settings.max_leaf_nodes, largest) + 1
    scratch = make_scratch(n_features, room, data.words.shape[1], one, histograms, gathered, buffer)
    for u in range(first_unit, stop_unit):
        n_active = 0
        for f in range(n_features):
            # Room for the missing code always; a feature with a single code has nothing to split.
            offsets[f + 1] = offsets[f] + local_n_bins[u, f] + 1
            active[n_active] = f
            if local_n_bins[u, f] > 0 and table.n_bins[f] > 0:
                n_active += 1
        local = Table(
            table.bins,
            local_n_bins[u],
            offsets,
            active[:n_active],
            table.categorical,
            table.monotonic,
            table.groups,
            table.n_own,
            table.task_of_row,
            table.task_stops,
            table.task_places,
            no_columns,
            no_packs,
            no_numbers,
            no_numbers,
            no_numbers,
            no_codes,
            no_codes,
            no_numbers,
        )
        own_data = Words(
            data.words,
            data.shift,
            data.gradient_unit[u],
            data.hessian_unit[u],
            data.weight_unit[u],
            data.n_outputs,
            data.own_hessian,
            data.weighted,
        )
        n_nodes[u] = grow_with_team(
            local,
            own_data,
            settings,
            rows,
            row_pointers[u],
            row_pointers[u + 1],
            nodes,
            node_pointers[u],
            scratch,
            seeds[u],
            one,
            one,
            zero,
        )
        _to_global(nodes, node_pointers[u], n_nodes[u], table.n_bins, local_map, map_pointers, u)
