"""The best split of a node of a joint tree, over all units; see `joint`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..._shared.jit import borrowing
from .joint_plain import SHORT, add_plain_gains, add_two_code_gains, insert_code, run_totals
from .score import TIE
from .split_categorical import least_support, sort_by_keys

#: Codes of a feature, the missing one and that of all rare categories.
_N_CODES = 258


class JointScratch(NamedTuple):
    """Memory for joint trees."""

    runs: Any  # int64 (n_units + 1,), where the rows of each unit in a node begin, see `unit_runs`
    moved_rows: Any  # int32 (n_rows,)
    to_left: Any  # uint8 (256,), whether a code goes left
    open_groups: Any  # uint8 (n_nodes, n_groups), interaction groups that a node may still split on
    sums: Any  # int64 (_N_CODES, n_channels), of the codes of a unit; zero before and after
    plain_sums: Any  # int64 (_N_CODES,), the same where there is a single channel
    found: Any  # int64 (SHORT,), codes that a unit has
    steps: Any  # float64 (_N_CODES,), what the gain changes by at each code
    weights: Any  # float64 (_N_CODES,), of the rows with each code
    rank: Any  # int64 (_N_CODES,), place of each category
    best_rank: Any  # int64 (_N_CODES,), that of the best split
    order: Any  # int64 (_N_CODES,), the category at each place
    pooled: Any  # float64 (4, _N_CODES), gradient, Hessian and weight of each category, and its mean
    totals: Any  # float64 (3, n_units), see `run_totals`
    channels: Any  # int64 (2, n_channels), sums of a unit, and on the left
    outputs: Any  # float64 (6, n_outputs), gradients and Hessians of a unit and its sides


def joint_scratch(n_units, n_rows, n_groups, n_channels, n_outputs, n_nodes):
    """Memory for joint trees of up to so many rows and nodes."""
    return JointScratch(
        np.empty(n_units + 1, np.int64),
        np.empty(n_rows, np.int32),
        np.empty(256, np.uint8),
        np.empty((n_nodes, n_groups), np.uint8),
        np.zeros((_N_CODES, n_channels), np.int64),
        np.zeros(_N_CODES, np.int64),
        np.empty(SHORT, np.int64),
        np.empty(_N_CODES),
        np.empty(_N_CODES),
        np.empty(_N_CODES, np.int64),
        np.empty(_N_CODES, np.int64),
        np.empty(_N_CODES, np.int64),
        np.empty((4, _N_CODES)),
        np.empty((3, n_units)),
        np.empty((2, n_channels), np.int64),
        np.empty((6, n_outputs)),
    )


@borrowing
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


@borrowing
def _unit_score(gradients, hessians, l2, noise):
    """Score of a unit's rows in a node, noise taken off."""
    score = 0.0
    for k in range(gradients.shape[0]):
        if hessians[k] + l2 > 0.0:
            score += (gradients[k] * gradients[k] - noise * hessians[k]) / (hessians[k] + l2)
    return score


@borrowing
def _pooled_order(table, data, settings, f, rows, n_runs, scratch):
    """Order the codes of a categorical feature by the mean gradient of all units.

    Writes the rank of every code to ``scratch.rank``, that of the codes of little weight after the last; returns how
    many ranks there are.
    """
    n_codes = np.int64(table.n_bins[f]) + 1
    n_channels = data.words.shape[1]
    sums, order, rank = scratch.sums, scratch.order, scratch.rank
    g, h, weight, mean = scratch.pooled[0], scratch.pooled[1], scratch.pooled[2], scratch.pooled[3]
    gradients, hessians = scratch.outputs[0], scratch.outputs[1]
    column, runs = table.bins[f], scratch.runs
    for code in range(n_codes):
        g[code], h[code], weight[code] = 0.0, 0.0, 0.0
    for r in range(n_runs):
        unit = table.units[rows[runs[r]]]
        for i in range(runs[r], runs[r + 1]):
            for c in range(n_channels):
                sums[column[rows[i]], c] += data.words[rows[i], c]
        for code in range(n_codes):
            if sums[code, 0] != 0:
                weight[code] += _read_sums(sums[code], data, unit, gradients, hessians)
                g[code] += gradients[0]
                h[code] += hessians[0]
                for c in range(n_channels):
                    sums[code, c] = 0
    # Codes of little weight share a rank, that of their common mean; see `best_subset`.
    least, g_rare, h_rare = least_support(settings), 0.0, 0.0
    for code in range(n_codes):
        if 0.0 < weight[code] < least:
            g_rare += g[code]
            h_rare += h[code]
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


@borrowing
def _add_run_gains(
    column, ranked, n_codes, missing_code, missing_left, data, unit, rows, begin, end, l2, noise, scratch
):  # fmt: skip
    """Add what one unit gains at every threshold, as differences, to ``scratch.steps``, and its weights likewise."""
    sums, found, steps, weights, rank = scratch.sums, scratch.found, scratch.steps, scratch.weights, scratch.rank
    total, left, outputs = scratch.channels[0], scratch.channels[1], scratch.outputs
    n_channels = data.words.shape[1]
    short = end - begin < SHORT
    n_found = 0
    for c in range(n_channels):
        total[c] = left[c] = 0
    for i in range(begin, end):
        row = rows[i]
        code = np.int64(column[row])
        if ranked:
            code = np.int64(rank[code])
        if short and sums[code, 0] == 0 and code != missing_code:
            insert_code(found, n_found, code)
            n_found += 1
        for c in range(n_channels):
            sums[code, c] += data.words[row, c]
            total[c] += data.words[row, c]
    g, h, g_left, h_left, g_right, h_right = (
        outputs[0], outputs[1], outputs[2], outputs[3], outputs[4], outputs[5]
    )  # fmt: skip
    _read_sums(total, data, unit, g, h)
    parent = _unit_score(g, h, l2, noise)
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
        for c in range(n_channels):
            sums[missing_code, c] = 0
    for j in range(n_found if short else n_codes):
        code = np.int64(found[j]) if short else j
        if sums[code, 0] == 0:
            continue
        weights[code] += _read_sums(sums[code], data, unit, g_left, h_left)
        for c in range(n_channels):
            left[c] += sums[code, c]
            sums[code, c] = 0
        _read_sums(left, data, unit, g_left, h_left)
        for k in range(g.shape[0]):
            g_right[k], h_right[k] = g[k] - g_left[k], h[k] - h_left[k]
        gain = _unit_score(g_left, h_left, l2, noise) + _unit_score(g_right, h_right, l2, noise) - parent
        steps[code] += gain - before
        before = gain


@borrowing
def find_joint_split(table, data, settings, noise, rows, nodes, node, n_runs, scratch):
    """Find the best split of a node and write it to `nodes`; returns its gain, 0 where there is none.

    Rows of the units that it has begin at ``scratch.runs[:n_runs]``.
    """
    steps, weights, rank, best_rank = scratch.steps, scratch.weights, scratch.rank, scratch.best_rank
    runs, totals, allowed_groups = scratch.runs, scratch.totals, scratch.open_groups[node]
    best, best_codes = 0.0, np.int64(0)
    nodes.feature[node] = -1
    n_groups = table.groups.shape[0]
    plain = data.words.shape[1] == 1
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
            n_codes, missing_code = _pooled_order(table, data, settings, f, rows, n_runs, scratch), np.int64(-1)
        column = table.bins[f]
        some_missing = False
        if not ranked:
            for i in range(runs[0], runs[n_runs]):
                if column[rows[i]] == missing_code:
                    some_missing = True
                    break
        for missing_left in range(2 if some_missing else 1):
            for code in range(n_codes + 1):
                steps[code], weights[code] = 0.0, 0.0
            if plain and not ranked and n_codes == 2 and not some_missing:
                add_two_code_gains(
                    column, data.words, data.shift, data.gradient_unit, table.units, rows, runs, n_runs, settings.l2,
                    noise, totals, steps, weights,
                )  # fmt: skip
            elif plain and not ranked:
                add_plain_gains(
                    column, n_codes, missing_code, missing_left == 1, data.words, data.shift, data.gradient_unit,
                    table.units, rows, runs, n_runs, settings.l2, noise, totals, scratch.plain_sums, scratch.found,
                    steps, weights,
                )  # fmt: skip
            for r in range(0 if plain and not ranked else n_runs):
                _add_run_gains(
                    column, ranked, n_codes, missing_code, missing_left == 1, data, table.units[rows[runs[r]]], rows,
                    runs[r], runs[r + 1], settings.l2, noise, scratch,
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
        for word in range(nodes.left_codes.shape[1]):
            nodes.left_codes[node, word] = 0
        cut = nodes.threshold[node]
        missing = best_codes - 2
        for code in range(missing + 1):
            if best_rank[code] <= cut:
                nodes.left_codes[node, code >> 5] |= np.uint32(1) << np.uint32(code & 31)
        nodes.missing_left[node] = (nodes.left_codes[node, missing >> 5] >> np.uint32(missing & 31)) & np.uint32(1)
        nodes.threshold[node] = 0
    return best
