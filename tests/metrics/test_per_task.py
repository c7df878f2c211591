"""One score per task, against a plain loop over the tasks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error

from skmtl.metrics import task_scores


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    tasks = np.array(["a", "b", "c", "d"])[np.append(rng.integers(0, 3, 49), 3)]  # task "d" has one row
    return rng.normal(size=50), rng.normal(size=50), tasks, rng.uniform(0.5, 2.0, 50)


@pytest.mark.parametrize("weighted", [False, True])
def test_scores_equal_those_of_a_loop(table, weighted):
    y_true, y_pred, tasks, weight = table
    scores = task_scores(y_true, y_pred, tasks, mean_squared_error, sample_weight=weight if weighted else None)
    assert scores.task.tolist() == ["a", "b", "c", "d"]
    assert len(scores) == 4
    for task, n_rows, score in zip(scores.task, scores.n_rows, scores.score, strict=True):
        rows = tasks == task
        assert n_rows == rows.sum()
        squared = (y_true[rows] - y_pred[rows]) ** 2
        assert score == pytest.approx(np.average(squared, weights=weight[rows] if weighted else None))


def test_mean_over_rows_is_the_mean_over_tasks_weighted_by_rows(table):
    y_true, y_pred, tasks, _ = table
    scores = task_scores(y_true, y_pred, tasks, mean_absolute_error)
    assert np.average(scores.score, weights=scores.n_rows) == pytest.approx(mean_absolute_error(y_true, y_pred))


def test_order_of_rows_and_names_of_tasks_do_not_matter(table):
    y_true, y_pred, tasks, _ = table
    expected = task_scores(y_true, y_pred, tasks, mean_absolute_error).score
    order = np.random.default_rng(1).permutation(50)
    found = task_scores(y_true[order], y_pred[order], tasks[order], mean_absolute_error).score
    np.testing.assert_allclose(found, expected)
    codes = np.unique(tasks, return_inverse=True)[1]
    np.testing.assert_array_equal(task_scores(y_true, y_pred, 9 - codes, mean_absolute_error).score, expected[::-1])


def test_lists_frames_and_labels_of_classes_are_taken():
    pandas = pytest.importorskip("pandas")
    y_true, y_pred = ["no", "yes", "no"], pandas.Series(["no", "no", "no"], index=[5, 5, 1])
    scores = task_scores(y_true, y_pred, pandas.Categorical(["x", "x", "y"]), accuracy_score)
    assert scores.score.tolist() == [0.5, 1.0]


def test_probabilities_are_split_by_rows():
    proba = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])

    def metric(y_true, y_proba):
        return log_loss(y_true, y_proba, labels=[0, 1])

    scores = task_scores([0, 1, 1], proba, [7, 7, 8], metric)
    np.testing.assert_allclose(scores.score, [-(np.log(0.9) + np.log(0.6)) / 2, -np.log(0.5)])


def test_columns_of_targets_are_tasks_where_no_labels_are_given():
    y_true = np.array([[1.0, np.nan], [2.0, 5.0], [np.nan, 7.0]])
    y_pred = np.array([[1.5, 0.0], [2.0, 4.0], [9.0, 4.0]])
    scores = task_scores(y_true, y_pred, None, mean_absolute_error, sample_weight=[1.0, 1.0, 3.0])
    assert scores.task.tolist() == [0, 1]
    assert scores.n_rows.tolist() == [2, 2]
    np.testing.assert_allclose(scores.score, [0.25, (1 * 1 + 3 * 3) / 4])


def test_no_labels_and_one_target_are_a_single_task(table):
    y_true, y_pred, _, _ = table
    scores = task_scores(y_true, y_pred, None, mean_absolute_error)
    assert scores.task.tolist() == [0]
    assert scores.score.tolist() == pytest.approx([mean_absolute_error(y_true, y_pred)])


def test_frame_has_one_row_per_task(table):
    pandas = pytest.importorskip("pandas")
    y_true, y_pred, tasks, _ = table
    scores = task_scores(y_true, y_pred, tasks, mean_absolute_error)
    expected = pandas.DataFrame({"task": scores.task, "n_rows": scores.n_rows, "score": scores.score})
    pandas.testing.assert_frame_equal(scores.to_frame(), expected)
    assert repr(scores).startswith("TaskScores(task=array(['a', 'b', 'c', 'd']")


def test_inputs_are_left_as_they_were(table):
    for array in table:
        array.flags.writeable = False
    y_true, y_pred, tasks, weight = table
    task_scores(y_true, y_pred, tasks, mean_absolute_error, sample_weight=weight)


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"y_pred": [1.0]}, ValueError, r"'y_pred' has length 1 but 'y_true' has length 3\."),
        ({"tasks": ["a"] * 5}, ValueError, r"'tasks' has length 5 but 'y_true' has length 3\."),
        ({"tasks": ["a", None, "b"]}, ValueError, "'tasks' has 1 missing label"),
        ({"tasks": np.zeros((3, 2))}, ValueError, "'tasks' must be 1-D"),
        ({"sample_weight": [1.0, 2.0]}, ValueError, r"'sample_weight' has length 2 but 'y_true' has length 3\."),
        ({"y_true": np.zeros((3, 2, 2))}, ValueError, r"'y_true' must be 1-D or 2-D; got shape \(3, 2, 2\)\."),
        (
            {"y_true": np.zeros((3, 2)), "tasks": None},
            ValueError,
            r"'y_pred' has shape \(3,\) but 'y_true' has .*2\)\.",
        ),
        ({"metric": "r2"}, TypeError, "'metric' must be a callable .*; got 'r2'"),
    ],
)
def test_bad_arguments_raise(changed, error, message):
    good = {
        "y_true": [1.0, 2.0, 3.0],
        "y_pred": [1.0, 2.0, 3.0],
        "tasks": ["a", "a", "b"],
        "metric": mean_absolute_error,
    }
    with pytest.raises(error, match=message):
        task_scores(**{**good, **changed})
