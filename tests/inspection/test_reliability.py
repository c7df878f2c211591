"""Reliability: points are means of bins, and the error of a task is its distance from the diagonal."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from skmtl.baselines import SingleTaskClassifier
from skmtl.inspection import TaskReliabilityDisplay

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def make_rows(n_tasks, n=200, shift=0.0):
    rng = np.random.default_rng(0)
    prob, tasks = rng.uniform(size=n_tasks * n), np.repeat(np.arange(n_tasks), n)
    truth = rng.uniform(size=n_tasks * n) < np.clip(prob + np.where(tasks == 0, shift, 0.0), 0, 1)
    return truth, prob, tasks


def test_line_equals_that_of_scikit_learn():
    truth, prob, tasks = make_rows(1, 1000)
    display = TaskReliabilityDisplay(truth, prob, tasks).plot()
    line = display.ax_.lines[1]
    share, mean = calibration_curve(truth, prob, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(line.get_xdata(), mean)
    np.testing.assert_allclose(line.get_ydata(), share)


def test_a_shifted_task_has_the_greatest_error():
    display = TaskReliabilityDisplay(*make_rows(5, 1000, shift=0.3)).plot()
    assert np.argmax(display.calibration_errors_) == 0
    assert 0.15 < display.calibration_errors_[0] < 0.35
    assert (display.calibration_errors_[1:] < 0.06).all()


@pytest.mark.parametrize("n_tasks", [1, 3, 8, 9, 190])
def test_every_task_is_drawn(n_tasks):
    display = TaskReliabilityDisplay(*make_rows(n_tasks, 30)).plot()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    lines = [line for line in display.ax_.lines if len(line.get_xdata())]
    assert len(lines) == 1 + n_tasks + (n_tasks > 1)  # the diagonal, the tasks, all rows
    if n_tasks > 8:
        assert f"{n_tasks - 2} other tasks" in texts
        assert len(texts) == 4
    else:
        assert len(texts) == n_tasks + (n_tasks > 1)


def test_real_classifier_and_class():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(200, 2)), np.repeat(["a", "b"], 100)
    y = np.where(X[:, 0] + rng.normal(size=200) > 0, "yes", "no")
    model = SingleTaskClassifier(LogisticRegression()).fit(X, y, tasks=tasks)
    yes = TaskReliabilityDisplay.from_estimator(model, X, y, tasks=tasks)
    no = TaskReliabilityDisplay.from_estimator(model, X, y, tasks=tasks, pos_label="no", name="Mine", n_bins=3)
    assert (yes.ax_.get_title(), no.ax_.get_title()) == ("SingleTaskClassifier", "Mine")
    np.testing.assert_array_equal(yes.y_true, y == "yes")
    np.testing.assert_allclose(yes.y_prob + no.y_prob, 1.0)
    by_column = SingleTaskClassifier(LogisticRegression(), task_column=2)
    with_column = np.column_stack([X, (tasks == "b").astype(float)])
    by_column.fit(with_column, y)
    again = TaskReliabilityDisplay.from_estimator(by_column, with_column, y, task_labels=tasks)
    np.testing.assert_allclose(again.calibration_errors_, yes.calibration_errors_)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TaskReliabilityDisplay([0, 1], [0.5, 1.5], ["a", "b"]).plot(), r"'y_prob' must hold probabilities"),
        (lambda: TaskReliabilityDisplay([0, 1], [0.5], ["a", "b"]).plot(), "inconsistent numbers of samples"),
        (lambda: TaskReliabilityDisplay([0], [0.5], ["a"], n_bins=0).plot(), "'n_bins' must be an int"),
        (
            lambda: TaskReliabilityDisplay.from_predictions([0, 1, 2], [0.5] * 3, list("abc")),
            "'pos_label' must be given",
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
