"""Many classes with the planted frequencies, round the planted centres."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.datasets import make_extreme_classification


def test_frequencies_follow_zipf():
    b = make_extreme_classification(50, n_samples=200_000, n_features=2, random_state=0)
    ranked = np.sort(np.bincount(b.target, minlength=50))[::-1] / 200_000
    expected = 1 / np.arange(1, 51)
    np.testing.assert_allclose(ranked[:10], (expected / expected.sum())[:10], rtol=0.05)
    np.testing.assert_allclose(np.bincount(b.target, minlength=50) / 200_000, b.probabilities[0], atol=3e-3)


def test_rows_lie_round_the_centres_of_their_classes():
    b = make_extreme_classification(20, n_samples=2000, noise=0.5, random_state=0)
    np.testing.assert_allclose(np.linalg.norm(b.centers, axis=1), 1.0)
    distance = np.linalg.norm(b.data - b.centers[b.target], axis=1)
    assert distance.mean() == pytest.approx(0.5, rel=0.05)
    exact = make_extreme_classification(20, noise=0.0, random_state=0)
    np.testing.assert_array_equal(exact.data, exact.centers[exact.target])


def test_tasks_have_only_their_classes():
    b = make_extreme_classification(100, n_tasks=3, classes_per_task=10, n_samples=500, random_state=0)
    np.testing.assert_allclose(b.probabilities.sum(axis=1), 1.0)
    for task in range(3):
        assert set(b.target[b.tasks == task]) <= set(np.flatnonzero(b.probabilities[task]))
    assert ((b.probabilities > 0).sum(axis=1) == 10).all()


def test_exponent_of_zero_makes_classes_equal():
    b = make_extreme_classification(10, exponent=0.0, random_state=0)
    np.testing.assert_allclose(b.probabilities, 0.1)


def test_same_seed_same_table_and_tuple():
    one = make_extreme_classification(random_state=1)
    X, y, tasks = make_extreme_classification(random_state=1, return_X_y_tasks=True)
    np.testing.assert_array_equal(one.data, X)
    np.testing.assert_array_equal(one.target, y)
    np.testing.assert_array_equal(one.tasks, tasks)
    assert not np.array_equal(make_extreme_classification(random_state=2).data, X)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"'classes_per_task' must not exceed 'n_classes', which is 5\. Got 6"):
        make_extreme_classification(5, classes_per_task=6)
    with pytest.raises(ValueError, match="'n_classes' parameter"):
        make_extreme_classification(1)
