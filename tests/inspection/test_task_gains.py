"""The picture of gains tells winners from losers at every number of tasks."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error

from skmtl.baselines import PooledRegressor, SingleTaskRegressor
from skmtl.inspection import TaskGainsDisplay
from skmtl.metrics import task_scores

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def made_up(n_tasks):
    rng = np.random.default_rng(n_tasks)
    return rng.uniform(size=n_tasks), rng.uniform(size=n_tasks), [f"respondent {i}" for i in range(n_tasks)]


def labels_of(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("n_tasks", [1, 3, 20, 21, 190])
@pytest.mark.parametrize("own_axes", [True, False])
def test_nothing_overlaps_and_everything_is_inside(n_tasks, own_axes):
    ax = None if own_axes else plt.subplots(figsize=(5, 4), layout="constrained")[1]
    display = TaskGainsDisplay(*made_up(n_tasks), greater_is_better=True, name="Model").plot(ax=ax)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    whole = display.figure_.bbox
    texts = [*boxes, *(text.get_window_extent() for text in (display.ax_.title, display.ax_.xaxis.label))]
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1 for box in texts)


@pytest.mark.parametrize("greater_is_better", [True, False])
def test_order_and_counts_follow_the_direction(greater_is_better):
    display = TaskGainsDisplay([3.0, 1.0, 2.0], [2.0, 2.0, 2.0], ["a", "b", "c"], greater_is_better=greater_is_better)
    assert labels_of(display.plot()) == (["a", "c", "b"] if greater_is_better else ["b", "c", "a"])
    assert "1 of 3 tasks gain, 1 lose" in display.ax_.get_title()


def test_every_task_has_a_bar_of_the_length_of_its_gain():
    scores, baseline, tasks = made_up(190)
    display = TaskGainsDisplay(scores, baseline, tasks, greater_is_better=True).plot()
    widths = [bar.get_width() for bar in display.ax_.patches]
    np.testing.assert_allclose(widths, np.sort(scores - baseline)[::-1])
    best, worst = labels_of(display)
    order = np.argsort(baseline - scores)
    assert best.split("\n") == [tasks[i] for i in order[:3]]
    assert worst.split("\n") == [tasks[i] for i in order[-3:]]


def test_tasks_without_a_score_are_counted():
    display = TaskGainsDisplay([1.0, np.nan], [0.5, 0.5], ["a", "b"], greater_is_better=True).plot()
    assert "1 of 1 tasks gain, 0 lose; 1 without a score" in display.ax_.get_title()


def test_from_estimators_equals_from_predictions():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(90, 2)), np.repeat(["a", "b", "c"], 30)
    y = X[:, 0] * np.where(tasks == "a", 1, -1)
    models = [kind(LinearRegression()).fit(X, y, tasks=tasks) for kind in (SingleTaskRegressor, PooledRegressor)]
    settings = {"metric": mean_absolute_error, "greater_is_better": False}
    one = TaskGainsDisplay.from_estimator(*models, X, y, tasks=tasks, **settings)
    predicted = [model.predict(X, tasks=tasks) for model in models]
    np.testing.assert_allclose(one.baseline_scores, task_scores(y, predicted[1], tasks, mean_absolute_error).score)
    assert "SingleTaskRegressor (point) against PooledRegressor (circle)" in one.ax_.get_title()
    assert one.ax_.get_xlabel() == "mean absolute error (smaller is better)"
    ax = plt.subplots()[1]
    two = TaskGainsDisplay.from_predictions(y, *predicted, tasks, score_name="MAE", ax=ax, **settings)
    assert two.ax_ is ax
    np.testing.assert_array_equal(one.scores, two.scores)


def test_models_with_a_task_column_get_no_tasks():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), np.repeat([0, 1, 2], 20)])
    y = X[:, 0] * np.where(X[:, 1] == 1, 1, -1)
    kinds = (SingleTaskRegressor, PooledRegressor)
    models = [kind(LinearRegression(), task_column=1).fit(X, y) for kind in kinds]
    settings = {"metric": mean_absolute_error, "greater_is_better": False}
    found = TaskGainsDisplay.from_estimator(*models, X, y, task_labels=X[:, 1], **settings)
    expected = [task_scores(y, model.predict(X), X[:, 1], mean_absolute_error).score for model in models]
    np.testing.assert_allclose([found.scores, found.baseline_scores], expected)


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (([1.0], [1.0, 2.0], ["a"]), {}, "'tasks' has 1 labels but 'baseline_scores' has 2 scores"),
        (([np.nan], [1.0], ["a"]), {}, "no task for which both are finite"),
        (([1.0], [1.0], ["a"]), {"max_tasks": 0}, "'max_tasks' must be an int of at least 1"),
    ],
)
def test_wrong_arguments(arguments, settings, message):
    with pytest.raises(ValueError, match=message):
        TaskGainsDisplay(*arguments, greater_is_better=True).plot(**settings)


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skmtl\[plot\]"):
        TaskGainsDisplay([1.0], [1.0], ["a"], greater_is_better=True).plot()
