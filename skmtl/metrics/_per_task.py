"""One score per task, and averages of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from skmtl._optional import import_optional
from skmtl.tasks import learn_tasks, observed_pairs
from skmtl.tasks._values import as_array, missing_in

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

    def macro(self) -> float:
        """Return the mean over tasks, in which every task counts the same.

        Returns
        -------
        score : float
            The mean. Tasks whose score is NaN, such as R² of a single row, are left out; NaN if there are no others.
        """
        defined = self.score[~np.isnan(self.score)]
        return float(defined.mean()) if len(defined) else float("nan")

    def worst(self, *, greater_is_better: bool, min_rows: int = 1) -> float:
        """Return the score of the task that fares worst.

        Parameters
        ----------
        greater_is_better : bool
            Whether a greater value of the metric is better.
        min_rows : int, default=1
            Least number of rows of a task that may be the worst: the score of a task on one or two rows is mostly
            chance. If no task has so many, all may.

        Returns
        -------
        score : float
            The lowest or, for errors, the highest score. Tasks whose score is NaN are left out; NaN if there are no
            others.
        """
        enough = self.n_rows >= min_rows if np.any(self.n_rows >= min_rows) else np.ones(len(self), dtype=bool)
        defined = self.score[enough & ~np.isnan(self.score)]
        if not len(defined):
            return float("nan")
        return float(defined.min() if greater_is_better else defined.max())


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
        Task labels. If None, each column of a 2-D `y_true` is a task, in which NaN is a target that was not observed,
        and whose label is the name of the column, if it has one, or its position; a 1-D `y_true` is a single task.
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
        If the arguments differ in length, `tasks` is not one label per row, or a target is missing elsewhere than in a
        2-D `y_true` without `tasks`.

    See Also
    --------
    averaged_task_score : The mean over tasks, or the worst, as one number.
    make_task_scorer : Make a scorer for cross-validation.

    Examples
    --------
    >>> from sklearn.metrics import mean_absolute_error
    >>> from skmtl.metrics import task_scores
    >>> scores = task_scores([1.0, 2.0, 3.0], [1.0, 2.5, 3.5], ["b", "a", "a"], mean_absolute_error)
    >>> scores.task.tolist(), scores.n_rows.tolist(), scores.score.tolist()
    (['a', 'b'], [2, 1], [0.5, 0.0])
    """
    labels, groups = _rows_of_tasks(y_true, y_pred, tasks, metric, sample_weight)
    n_rows = np.array([len(group[0]) for group in groups], dtype=np.int64)
    return TaskScores(labels, n_rows, np.array([_call(metric, *group) for group in groups], dtype=np.float64))


def averaged_task_score(
    y_true: Any,
    y_pred: Any,
    tasks: Any,
    metric: Callable[..., float],
    *,
    average: str = "macro",
    greater_is_better: bool | None = None,
    sample_weight: Any = None,
) -> float:
    """Compute a metric as one number that does justice to the tasks.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        What the metric compares with `y_true`.
    tasks : array-like of shape (n_samples,) or None
        Task labels; None as in :func:`task_scores`.
    metric : callable
        Called as ``metric(y_true, y_pred)``, and with `sample_weight` if it is given.
    average : {"macro", "micro", "worst"}, default="macro"
        What the number is.

        - "macro": the mean over tasks of their scores. Every task counts the same.
        - "micro": the metric on the rows of all tasks together. Every row counts the same.
        - "worst": the score of the task that fares worst.

        "macro" and "worst" leave out tasks whose score is NaN; the metric itself warns of them.
    greater_is_better : bool or None, default=None
        Whether a greater value of the metric is better; "worst" needs to know.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    score : float
        The number, in the unit and with the sign of the metric.

    Raises
    ------
    ValueError
        If `average` is none of the three, "worst" is not told which values are better, or as in :func:`task_scores`.

    See Also
    --------
    task_scores : The score of each task.

    Examples
    --------
    >>> from sklearn.metrics import mean_absolute_error
    >>> from skmtl.metrics import averaged_task_score
    >>> y, predicted, tasks = [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 8.0], ["a", "a", "a", "b"]
    >>> averaged_task_score(y, predicted, tasks, mean_absolute_error)
    2.0
    >>> averaged_task_score(y, predicted, tasks, mean_absolute_error, average="micro")
    1.0
    """
    check_average(average)
    if average == "worst" and greater_is_better is None:
        raise ValueError("'greater_is_better' must be True or False for average='worst'. Got None.")
    if average == "micro":
        _, groups = _rows_of_tasks(y_true, y_pred, tasks, metric, sample_weight)
        if len(groups) == 1:
            return float(_call(metric, *groups[0]))
        order = np.argsort(np.concatenate([group[3] for group in groups]), kind="stable")  # rows as they came
        together = [None if parts[0] is None else np.concatenate(parts)[order] for parts in zip(*groups, strict=True)]
        return float(_call(metric, *together))
    scores = task_scores(y_true, y_pred, tasks, metric, sample_weight=sample_weight)
    return scores.macro() if average == "macro" else scores.worst(greater_is_better=bool(greater_is_better))


def check_average(average: Any) -> None:
    """Raise if `average` is none of the averages over tasks."""
    if average not in {"macro", "micro", "worst"}:
        raise ValueError(f"'average' must be 'macro', 'micro' or 'worst'. Got {average!r}.")


def _call(metric, y_true, y_pred, weights, rows):
    """Call the metric on some rows."""
    return metric(y_true, y_pred) if weights is None else metric(y_true, y_pred, sample_weight=weights)


def _rows_of_tasks(y_true, y_pred, tasks, metric, sample_weight):
    """Return the labels, and for each task its targets, predictions, weights and positions, in the order they came."""
    if not callable(metric):
        raise TypeError(f"'metric' must be a callable such as sklearn.metrics.r2_score; got {metric!r}.")
    columns = getattr(y_true, "columns", None)
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    if y_true.ndim not in {1, 2}:
        raise ValueError(f"'y_true' must be 1-D or 2-D; got shape {y_true.shape}.")
    for name, values in {"y_pred": y_pred, "tasks": tasks, "sample_weight": weights}.items():
        found = len(y_true) if values is None else np.shape(values)[0] if np.ndim(values) else 1
        if found != len(y_true):
            raise ValueError(f"'{name}' has length {found} but 'y_true' has length {len(y_true)}.")
    if tasks is None and y_true.ndim == 2:
        if y_pred.shape[:2] != y_true.shape:
            raise ValueError(f"'y_pred' has shape {y_pred.shape} but 'y_true' has shape {y_true.shape}.")
        one_task = np.zeros(len(y_true), dtype=np.intp)  # so that a unit is an output
        rows, codes, y_true, n_outputs = observed_pairs(y_true, one_task, owner="task_scores")
        labels = np.arange(n_outputs) if columns is None else np.array(list(columns))
        y_pred, weights = y_pred[rows, codes], None if weights is None else weights[rows]
    else:
        if missing_in(as_array(y_true)).any():
            where = "" if tasks is None else "; score one column of 'y_true' at a time, without those rows"
            raise ValueError(f"'y_true' has missing values, which only a 2-D 'y_true' without 'tasks' may have{where}.")
        labels, codes = learn_tasks(tasks, len(y_true), owner="task_scores")
    n_rows = np.bincount(codes, minlength=len(labels))
    order = np.argsort(codes, kind="stable")  # the rows of each task, in the order they came
    return labels, [
        (y_true[rows], y_pred[rows], None if weights is None else weights[rows], rows)
        for rows in np.split(order, np.cumsum(n_rows)[:-1])
    ]
