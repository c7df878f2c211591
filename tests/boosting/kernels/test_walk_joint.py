"""Joint trees walked row by row beside a plain look-up."""

import numpy as np
from numpy.testing import assert_array_equal

from skmtl.boosting._forest import JOINT, Forest, Trees, empty_trees
from skmtl.boosting.kernels.walk_joint import add_joint_trees


def _stump(rng, feature, threshold, n_units):
    flat = empty_trees(3, 2)
    for array in flat[:-1]:
        array[:] = 0
    flat.feature[:] = [feature, -1, -1]
    flat.threshold[0], flat.left[0] = threshold, 1
    flat.unit_row[:] = [-1, 0, 1]
    flat.value[1:] = rng.normal(size=(2, 2))
    nodes = flat._replace(unit_value=rng.normal(size=(2, n_units, 2)))
    return Trees(nodes, np.zeros(1, np.int64), np.array([JOINT], np.int8), np.array([-1], np.int32))


def test_rows_get_the_value_of_their_leaf_for_their_unit():
    rng = np.random.default_rng(0)
    bins = rng.integers(0, 10, (3, 50)).astype(np.uint8)
    units = rng.integers(-1, 4, 50)
    n_bins = np.full(3, 10, np.int32)
    stumps = [_stump(rng, feature, 4, 4) for feature in range(3)]
    expected = np.zeros((50, 2))
    for feature, stump in enumerate(stumps):
        leaf = 1 + (bins[feature] > 4)
        for i in range(50):
            known = units[i] >= 0
            expected[i] += stump.nodes.unit_value[leaf[i] - 1, units[i]] if known else stump.nodes.value[leaf[i]]
    trees = Trees.concatenate(stumps)
    out = np.zeros((50, 2))
    add_joint_trees(bins, n_bins, trees.nodes, trees.roots, units, np.arange(50, dtype=np.int32), out)
    assert_array_equal(out, expected)
    forest = Forest(trees, [1, 2, 3], n_bins, 4)
    parts = {part: np.zeros((50, 2)) for part in range(5)}
    forest.add_to(parts, bins, units)
    assert_array_equal(parts[JOINT], expected)
