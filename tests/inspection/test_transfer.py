"""The report on transfer: its losses are those of a plain loop, and it finds what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge

from skmtl.baselines import SingleTaskRegressor, TaskAsFeatureClassifier, TaskAsFeatureRegressor
from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import negative_transfer_report
from skmtl.model_selection import TaskStratifiedKFold, TaskStratifiedShuffleSplit


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    tasks = rng.permutation(np.repeat(["a", "b", "c"], [60, 40, 20]))
    X = rng.normal(size=(120, 3))
    # Task c has the opposite sign: one slope for all tasks hurts it.
    return X, np.where(tasks == "c", -1.0, 1.0) * X[:, 0] + 0.1 * rng.normal(size=120), tasks


def test_losses_are_those_of_a_plain_loop(table):
    X, y, tasks = table
    model = TaskAsFeatureRegressor(Ridge(), encoding="onehot")
    report = negative_transfer_report(
        model, X, y, tasks, single_task=Ridge(), pooled=Ridge(), cv=TaskStratifiedKFold(4), random_state=0
    )
    squares = {"single_task": np.zeros(120), "pooled": np.zeros(120), "multi_task": np.zeros(120)}
    for train, test in TaskStratifiedKFold(4).split(X, tasks=tasks):
        for name, one in (
            ("single_task", SingleTaskRegressor(Ridge()).fit(X[train], y[train], tasks=tasks[train])),
            ("multi_task", clone(model).fit(X[train], y[train], tasks=tasks[train])),
        ):
            squares[name][test] = (one.predict(X[test], tasks=tasks[test]) - y[test]) ** 2
        squares["pooled"][test] = (Ridge().fit(X[train], y[train]).predict(X[test]) - y[test]) ** 2
    for name, values in squares.items():
        np.testing.assert_allclose(getattr(report, name), [values[tasks == task].mean() for task in "abc"])
    np.testing.assert_allclose(report.gain, report.single_task - report.multi_task)
    assert report.task.tolist() == ["a", "b", "c"]
    assert report.n_rows.tolist() == [60, 40, 20]


def test_a_task_that_is_hurt_is_found(table):
    X, y, tasks = table
    report = negative_transfer_report(
        TaskAsFeatureRegressor(Ridge(), encoding="onehot"), X, y, tasks, single_task=Ridge(), random_state=0
    )
    assert report.verdict[2] == "loses"
    assert report.low[2] <= report.gain[2] <= report.high[2] < 0
    assert report.negative_transfer >= 1 / 3
    assert "1 lose" in str(report) or "3 lose" in str(report)
    assert "Mean relative gain" in str(report)
    frame = pytest.importorskip("pandas") and report.to_frame()
    assert frame["task"].iloc[0] == "c"


def test_tasks_that_teach_each_other_gain():
    X, y, tasks = make_fourier_tasks(1, n_tasks=5, n_samples=60, return_X_y_tasks=True, random_state=0)
    report = negative_transfer_report(RMTGBRegressor(max_iter=60), X, y, tasks, cv=3, random_state=0)
    assert report.relative_gain.delta_m > 0.1
    assert (report.gain > 0).mean() >= 0.8


def test_classifiers_by_brier_and_by_errors(table):
    X, y, tasks = table
    labels = np.where(y > 0, "yes", "no")
    settings = {"single_task": LogisticRegression(), "pooled": LogisticRegression(), "random_state": 0}
    model = TaskAsFeatureClassifier(LogisticRegression(), encoding="onehot")
    brier = negative_transfer_report(model, X, labels, tasks, **settings)
    errors = negative_transfer_report(model, X, labels, tasks, loss="zero_one", **settings)
    assert (brier.loss, errors.loss) == ("brier", "zero_one")
    assert brier.verdict[2] == errors.verdict[2] == "loses"
    assert ((brier.single_task > 0) & (brier.single_task < 0.3)).all()
    assert set(np.round(errors.single_task * errors.n_rows, 9) % 1) == {0.0}


def test_a_task_of_one_class_is_ordinary_data(table):
    X, y, tasks = table
    labels = np.where((y > 0) | (tasks == "b"), "yes", "no")
    report = negative_transfer_report(RMTGBClassifier(max_iter=10), X, labels, tasks, cv=2, random_state=0)
    assert report.single_task[1] == 0.0
    assert report.relative_gain is None
    assert isinstance(str(report), str)


def test_same_seed_same_report(table):
    X, y, tasks = table
    model = SingleTaskRegressor(Ridge())
    one, two = (negative_transfer_report(model, X, y, tasks, single_task=Ridge(), random_state=3) for _ in range(2))
    np.testing.assert_array_equal(one.low, two.low)
    np.testing.assert_allclose(one.gain, 0.0, atol=1e-12)  # the same model on the same folds


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "brier"}, "'loss' is 'brier', which is not for a regressor"),
        ({"cv": TaskStratifiedShuffleSplit(2, random_state=0)}, "'cv' must test every row once"),
        ({"cv": 1}, "'cv' parameter"),
        ({"y": np.zeros((120, 2))}, "'y' must be 1-D"),
        ({"y": np.zeros(3)}, "'y' has 3 rows but X has 120 rows"),
    ],
)
def test_wrong_arguments(table, settings, message):
    X, y, tasks = table
    given = {"y": y, "single_task": Ridge(), **settings}
    with pytest.raises(ValueError, match=message):
        negative_transfer_report(SingleTaskRegressor(Ridge()), X, tasks=tasks, **given)
