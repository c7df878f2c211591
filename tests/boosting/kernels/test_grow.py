"""Trees against the naive twin, which grows them from sets of rows in floats."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.boosting.kernels._cases import LAYOUTS, SEEDS, SMALL, UNLIMITED, Grown, grow, make_problem, make_settings
from tests.boosting.kernels._from_python import row_weight
from tests.boosting.kernels._naive import grow_naively

#: Settings, and what is special about the table.
CASES = {
    "plain": ({}, {}),
    "two leaves": ({"max_leaf_nodes": 2}, {}),
    "depth": ({"max_depth": 2, "max_leaf_nodes": UNLIMITED}, {}),
    "weight": ({"min_weight": 5.0, "max_leaf_nodes": UNLIMITED}, {}),
    "hessian": ({"min_hessian": 7.0, "l2": 0.0}, {}),
    "to the last row": ({"max_leaf_nodes": UNLIMITED, "l2": 0.0}, {}),
    "categories": ({}, {"categorical": [0, 2]}),
    "groups": ({}, {"groups": [[1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0]]}),
    "no interactions": ({"max_leaf_nodes": UNLIMITED, "min_weight": 3.0}, {"groups": np.eye(4)}),
}


def check_structure(problem, grown: Grown, first, stop):
    """What holds for every tree: leaves tile the rows, sums are right, no leftovers in leaves."""
    nodes = grown.nodes
    slices = sorted((int(nodes.start[leaf]), int(nodes.stop[leaf])) for leaf in grown.leaves)
    assert slices[0][0] == first
    assert slices[-1][1] == stop
    assert all(a[1] == b[0] for a, b in pairwise(slices))
    for node in range(grown.base, grown.base + grown.count):
        rows = grown.rows_of(node)
        assert nodes.weight[node] == row_weight(problem.words.words[rows].sum(axis=0), problem.words)
        left = nodes.left[node]
        if left == 0:
            assert (np.diff(rows) > 0).all()
            assert (nodes.feature[node], nodes.gain[node], nodes.categorical[node]) == (-1, 0.0, 0)
        else:
            assert nodes.gain[node] > 0
            for child in (grown.base + left, grown.base + left + 1):
                assert node < child < grown.base + grown.count
                assert nodes.depth[child] == nodes.depth[node] + 1


def check_equals_naive(problem, grown, settings, rows):
    expected = grow_naively(problem, np.asarray(rows), settings)
    assert grown.row_sets() == sorted(tuple(leaf["rows"].tolist()) for leaf in expected)
    by_rows = {tuple(leaf["rows"].tolist()): leaf for leaf in expected}
    for leaf in grown.leaves:
        twin = by_rows[tuple(grown.rows_of(leaf).tolist())]
        assert grown.nodes.depth[leaf] == twin["depth"]
        assert grown.nodes.lower[leaf] == pytest.approx(twin["lower"], rel=1e-9)
        assert grown.nodes.upper[leaf] == pytest.approx(twin["upper"], rel=1e-9)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("layout", LAYOUTS[:4] if SMALL else LAYOUTS[:10])
@pytest.mark.parametrize("seed", [0] if SMALL else range(3))
def test_equals_the_naive_tree(case, layout, seed):
    limits, table = CASES[case]
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, n_features=4, **table)
    settings = make_settings(**limits)
    rows = np.sort(rng.choice(60, 50, replace=False))
    grown = grow(problem, settings, rows)
    check_structure(problem, grown, 0, 50)
    assert len(grown.leaves) > 1
    check_equals_naive(problem, grown, settings, rows)


@pytest.mark.parametrize("layout", LAYOUTS[:4])
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_naive_tree_with_monotonic_constraints(layout, seed):
    problem = make_problem(np.random.default_rng(seed), layout, n_features=3, monotonic=[1, -1, 0])
    settings = make_settings(max_leaf_nodes=10)
    grown = grow(problem, settings)
    check_structure(problem, grown, 0, 60)
    check_equals_naive(problem, grown, settings, range(60))


@pytest.mark.parametrize("seed", SEEDS)
def test_grows_between_other_rows_and_other_nodes(seed):
    problem = make_problem(np.random.default_rng(seed), n_features=4)
    rows = np.concatenate([[5, 2], np.arange(10, 50), [1]])
    grown = grow(problem, make_settings(), rows, first=2, stop=42, base=7)
    alone = grow(problem, make_settings(), rows[2:42])
    check_structure(problem, grown, 2, 42)
    assert grown.row_sets() == alone.row_sets()
    assert grown.count == alone.count
    np.testing.assert_array_equal(grown.nodes.left[7 : 7 + grown.count], alone.nodes.left[: alone.count])
    np.testing.assert_array_equal(grown.rows[[0, 1, 42]], rows[[0, 1, 42]])
    assert (grown.nodes.feature[:7] == -1).all()
    assert (grown.nodes.stop[:7] == 0).all()


@pytest.mark.parametrize("n_slots", [3, 4, 6, 11])
@pytest.mark.parametrize("limits", [{}, {"max_depth": 3}, {"min_weight": 6.0}, {"n_candidates": 2}])
@pytest.mark.parametrize("layout", [(1, False, False), (1, True, False), (2, True, True)])
def test_little_memory_for_histograms_gives_the_same_tree(n_slots, limits, layout):
    n_rows = 60 if SMALL else 1500
    problem = make_problem(np.random.default_rng(1), layout, n_rows=n_rows, n_features=5, n_codes=40, categorical=[3])
    settings = make_settings(**{"max_leaf_nodes": 31, **limits})
    expected, grown = grow(problem, settings, n_slots=80), grow(problem, settings, n_slots=n_slots)
    assert grown.count == expected.count > 3
    np.testing.assert_array_equal(grown.rows, expected.rows)
    for name in ("feature", "threshold", "left", "missing_left", "categorical", "gain", "weight", "start", "depth"):
        mine, theirs = getattr(grown.nodes, name), getattr(expected.nodes, name)
        np.testing.assert_array_equal(mine[: grown.count], theirs[: grown.count], err_msg=name)


@pytest.mark.parametrize("seed", SEEDS)
def test_limits_hold(seed):
    problem = make_problem(np.random.default_rng(seed), (1, True, True), n_features=4)
    for limits in ({"max_leaf_nodes": 5}, {"max_depth": 1}, {"min_weight": 8.0}, {"min_hessian": 10.0}):
        settings = make_settings(**limits)
        grown = grow(problem, settings)
        assert len(grown.leaves) <= settings.max_leaf_nodes
        for leaf in grown.leaves:
            rows = grown.rows_of(leaf)
            assert grown.nodes.depth[leaf] <= settings.max_depth
            assert problem.weight[rows].sum() >= settings.min_weight
            assert problem.hessian[rows].sum() >= settings.min_hessian


@pytest.mark.parametrize("seed", SEEDS)
def test_features_of_different_groups_never_meet_on_a_path(seed):
    groups = np.array([[1, 1, 0, 0], [0, 0, 1, 1]])
    problem = make_problem(np.random.default_rng(seed), n_features=4, groups=groups)
    grown = grow(problem, make_settings(max_leaf_nodes=UNLIMITED))
    nodes = grown.nodes

    def walk(node, seen):
        if nodes.left[node] == 0:
            assert any(all(group[f] for f in seen) for group in groups)
            return
        for child in (nodes.left[node], nodes.left[node] + 1):
            walk(child, seen | {int(nodes.feature[node])})

    walk(0, frozenset())


@pytest.mark.parametrize("rows", [[], [7], [7, 9]])
@pytest.mark.parametrize("max_leaf_nodes", [1, 8])
def test_nothing_to_split_gives_a_single_leaf(rows, max_leaf_nodes):
    problem = make_problem(np.random.default_rng(0))
    grown = grow(problem, make_settings(max_leaf_nodes=max_leaf_nodes, min_weight=1.5), rows)
    assert grown.count == 1
    assert grown.nodes.weight[0] == len(rows)
    assert (grown.nodes.start[0], grown.nodes.stop[0]) == (0, len(rows))


def test_rows_that_are_all_alike_are_not_split():
    problem = make_problem(np.random.default_rng(0))
    same = problem.replace_table(bins=np.zeros_like(problem.table.bins))
    assert grow(same, make_settings()).count == 1


def test_a_seed_decides_which_features_are_tried():
    problem = make_problem(np.random.default_rng(0), n_features=8)
    settings = make_settings(n_candidates=2)
    trees = [tuple(grow(problem, settings, state=state).nodes.feature.tolist()) for state in (1, 1, 2, 3, 4, 5)]
    assert trees[0] == trees[1]
    assert len(set(trees)) > 3
