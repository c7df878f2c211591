"""Pictures with a row per task: every number is in its cell, and labels stay apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skmtl.boosting import RMTGBRegressor
from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import TaskAffinityDisplay, TaskImportancesDisplay, task_affinity

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def importances(n_tasks, n_features):
    return np.random.default_rng(0).dirichlet(np.ones(n_features), n_tasks)


@pytest.mark.parametrize("n_tasks", [1, 3, 40, 190])
@pytest.mark.parametrize("n_features", [2, 16, 60])
def test_importances_are_in_their_cells(n_tasks, n_features):
    values = importances(n_tasks, n_features)
    tasks, names = [f"t{i}" for i in range(n_tasks)], [f"f{j}" for j in range(n_features)]
    display = TaskImportancesDisplay(values, tasks, names, name="Model").plot()
    shown = np.asarray(display.image_.get_array())
    np.testing.assert_allclose(shown.sum(axis=1), 1.0)
    columns = texts(display.ax_.xaxis)
    assert len(columns) == (n_features if n_features <= 16 else 16)
    for row, label in zip(display.ax_.yaxis.get_ticklocs(), texts(display.ax_.yaxis), strict=True):
        for j, name in enumerate(columns):
            if name in names:
                assert shown[int(row), j] == values[tasks.index(label), names.index(name)]
    if n_features == 60:
        assert columns[-1] == "45 others"


@pytest.mark.parametrize("n_tasks", [3, 40, 190])
@pytest.mark.parametrize("kind", ["importances", "affinity"])
def test_labels_do_not_overlap_and_are_inside_the_figure(n_tasks, kind):
    tasks = [f"respondent {i}" for i in range(n_tasks)]
    if kind == "importances":
        display = TaskImportancesDisplay(importances(n_tasks, 8), tasks, [f"feature {j}" for j in range(8)]).plot()
    else:
        display = TaskAffinityDisplay(np.random.default_rng(0).normal(size=(n_tasks, n_tasks)), tasks).plot()
    display.figure_.canvas.draw()
    rows = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    columns = [text.get_window_extent() for text in display.ax_.get_xticklabels()]
    assert all(upper.y0 >= lower.y1 - 0.5 for upper, lower in pairwise(rows))
    assert all(left.x1 <= right.x0 + 0.5 for left, right in pairwise(columns))
    whole = display.figure_.bbox
    labels = [display.ax_.yaxis.label.get_window_extent(), display.ax_.xaxis.label.get_window_extent()]
    for box in [*rows, *columns, *(label for label in labels if label.width)]:
        assert whole.x0 - 1 <= box.x0
        assert box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0
        assert box.y1 <= whole.y1 + 1


def test_similar_tasks_are_neighbours():
    values = np.array([[0.9, 0.1], [0.1, 0.9], [0.88, 0.12], [0.12, 0.88]])
    display = TaskImportancesDisplay(values, ["a", "b", "c", "d"], ["u", "v"]).plot()
    assert {frozenset(texts(display.ax_.yaxis)[:2]), frozenset(texts(display.ax_.yaxis)[2:])} == {
        frozenset("ac"),
        frozenset("bd"),
    }


@pytest.fixture(scope="module")
def model():
    X, y, tasks = make_fourier_tasks(n_tasks=4, n_outliers=1, n_samples=80, return_X_y_tasks=True, random_state=0)
    return RMTGBRegressor(max_iter=20, random_state=0).fit(X, y, tasks=tasks)


def test_importances_of_a_real_estimator(model):
    display = TaskImportancesDisplay.from_estimator(model)
    np.testing.assert_allclose(display.importances, sum(model.task_importances().values()))
    assert sorted(texts(display.ax_.xaxis)) == ["x0", "x1", "x2", "x3", "x4"]
    shared = TaskImportancesDisplay.from_estimator(model, block="shared", feature_names=list("abcde"))
    assert shared.ax_.get_title() == "RMTGBRegressor, shared"
    assert sorted(texts(shared.ax_.xaxis)) == list("abcde")


def test_affinity_is_in_its_cells_and_groups_are_together():
    values = np.arange(16.0).reshape(4, 4) - 8.0
    display = TaskAffinityDisplay(values, ["a", "b", "c", "d"], groups=[0, 1, 0, 1]).plot()
    labels = texts(display.ax_.yaxis)
    assert {frozenset(labels[:2]), frozenset(labels[2:])} == {frozenset("ac"), frozenset("bd")}
    assert labels == texts(display.ax_.xaxis)
    shown = np.ma.filled(display.image_.get_array(), np.nan)
    for i, teacher in enumerate(labels):
        for j, learner in enumerate(labels):
            expected = np.nan if i == j else values["abcd".index(teacher), "abcd".index(learner)]
            np.testing.assert_equal(shown[i, j], expected)
    assert display.ax_.get_ylabel() == "teaches"
    assert len(display.ax_.lines) == 2  # one border, across and down


def test_affinity_of_real_tasks():
    X, y, tasks = make_fourier_tasks(n_tasks=3, n_outliers=1, n_samples=60, return_X_y_tasks=True, random_state=0)
    affinity = task_affinity(X, y, tasks, n_rounds=2)
    ax = plt.subplots()[1]
    assert TaskAffinityDisplay.from_affinity(affinity, ax=ax).ax_ is ax


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: TaskImportancesDisplay([[1.0]], ["a", "b"], ["u"]).plot(), ValueError, r"expected \(2, 1\)"),
        (lambda m: TaskImportancesDisplay([[1.0]], ["a"], ["u"]).plot(max_features=0), ValueError, "'max_features'"),
        (lambda m: TaskImportancesDisplay.from_estimator(m, block="own"), ValueError, "'block' must be None or one of"),
        (lambda m: TaskImportancesDisplay.from_estimator(m, output=0), ValueError, "'output' must be None"),
        (lambda m: TaskImportancesDisplay.from_estimator(RMTGBRegressor()), NotFittedError, "not fitted"),
        (
            lambda m: TaskImportancesDisplay.from_estimator(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])),
            TypeError,
            "which LinearRegression does not have",
        ),
        (lambda m: TaskAffinityDisplay([[1.0, 2.0]], ["a", "b"]).plot(), ValueError, r"expected \(2, 2\)"),
        (lambda m: TaskAffinityDisplay(np.eye(2), ["a", "b"], groups=[0]).plot(), ValueError, "'groups' has 1 entries"),
    ],
)
def test_wrong_arguments(call, error, message, model):
    with pytest.raises(error, match=message):
        call(model)
