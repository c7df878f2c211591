"""One score per task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skmtl._optional import import_optional
from skmtl.tasks import learn_tasks, observed_pairs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class TaskScores:  # numpydoc ignore=PR02
    """Table of one score per task, sorted by task.

    Parameters
    ----------
    task : ndarray of shape (n_tasks,)
        Labels of the tasks.
    n_rows : ndarray of shape (n_tasks,), dtype int64
        Number of rows of each task.
    score : ndarray of shape (n_tasks,), dtype float64
        Value of the metric on the rows of each task.

    See Also
    --------
    task_scores : Compute the table.
    """

    task: np.ndarray
    n_rows: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.task)

    def __repr__(self) -> str:
        return f"TaskScores(task={self.task!r}, n_rows={self.n_rows!r}, score={self.score!r})"

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame
            One row per task with the columns `task`, `n_rows` and `score`.
        """
        pandas = import_optional("pandas", extra="data")
        return pandas.DataFrame({"task": self.task, "n_rows": self.n_rows, "score": self.score})


def task_scores(
    y_true: Any, y_pred: Any, tasks: Any, metric: Callable[..., float], *, sample_weight: Any = None
) -> TaskScores:
    """Compute a metric on the rows of each task.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What the metric compares with `y_true`: predictions, or scores or probabilities of the classes.
    tasks : array-like of shape (n_samples,) or None
        Task labels. If None, each column of a 2-D `y_true` is a task, in which NaN is a target that was not observed; a
        1-D `y_true` is a single task.
    metric : callable
        Called as ``metric(y_true, y_pred)`` with the rows of one task, which may be a single row or have a single
        class, and with `sample_weight` if it is given.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    scores : TaskScores
        Arrays `task`, `n_rows` and `score`, sorted by task.

    Raises
    ------
    ValueError
        If the arguments differ in length, or `tasks` is not one label per row.

    See Also
    --------
    make_task_scorer : Make a scorer for cross-validation.

    Examples
    --------
    >>> from sklearn.metrics import mean_absolute_error
    >>> from skmtl.metrics import task_scores
    >>> scores = task_scores([1.0, 2.0, 3.0], [1.0, 2.5, 3.5], ["b", "a", "a"], mean_absolute_error)
    >>> scores.task.tolist(), scores.n_rows.tolist(), scores.score.tolist()
    (['a', 'b'], [2, 1], [0.5, 0.0])
    """
    if not callable(metric):
        raise TypeError(f"'metric' must be a callable such as sklearn.metrics.r2_score; got {metric!r}.")
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    if y_true.ndim not in {1, 2}:
        raise ValueError(f"'y_true' must be 1-D or 2-D; got shape {y_true.shape}.")
    for name, values in {"y_pred": y_pred, "tasks": tasks, "sample_weight": weights}.items():
        found = len(y_true) if values is None else np.shape(values)[0] if np.ndim(values) else 1
        if found != len(y_true):
            raise ValueError(f"'{name}' has length {found} but 'y_true' has length {len(y_true)}.")

    if tasks is None and y_true.ndim == 2:
        if y_pred.shape != y_true.shape:
            raise ValueError(f"'y_pred' has shape {y_pred.shape} but 'y_true' has shape {y_true.shape}.")
        one_task = np.zeros(len(y_true), dtype=np.intp)  # so that a unit is an output
        rows, codes, y_true, n_outputs = observed_pairs(y_true, one_task, owner="task_scores")
        labels = np.arange(n_outputs)
        y_pred, weights = y_pred[rows, codes], None if weights is None else weights[rows]
    else:
        labels, codes = learn_tasks(tasks, len(y_true), owner="task_scores")

    n_rows = np.bincount(codes, minlength=len(labels))
    order = np.argsort(codes, kind="stable")  # the rows of each task, in the order they came
    scores = np.empty(len(labels))
    for code, rows in enumerate(np.split(order, np.cumsum(n_rows)[:-1])):
        weighting = {} if weights is None else {"sample_weight": weights[rows]}
        scores[code] = metric(y_true[rows], y_pred[rows], **weighting)
    return TaskScores(labels, n_rows.astype(np.int64), scores)
