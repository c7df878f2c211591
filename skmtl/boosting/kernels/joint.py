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

from ..._shared.jit import borrowing, borrowing_entry, entry
from .joint_split import find_joint_split
from .partition import partition_rows
from .score import TIE


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


@borrowing
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


@borrowing
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


@borrowing
def _open_node(table, data, settings, noise, rows, nodes, node, start, stop, depth, last, scratch):
    """Begin a node, and find its split unless a limit forbids one; `last`: no leaf will be split any more."""
    nodes.start[node], nodes.stop[node], nodes.depth[node] = start, stop, depth
    nodes.left[node], nodes.feature[node], nodes.gain[node], nodes.categorical[node] = 0, -1, 0.0, 0
    nodes.lower[node], nodes.upper[node] = -np.inf, np.inf
    nodes.weight[node] = 0.0
    if stop == start:
        return
    n_runs = unit_runs(table.units, rows, start, stop, scratch.runs)
    nodes.weight[node] = _node_weight(table, data, rows, scratch.runs, n_runs)
    if not last and depth < settings.max_depth and nodes.weight[node] >= 2.0 * settings.min_weight:
        nodes.gain[node] = find_joint_split(table, data, settings, noise, rows, nodes, node, n_runs, scratch)


@borrowing_entry
def grow_joint_tree(table, data, settings, noise, rows, nodes, scratch):
    """Grow one tree for all units, leaf by leaf; returns its number of nodes.

    Parameters
    ----------
    table : JointTable
    data : Words with the scales of each unit, see `to_unit_words`
    settings : TreeSettings
    noise : float, dispersion of a row's gradient per unit of Hessian
    rows : int32, ascending, rearranged so that every leaf is a slice, in which the rows of a unit follow each other
    nodes : Nodes, with room for ``2 * max_leaf_nodes - 1``
    scratch : JointScratch
    """
    n_groups, open_groups = table.groups.shape[0], scratch.open_groups
    for group in range(n_groups):
        open_groups[0, group] = 1
    last = settings.max_leaf_nodes < 2
    zero = np.int64(0)  # not a literal, for which the kernels below would be compiled once more
    _open_node(table, data, settings, noise, rows, nodes, zero, zero, rows.shape[0], zero, last, scratch)
    n_nodes = 1
    while (n_nodes + 1) // 2 < settings.max_leaf_nodes:
        node, best = np.int64(-1), 0.0
        for candidate in range(n_nodes):
            if nodes.left[candidate] == 0 and nodes.gain[candidate] > best * (1.0 + TIE):
                node, best = candidate, nodes.gain[candidate]
        if node < 0:
            break
        middle = partition_rows(table, nodes, node, rows, scratch.moved_rows, scratch.to_left)
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
            _open_node(table, data, settings, noise, rows, nodes, child, start, stop, depth, last, scratch)
        n_nodes += 2
    for node in range(n_nodes):
        if nodes.left[node] == 0:
            nodes.feature[node], nodes.gain[node], nodes.categorical[node] = -1, 0.0, 0
    return n_nodes
