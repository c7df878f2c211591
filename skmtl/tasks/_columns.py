"""The two routes by which task labels come in: `tasks`, and a column of `X`."""

from __future__ import annotations

import difflib
import numbers
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skmtl.tasks._labels import check_labels

_MAX_SHOWN = 5


def take_tasks(X: Any, tasks: Any, task_column: str | int | None, *, owner: str) -> tuple[Any, Any]:
    """Return `X` without its task column, and the task labels.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_columns)
        Input data, never modified. Without `task_column` it is returned as it came, unchecked.
    tasks : array-like of shape (n_rows,) or None
        Task labels of the rows, returned as they came.
    task_column : str, int or None
        The column of `X` that holds the labels: a name for a pandas or polars DataFrame, or a position (from the end if
        negative) for a DataFrame or an array. Where all column labels of a DataFrame are integers, other than 0, 1, 2
        and so on, an integer is the label of a column, not its position.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    X : array-like or DataFrame
        The features, without the task column.
    labels : array-like of shape (n_rows,) or None
        The task labels; None if neither `tasks` nor `task_column` is given.

    Raises
    ------
    ValueError
        If both `tasks` and `task_column` are given, or `task_column` is not a column of `X`.
    TypeError
        If `task_column` is neither a str nor an int, or `X` is sparse.

    Examples
    --------
    >>> from skmtl.tasks import take_tasks
    >>> X, labels = take_tasks([[0.5, 1], [0.7, 2]], None, -1, owner="Model")
    >>> X.tolist(), labels.tolist()
    ([[0.5], [0.7]], [1.0, 2.0])
    """
    if task_column is None:
        return X, tasks
    if tasks is not None:
        raise ValueError(
            f"{owner} got both 'tasks' and 'task_column'={task_column!r}; choose one: leave out 'tasks', or set "
            "'task_column' to None."
        )
    place: Any = task_column  # NumPy's integers too, which the annotation leaves out for the sake of its reader
    if isinstance(place, bool | np.bool_) or not isinstance(place, str | numbers.Integral):
        raise TypeError(
            "'task_column' must be the name (str) or the position (int) of a column of X; "
            f"got {task_column!r} of type {type(task_column).__name__}."
        )
    if issparse(X):
        raise TypeError(
            f"'task_column' needs a dense X, but {owner} got a sparse {type(X).__name__}. Pass the labels as 'tasks', "
            "or convert X with X.toarray()."
        )
    rest: Any
    if hasattr(X, "iloc") and hasattr(X, "columns"):  # pandas, and libraries with its interface
        position = _find(place, list(X.columns))
        rest = X.iloc[:, [other for other in range(X.shape[1]) if other != position]]
        column: Any = X.iloc[:, position]
    elif hasattr(X, "get_column") and hasattr(X, "drop"):  # polars
        position = _find(place, list(X.columns))
        name = X.columns[position]
        rest, column = X.drop(name), X.get_column(name)
    else:
        array = np.asarray(X)
        if array.dtype.kind in "US" and not hasattr(X, "__array__"):
            array = np.asarray(X, dtype=object)  # a list that mixes strings and numbers: keep the numbers numbers
        if array.ndim != 2:
            raise ValueError(f"'task_column' needs a 2-D X, but {owner} got an X of shape {array.shape}.")
        if isinstance(place, str):
            raise ValueError(
                f"'task_column' is the name {task_column!r}, but X is a {type(X).__name__} without column names. Pass "
                "a DataFrame, or the position of the column."
            )
        position = _position(place, array.shape[1])
        rest, column = np.delete(array, position, axis=1), array[:, position]
    labels = check_labels(column, len(column), what=f"The column that 'task_column'={task_column!r} names")
    return rest, labels


def _find(task_column: Any, names: list) -> int:
    """Return the position of a column of a DataFrame with these column names."""
    if isinstance(task_column, numbers.Integral):
        has_int_labels = all(isinstance(name, numbers.Integral) for name in names)
        if not has_int_labels or names == list(range(len(names))):
            return _position(task_column, len(names))
    found = [position for position, name in enumerate(names) if type(name) is not bool and name == task_column]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"'task_column' is {task_column!r}, but X has {len(found)} columns of this name.")
    near = difflib.get_close_matches(str(task_column), [str(name) for name in names], n=1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(repr(name) for name in names[:_MAX_SHOWN]) + (", ..." if len(names) > _MAX_SHOWN else "")
    raise ValueError(
        f"'task_column' is {task_column!r}, which is not a column of X.{meant} X has {len(names)} columns: {shown}."
    )


def _position(task_column: Any, n_columns: int) -> int:
    """Return the position, counted from the front, of a column given by its position."""
    position = int(task_column)
    if not -n_columns <= position < n_columns:
        raise ValueError(
            f"'task_column' is {position}, out of range for an X with {n_columns} columns; expected an int from "
            f"{-n_columns} to {n_columns - 1}."
        )
    return position % n_columns
