"""Which rows are for training, validation and test, and how predictions are scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import root_mean_squared_error

from skmtl.metrics import task_scores

TRAIN, VALIDATION, TEST = 0, 1, 2
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.15
MIN_TEST_ROWS = 5  # for the worst task: the error of a task on one or two rows is mostly chance


@dataclass(frozen=True)
class Table:
    """A table with tasks: features (DataFrame), targets, task labels."""

    X: Any
    y: np.ndarray
    tasks: np.ndarray

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows with these positions, or where this mask is True."""
        return Table(self.X.iloc[rows], self.y[rows], self.tasks[rows])


@dataclass(frozen=True)
class TestScore:
    """Errors of a model on the test rows."""

    rmse: float
    worst_task: Any
    worst_task_rmse: float


def split(tasks: np.ndarray, seed: int) -> np.ndarray:
    """Return the part of each row: within each task 20 % test, then 15 % of the rest validation, by rounding."""
    rng = np.random.default_rng(seed)
    part = np.empty(len(tasks), dtype=np.intp)
    for task in np.unique(tasks):
        rows = rng.permutation(np.flatnonzero(tasks == task))
        n_test = round(TEST_SHARE * len(rows))
        n_validation = round(VALIDATION_SHARE * (len(rows) - n_test))
        part[rows[:n_test]] = TEST
        part[rows[n_test : n_test + n_validation]] = VALIDATION
        part[rows[n_test + n_validation :]] = TRAIN
    return part


def score(y_true: np.ndarray, y_pred: np.ndarray, tasks: np.ndarray) -> TestScore:
    """Return the error over all rows, and that of the task with the greatest one.

    Tasks of fewer than `MIN_TEST_ROWS` rows cannot be the worst, unless all are that small.
    """
    per_task = task_scores(y_true, y_pred, tasks, root_mean_squared_error)
    eligible = per_task.n_rows >= min(MIN_TEST_ROWS, per_task.n_rows.max())
    worst = int(np.argmax(np.where(eligible, per_task.score, -np.inf)))
    return TestScore(float(root_mean_squared_error(y_true, y_pred)), per_task.task[worst], float(per_task.score[worst]))
