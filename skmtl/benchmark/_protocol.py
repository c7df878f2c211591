"""Which rows are for training, validation and test, and how predictions are scored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import f1_score, root_mean_squared_error

from skmtl.metrics import task_scores

TRAIN, VALIDATION, TEST = 0, 1, 2
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.15
LEAST_PROBABILITY = 1e-6  # what a class gets at least, so that no single row decides a mean log loss
MIN_TEST_ROWS = 5  # for the worst task: the error of a task on one or two rows is mostly chance


@dataclass(frozen=True)
class Table:
    """A table with tasks: features (DataFrame), targets, task labels.

    With `n_classes` the targets are classes, as numbers from 0. `error` is the name of the error that models are
    compared by, a key of ``ERRORS``; None: "RMSE", or "log loss" of classes. `y_seen` are the targets that models see
    in training, if these are wrong in places.
    """

    X: Any
    y: np.ndarray
    tasks: np.ndarray
    n_classes: int | None = None
    error: str | None = None
    y_seen: np.ndarray | None = None

    @property
    def metric(self) -> str:
        """Name of the error that models are compared by."""
        return self.error or ("RMSE" if self.n_classes is None else "log loss")

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows with these positions, or where this mask is True."""
        seen = None if self.y_seen is None else self.y_seen[rows]
        return replace(self, X=self.X.iloc[rows], y=self.y[rows], tasks=self.tasks[rows], y_seen=seen)

    def as_seen(self) -> Table:
        """Return the table with the targets that models see."""
        return self if self.y_seen is None else replace(self, y=self.y_seen, y_seen=None)


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


def hold_out(tasks: np.ndarray, seed: int) -> np.ndarray:
    """Return a mask of 15 % of the rows of each task, by rounding: the split inside a split."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(tasks), dtype=bool)
    for task in np.unique(tasks):
        rows = rng.permutation(np.flatnonzero(tasks == task))
        mask[rows[: round(VALIDATION_SHARE * len(rows))]] = True
    return mask


def score(y_true: np.ndarray, y_pred: np.ndarray, tasks: np.ndarray, metric: str | None = None) -> TestScore:
    """Return the error over all rows, and that of the task with the greatest one.

    It is the one named; without a name the root mean squared error or, where `y_pred` holds probabilities of classes,
    the log loss.

    Tasks of fewer than `MIN_TEST_ROWS` rows cannot be the worst, unless all are that small.
    """
    error = ERRORS[metric or ("RMSE" if np.ndim(y_pred) == 1 else "log loss")]
    per_task = task_scores(y_true, y_pred, tasks, error)
    eligible = per_task.n_rows >= min(MIN_TEST_ROWS, per_task.n_rows.max())
    worst = int(np.argmax(np.where(eligible, per_task.score, -np.inf)))
    return TestScore(float(error(y_true, y_pred)), per_task.task[worst], float(per_task.score[worst]))


def log_loss(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of minus the logarithm of the probability of the class of each row."""
    raised = np.maximum(probabilities, LEAST_PROBABILITY)
    own = raised[np.arange(len(y_true)), np.asarray(y_true, dtype=np.intp)]
    return float(np.mean(np.log(raised.sum(axis=1)) - np.log(own)))


def f1_shortfall(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return one minus the F1 score of the second of two classes; 0 if no row has it, or is said to have it."""
    return float(1.0 - f1_score(y_true, np.argmax(probabilities, axis=1), zero_division=1.0))


def error_rate(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of the rows whose most probable class is not theirs."""
    return float(np.mean(np.argmax(probabilities, axis=1) != y_true))


def class_distance(y_true: np.ndarray, probabilities: np.ndarray) -> float:
    """Return how many classes, in their order, the median of the probabilities is off, on average."""
    median = np.sum(np.cumsum(probabilities, axis=1) < 0.5, axis=1)
    return float(np.mean(np.abs(np.minimum(median, probabilities.shape[1] - 1) - y_true)))


ERRORS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "RMSE": root_mean_squared_error,
    "log loss": log_loss,
    "1 - F1": f1_shortfall,
    "error rate": error_rate,
    "class distance": class_distance,
}
