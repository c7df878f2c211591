"""Joint trees: one structure for all units, leaf values per unit.

Every unit (a task, or a pair of task and target column) has its own sums in every node. A split's gain is the sum over
units of what each would gain alone, less what chance alone would show: a unit of noise with dispersion phi gains
``phi (H_l / (H_l + l2) + H_r / (H_r + l2) - H / (H + l2))`` on average. So units of twenty rows decide together *where*
to split and keep to themselves *how much*. Sharing a structure between several outputs of the same rows is from Z. Ying
et al., "MT-GBM: A multi-task gradient boosting machine with shared decision trees", 2022, arXiv 2201.06239; here a row
has one unit.

The gain of a unit changes only at codes that the unit has, so it is added up as differences: the cost of a split
search is linear in rows, whatever the number of units times bins.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._shared.jit import entry, inner
from .joint_plain import SHORT, add_plain_gains, add_two_code_gains, run_totals
from .partition import partition_rows
from .score import TIE
from .split_categorical import least_support, sort_by_keys


class JointTable(NamedTuple):
    """Coarse codes for joint trees. A code below ``n_bins[f]`` is a bin, the code ``n_bins[f]`` says "missing"."""

    bins: Any  # uint8 (n_features, n_rows)
    n_bins: Any  # int32 (n_features,)
    active: Any  # int32 (n_active,), features that joint trees may split on
    categorical: Any  # uint8 (n_features,)
    groups: Any  # uint8 (n_groups, n_features)
    units: Any  # int64 (n_rows,), ascending


@entry
def coarsen(bins, fine_to_coarse, out):
    """Write coarse codes of the first features.

    bins : uint8 (n_features or more, n); fine_to_coarse : uint8 (n_features, 256); out : uint8 (n_features, n)
    """
    for f in range(out.shape[0]):
        table = fine_to_coarse[f]
        for i in range(bins.shape[1]):
            out[f, i] = table[bins[f, i]]


@inner
def unit_runs(units, rows, start, stop, runs):
    """Write where each unit's rows begin among ``rows[start:stop]`` to `runs`; returns the number of units there."""
    n = 0
    before = np.int64(-1)
    for i in range(start, stop):
        unit = units[rows[i]]
        if unit != before:
            runs[n] = i
            n += 1
            before = unit
    runs[n] = stop
    return n


@inner
def _read_sums(sums, data, unit, gradients, hessians):
    """Turn integer sums, (n_channels,), into gradient and Hessian sums of each output; returns the weight."""
    n_outputs = data.n_outputs
    count = np.float64(sums[0] & ((np.int64(1) << data.shift) - 1))
    weight = sums[sums.shape[0] - 1] * data.weight_unit[unit] if data.weighted else count
    gradients[0] = (sums[0] >> data.shift) * data.gradient_unit[unit]
    for k in range(1, n_outputs):
        gradients[k] = sums[k] * data.gradient_unit[unit]
    for k in range(n_outputs):
        hessians[k] = sums[n_outputs + k] * data.hessian_unit[unit] if data.own_hessian else weight
    return weight


@inner
def _unit_score(gradients, hessians, l2, noise):
    """Score of a unit's rows in a node, noise taken off."""
    score = 0.0
    for k in range(gradients.shape[0]):
        if hessians[k] + l2 > 0.0:
            score += (gradients[k] * gradients[k] - noise * hessians[k]) / (hessians[k] + l2)
    return score


@inner
def _pooled_order(table, data, settings, f, rows, runs, n_runs, rank):
    """Order the codes of a categorical feature by the mean gradient of all units.

    Writes the rank of every code to `rank`, that of the codes of little weight after the last; returns how many ranks
    there are.
    """
    n_codes = table.n_bins[f] + 1
    n_channels = data.words.shape[1]
    g, h, weight = np.zeros(n_codes), np.zeros(n_codes), np.zeros(n_codes)
    sums = np.zeros((n_codes, n_channels), np.int64)
    gradients, hessians = np.empty(data.n_outputs), np.empty(data.n_outputs)
    column = table.bins[f]
    for r in range(n_runs):
        unit = table.units[rows[runs[r]]]
        sums[:] = 0
        for i in range(runs[r], runs[r + 1]):
            for c in range(n_channels):
                sums[column[rows[i]], c] += data.words[rows[i], c]
        for code in range(n_codes):
            if sums[code, 0] != 0:
                weight[code] += _read_sums(sums[code], data, unit, gradients, hessians)
                g[code] += gradients[0]
                h[code] += hessians[0]
    # Codes of little weight share a rank, that of their common mean; see `best_subset`.
    least, g_rare, h_rare = least_support(settings), 0.0, 0.0
    for code in range(n_codes):
        if 0.0 < weight[code] < least:
            g_rare += g[code]
            h_rare += h[code]
    mean, order = np.empty(n_codes + 1), np.empty(n_codes + 1, np.int64)
    for code in range(n_codes):
        order[code] = code
        mean[code] = g[code] / h[code] if weight[code] >= least and h[code] > 0.0 else np.inf
    order[n_codes] = n_codes
    mean[n_codes] = g_rare / h_rare if h_rare > 0.0 else np.inf
    sort_by_keys(order, mean, n_codes + 1)
    for place in range(n_codes + 1):
        rank[order[place]] = place
    for code in range(n_codes):
        if 0.0 < weight[code] < least:
            rank[code] = rank[n_codes]
    return n_codes + 1


@inner
def _add_run_gains(
    column, rank, ranked, n_codes, missing_code, missing_left, data, unit, rows, begin, end, l2, noise,
    sums, found, steps, weights, scratch,
):  # fmt: skip
    """Add what one unit gains at every threshold, as differences, to `steps`, and its weights to `weights`.

    sums : int64 (n_codes, n_channels), zero before and after; found : uint8 (SHORT,), scratch;
    scratch : float64 (6, n_outputs)
    """
    n_channels = data.words.shape[1]
    short = end - begin < SHORT
    n_found = 0
    total = np.zeros(n_channels, np.int64)
    for i in range(begin, end):
        row = rows[i]
        code = np.int64(column[row])
        if ranked:
            code = np.int64(rank[code])
        if short and sums[code, 0] == 0 and code != missing_code:
            place = n_found  # insertion: the list stays sorted
            while place > 0 and found[place - 1] > code:
                found[place] = found[place - 1]
                place -= 1
            found[place] = code
            n_found += 1
        for c in range(n_channels):
            sums[code, c] += data.words[row, c]
            total[c] += data.words[row, c]
    g, h, g_left, h_left, g_right, h_right = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5]
    _read_sums(total, data, unit, g, h)
    parent = _unit_score(g, h, l2, noise)
    left = np.zeros(n_channels, np.int64)
    before = 0.0
    if missing_code >= 0:
        if missing_left:
            for c in range(n_channels):
                left[c] = sums[missing_code, c]
            if left[0] != 0:
                _read_sums(left, data, unit, g_left, h_left)
                for k in range(g.shape[0]):
                    g_right[k], h_right[k] = g[k] - g_left[k], h[k] - h_left[k]
                before = _unit_score(g_left, h_left, l2, noise) + _unit_score(g_right, h_right, l2, noise) - parent
                steps[0] += before
        sums[missing_code, :] = 0
    for j in range(n_found if short else n_codes):
        code = np.int64(found[j]) if short else j
        if sums[code, 0] == 0:
            continue
        weights[code] += _read_sums(sums[code], data, unit, g_left, h_left)
        for c in range(n_channels):
            left[c] += sums[code, c]
        sums[code, :] = 0
        _read_sums(left, data, unit, g_left, h_left)
        for k in range(g.shape[0]):
            g_right[k], h_right[k] = g[k] - g_left[k], h[k] - h_left[k]
        gain = _unit_score(g_left, h_left, l2, noise) + _unit_score(g_right, h_right, l2, noise) - parent
        steps[code] += gain - before
        before = gain


@inner
def find_joint_split(table, data, settings, noise, rows, nodes, node, allowed_groups, runs, n_runs, scratch):
    """Find the best split of a node and write it to `nodes`; returns its gain, 0 where there is none.

    allowed_groups : uint8 (n_groups,), the interaction groups still open on this path; runs : int64, of `unit_runs`;
    scratch : float64 (6, n_outputs)
    """
    n_channels = data.words.shape[1]
    sums = np.zeros((257, n_channels), np.int64)
    found = np.empty(SHORT, np.int64)
    steps, weights = np.empty(257), np.empty(257)
    rank = np.empty(257, np.int64)
    best, best_codes = 0.0, 0
    best_rank = np.empty(257, np.int64)
    nodes.feature[node] = -1
    n_groups = table.groups.shape[0]
    plain = n_channels == 1
    totals = np.empty((3, n_runs if plain else 0))
    if plain:
        run_totals(
            data.words, data.shift, data.gradient_unit, table.units, rows, runs, n_runs, settings.l2, noise, totals
        )
    for a in range(table.active.shape[0]):
        f = table.active[a]
        allowed = n_groups == 0
        for group in range(n_groups):
            allowed = allowed or (allowed_groups[group] != 0 and table.groups[group, f] != 0)
        if not allowed:
            continue
        ranked = table.categorical[f] != 0
        n_codes, missing_code = np.int64(table.n_bins[f]), np.int64(table.n_bins[f])
        if ranked:
            n_codes, missing_code = (
                np.int64(_pooled_order(table, data, settings, f, rows, runs, n_runs, rank)),
                np.int64(-1),
            )
        column = table.bins[f]
        some_missing = False
        if not ranked:
            for i in range(runs[0], runs[n_runs]):
                if column[rows[i]] == missing_code:
                    some_missing = True
                    break
        for missing_left in range(2 if some_missing else 1):
            steps[: n_codes + 1] = 0.0
            weights[: n_codes + 1] = 0.0
            if plain and not ranked and n_codes == 2 and not some_missing:
                add_two_code_gains(
                    column, data.words, data.shift, data.gradient_unit, table.units, rows, runs, n_runs, settings.l2,
                    noise, totals, steps, weights,
                )  # fmt: skip
            elif plain and not ranked:
                add_plain_gains(
                    column, n_codes, missing_code, missing_left == 1, data.words, data.shift, data.gradient_unit,
                    table.units, rows, runs, n_runs, settings.l2, noise, totals, steps, weights,
                )  # fmt: skip
            for r in range(0 if plain and not ranked else n_runs):
                _add_run_gains(
                    column, rank, ranked, n_codes, missing_code, missing_left == 1, data, table.units[rows[runs[r]]],
                    rows, runs[r], runs[r + 1], settings.l2, noise, sums, found, steps, weights, scratch,
                )  # fmt: skip
            present = 0.0
            for code in range(n_codes):
                present += weights[code]
            left = nodes.weight[node] - present if missing_left == 1 else 0.0
            gain = 0.0
            for code in range(n_codes):
                gain += steps[code]
                left += weights[code]
                if left < settings.min_weight or weights[code] == 0.0:
                    continue
                if nodes.weight[node] - left < settings.min_weight:
                    break
                if gain > best * (1.0 + TIE):
                    best, best_codes = gain, n_codes
                    nodes.feature[node], nodes.threshold[node] = f, code
                    nodes.categorical[node] = ranked
                    heavier_left = 2.0 * left > nodes.weight[node]
                    nodes.missing_left[node] = missing_left == 1 if some_missing else heavier_left
                    if ranked:
                        for other in range(n_codes):  # a loop: copying a slice takes much longer to compile
                            best_rank[other] = rank[other]
    if nodes.feature[node] >= 0 and nodes.categorical[node]:
        nodes.left_codes[node, :] = 0
        cut = nodes.threshold[node]
        missing = best_codes - 2
        for code in range(missing + 1):
            if best_rank[code] <= cut:
                nodes.left_codes[node, code >> 5] |= np.uint32(1) << np.uint32(code & 31)
        nodes.missing_left[node] = (nodes.left_codes[node, missing >> 5] >> np.uint32(missing & 31)) & np.uint32(1)
        nodes.threshold[node] = 0
    return best


@inner
def _node_weight(table, data, rows, runs, n_runs):
    """Sum of weights in a node."""
    weight = 0.0
    for r in range(n_runs):
        if data.weighted:
            total = np.int64(0)
            for i in range(runs[r], runs[r + 1]):
                total += data.words[rows[i], data.words.shape[1] - 1]
            weight += total * data.weight_unit[table.units[rows[runs[r]]]]
        else:
            weight += runs[r + 1] - runs[r]
    return weight


@inner
def _open_node(table, data, settings, noise, rows, nodes, node, start, stop, depth, last, groups, runs, scratch):
    """Begin a node, and find its split unless a limit forbids one; `last`: no leaf will be split any more."""
    nodes.start[node], nodes.stop[node], nodes.depth[node] = start, stop, depth
    nodes.left[node], nodes.feature[node], nodes.gain[node], nodes.categorical[node] = 0, -1, 0.0, 0
    nodes.lower[node], nodes.upper[node] = -np.inf, np.inf
    nodes.weight[node] = 0.0
    if stop == start:
        return
    n_runs = unit_runs(table.units, rows, start, stop, runs)
    nodes.weight[node] = _node_weight(table, data, rows, runs, n_runs)
    if not last and depth < settings.max_depth and nodes.weight[node] >= 2.0 * settings.min_weight:
        nodes.gain[node] = find_joint_split(
            table, data, settings, noise, rows, nodes, node, groups, runs, n_runs, scratch
        )


@entry
def grow_joint_tree(table, data, settings, noise, rows, nodes, runs, buffer):
    """Grow one tree for all units, leaf by leaf; returns its number of nodes.

    Parameters
    ----------
    table : JointTable
    data : Words with the scales of each unit, see `to_unit_words`
    settings : TreeSettings
    noise : float, dispersion of a row's gradient per unit of Hessian
    rows : int32, ascending, rearranged so that every leaf is a slice, in which the rows of a unit follow each other
    nodes : Nodes, with room for ``2 * max_leaf_nodes - 1``
    runs : int64 (n_units + 1 or more,), scratch
    buffer : int32, as long as `rows`, scratch
    """
    scratch = np.empty((6, data.n_outputs))
    n_groups = table.groups.shape[0]
    open_groups = np.ones((2 * max(settings.max_leaf_nodes, 1) - 1, n_groups), np.uint8)
    last = settings.max_leaf_nodes < 2
    zero = np.int64(0)  # not a literal, for which the kernels below would be compiled once more
    _open_node(
        table, data, settings, noise, rows, nodes, zero, zero, rows.shape[0], zero, last, open_groups[0], runs, scratch
    )
    n_nodes = 1
    while (n_nodes + 1) // 2 < settings.max_leaf_nodes:
        node, best = np.int64(-1), 0.0
        for candidate in range(n_nodes):
            if nodes.left[candidate] == 0 and nodes.gain[candidate] > best * (1.0 + TIE):
                node, best = candidate, nodes.gain[candidate]
        if node < 0:
            break
        middle = partition_rows(table, nodes, node, rows, buffer)
        nodes.left[node] = n_nodes
        for group in range(n_groups):
            still = open_groups[node, group] & table.groups[group, nodes.feature[node]]
            open_groups[n_nodes, group] = still
            open_groups[n_nodes + 1, group] = still
        depth = nodes.depth[node] + 1
        last = (n_nodes + 3) // 2 == settings.max_leaf_nodes
        for side in range(2):
            child = n_nodes + side
            start = nodes.start[node] if side == 0 else middle
            stop = middle if side == 0 else nodes.stop[node]
            own_groups = open_groups[child]
            _open_node(
                table, data, settings, noise, rows, nodes, child, start, stop, depth, last, own_groups, runs, scratch
            )
        n_nodes += 2
    for node in range(n_nodes):
        if nodes.left[node] == 0:
            nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
    return n_nodes


@entry
def joint_values(
    nodes,
    n_nodes,
    rows,
    units,
    gradient,
    hessian,
    l2,
    shrinkage,
    unit_row,
    values,
    unit_values,
    out,
):
    """Write the values of the leaves, those of every unit and those for units not seen, and add them to `out`.

    A unit's value is ``-shrinkage * G / (H + l2)``; for units not seen, G and H are sums over all units.

    gradient, hessian, out : float64 (n, n_outputs); unit_row : int32 (n_nodes,), out, row of a leaf in `unit_values`;
    values : float64 (n_nodes, n_outputs), out; unit_values : float64 (n_leaves, n_units, n_outputs), out
    """
    n_outputs = out.shape[1]
    n_leaves = 0
    for node in range(n_nodes):
        unit_row[node] = -1
        values[node, :] = 0.0
        if nodes.left[node] != 0:
            continue
        leaf = n_leaves
        unit_row[node] = leaf
        n_leaves += 1
        start, stop = nodes.start[node], nodes.stop[node]
        for k in range(n_outputs):
            g, h = 0.0, 0.0
            for i in range(start, stop):
                g += gradient[rows[i], k]
                h += hessian[rows[i], k]
            values[node, k] = -shrinkage * g / (h + l2) if h + l2 > 0.0 else 0.0
        unit_values[leaf] = 0.0
        i = start
        while i < stop:
            unit = units[rows[i]]
            end = i
            while end < stop and units[rows[end]] == unit:
                end += 1
            for k in range(n_outputs):
                g, h = 0.0, 0.0
                for j in range(i, end):
                    g += gradient[rows[j], k]
                    h += hessian[rows[j], k]
                if h + l2 > 0.0:
                    unit_values[leaf, unit, k] = -shrinkage * g / (h + l2)
                for j in range(i, end):
                    out[rows[j], k] += unit_values[leaf, unit, k]
            i = end
    return n_leaves


@entry
def to_fine(nodes, n_nodes, n_bins, coarse_n_bins, last_fine):
    """Translate thresholds from coarse codes to those of the whole table; last_fine : uint8 (n_features, 256)."""
    for node in range(n_nodes):
        if nodes.left[node] == 0 or nodes.categorical[node]:
            continue
        f = nodes.feature[node]
        cut = nodes.threshold[node]
        nodes.threshold[node] = n_bins[f] - 1 if cut >= coarse_n_bins[f] - 1 else np.int64(last_fine[f, cut])
