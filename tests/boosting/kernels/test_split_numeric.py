"""The best threshold, against every threshold and both ways for missing values."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.fixed_point import to_words
from skmtl.boosting.kernels.split_numeric import SCAN_SCORES, SCAN_SUMS
from tests.boosting.kernels._cases import LAYOUTS, SEEDS, histogram_of, make_problem, make_settings
from tests.boosting.kernels._from_python import best_threshold, half_way, least_count, node_score, threshold_by_counts
from tests.boosting.kernels._naive import numeric_splits, split_score

FREE = (-np.inf, np.inf)
BOUNDS = [FREE, (-0.4, 0.3), (0.05, np.inf), (-np.inf, -0.05)]


def scratch(n_channels):
    scores = np.empty(SCAN_SCORES)
    return np.empty(max(SCAN_SUMS, n_channels), np.int64), scores, scores.view(np.int64)


def find(problem, f, rows, settings, monotonic=0, bounds=FREE, to_beat=None):
    histograms, total = histogram_of(problem, rows)
    if to_beat is None:
        to_beat = node_score(total, problem.words, settings.l2, *bounds)
    n_channels = len(total)
    begin = problem.table.offsets[f] * n_channels
    score, threshold, missing_left = best_threshold(
        histograms,
        begin,
        problem.table.n_bins[f],
        total,
        problem.words,
        settings,
        monotonic,
        *bounds,
        to_beat,
        *scratch(n_channels),
    )
    if problem.words.n_outputs == n_channels == 1 and monotonic == 0 and bounds == FREE:
        words = problem.words
        by_counts = threshold_by_counts(
            histograms,
            begin,
            problem.table.n_bins[f],
            total[0],
            words.shift,
            words.gradient_unit,
            settings.l2,
            least_count(settings),
            to_beat,
            *scratch(1),
        )
        assert by_counts == (pytest.approx(score, rel=1e-12), threshold, missing_left)
    if threshold >= 0:
        threshold = half_way(histograms, begin, n_channels, problem.table.n_bins[f], problem.words.shift, threshold)
    return to_beat, score, threshold, missing_left


def check(problem, f, rows, settings, monotonic=0, bounds=FREE):
    """The kernel's split is as good as the best of all, allowed, and cuts half-way; returns whether there was one."""
    scores = {
        (threshold, side): split_score(problem, rows[mask], rows[~mask], settings, monotonic, *bounds)
        for mask, threshold, side in numeric_splits(problem, f, rows)
    }
    to_beat, score, threshold, missing_left = find(problem, f, rows, settings, monotonic, bounds)
    best = max(scores.values(), default=-np.inf)  # no threshold where all is missing
    if best <= to_beat + 1e-9 * abs(to_beat):
        assert threshold == -1 or score == pytest.approx(best, rel=1e-9)
        return False
    codes, n_bins = problem.table.bins[f, rows], problem.table.n_bins[f]
    some_missing = bool((codes == n_bins).any())
    assert score == pytest.approx(best, rel=1e-11)
    assert (missing_left == -1) == (not some_missing)
    assert scores[threshold, max(missing_left, 0)] == pytest.approx(best, rel=1e-11)
    above = codes[(codes > threshold) & (codes < n_bins)]
    if above.size:
        last = codes[codes <= threshold].max()
        assert threshold == (int(last) + int(above.min())) // 2
    else:
        assert threshold == n_bins - 1
    return True


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_equals_brute_force(layout, seed, missing):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, missing=missing, n_codes=12)
    found = 0
    for f in range(3):
        for size in (3, 10, 60):
            rows = np.sort(rng.choice(60, size, replace=False))
            found += check(problem, f, rows, make_settings(l2=float(rng.choice([0.0, 2.0]))))
    assert found > 0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("limits", [{}, {"min_weight": 5.0}, {"min_hessian": 7.0}])
def test_bounds_that_hold_nothing_back_change_nothing(layout, seed, missing, limits):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, missing=missing, n_codes=12)
    settings = make_settings(l2=float(rng.choice([0.0, 2.0])), **limits)
    for f in range(3):
        for size in (10, 60):
            rows = np.sort(rng.choice(60, size, replace=False))
            _, score, *where = find(problem, f, rows, settings)
            _, general_score, *general_where = find(problem, f, rows, settings, bounds=(-1e9, 1e9))
            assert where == general_where
            assert where[0] < 0 or score == pytest.approx(general_score, rel=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "limits", [{"min_weight": 9.0}, {"min_hessian": 12.0}, {"min_weight": 6.0, "min_hessian": 8.0}]
)
def test_limits_on_the_children_hold(layout, seed, limits):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    for f in range(3):
        for size in (20, 60):
            check(problem, f, np.sort(rng.choice(60, size, replace=False)), make_settings(**limits))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_bounds_and_monotonic_constraints_hold(layout, seed, bounds):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    for monotonic in (-1, 0, 1) if layout[0] == 1 else (0,):
        for f in range(3):
            rows = np.sort(rng.choice(60, 40, replace=False))
            check(problem, f, rows, make_settings(), monotonic, bounds)


def test_no_monotonic_split_against_the_data():
    problem = make_problem(np.random.default_rng(0), signal=False, missing=0.0, n_features=1)
    gradient = -problem.table.bins[0][:, None].astype(float)  # values rise with the codes
    problem = problem._replace(gradient=gradient, words=to_words(gradient, None))
    rows = np.arange(60)
    assert find(problem, 0, rows, make_settings(), 1)[2] >= 0
    assert find(problem, 0, rows, make_settings(), -1)[2] == -1


@pytest.mark.parametrize("seed", SEEDS)
def test_only_a_better_score_than_the_one_to_beat_counts(seed):
    problem = make_problem(np.random.default_rng(seed))
    rows = np.arange(60)
    settings = make_settings()
    _, score, threshold, _ = find(problem, 0, rows, settings, to_beat=0.0)
    assert threshold >= 0
    assert find(problem, 0, rows, settings, to_beat=score)[1:] == (score, -1, -1)
    assert find(problem, 0, rows, settings, to_beat=score * (1 - 1e-6))[1] == score
    assert find(problem, 0, rows, settings, to_beat=np.inf)[2] == -1


def test_one_code_or_only_missing_values_give_no_split():
    problem = make_problem(np.random.default_rng(0), n_features=1, missing=0.3)
    codes = problem.table.bins[0]
    for code in (0, problem.table.n_bins[0]):
        assert find(problem, 0, np.flatnonzero(codes == code), make_settings(), to_beat=-1.0)[2] == -1


@pytest.mark.parametrize("signs", [(1, -1), (-1, 1)])
def test_missing_values_can_stand_alone(signs):
    """Missing values that differ from all others make a leaf of their own, whatever the threshold."""
    problem = make_problem(np.random.default_rng(0), n_features=1, missing=0.3)
    missing = problem.table.bins[0] == problem.table.n_bins[0]
    gradient = np.where(missing, *signs)[:, None].astype(float)
    problem = problem._replace(gradient=gradient, words=to_words(gradient, None))
    _, _, threshold, missing_left = find(problem, 0, np.arange(60), make_settings())
    assert (threshold, missing_left) == (problem.table.n_bins[0] - 1, 0)
