"""The best subset of categories, against all subsets."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from skmtl.boosting.kernels.fixed_point import to_words
from skmtl.boosting.kernels.types import CODE_WORDS
from tests.boosting.kernels._cases import (
    LAYOUTS,
    SEEDS,
    Problem,
    histogram_of,
    make_problem,
    make_settings,
    make_table,
)
from tests.boosting.kernels._from_python import best_subset, node_score
from tests.boosting.kernels._naive import categorical_splits, split_score

FREE = (-np.inf, np.inf)


def find(problem, rows, settings, bounds=FREE):
    """Score to beat, score, whether a split was found, and for all 256 codes whether they go left."""
    histograms, total = histogram_of(problem, rows)
    to_beat = node_score(total, problem.words, settings.l2, *bounds)
    words = np.full(CODE_WORDS, 12345, np.uint32)
    score, found = best_subset(
        histograms,
        0,
        problem.table.n_bins[0],
        total,
        problem.words,
        settings,
        *bounds,
        np.empty(len(total), np.int64),
        to_beat,
        words,
    )
    to_left = np.array([(int(words[code // 32]) >> (code % 32)) & 1 for code in range(256)], bool)
    return to_beat, score, found, to_left


def equal_categories(rng, codes, n_bins, per_category):
    """One output, the same number of rows in each category: then the smoothing leaves the order as it is."""
    bins = np.repeat(codes, per_category)[None, :]
    gradient = rng.integers(-128, 129, (bins.size, 1)) / 64.0
    ones = np.ones(bins.size)
    return Problem(make_table(bins, [n_bins], [0]), to_words(gradient, None), gradient, ones[:, None], ones)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_codes", [2, 3, 6])
@pytest.mark.parametrize("bounds", [FREE, (-0.2, 0.25)])
@pytest.mark.parametrize("limits", [{}, {"min_weight": 18.0}, {"min_hessian": 15.0, "l2": 0.0}])
def test_equals_the_best_of_all_subsets(seed, n_codes, bounds, limits):
    rng = np.random.default_rng(seed)
    n_bins = 70
    codes = np.sort(rng.choice(n_bins + 1, n_codes, replace=False))  # the last one says "missing"
    problem = equal_categories(rng, codes, n_bins, per_category=10)  # enough for each to stand alone
    rows, settings = np.arange(problem.n_rows), make_settings(**limits)

    def score_of(subset):
        mask = np.isin(problem.table.bins[0], subset)
        return split_score(problem, rows[mask], rows[~mask], settings, 0, *bounds)

    best = max(score_of(subset) for k in range(1, n_codes) for subset in combinations(codes, k))
    to_beat, score, found, to_left = find(problem, rows, settings, bounds)
    assert found == (best > to_beat * (1 + 1e-9))
    if found:
        assert score == pytest.approx(best, rel=1e-12)
        assert score_of(np.flatnonzero(to_left[: n_bins + 1] & np.isin(np.arange(n_bins + 1), codes))) == pytest.approx(
            best, rel=1e-12
        )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limits", [{}, {"min_weight": 9.0, "l2": 0.0}, {"min_hessian": 15.0}])
def test_equals_the_best_prefix_over_the_orders_of_all_outputs(layout, seed, limits):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, n_features=1, n_codes=40, categorical=[0])
    settings = make_settings(**limits)
    rows = np.sort(rng.choice(60, 45, replace=False))
    for bounds in (FREE, (-0.3, 0.2)):
        scores = [
            split_score(problem, rows[m], rows[~m], settings, 0, *bounds)
            for m in categorical_splits(problem, 0, rows, settings)
        ]
        to_beat, score, found, to_left = find(problem, rows, settings, bounds)
        best = max(scores, default=-np.inf)
        assert found == (best > to_beat * (1 + 1e-9))
        if found:
            assert score == pytest.approx(best, rel=1e-11)
            mask = to_left[problem.table.bins[0, rows]]
            assert split_score(problem, rows[mask], rows[~mask], settings, 0, *bounds) == pytest.approx(best, rel=1e-11)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_codes_without_rows_follow_the_heavier_child(layout, seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, n_features=1, n_codes=40, categorical=[0], missing=0.0)
    rows = np.sort(rng.choice(60, 20, replace=False))
    _, _, found, to_left = find(problem, rows, make_settings())
    assert found
    codes = problem.table.bins[0, rows]
    weight = problem.weight[rows]
    heavy_left = weight[to_left[codes]].sum() > weight[~to_left[codes]].sum()
    empty = np.setdiff1d(np.arange(256), codes)
    assert (to_left[empty] == heavy_left).all()


def test_one_category_cannot_be_split():
    problem = make_problem(np.random.default_rng(0), n_features=1, categorical=[0])
    rows = np.flatnonzero(problem.table.bins[0] == 1)
    assert not find(problem, rows, make_settings())[2]


def test_missing_values_are_one_more_category():
    rng = np.random.default_rng(0)
    problem = equal_categories(rng, np.array([0, 1, 2]), 2, per_category=5)
    gradient = np.where(problem.table.bins[0] == 2, 1.0, -1.0)[:, None]
    problem = problem._replace(gradient=gradient, words=to_words(gradient, None))
    to_left = find(problem, np.arange(15), make_settings())[3]
    assert to_left[0] == to_left[1] != to_left[2]


def test_all_255_categories_and_missing_have_a_bit():
    rng = np.random.default_rng(0)
    problem = equal_categories(rng, np.arange(256), 255, per_category=1)
    gradient = np.where(np.arange(256) % 2 == 0, 1.0, -1.0)[:, None]
    problem = problem._replace(gradient=gradient, words=to_words(gradient, None))
    to_left = find(problem, np.arange(256), make_settings())[3]
    np.testing.assert_array_equal(to_left, np.arange(256) % 2 == 1)


@pytest.mark.parametrize("min_weight", [3.0, 10.0, 20.0])
def test_rare_categories_stay_together(min_weight):
    rng = np.random.default_rng(0)
    sizes = np.array([2, 25, 30, 1, 9, 2, 40, 12])
    bins = np.repeat(np.arange(8), sizes)[None, :]
    gradient = rng.integers(-128, 129, (bins.size, 1)) / 64.0 + np.array([9, 1, -1, -9, 4, 9, 0, -2])[bins[0], None]
    ones = np.ones(bins.size)
    problem = Problem(make_table(bins, [8], [0]), to_words(gradient, None), gradient, ones[:, None], ones)
    _, _, found, to_left = find(problem, np.arange(bins.size), make_settings(min_weight=min_weight))
    assert found
    rare = np.flatnonzero(sizes < min(10.0, min_weight))
    assert len(rare) > 1
    assert len(set(to_left[rare])) == 1
    assert len(set(to_left[:8])) == 2


def test_a_column_of_names_is_not_split():
    rng = np.random.default_rng(0)
    problem = equal_categories(rng, np.arange(200), 200, per_category=1)
    assert not find(problem, np.arange(200), make_settings(min_weight=2.0))[2]
