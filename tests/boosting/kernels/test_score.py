"""Values and scores of leaves, against a search over values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from tests.boosting.kernels._cases import LAYOUTS, SEEDS, histogram_of, make_problem, make_settings
from tests.boosting.kernels._from_python import bounded_score, bounded_value, child_scores, free_score, node_score
from tests.boosting.kernels._naive import leaf_score, split_score


@pytest.mark.parametrize("seed", SEEDS)
def test_score_is_twice_the_fall_of_the_loss_at_the_best_value(seed):
    rng = np.random.default_rng(seed)
    g, h, l2 = rng.normal(), rng.exponential(), rng.exponential()
    lower, upper = np.sort(rng.normal(size=2))

    def loss(value):
        return g * value + 0.5 * (h + l2) * value**2

    found = minimize_scalar(loss, bounds=(lower, upper), method="bounded", options={"xatol": 1e-10})
    assert bounded_value(g, h, l2, lower, upper) == pytest.approx(found.x, abs=1e-5)
    assert bounded_score(g, h, l2, lower, upper) == pytest.approx(-2 * found.fun, abs=1e-6)
    found = minimize_scalar(loss)
    assert free_score(g, h, l2) == pytest.approx(-2 * found.fun, abs=1e-8)
    assert bounded_score(g, h, l2, -np.inf, np.inf) == pytest.approx(free_score(g, h, l2), rel=1e-12)


def test_nothing_to_divide_by_gives_the_value_nearest_to_zero():
    assert free_score(1.0, 0.0, 0.0) == 0.0
    assert bounded_value(1.0, 0.0, 0.0, -np.inf, np.inf) == 0.0
    assert bounded_value(1.0, 0.0, 0.0, 0.5, np.inf) == 0.5
    assert bounded_score(1.0, 0.0, 0.0, -np.inf, np.inf) == 0.0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (-0.2, 0.3), (0.1, np.inf)])
def test_scores_of_a_node_and_its_children_equal_those_of_their_rows(layout, seed, bounds):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    in_left = rng.random(60) < rng.uniform(0.05, 0.95)
    left, right = np.flatnonzero(in_left), np.flatnonzero(~in_left)
    sums = {name: histogram_of(problem, rows)[1] for name, rows in [("left", left), ("all", np.arange(60))]}
    settings = make_settings(l2=0.7, min_weight=0.0, min_hessian=float(rng.choice([0.001, 20.0])))
    score = node_score(sums["all"], problem.words, settings.l2, *bounds)
    assert score == pytest.approx(leaf_score(problem, np.arange(60), settings.l2, *bounds), rel=1e-12)
    for monotonic in (0, 1, -1) if layout[0] == 1 else (0,):
        score = child_scores(sums["left"], sums["all"], problem.words, settings, monotonic, *bounds)
        expected = split_score(problem, left, right, settings, monotonic, *bounds)
        assert score == pytest.approx(expected, rel=1e-12)
