"""Correlated tasks have the correlations that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skmtl.datasets import make_correlated_tasks


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.5, 1.0])
def test_two_tasks(correlation):
    bunch = make_correlated_tasks(correlation, scale=2.0, random_state=0)
    np.testing.assert_allclose(
        bunch.weights @ bunch.weights.T, 4.0 * np.array([[1, correlation], [correlation, 1]]), atol=1e-12
    )


def test_a_matrix_of_correlations():
    wanted = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.0], [0.1, 0.0, 1.0]])
    bunch = make_correlated_tasks(wanted, n_tasks=3, random_state=0)
    np.testing.assert_allclose(bunch.weights @ bunch.weights.T, wanted, atol=1e-12)
    np.testing.assert_array_equal(bunch.correlation, wanted)


@pytest.mark.parametrize("shared_rows", [False, True])
def test_targets_follow_the_formula(shared_rows):
    b = make_correlated_tasks(0.3, n_tasks=3, noise=0.0, n_samples=40, shared_rows=shared_rows, random_state=1)
    forms = b.data @ b.weights.T
    expected = forms + sum(np.sin(a * forms + p) for a, p in zip(b.alphas, b.betas, strict=True))
    if shared_rows:
        assert b.tasks is None
        np.testing.assert_allclose(b.target, expected)
    else:
        assert np.bincount(b.tasks).tolist() == [40, 40, 40]
        np.testing.assert_allclose(b.target, expected[np.arange(120), b.tasks])


def test_without_sines_a_linear_model_finds_the_vectors():
    b = make_correlated_tasks(0.5, n_terms=0, noise=0.1, n_samples=2000, random_state=0)
    for task in range(2):
        rows = b.tasks == task
        model = LinearRegression(fit_intercept=False).fit(b.data[rows], b.target[rows])
        np.testing.assert_allclose(model.coef_, b.weights[task], atol=0.02)
        assert np.std(b.target[rows] - model.predict(b.data[rows])) == pytest.approx(0.1, rel=0.1)


def test_same_seed_same_table_and_tuple():
    one, two = make_correlated_tasks(random_state=3), make_correlated_tasks(random_state=3)
    np.testing.assert_array_equal(one.target, two.target)
    X, y, tasks = make_correlated_tasks(random_state=3, return_X_y_tasks=True)
    np.testing.assert_array_equal(X, one.data)
    np.testing.assert_array_equal(y, one.target)
    np.testing.assert_array_equal(tasks, one.tasks)
    assert not np.array_equal(one.target, make_correlated_tasks(random_state=4).target)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"correlation": -0.6, "n_tasks": 3}, r"is not possible for 3 tasks: .* must be at least -0\.5"),
        ({"correlation": [[1.0, 0.5]]}, r"must be of shape \(2, 2\)"),
        ({"correlation": [[1.0, 0.5], [0.2, 1.0]]}, "must be symmetric"),
        ({"correlation": 1.5}, "'correlation' parameter"),
        ({"n_features": 2, "n_tasks": 3}, "'n_features' must be at least 'n_tasks', which is 3"),
    ],
)
def test_wrong_arguments(settings, message):
    with pytest.raises(ValueError, match=message):
        make_correlated_tasks(**settings)
