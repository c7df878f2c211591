"""Values of leaves, against sums and searches over the rows of each leaf."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from skmtl.boosting._forest import empty_trees
from skmtl.boosting.kernels.leaves import harvest_trees, unit_quantiles
from skmtl.boosting.kernels.walk import find_leaves
from tests.boosting.kernels._cases import LAYOUTS, SEEDS, grow, make_problem, make_settings
from tests.boosting.kernels._from_python import newton_values, quantile_values, write_leaf_values


def as_trees(grown):
    return np.array([grown.base]), np.array([grown.count])


def all_of(grown):
    return 0, len(grown.rows)


def newton(problem, grown, l2=1.0, shrinkage=1.0):
    values = np.full((len(grown.nodes.left), problem.gradient.shape[1]), 9.0)
    derivatives = problem.gradient, problem.hessian
    newton_values(grown.nodes, *as_trees(grown), grown.rows, *all_of(grown), *derivatives, l2, shrinkage, values)
    return values


def quantile(problem, grown, residual, coefficient, q=0.5, shrinkage=1.0):
    values = np.full((len(grown.nodes.left), 1), 9.0)
    quantile_values(
        grown.nodes,
        *as_trees(grown),
        grown.rows,
        residual,
        coefficient,
        problem.weight,
        q,
        problem.table.monotonic,
        shrinkage,
        values,
    )
    return values


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_newton_step_of_the_rows_of_each_leaf(layout, seed):
    problem = make_problem(np.random.default_rng(seed), layout)
    grown = grow(problem, make_settings(), base=2)
    values = newton(problem, grown, l2=0.7, shrinkage=0.3)
    assert (values[:2] == 9.0).all()
    for node in range(2, 2 + grown.count):
        rows = grown.rows_of(node)
        step = -0.3 * problem.gradient[rows].sum(axis=0) / (problem.hessian[rows].sum(axis=0) + 0.7)
        np.testing.assert_allclose(values[node], step if grown.nodes.left[node] == 0 else 0.0, rtol=1e-12)


def test_newton_step_keeps_within_bounds_and_survives_a_hessian_of_zero():
    problem = make_problem(np.random.default_rng(0))
    grown = grow(problem, make_settings())
    grown.nodes.lower[:], grown.nodes.upper[:] = -0.1, 0.2
    values = newton(problem, grown, shrinkage=0.5)[grown.leaves]
    assert values.min() == -0.05
    assert values.max() == 0.1
    flat = problem._replace(hessian=np.zeros_like(problem.hessian))
    assert (
        newton(flat, grown, l2=0.0) == np.where(np.arange(len(grown.nodes.left)) < grown.count, 0, 9)[:, None]
    ).all()


def pinball(residual, q):
    return np.maximum(q * residual, (q - 1.0) * residual)


@pytest.mark.parametrize("layout", LAYOUTS[:4])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("q", [0.1, 0.5, 0.83])
def test_line_search_minimises_the_loss_of_each_leaf(layout, seed, q):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    grown = grow(problem, make_settings())
    residual, coefficient = rng.normal(size=60).round(1), rng.uniform(0.2, 1.0, 60)
    values = quantile(problem, grown, residual, coefficient, q, shrinkage=0.4)
    for leaf in grown.leaves:
        rows = grown.rows_of(leaf)

        def loss(value, rows=rows):
            return problem.weight[rows] @ pinball(residual[rows] - coefficient[rows] * value, q)

        # The loss is piecewise linear: its minimum is at one of the kinks.
        best = min(loss(value) for value in residual[rows] / coefficient[rows])
        assert loss(values[leaf, 0] / 0.4) == pytest.approx(best, rel=1e-10, abs=1e-12)
    inner = [node for node in range(grown.count) if node not in grown.leaves]
    assert (values[inner] == 0.0).all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["newton", "quantile"])
def test_walls_keep_predictions_monotonic(seed, kind):
    """Over all codes of the other features, missing ones included."""
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, n_codes=5, missing=0.1, monotonic=[1, -1, 0])
    grown = grow(problem, make_settings(max_leaf_nodes=25, l2=0.0))
    assert grown.count > 9
    if kind == "newton":
        values = newton(problem, grown, l2=0.0, shrinkage=0.5)
    else:  # residuals that have nothing to do with the gradients that grew the tree
        values = quantile(problem, grown, rng.normal(size=60), rng.uniform(0.5, 1.0, 60), 0.3, shrinkage=0.5)
    n_bins = problem.table.n_bins
    grid = np.array(list(product(*(range(n + 1) for n in n_bins))), np.uint8).T.copy()
    predicted = values[find_leaves(grid, n_bins, grown.nodes, 0), 0].reshape(n_bins + 1)
    assert np.ptp(predicted) > 0
    assert (np.diff(predicted[:-1], axis=0) >= 0).all()
    assert (np.diff(predicted[:, :-1], axis=1) <= 0).all()


def test_without_walls_such_predictions_would_not_be_monotonic():
    rng = np.random.default_rng(0)
    problem = make_problem(rng, n_codes=5, missing=0.0)
    grown = grow(problem, make_settings(max_leaf_nodes=25, l2=0.0))
    values, n_bins = newton(problem, grown, l2=0.0), problem.table.n_bins
    grid = np.array(list(product(*(range(n) for n in n_bins))), np.uint8).T.copy()
    predicted = values[find_leaves(grid, n_bins, grown.nodes, 0), 0].reshape(n_bins)
    assert (np.diff(predicted, axis=0) < 0).any()


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_leaf_values_are_written_to_the_rows_of_the_trees(n_outputs):
    rng = np.random.default_rng(0)
    problem = make_problem(rng)
    rows = np.sort(rng.choice(60, 40, replace=False))
    grown = grow(problem, make_settings(), rows)
    values = rng.normal(size=(len(grown.nodes.left), n_outputs))
    out = np.ones((60, n_outputs))
    write_leaf_values(grown.nodes, *as_trees(grown), grown.rows, *all_of(grown), values, out)
    leaves = find_leaves(problem.table.bins, problem.table.n_bins, grown.nodes, 0)
    expected = np.ones((60, n_outputs))
    expected[rows] = values[leaves[rows]]
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("cuts", [(), (7, 31), (1, 58, 59)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_trees_are_harvested_in_any_parts(layout, cuts):
    problem = make_problem(np.random.default_rng(0), layout)
    grown = grow(problem, make_settings())
    n_rows, n_outputs = problem.gradient.shape
    flat = empty_trees(grown.count, n_outputs, True)
    for array in flat[:-1]:
        array[:] = 99
    values, out = np.full((len(grown.nodes.left), n_outputs), 9.0), np.ones((n_rows, n_outputs))
    tree = grown.nodes, *as_trees(grown), grown.rows
    for begin, end in [*pairwise((0, *cuts, n_rows))][::-1]:
        harvest_trees(*tree, begin, end, problem.gradient, problem.hessian, 0.7, 0.3, values, flat, out)
    expected = newton(problem, grown, l2=0.7, shrinkage=0.3)
    np.testing.assert_array_equal(flat.value, expected[: grown.count])
    written = np.ones((n_rows, n_outputs))
    write_leaf_values(*tree, *all_of(grown), expected, written)
    np.testing.assert_array_equal(out, written)
    for name in ("feature", "threshold", "left", "missing_left", "categorical", "gain"):
        np.testing.assert_array_equal(getattr(flat, name), getattr(grown.nodes, name)[: grown.count])


@pytest.mark.parametrize("layout", [LAYOUTS[0], LAYOUTS[-1]])
def test_trees_of_many_rows_and_of_few_are_harvested_alike(layout):
    n_few, n_rows = 60, 33_000
    problem = make_problem(np.random.default_rng(0), layout, n_rows=2 * n_few + n_rows)
    cuts, settings = (0, n_few, n_few + n_rows, 2 * n_few + n_rows), make_settings(max_leaf_nodes=3)
    grown, rows = [], np.arange(cuts[-1], dtype=np.int32)
    for begin, end in pairwise(cuts):
        grown.append(grow(problem, settings, rows, begin, end, base=7 * len(grown)))
        rows = grown[-1].rows
    nodes = type(grown[0].nodes)(*(np.concatenate([g.nodes[i][g.base :] for g in grown]) for i in range(13)))
    counts = np.array([g.count for g in grown])
    bases = np.cumsum([len(g.nodes.left) - g.base for g in grown])
    trees = nodes, np.append(0, bases[:-1]), counts, rows
    n_outputs = problem.gradient.shape[1]
    flat = empty_trees(int(counts.sum()), n_outputs, True)
    values, out = np.full((len(nodes.left), n_outputs), 9.0), np.zeros((cuts[-1], n_outputs))
    derivatives = problem.gradient, problem.hessian
    harvest_trees(*trees, 0, cuts[-1], *derivatives, 0.7, 0.3, values, flat, out)
    expected, written = np.full_like(values, 9.0), np.zeros_like(out)
    newton_values(*trees, 0, cuts[-1], *derivatives, 0.7, 0.3, expected)
    write_leaf_values(*trees, 0, cuts[-1], expected, written)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(out, written)
    assert (counts > 1).all() and (written != 0.0).any(axis=1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_quantile_of_each_unit(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=30)
    pointers = np.array([0, 4, 4, 5, 30])
    got = unit_quantiles(values, np.ones(30), pointers, 0.3)
    for u in range(4):
        mine = values[pointers[u] : pointers[u + 1]]
        expected = np.quantile(mine, 0.3, method="averaged_inverted_cdf") if mine.size else 0.0
        assert got[u] == pytest.approx(expected)
