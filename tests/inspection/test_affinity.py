"""Affinities: values that can be worked out by hand, and tasks that were planted."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import gradient_similarity, lookahead_affinity, task_affinity


def test_identical_tasks_help_each_other_as_themselves():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    found = task_affinity(np.vstack([X, X]), np.tile(y, 2), np.repeat(["a", "b"], 60), random_state=0)
    np.testing.assert_allclose(found.affinity, found.affinity[0, 0])
    assert found.affinity[0, 0] > 0
    assert found.task.tolist() == ["a", "b"]
    assert found.rounds.shape == (30, 2, 2)
    np.testing.assert_allclose(found.rounds.mean(axis=0), found.affinity)


def test_opposite_tasks_hurt_each_other():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    found = task_affinity(np.vstack([X, X]), np.r_[X[:, 0], -X[:, 0]], np.repeat([0, 1], 80), random_state=0)
    assert (np.diag(found.affinity) > 0.01).all()
    assert found.affinity[0, 1] < -0.01
    assert found.affinity[1, 0] < -0.01


def test_first_round_with_one_split_by_hand():
    # Task a: x splits -1 from 1. The tree moves residuals by the learning rate towards them, on both tasks.
    X = np.r_[np.zeros(10), np.ones(10), np.zeros(10), np.ones(10)][:, None]
    y = np.r_[-np.ones(10), np.ones(10), -2 * np.ones(10), 2 * np.ones(10)]
    tasks = np.repeat(["a", "b"], 20)
    found = task_affinity(X, y, tasks, n_rounds=1, learning_rate=0.1, problem="regression")
    step = np.array([1.0, 2.0])  # of the trees of a and b
    size = np.array([1.0, 2.0])  # of the residuals
    expected = 1.0 - (size[None, :] - 0.1 * step[:, None]) ** 2 / size[None, :] ** 2
    np.testing.assert_allclose(found.affinity, expected)


def test_classes_are_columns_of_zeros_and_ones():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(90, 2)), np.repeat([0, 1, 2], 30)
    y = np.where(tasks == 2, X[:, 0] < 0, X[:, 0] > 0)
    two = task_affinity(X, np.where(y, "yes", "no"), tasks, random_state=0).affinity
    numbers = task_affinity(X, y.astype(float), tasks, problem="regression", random_state=0).affinity
    np.testing.assert_allclose(two, numbers)
    assert two[0, 1] > 0 > two[0, 2]
    three = task_affinity(X, np.digitize(X[:, 0], [-0.5, 0.5]), tasks, random_state=0).affinity
    assert (three > 0).all()


def test_outliers_get_less_help_than_others():
    b = make_fourier_tasks(4, random_state=0)
    affinity = task_affinity(b.data, b.target, b.tasks, n_rounds=10, random_state=0).affinity
    off = ~np.eye(10, dtype=bool)
    inside = affinity[~b.outliers][:, ~b.outliers][off[:8, :8]]
    across = affinity[~b.outliers][:, b.outliers]
    assert inside.mean() > across.mean() + 0.02


def test_frames_gaps_tiny_tasks_and_constant_tasks_are_ordinary_data():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"u": rng.normal(size=50), "kind": pd.Categorical(rng.choice(["p", "q"], 50))})
    X.loc[3, "u"] = np.nan
    X.loc[4, "kind"] = None
    tasks = np.r_[np.zeros(30), np.ones(19), [2.0]]
    y = np.where(tasks == 1, 5.0, rng.normal(size=50))
    found = task_affinity(X, y, tasks, random_state=0)
    assert found.affinity.shape == (3, 3)
    assert np.isfinite(found.affinity).all()
    frame = found.to_frame()
    assert (frame.index.name, frame.columns.name) == ("teaches", "learns")


def test_wrong_arguments():
    X = np.zeros((4, 1))
    with pytest.raises(ValueError, match=r"'tasks' must hold at least two tasks\. Got one"):
        task_affinity(X, [1.0, 2.0, 3.0, 4.5], ["a"] * 4)
    with pytest.raises(ValueError, match="'y' has 3 rows but X has 4 rows"):
        task_affinity(X, [1.0, 2.0, 3.0], list("aabb"))
    with pytest.raises(ValueError, match="'n_rounds' parameter"):
        task_affinity(X, [1.0, 2.0, 3.0, 4.5], list("aabb"), n_rounds=0)


def test_gradients_of_identical_and_of_opposite_tasks():
    found = gradient_similarity([[1.0, 2.0], [1.0, 2.0], [-3.0, -6.0]])
    np.testing.assert_allclose(found.cosine, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    np.testing.assert_allclose(found.magnitude_similarity[0], [1, 1, 0.6])
    np.testing.assert_array_equal(found.conflict_rate, [[0, 0, 1], [0, 0, 1], [1, 1, 0]])


def test_gradients_are_averaged_over_steps():
    steps = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [-1.0, 0.0]]])
    found = gradient_similarity(steps)
    assert found.cosine[0, 1] == -0.5
    assert found.conflict_rate[0, 1] == 0.5
    zero = gradient_similarity([[0.0, 0.0], [1.0, 0.0]])
    assert zero.cosine[0, 1] == 0.0


def test_wrong_gradients():
    with pytest.raises(ValueError, match="'gradients' must be of shape"):
        gradient_similarity([1.0, 2.0])
    with pytest.raises(ValueError, match="'gradients' must be finite"):
        gradient_similarity([[np.nan, 1.0]])


def test_lookahead_of_quadratic_losses_is_exact():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    centers, start, rate = rng.normal(size=(3, 5)), rng.normal(size=5), 0.3
    weight = torch.tensor(start, requires_grad=True)
    losses = [partial(lambda center: 0.5 * ((weight - center) ** 2).sum(), torch.tensor(c)) for c in centers]
    found = lookahead_affinity(losses, [weight], learning_rate=rate)
    for i in range(3):
        moved = start - rate * (start - centers[i])
        for j in range(3):
            expected = 1 - np.sum((moved - centers[j]) ** 2) / np.sum((start - centers[j]) ** 2)
            assert found[i, j] == pytest.approx(expected)
        assert found[i, i] == pytest.approx(1 - (1 - rate) ** 2)
    np.testing.assert_array_equal(weight.detach().numpy(), start)
    assert weight.grad is None


def test_lookahead_with_parameters_that_a_task_does_not_use():
    torch = pytest.importorskip("torch")
    one, two = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    found = lookahead_affinity([lambda: (one**2).sum(), lambda: (two**2).sum()], [one, two], learning_rate=0.1)
    assert found[0, 1] == found[1, 0] == 0.0
    assert found[0, 0] == pytest.approx(1 - 0.8**2)
    with pytest.raises(ValueError, match="'losses' must be positive"):
        lookahead_affinity([lambda: -(one**2).sum()], [one], learning_rate=0.1)
    with pytest.raises(ValueError, match="'parameters' must hold"):
        lookahead_affinity([lambda: (one**2).sum()], [], learning_rate=0.1)
