"""Small trees against those of the general kernel, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.boosting.kernels._cases import SEEDS, SMALL, UNLIMITED, make_settings
from tests.boosting.kernels._units import (
    POINTERS,
    SIZES,
    assert_equal_trees,
    compact,
    grow_small,
    grow_units,
    make,
    placed,
)

LAYOUTS = [(1, False, False), (1, True, False), (1, False, True), (1, True, True)]
ROWS = np.arange(sum(SIZES))
LIMITS = {
    "plain": {},
    "stump": {"max_leaf_nodes": 2},
    "no split": {"max_leaf_nodes": 1},
    "to the last row": {"max_leaf_nodes": UNLIMITED, "l2": 0.0},
    "depth": {"max_leaf_nodes": UNLIMITED, "max_depth": 2},
    "depth of none": {"max_depth": 0},
    "weight": {"min_weight": 4.5},
    "hessian": {"min_hessian": 3.0, "l2": 0.0},
    "no least weight": {"min_weight": 0.0, "min_hessian": 0.0},
    "some features": {"n_candidates": 2, "max_leaf_nodes": UNLIMITED},
    "one feature": {"n_candidates": 1},
}


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_general_kernel(limits, layout, seed):
    rng = np.random.default_rng(seed)
    n_codes, missing = rng.choice([2, 6, 12, 60, 255]), rng.choice([0.0, 0.15, 0.6])
    problem = make(seed, layout, n_codes=n_codes, missing=missing, n_features=rng.integers(1, 7))
    settings = make_settings(**LIMITS[limits])
    least = int(rng.choice([4, 256]))
    assert_equal_trees(
        grow_small(problem, settings, ROWS, POINTERS, least=least),
        grow_units(problem, settings, ROWS, POINTERS, n_slots=80, least=least),
    )


@pytest.mark.parametrize("limits", ["plain", "to the last row", "some features"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_general_kernel_on_some_of_the_rows(limits, layout, seed):
    problem, settings = make(seed, layout), make_settings(**LIMITS[limits])
    chosen = np.sort(np.random.default_rng(100 + seed).choice(ROWS, 45, replace=False))
    row_pointers = np.searchsorted(chosen, POINTERS).astype(np.int64)
    assert_equal_trees(
        grow_small(problem, settings, chosen, row_pointers),
        grow_units(problem, settings, chosen, row_pointers, n_slots=80),
    )


@pytest.mark.parametrize("layout", LAYOUTS[2:])
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_general_kernel_where_rows_weigh_nothing(layout, seed):
    problem = make(seed, layout)
    problem.weight[np.random.default_rng(seed).random(len(ROWS)) < 0.4] = 0.0
    settings = make_settings(max_leaf_nodes=UNLIMITED, l2=0.5)
    assert_equal_trees(
        grow_small(problem, settings, ROWS, POINTERS), grow_units(problem, settings, ROWS, POINTERS, n_slots=80)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("copies", [2, 5])
def test_of_equal_splits_the_same_one_is_taken(layout, copies):
    """Copies of features, and gradients of few values, so that splits tie within a feature and between features."""
    problem = make(0, layout, n_codes=6, missing=0.1)
    problem.gradient[:] = np.sign(problem.gradient)
    bins, n_bins = np.tile(problem.table.bins, (copies, 1)), np.tile(problem.table.n_bins, copies)
    zeros = np.zeros(len(bins), np.uint8)
    problem = problem.replace_table(
        bins=bins, n_bins=n_bins, offsets=np.concatenate([[0], np.cumsum(n_bins + 1)]),
        active=np.arange(len(bins), dtype=np.int32), categorical=zeros, monotonic=zeros.astype(np.int8),
        groups=np.empty((0, len(bins)), np.uint8),
    )  # fmt: skip
    settings = make_settings(max_leaf_nodes=UNLIMITED)
    general = grow_units(problem, settings, ROWS, POINTERS, n_slots=300)
    assert_equal_trees(grow_small(problem, settings, ROWS, POINTERS), general)
    assert general.nodes.feature.max() < 4


def test_a_feature_that_a_unit_lacks_is_not_split():
    problem = make(0)
    bins = problem.table.bins.copy()
    bins[0] = problem.table.n_bins[0]  # missing throughout
    bins[1] = 1
    problem = problem.replace_table(bins=bins)
    for limits in ({}, {"n_candidates": 2}):
        settings = make_settings(**limits)
        trees = grow_small(problem, settings, ROWS, POINTERS)
        assert_equal_trees(trees, grow_units(problem, settings, ROWS, POINTERS))
        assert set(trees.nodes.feature[trees.nodes.left > 0].tolist()) <= {2, 3}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
@pytest.mark.parametrize("size", [0.0, 2.0**60, 2.0**400, 1e200])
def test_equals_the_general_kernel_whatever_the_size_of_gradients(size):
    problem = make(0)
    problem.gradient[POINTERS[3] : POINTERS[4]] *= size
    trees = grow_small(problem, make_settings(), ROWS, POINTERS)
    assert_equal_trees(trees, grow_units(problem, make_settings(), ROWS, POINTERS))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_units_are_dealt_to_calls_does_not_matter(seed):
    problem = make(seed)
    expected = grow_small(problem, make_settings(), ROWS, POINTERS)
    other = grow_small(problem, make_settings(), ROWS, POINTERS, unit_range=[(4, 6), (0, 3), (3, 4)])
    assert_equal_trees(other, expected)
    assert expected.counts.max() > (1 if SMALL else 5)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("n_codes", [3, 255])
def test_places_are_the_codes_of_the_unit_one_feature_after_the_other(missing, n_codes):
    problem = make(0, n_codes=n_codes, missing=missing)
    local_bins, local_n_bins, _, _ = compact(problem, POINTERS)
    codes = placed(problem, POINTERS)
    for u, (begin, end) in enumerate(pairwise(POINTERS)):
        offsets, own = codes.offsets[u], local_bins[:, begin:end]
        np.testing.assert_array_equal(codes.places[begin:end], (own + offsets[:-1, None]).T)
        assert codes.some_missing[u] == (own == local_n_bins[u][:, None]).any()
        room = np.diff(offsets)
        assert (room >= own.astype(int).max(axis=1, initial=-1) + 1).all()
        assert (room <= local_n_bins[u] + 4).all()
