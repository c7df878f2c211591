"""Every row is where it belongs, every task is in every part, and so is every class inside a task."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate

from skmtl.model_selection import TaskStratifiedKFold, TaskStratifiedShuffleSplit, task_train_test_split
from tests.tasks._estimator import TaskOffsetRegressor


def make_rows(seed, n=400, n_tasks=25):
    rng = np.random.default_rng(seed)
    tasks = np.array([f"t{i}" for i in range(n_tasks)])[rng.integers(0, n_tasks, n) % rng.integers(1, n_tasks + 1, n)]
    return np.zeros((n, 1)), rng.choice(["x", "y", "z"], n, p=[0.6, 0.3, 0.1]), tasks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("n_splits", [2, 5])
def test_folds_are_even_in_all_tasks_and_classes(seed, shuffle, n_splits):
    X, y, tasks = make_rows(seed)
    cv = TaskStratifiedKFold(n_splits, shuffle=shuffle, random_state=seed if shuffle else None)
    tests = [test for _, test in cv.split(X, y, tasks=tasks)]
    np.testing.assert_array_equal(np.sort(np.concatenate(tests)), np.arange(len(y)))
    groups = [np.ones(len(y), bool)]
    groups += [tasks == task for task in np.unique(tasks)]
    groups += [(tasks == task) & (y == label) for task in np.unique(tasks) for label in np.unique(y)]
    for mask in groups:
        sizes = [mask[test].sum() for test in tests]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_folds_have_the_rows_of_training_and_test_apart(seed):
    X, y, tasks = make_rows(seed)
    counts = dict(zip(*np.unique(tasks, return_counts=True), strict=True))
    for train, test in TaskStratifiedKFold(3).split(X, y, tasks=tasks):
        assert set(train) | set(test) == set(range(len(y)))
        assert not set(train) & set(test)
        assert all(task in set(tasks[train]) for task, n in counts.items() if n >= 2)
        assert all(task in set(tasks[test]) for task, n in counts.items() if n >= 3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("test_size", [0.05, 0.2, 0.5, 0.9])
def test_random_splits_have_every_task_on_both_sides(seed, test_size):
    X, y, tasks = make_rows(seed)
    labels, counts = np.unique(tasks, return_counts=True)
    for train, test in TaskStratifiedShuffleSplit(3, test_size=test_size, random_state=seed).split(X, y, tasks=tasks):
        assert sorted([*train, *test]) == list(range(len(y)))
        for task, n in zip(labels, counts, strict=True):
            n_test = (tasks[test] == task).sum()
            if n == 1:
                assert n_test == 0
            else:
                assert 1 <= n_test <= n - 1
                assert abs(n_test - test_size * n) <= 1
                # Classes are spread evenly; one alone in its task stays in training while others can be tested.
                for label in np.unique(y):
                    cell = (tasks == task) & (y == label)
                    if cell.sum() > 1 and test_size == 0.2:
                        assert cell[test].sum() < cell.sum()


def test_random_splits_keep_the_share_over_all_tasks():
    tasks = np.repeat(np.arange(200), 7)  # 20 % of 7 is no whole number
    for _, test in TaskStratifiedShuffleSplit(5, test_size=0.2, random_state=0).split(tasks, tasks=tasks):
        assert abs(len(test) - 0.2 * len(tasks)) <= 1


def test_a_class_alone_in_its_task_is_for_training():
    tasks, y = np.repeat(["a", "b"], 10), np.array(["u"] * 9 + ["v"] + ["u", "v"] * 5)
    for train, _ in TaskStratifiedShuffleSplit(20, test_size=0.5, random_state=0).split(tasks, y, tasks=tasks):
        assert 9 in train


def test_splits_are_random_and_repeatable():
    X, y, tasks = make_rows(0)
    cv = TaskStratifiedShuffleSplit(2, random_state=3)
    (_, first), (_, second) = cv.split(X, y, tasks=tasks)
    (_, again), _ = cv.split(X, y, tasks=tasks)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again)


def test_every_row_is_tested_equally_often():
    tasks = np.repeat(["a", "b"], 10)
    cv = TaskStratifiedShuffleSplit(2000, test_size=0.3, random_state=0)
    hits = sum(np.bincount(test, minlength=20) for _, test in cv.split(tasks, tasks=tasks))
    np.testing.assert_allclose(hits / 2000, 0.3, atol=0.05)


def test_train_size_leaves_rows_out():
    X, y, tasks = make_rows(1)
    cv = TaskStratifiedShuffleSplit(1, test_size=0.2, train_size=0.3, random_state=0)
    ((train, test),) = cv.split(X, y, tasks=tasks)
    assert not set(train) & set(test)
    assert abs(len(train) - 0.3 * len(y)) < 12
    assert set(tasks[train]) == set(tasks)


@pytest.mark.parametrize("cv", [TaskStratifiedKFold(4), TaskStratifiedShuffleSplit(4, random_state=0)])
def test_columns_with_gaps_are_observed_in_every_part(cv):
    y = np.random.default_rng(0).normal(size=(60, 3))
    y[8:, 0] = np.nan  # eight observed
    y[:40, 2] = np.nan
    for train, test in cv.split(np.zeros((60, 1)), y):
        assert np.isfinite(y[train]).any(axis=0).all()
        assert np.isfinite(y[test]).any(axis=0).all()


def test_labels_in_a_column_are_the_labels_beside_x():
    X, y, tasks = make_rows(2)
    codes = np.unique(tasks, return_inverse=True)[1]
    one = list(TaskStratifiedKFold(3).split(X, y, tasks=codes))
    two = list(TaskStratifiedKFold(3, task_column=1).split(np.column_stack([X, codes]), y))
    for (_, a), (_, b) in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_scikit_learn_hands_it_the_tasks():
    rng = np.random.default_rng(0)
    tasks = np.repeat(np.arange(10), 9)
    X, y = rng.normal(size=(90, 2)), tasks + rng.normal(size=90)
    with sklearn.config_context(enable_metadata_routing=True):
        cv = TaskStratifiedKFold(3)
        found = cross_validate(TaskOffsetRegressor(), X, y, cv=cv, params={"tasks": tasks}, return_indices=True)
        for train, test in zip(found["indices"]["train"], found["indices"]["test"], strict=True):
            assert (np.bincount(tasks[train]) == 6).all()
            assert (np.bincount(tasks[test]) == 3).all()
        search = GridSearchCV(TaskOffsetRegressor(), {"shrinkage": [0.0, 1.0]}, cv=clone(cv, safe=False))
        assert search.fit(X, y, tasks=tasks).best_params_ == {"shrinkage": 0.0}


def test_one_split_returns_the_parts_of_everything():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"x": range(40)})
    y, tasks = list(range(40)), pd.Series(["a", "b"] * 20)
    parts = task_train_test_split(X, y, tasks=tasks, test_size=0.25, random_state=0)
    X_train, X_test, y_train, y_test, tasks_train, tasks_test = parts
    assert isinstance(X_train, pd.DataFrame)
    assert isinstance(y_train, list)
    assert X_train["x"].tolist() == y_train
    assert tasks_test.tolist() == [["a", "b"][i % 2] for i in y_test]
    assert (len(y_train), len(y_test)) == (30, 10)
    assert tasks_test.value_counts().tolist() == [5, 5]
    assert len(X_test) == 10
    assert len(tasks_train) == 30


def test_one_split_stratifies_classes_inside_tasks():
    tasks, y = np.repeat(["a", "b"], 50), np.r_[np.tile([0, 0, 0, 0, 1], 10), np.tile([0, 1], 25)]
    _, y_test, _, tasks_test = task_train_test_split(y, tasks=tasks, stratify=y, test_size=0.2, random_state=1)
    assert [y_test[tasks_test == task].sum() for task in "ab"] == [2, 5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X, y, t: list(TaskStratifiedKFold(1).split(X, tasks=t)), ValueError, "'n_splits' must be an int"),
        (
            lambda X, y, t: list(TaskStratifiedKFold(9).split(X, tasks=t)),
            ValueError,
            "'n_splits' is 9, but X has only 4",
        ),
        (lambda X, y, t: list(TaskStratifiedKFold(2, shuffle=1).split(X)), TypeError, "'shuffle' must be"),
        (lambda X, y, t: list(TaskStratifiedKFold(2).split(X, y[:3])), ValueError, "'y' has 3 rows but X has 4"),
        (lambda X, y, t: list(TaskStratifiedKFold(2).split(X, tasks=t[:3])), ValueError, "'tasks' has 3 labels"),
        (lambda X, y, t: list(TaskStratifiedShuffleSplit(0).split(X)), ValueError, "'n_splits' must be an int"),
        (lambda X, y, t: list(TaskStratifiedShuffleSplit(test_size=2).split(X)), ValueError, "'test_size' must be"),
        (
            lambda X, y, t: list(TaskStratifiedShuffleSplit(test_size=0.6, train_size=0.6).split(X)),
            ValueError,
            "must not exceed 1 together",
        ),
        (lambda X, y, t: list(TaskStratifiedShuffleSplit().split(X, tasks=range(4))), ValueError, "No task has two"),
        (lambda X, y, t: task_train_test_split(tasks=t), ValueError, "'arrays' must hold at least one array"),
        (lambda X, y, t: task_train_test_split(X, y[:3], tasks=t), ValueError, "array number 1 has 3 rows"),
        (lambda X, y, t: task_train_test_split(X, tasks=["a", None, "a", "b"]), ValueError, "missing label"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call(np.zeros((4, 1)), np.array([0, 1, 0, 1]), np.array(["a", "a", "b", "b"]))
