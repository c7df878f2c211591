"""Which rows are for training, validation and test, and how predictions are scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import root_mean_squared_error

from skmtl.metrics import task_scores

TRAIN, VALIDATION, TEST = 0, 1, 2
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.15
LEAST_PROBABILITY = 1e-6  # what a class gets at least, so that no single row decides a mean log loss
MIN_TEST_ROWS = 5  # for the worst task: the error of a task on one or two rows is mostly chance


@dataclass(frozen=True)
class Table:
    """A table with tasks: features (DataFrame), targets, task labels.

    With `n_classes` the targets are classes, as numbers from 0.
    """

    X: Any
    y: np.ndarray
    tasks: np.ndarray
    n_classes: int | None = None

    @property
    def metric(self) -> str:
        """Name of the error that models are compared by."""
        return "RMSE" if self.n_classes is None else "log loss"

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows with these positions, or where this mask is True."""
        return Table(self.X.iloc[rows], self.y[rows], self.tasks[rows], self.n_classes)


@dataclass(frozen=True)
class TestScore:
    """Errors of a model on the test rows."""

    error: float
    worst_task: Any
    worst_task_error: float


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

    It is the root mean squared error or, where `y_pred` holds probabilities of classes, the log loss.

    Tasks of fewer than `MIN_TEST_ROWS` rows cannot be the worst, unless all are that small.
    """
    metric = root_mean_squared_error if np.ndim(y_pred) == 1 else log_loss
    per_task = task_scores(y_true, y_pred, tasks, metric)
    eligible = per_task.n_rows >= min(MIN_TEST_ROWS, per_task.n_rows.max())
    worst = int(np.argmax(np.where(eligible, per_task.score, -np.inf)))
    return TestScore(float(metric(y_true, y_pred)), per_task.task[worst], float(per_task.score[worst]))


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of minus the logarithm of the probability of the class of each row."""
    raised = np.maximum(probabilities, LEAST_PROBABILITY)
    own = raised[np.arange(len(y_true)), np.asarray(y_true, dtype=np.intp)]
    return float(np.mean(np.log(raised.sum(axis=1)) - np.log(own)))
