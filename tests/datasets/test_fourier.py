"""Laws of the generator: what tasks share, what is planted, what stays the same."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.datasets import make_fourier_tasks
from skmtl.datasets._fourier import _Function, _Functions, _Mixture

SIZES = {"n_samples": 60, "n_random_features": 50}


def values_on_one_grid(monkeypatch, **settings):
    """Targets of every task on the same rows, (n_tasks, n_samples)."""
    grid = np.random.default_rng(0).uniform(-1, 1, (60, 5))
    monkeypatch.setattr("skmtl.datasets._fourier._draw_rows", lambda rng, n_rows, n_features: grid[:n_rows])
    bunch = make_fourier_tasks(**SIZES, random_state=0, **settings)
    return bunch.target.reshape(-1, 60), bunch.outliers


def test_shapes_dtypes_and_order_of_the_rows():
    bunch = make_fourier_tasks(n_tasks=5, n_test_samples=7, n_features=3, **SIZES, random_state=0)
    assert bunch.data.shape == (300, 3)
    assert bunch.test_data.shape == (35, 3)
    assert bunch.target.dtype == bunch.test_target.dtype == np.float64
    np.testing.assert_array_equal(bunch.tasks, np.repeat(np.arange(5), 60))
    np.testing.assert_array_equal(bunch.test_tasks, np.repeat(np.arange(5), 7))
    assert bunch.outliers.dtype == bool
    assert bunch.outliers.sum() == 2
    assert np.abs(bunch.data).max() <= 1
    assert "2 outlier tasks" in bunch.DESCR


def test_function_equals_the_sum_written_out():
    rng = np.random.default_rng(0)
    amplitudes, frequencies, phases = rng.normal(size=4), rng.normal(size=(3, 4)), rng.uniform(size=4)
    X = rng.normal(size=(5, 3))
    expected = [sum(amplitudes[j] * np.cos(frequencies[:, j] @ x + phases[j]) for j in range(4)) for x in X]
    np.testing.assert_allclose(_Function(frequencies, phases, amplitudes)(X), expected)


def test_terms_have_the_stated_distribution():
    function = _Functions(n_features=5, n_terms=20_000, length=1.25)(np.random.default_rng(0))
    assert function.frequencies.std() == pytest.approx(1 / 1.25, rel=0.02)
    assert (function.amplitudes / np.sqrt(2 / 20_000)).std() == pytest.approx(1, rel=0.02)
    assert 0 <= function.phases.min() < 0.01
    assert 6.27 < function.phases.max() <= 2 * np.pi


def test_scenario_1_has_one_function(monkeypatch):
    values, outliers = values_on_one_grid(monkeypatch, scenario=1)
    np.testing.assert_allclose(values, np.tile(values[0], (10, 1)))
    assert not outliers.any()


def test_scenario_2_has_unrelated_functions(monkeypatch):
    values, outliers = values_on_one_grid(monkeypatch, scenario=2)
    correlations = np.corrcoef(values)[np.triu_indices(10, 1)]
    assert np.abs(correlations).mean() < 0.6
    assert not outliers.any()


def test_scenario_3_has_related_functions(monkeypatch):
    values, outliers = values_on_one_grid(monkeypatch, scenario=3)
    assert np.corrcoef(values).min() > 0.8
    assert np.abs(values[0] - values[1]).max() > 0
    assert not outliers.any()


def test_scenario_4_has_outliers_that_share_another_function(monkeypatch):
    values, outliers = values_on_one_grid(monkeypatch, scenario=4)
    correlations = np.corrcoef(values)
    assert correlations[np.ix_(outliers, outliers)].min() > 0.8
    assert correlations[np.ix_(~outliers, ~outliers)].min() > 0.8
    assert correlations[np.ix_(outliers, ~outliers)].max() < 0.7


def test_weight_of_the_common_function():
    rng = np.random.default_rng(0)
    draw = _Functions(2, 20, 1.0)
    common, own = draw(rng), draw(rng)
    X = rng.normal(size=(5, 2))
    np.testing.assert_allclose(_Mixture(common, own, 0.9)(X), 0.9 * common(X) + 0.1 * own(X))


def test_test_rows_come_from_the_same_functions():
    bunch = make_fourier_tasks(n_samples=2000, n_test_samples=50, n_features=1, length_scale=1.0, random_state=0)
    for task in range(10):
        x, y = bunch.data[bunch.tasks == task, 0], bunch.target[bunch.tasks == task]
        order = np.argsort(x)
        rows = bunch.test_tasks == task
        interpolated = np.interp(bunch.test_data[rows, 0], x[order], y[order])
        np.testing.assert_allclose(bunch.test_target[rows], interpolated, atol=1e-2)


@pytest.mark.parametrize("problem", ["regression", "classification"])
def test_test_rows_leave_the_other_rows_as_they_are(problem):
    plain = make_fourier_tasks(problem=problem, **SIZES, random_state=3)
    with_test = make_fourier_tasks(problem=problem, n_test_samples=5, **SIZES, random_state=3)
    for name in ["data", "target", "tasks", "outliers"]:
        np.testing.assert_array_equal(plain[name], with_test[name])


def test_same_seed_same_tasks_and_another_seed_others():
    first, again, other = (make_fourier_tasks(**SIZES, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.target, again.target)
    assert not np.array_equal(first.target, other.target)


def test_global_random_state_is_neither_read_nor_moved():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_fourier_tasks(**SIZES, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_positions_of_outliers_vary():
    positions = {tuple(make_fourier_tasks(**SIZES, random_state=seed).outliers) for seed in range(5)}
    assert len(positions) > 1


@pytest.mark.parametrize("scenario", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_each_class_has_a_tenth_of_every_task(scenario, seed):
    bunch = make_fourier_tasks(scenario, problem="classification", **SIZES, random_state=seed)
    assert bunch.target.dtype == np.int64
    shares = [bunch.target[bunch.tasks == task].mean() for task in range(10)]
    assert min(shares) >= 0.1
    assert max(shares) <= 0.9


def test_tuple_equals_the_bunch():
    bunch = make_fourier_tasks(**SIZES, random_state=0)
    X, y, tasks = make_fourier_tasks(**SIZES, random_state=0, return_X_y_tasks=True)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    np.testing.assert_array_equal(tasks, bunch.tasks)


def test_one_task_without_outliers():
    assert make_fourier_tasks(4, n_tasks=1, n_outliers=0, **SIZES, random_state=0).data.shape == (60, 5)
    assert make_fourier_tasks(2, n_tasks=1, **SIZES, random_state=0).outliers.tolist() == [False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scenario": 5}, "'scenario' parameter"),
        ({"n_tasks": 0}, "'n_tasks' parameter"),
        ({"n_outliers": -1}, "'n_outliers' parameter"),
        ({"n_samples": 1}, "'n_samples' parameter"),
        ({"n_samples": 10.0}, "'n_samples' parameter"),
        ({"n_test_samples": -1}, "'n_test_samples' parameter"),
        ({"n_features": 0}, "'n_features' parameter"),
        ({"problem": "ranking"}, "'problem' parameter"),
        ({"n_random_features": 0}, "'n_random_features' parameter"),
        ({"length_scale": 0}, "'length_scale' parameter"),
        ({"common_weight": 1.1}, "'common_weight' parameter"),
        ({"random_state": "a"}, "'random_state' parameter"),
        ({"n_tasks": 4}, r"'n_outliers' must be less than half of 'n_tasks', which is 4, in scenario 4\. Got 2\.$"),
        ({"return_X_y_tasks": True, "n_test_samples": 5}, r"'n_test_samples' is 5\. Use the Bunch instead\.$"),
    ],
)
def test_wrong_arguments_name_the_parameter(settings, message):
    with pytest.raises(ValueError, match=message):
        make_fourier_tasks(**settings)


def test_classes_that_stay_unequal_are_an_error():
    with pytest.raises(ValueError, match=r"at least 10% of the rows.* smaller 'length_scale'"):
        make_fourier_tasks(problem="classification", length_scale=1e6, **SIZES, random_state=0)
