"""Walking rows down joint trees, whose leaves have a value for every unit."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry
from .walk import find_leaf


@entry
def add_joint_trees(bins, n_bins, forest, roots, units, rows, out):
    """Add to each row the value of its leaf for its unit; for an unknown unit, -1, the value that is common.

    bins : uint8 (n_features, n); roots : int64 (n_trees,); units : intp (n,); rows : int32 (n_rows,);
    out : float64 (n, n_outputs)
    """
    for t in range(roots.shape[0]):
        for i in range(rows.shape[0]):
            row = rows[i]
            leaf = find_leaf(bins, row, n_bins, forest, roots[t])
            unit = units[row]
            if unit < 0:
                for k in range(out.shape[1]):
                    out[row, k] += forest.value[leaf, k]
            else:
                line = np.int64(forest.unit_row[leaf])
                for k in range(out.shape[1]):
                    out[row, k] += forest.unit_value[line, unit, k]
