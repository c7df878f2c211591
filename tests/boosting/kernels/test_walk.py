"""Walking rows down trees: where growing put a row is where walking finds it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from skmtl.boosting._forest import SHARED, SPECIFIC, Trees
from skmtl.boosting.kernels.walk import add_trees, add_unit_trees, find_leaves
from tests.boosting.kernels._cases import LAYOUTS, SEEDS, SMALL, grow, make_problem, make_settings
from tests.boosting.kernels._from_python import find_leaf


def flat(grown, n_outputs=1, rng=None):
    """The tree as part of a forest, with random values."""
    rng = np.random.default_rng(0) if rng is None else rng
    values = rng.normal(size=(len(grown.nodes.left), n_outputs))
    bases, counts = np.array([grown.base]), np.array([grown.count])
    return Trees.from_nodes(grown.nodes, bases, counts, values, SHARED, [-1])


def slices(grown):
    """For each row of the tree, its leaf (counted from the root)."""
    leaf_of = {}
    for leaf in grown.leaves:
        leaf_of.update(dict.fromkeys(grown.rows_of(leaf).tolist(), leaf - grown.base))
    return leaf_of


TABLES = [{}, {"missing": 0.0}, {"categorical": [0, 2]}]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("layout", "table"), [*product(LAYOUTS[:6], TABLES), (LAYOUTS[0], {"monotonic": [1, -1, 0]})])
def test_a_row_walks_to_the_leaf_that_it_was_grown_in(layout, seed, table):
    problem = make_problem(np.random.default_rng(seed), layout, **table)
    grown = grow(problem, make_settings(max_leaf_nodes=20), np.arange(0, 60, 2), base=3)
    leaf_of = slices(grown)
    leaves = find_leaves(problem.table.bins, problem.table.n_bins, grown.nodes, 3) - 3
    assert {row: leaves[row] for row in leaf_of} == leaf_of
    trees = flat(grown)
    for row in range(60):  # rows that the tree has not seen find a leaf as well
        leaf = find_leaf(problem.table.bins, row, problem.table.n_bins, trees.nodes, 0)
        assert leaf == leaves[row]
        assert trees.nodes.left[leaf] == 0


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("n_rows", [1, 60, 150] if SMALL else [1, 60, 150, 2500])
def test_sums_the_trees_of_the_given_rows(n_outputs, n_rows, table):
    rng = np.random.default_rng(0)
    problem = make_problem(rng, n_rows=n_rows, **table)
    forest, single = [], []
    for n_leaves in (2, 9, 1):
        grown = grow(problem, make_settings(max_leaf_nodes=n_leaves))
        tree = flat(grown, n_outputs, rng)
        forest.append(tree)
        leaves = find_leaves(problem.table.bins, problem.table.n_bins, tree.nodes, 0)
        single.append(tree.nodes.value[leaves])
    together = Trees.concatenate(forest)
    rows = np.flatnonzero(rng.random(n_rows) < 0.7).astype(np.int32)
    for chosen in ([0, 1, 2], [1], [2, 0], [0, 1, 2] * 3):  # the last: as many trees as features
        out = np.ones((n_rows, n_outputs))
        expected = out.copy()
        expected[rows] += sum(single[t][rows] for t in chosen)
        add_trees(problem.table.bins, problem.table.n_bins, together.nodes, together.roots[chosen], rows, out)
        np.testing.assert_allclose(out, expected, rtol=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_get_the_trees_of_their_own_unit_only(seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng)
    trees = [flat(grow(problem, make_settings(max_leaf_nodes=n)), 2, rng) for n in (4, 2, 8)]
    owners = [0, 2, 2]  # unit 1 has no tree
    together = Trees.concatenate(trees)
    units = rng.integers(-1, 3, 60)
    rows = np.flatnonzero(rng.random(60) < 0.8).astype(np.int32)
    out = np.zeros((60, 2))
    pointers = np.array([0, 1, 1, 3])
    add_unit_trees(problem.table.bins, problem.table.n_bins, together.nodes, pointers, together.roots, units, rows, out)
    for row in range(60):
        expected = np.zeros(2)
        for tree, owner in zip(trees, owners, strict=True):
            if row in rows and units[row] == owner:
                leaf = find_leaf(problem.table.bins, row, problem.table.n_bins, tree.nodes, 0)
                expected += tree.nodes.value[leaf]
        np.testing.assert_allclose(out[row], expected, rtol=1e-13)


def test_trees_taken_from_a_larger_array_keep_their_nodes():
    problem = make_problem(np.random.default_rng(0))
    grown = grow(problem, make_settings(), base=5)
    values = np.arange(len(grown.nodes.left), dtype=float)[:, None]
    bases, counts = np.array([5, 2]), np.array([grown.count, 1])  # the second tree is a single leaf before the first
    trees = Trees.from_nodes(grown.nodes, bases, counts, values, SPECIFIC, [3, 7])
    assert trees.roots.tolist() == [0, grown.count]
    assert trees.nodes.value[:, 0].tolist() == [*range(5, 5 + grown.count), 2]
    np.testing.assert_array_equal(trees.nodes.feature[: grown.count], grown.nodes.feature[5 : 5 + grown.count])
    assert trees.units.tolist() == [3, 7]
