"""What a joint tree gives each unit, and its thresholds as those of the whole table."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry


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
    """Write the values of the leaves, those of every unit and those for units not seen, and of the rows, to `out`.

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
                    out[rows[j], k] = unit_values[leaf, unit, k]
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
