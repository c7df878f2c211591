"""Groups: the published example, planted groups, and the settings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import adjusted_rand_score

from skmtl.datasets import make_correlated_tasks, make_fourier_tasks
from skmtl.inspection import TaskGrouper, select_groups

# Released affinities of five visual tasks (segmentation, depth, normals, key points, edges); rows receive.
TASKONOMY = np.array(
    [
        [0.0, 0.11537, 0.04891, 0.00455, 0.00878],
        [0.41356, 0.0, 0.29141, 0.01354, 0.07396],
        [0.13982, 0.22096, 0.0, 0.01049, 0.07646],
        [0.02110, 0.01337, 0.01073, 0.0, 0.68974],
        [0.05669, 0.03668, 0.03601, 0.30372, 0.0],
    ]
)


@pytest.mark.parametrize(
    ("n_groups", "groups", "score"),
    [
        (1, [[0, 1, 2, 3, 4]], 0.12929),
        (2, [[0, 1, 2], [3, 4]], 0.32170),
        (3, [[0, 1], [1, 2], [3, 4]], 0.34867),
    ],
)
def test_groups_of_the_published_matrix(n_groups, groups, score):
    found, found_score = select_groups(TASKONOMY.T, n_groups)
    assert sorted(found) == groups
    assert found_score == pytest.approx(score, abs=5e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_groups", [1, 2])
def test_search_equals_trying_everything(seed, n_groups):
    matrix = np.random.default_rng(seed).normal(size=(5, 5))
    subsets = [set(group) for size in range(2, 6) for group in combinations(range(5), size)]
    best = -np.inf
    for choice in combinations(subsets, n_groups):
        served = [
            max((np.mean([matrix[i, j] for i in group - {j}]) for group in choice if j in group), default=-np.inf)
            for j in range(5)
        ]
        best = max(best, np.mean(served))
    assert select_groups(matrix, n_groups)[1] == pytest.approx(max(best, select_groups(matrix, 1)[1]))


@pytest.mark.parametrize(("method", "seeds"), [("stage", range(4)), ("cross_error", range(2))])
def test_planted_outliers_are_a_group(method, seeds):
    for seed in seeds:
        b = make_fourier_tasks(4, n_samples=200, random_state=seed)
        grouper = TaskGrouper(method, random_state=0).fit(b.data, b.target, tasks=b.tasks)
        assert adjusted_rand_score(b.outliers, grouper.labels_) == 1.0
        np.testing.assert_array_equal(grouper.groups_[0], np.flatnonzero(~b.outliers))
        np.testing.assert_array_equal(grouper.groups_[1], np.flatnonzero(b.outliers))
        assert max(grouper.silhouettes_, key=grouper.silhouettes_.get) == 2


# Ten seeds, as the method's authors claim for the synthetic tasks: about a minute.
@pytest.mark.slow
@pytest.mark.parametrize("method", ["stage", "cross_error"])
def test_planted_outliers_are_a_group_in_nine_of_ten_seeds(method):
    found = 0
    for seed in range(10):
        b = make_fourier_tasks(4, random_state=seed)
        grouper = TaskGrouper(method, random_state=0).fit(b.data, b.target, tasks=b.tasks)
        found += adjusted_rand_score(b.outliers, grouper.labels_) == 1.0
    assert found >= 9


def test_errors_are_relative_to_the_variance_of_the_task():
    b = make_correlated_tasks(0.0, n_terms=0, noise=0.0, n_samples=300, random_state=0)
    y = b.target * np.where(b.tasks == 0, 1.0, 100.0)
    grouper = TaskGrouper(estimator=Ridge(alpha=1e-6), random_state=0).fit(b.data, y, tasks=b.tasks)
    np.testing.assert_allclose(np.diag(grouper.errors_), 0.0, atol=1e-6)
    assert grouper.errors_[0, 1] > 1000  # a model of values a hundred times as great
    assert grouper.errors_[1, 0] == pytest.approx(1.0, abs=0.1)


def test_tasks_that_are_all_alike_are_one_group():
    for seed in range(5):
        b = make_correlated_tasks(1.0, n_tasks=5, n_samples=100, random_state=seed)
        grouper = TaskGrouper(estimator=Ridge(), random_state=0).fit(b.data, b.target, tasks=b.tasks)
        assert grouper.labels_.tolist() == [0] * 5
    b = make_fourier_tasks(1, n_tasks=6, random_state=0)
    assert TaskGrouper("stage", random_state=0).fit(b.data, b.target, tasks=b.tasks).labels_.tolist() == [0] * 6


def test_classes_and_a_task_of_one_class():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(250, 2)), np.repeat(list("abcde"), 50)
    sign = np.where(np.isin(tasks, ["a", "b"]), 1, -1)
    y = np.where(sign * X[:, 0] > 0, "yes", "no")
    grouper = TaskGrouper(n_groups=2, estimator=LogisticRegression(), random_state=0).fit(X, y, tasks=tasks)
    assert grouper.labels_.tolist() == [1, 1, 0, 0, 0]
    y[tasks == "e"] = "yes"
    again = TaskGrouper(n_groups=2, estimator=LogisticRegression(), random_state=0).fit(X, y, tasks=tasks)
    assert np.isfinite(again.errors_).all()


@pytest.mark.parametrize("n_groups", [1, 2, 3, 4])
def test_as_many_groups_as_asked_for_even_where_all_distances_are_equal(n_groups):
    X, y, tasks = np.zeros((80, 1)), np.tile([0.0, 1.0], 40), np.repeat(np.arange(4), 20)
    constant = DummyRegressor(strategy="constant", constant=0.5)  # errs as much on every row
    grouper = TaskGrouper(n_groups=n_groups, estimator=constant, random_state=0).fit(X, y, tasks=tasks)
    assert np.ptp(grouper.distances_[~np.eye(4, dtype=bool)]) == 0.0
    assert len(grouper.groups_) == n_groups


def test_number_of_groups_and_few_tasks():
    b = make_fourier_tasks(4, n_tasks=5, n_outliers=2, n_samples=60, random_state=0)
    for n_groups in (1, 2, 3, 5):
        grouper = TaskGrouper("stage", n_groups=n_groups, random_state=0).fit(b.data, b.target, tasks=b.tasks)
        assert len(grouper.groups_) == n_groups
        assert grouper.labels_.max() == n_groups - 1
    two = b.tasks < 2
    assert TaskGrouper("stage").fit(b.data[two], b.target[two], tasks=b.tasks[two]).labels_.tolist() == [0, 0]
    one = b.tasks < 1
    assert TaskGrouper().fit(b.data[one], b.target[one], tasks=b.tasks[one]).labels_.tolist() == [0]


def test_wrong_arguments():
    X, y, tasks = np.zeros((4, 1)), np.arange(4.0), list("aabb")
    with pytest.raises(ValueError, match="'n_groups' must not exceed the number of tasks, which is 2"):
        TaskGrouper(n_groups=3).fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match="'method' parameter"):
        TaskGrouper("gradient").fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match="'y' has 3 rows but X has 4 rows"):
        TaskGrouper().fit(X, y[:3], tasks=tasks)
    with pytest.raises(ValueError, match="'affinity' must be a square matrix of 2 to 10 tasks"):
        select_groups(np.zeros((11, 11)), 2)
    with pytest.raises(ValueError, match="'n_groups' must be an int of at least 1"):
        select_groups(np.zeros((3, 3)), 0)
