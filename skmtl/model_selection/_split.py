"""Splitters for cross-validation, and one split."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state, indexable

from skmtl._sklearn import _num_samples, _safe_indexing
from skmtl.model_selection._strata import ordered_rows, task_and_class


class TaskStratifiedKFold(BaseCrossValidator):
    """K folds in which every task is spread as evenly as can be and, inside a task, every class.

    The rows are put in the order of their tasks and, inside a task, of their classes; fold after fold takes the next
    row. So the numbers of rows of a task, or of a class of a task, in any two folds differ by at most one, and a task
    of at least two rows is in every training part. A task of a single row is predicted once by models that never saw
    it.

    With metadata routing enabled, ``cross_validate(..., cv=TaskStratifiedKFold(), params={"tasks": tasks})`` and
    ``GridSearchCV.fit(..., tasks=tasks)`` hand it the tasks without further ado. Without tasks it is a (stratified)
    K-fold; for a 2-D `y` without tasks it spreads the rows such that every column is observed in every fold.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    shuffle : bool, default=False
        Whether chance decides which rows of a task and class go together; otherwise their order does, in turn.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    random_state : int, RandomState instance or None, default=None
        Source of the shuffling.

    See Also
    --------
    TaskStratifiedShuffleSplit : Independent random splits.
    task_train_test_split : A single random split.
    sklearn.model_selection.LeaveOneGroupOut : With the tasks as `groups`: how well a task is predicted by the others.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import TaskStratifiedKFold
    >>> X, tasks = np.zeros((6, 1)), np.array(["a", "a", "b", "b", "b", "b"])
    >>> for train, test in TaskStratifiedKFold(n_splits=2).split(X, tasks=tasks):
    ...     print(tasks[test].tolist())
    ['a', 'b', 'b']
    ['a', 'b', 'b']
    """

    __metadata_request__split = {"tasks": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        shuffle: bool = False,
        task_column: str | int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.shuffle = shuffle
        self.task_column = task_column
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None, *, tasks: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X : object
            Ignored.
        y : object
            Ignored.
        groups : object
            Ignored.
        tasks : object
            Ignored.

        Returns
        -------
        n_splits : int
            Number of folds.
        """
        return self.n_splits

    def split(
        self, X: Any, y: Any = None, groups: Any = None, *, tasks: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the positions of training and test rows, fold by fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; only their number of rows and the task column matter.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets. Classes, and other targets of few values, are spread evenly inside each task.
        groups : object
            Ignored.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Positions of the training rows, in ascending order.
        test : ndarray of shape (n_test,)
            Positions of the test rows, in ascending order.

        Raises
        ------
        ValueError
            If there are fewer rows than folds, or a parameter is out of its range.
        """
        if not isinstance(self.n_splits, Integral) or isinstance(self.n_splits, bool) or self.n_splits < 2:
            raise ValueError(f"'n_splits' must be an int of at least 2. Got {self.n_splits!r}.")
        if not isinstance(self.shuffle, bool | np.bool_):
            raise TypeError(f"'shuffle' must be True or False. Got {self.shuffle!r}.")
        codes, classes = task_and_class(X, y, tasks, self.task_column, type(self).__name__)
        if len(codes) < self.n_splits:
            raise ValueError(f"'n_splits' is {self.n_splits}, but X has only {len(codes)} rows.")
        rng = _generator(self.random_state) if self.shuffle else None
        fold = np.empty(len(codes), dtype=np.intp)
        fold[ordered_rows(codes, classes, rng)] = np.arange(len(codes)) % self.n_splits
        for k in range(self.n_splits):
            yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)


class TaskStratifiedShuffleSplit(BaseCrossValidator):
    """Independent random splits with a share of every task and, inside a task, of every class.

    A task of two rows or more is in both parts, however small the test part is to be; a task of a single row is for
    training. Inside a task the classes are spread evenly, and a class with a single row in the task is for training
    as long as others can serve for the test: a model can learn only what it is shown. So with many tiny tasks the
    parts may differ from the sizes asked for.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size : float, default=0.2
        Share of the rows of every task that is for the test, strictly between 0 and 1.
    train_size : float or None, default=None
        Share of the rows of every task that is for training. None: all that are not for the test.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    random_state : int, RandomState instance or None, default=None
        Source of the randomness.

    See Also
    --------
    TaskStratifiedKFold : Folds in which every row is tested once.
    task_train_test_split : A single split.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import TaskStratifiedShuffleSplit
    >>> X, tasks = np.zeros((12, 1)), np.array(["a"] * 10 + ["b"] * 2)
    >>> splitter = TaskStratifiedShuffleSplit(n_splits=2, test_size=0.2, random_state=0)
    >>> for train, test in splitter.split(X, tasks=tasks):
    ...     print(tasks[test].tolist())
    ['a', 'a', 'b']
    ['a', 'a', 'b']
    """

    __metadata_request__split = {"tasks": True}

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float = 0.2,
        train_size: float | None = None,
        task_column: str | int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.train_size = train_size
        self.task_column = task_column
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None, *, tasks: Any = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : object
            Ignored.
        y : object
            Ignored.
        groups : object
            Ignored.
        tasks : object
            Ignored.

        Returns
        -------
        n_splits : int
            Number of splits.
        """
        return self.n_splits

    def split(
        self, X: Any, y: Any = None, groups: Any = None, *, tasks: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the positions of training and test rows, split by split.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features; only their number of rows and the task column matter.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets. Classes, and other targets of few values, are spread evenly inside each task.
        groups : object
            Ignored.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Positions of the training rows, in ascending order.
        test : ndarray of shape (n_test,)
            Positions of the test rows, in ascending order.

        Raises
        ------
        ValueError
            If no task has two rows, or a parameter is out of its range.
        """
        if not isinstance(self.n_splits, Integral) or isinstance(self.n_splits, bool) or self.n_splits < 1:
            raise ValueError(f"'n_splits' must be an int of at least 1. Got {self.n_splits!r}.")
        test_size, train_size = _check_sizes(self.test_size, self.train_size)
        codes, classes = task_and_class(X, y, tasks, self.task_column, type(self).__name__)
        rng = _generator(self.random_state)
        for _ in range(self.n_splits):
            yield _split_once(codes, classes, test_size, train_size, rng)


def task_train_test_split(
    *arrays: Any,
    tasks: Any,
    stratify: Any = None,
    test_size: float = 0.2,
    train_size: float | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> list[Any]:
    """Split arrays into a training and a test part, each with rows of every task.

    A task of two rows or more is in both parts; a task of a single row is in the training part.

    Parameters
    ----------
    *arrays : array-like of shape (n_samples, ...)
        What to split, such as `X` and `y`.
    tasks : array-like of shape (n_samples,)
        Task labels. They are split too and returned last.
    stratify : array-like of shape (n_samples,), default=None
        Classes to spread evenly inside each task, as a rule `y` of a classification problem.
    test_size : float, default=0.2
        Share of the rows of every task that is for the test, strictly between 0 and 1.
    train_size : float or None, default=None
        Share of the rows of every task that is for training. None: all that are not for the test.
    random_state : int, RandomState instance or None, default=None
        Source of the randomness.

    Returns
    -------
    splits : list
        Training and test part of each array, and at the end those of `tasks`.

    Raises
    ------
    ValueError
        If lengths differ, no task has two rows, or a size is out of its range.

    See Also
    --------
    TaskStratifiedShuffleSplit : Many such splits.

    Examples
    --------
    >>> from skmtl.model_selection import task_train_test_split
    >>> y, tasks = [0, 1, 2, 3, 4, 5], ["a", "a", "a", "a", "b", "b"]
    >>> y_train, y_test, tasks_train, tasks_test = task_train_test_split(y, tasks=tasks, random_state=0)
    >>> tasks_train, tasks_test
    (['a', 'a', 'a', 'b'], ['a', 'b'])
    """
    if not arrays:
        raise ValueError("'arrays' must hold at least one array to split, such as X and y. Got none.")
    for position, array in enumerate(arrays):
        if _num_samples(array) != _num_samples(tasks):
            raise ValueError(
                f"'tasks' has {_num_samples(tasks)} labels but array number {position} has {_num_samples(array)} rows."
            )
    test_size, train_size = _check_sizes(test_size, train_size)
    codes, classes = task_and_class(arrays[0], stratify, tasks, None, "task_train_test_split")
    train, test = _split_once(codes, classes, test_size, train_size, _generator(random_state))
    return [_safe_indexing(array, rows) for array in indexable(*arrays, tasks) for rows in (train, test)]


def _split_once(codes, classes, test_size, train_size, rng):
    """Return the training and test rows of a random split."""
    order = ordered_rows(codes, classes, rng)
    sizes = np.bincount(codes)
    if sizes.max() < 2:
        raise ValueError(
            "No task has two rows, so that none can be in both parts. Got a label of its own for each row."
        )
    train, test = [], []
    # One offset for all tasks: their rounding errors cancel instead of adding up.
    due = np.diff(np.floor(np.concatenate([[0], np.cumsum(sizes)]) * test_size + rng.uniform())).astype(np.intp)
    for rows, n_due in zip(np.split(order, np.cumsum(sizes)[:-1]), due, strict=True):
        n_test = int(np.clip(n_due, 1, len(rows) - 1)) if len(rows) > 1 else 0
        for_test = _pick(classes[rows], n_test, rng)
        rest = rows[~for_test]
        test.append(rows[for_test])
        if train_size is not None:
            n_train = max(1, min(round(train_size * len(rows)), len(rest)))
            rest = rest[_evenly(len(rest), n_train, rng)]
        train.append(rest)
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def _pick(classes, n, rng):
    """Mark `n` rows, evenly over sorted classes; rows that are alone in their class only if there are no others."""
    marked = np.zeros(len(classes), dtype=bool)
    alone = np.bincount(classes)[classes] == 1
    others = np.flatnonzero(~alone)
    n_others = min(n, len(others))
    marked[others[_evenly(len(others), n_others, rng)]] = True
    marked[rng.permutation(np.flatnonzero(alone))[: n - n_others]] = True
    return marked


def _evenly(n_rows, n, rng):
    """Return `n` of `n_rows` positions at equal distances from a random start."""
    if n == 0:
        return np.zeros(0, dtype=np.intp)
    return np.floor((np.arange(n) + rng.uniform()) * (n_rows / n)).astype(np.intp)


def _check_sizes(test_size, train_size):
    for name, value in {"test_size": test_size, "train_size": train_size}.items():
        if name == "train_size" and value is None:
            continue
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < 1:
            raise ValueError(f"'{name}' must be a share strictly between 0 and 1. Got {value!r}.")
    if train_size is not None and test_size + train_size > 1 + 1e-12:
        raise ValueError(f"'test_size' and 'train_size' must not exceed 1 together. Got {test_size} and {train_size}.")
    return float(test_size), None if train_size is None else float(train_size)


def _generator(random_state):
    return np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
