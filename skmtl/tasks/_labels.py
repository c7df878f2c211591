"""Task labels: checked, learned in ``fit`` and looked up in ``predict``."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from skmtl.tasks._values import as_array, missing_in, narrow, type_names

_MAX_SHOWN = 5


def learn_tasks(labels: Any, n_rows: int, *, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Learn the tasks from one label per row.

    Parameters
    ----------
    labels : array-like of shape (n_rows,) or None
        Task labels: strings, numbers, booleans, categories, dates, nullable or not. None means a single task.
    n_rows : int
        Number of rows of `X`.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    tasks : ndarray of shape (n_tasks,)
        The sorted labels, the attribute `tasks_` of an estimator. ``[0]`` if there are no labels.
    codes : ndarray of shape (n_rows,), dtype intp
        Position of each row's label in `tasks`.

    Raises
    ------
    ValueError
        If there is not exactly one label per row, or a label is missing.
    TypeError
        If the labels cannot be sorted or hashed.

    Examples
    --------
    >>> from skmtl.tasks import learn_tasks
    >>> tasks, codes = learn_tasks(["b", "a", "b"], 3, owner="Model")
    >>> tasks.tolist(), codes.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    if labels is None:
        return np.zeros(1, dtype=np.int64), np.zeros(n_rows, dtype=np.intp)
    array = check_labels(labels, n_rows)
    if array.dtype.kind == "O":
        return _learn_objects(array, owner)
    if array.dtype.kind == "i" and array.size:
        low, high = int(array.min()), int(array.max())
        if high - low <= 4 * n_rows + 1024:  # a table over all values in between is cheaper than sorting the rows
            offsets = array - low
            present = np.zeros(high - low + 1, dtype=bool)
            present[offsets] = True
            return np.flatnonzero(present).astype(np.int64) + low, (np.cumsum(present) - 1)[offsets].astype(np.intp)
    tasks, codes = np.unique(array, return_inverse=True)
    return tasks, codes.astype(np.intp, copy=False)


def look_up_tasks(
    labels: Any, tasks_: np.ndarray, n_rows: int, *, unseen: Literal["shared", "error"], owner: str
) -> np.ndarray:
    """Map one label per row to its position in the labels learned in ``fit``.

    Parameters
    ----------
    labels : array-like of shape (n_rows,) or None
        Task labels. None is for a model of a single task only.
    tasks_ : ndarray of shape (n_tasks,)
        The sorted labels that :func:`learn_tasks` returned.
    n_rows : int
        Number of rows of `X`.
    unseen : {"shared", "error"}
        What to do with a label that is not in `tasks_`: give it the code -1, or raise.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    codes : ndarray of shape (n_rows,), dtype intp
        Position of each row's label in `tasks_`, -1 for a task not seen in ``fit``.

    Raises
    ------
    ValueError
        If labels are needed but not given, there is not exactly one per row, one is missing, or ``unseen="error"`` and
        one is not in `tasks_`.
    TypeError
        If the labels are of another type than those of ``fit``, such as numbers where ``fit`` had strings.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.tasks import look_up_tasks
    >>> look_up_tasks(["b", "c"], np.array(["a", "b"]), 2, unseen="shared", owner="Model").tolist()
    [1, -1]
    """
    if labels is None:
        if len(tasks_) > 1:
            raise ValueError(
                f"{owner} was fitted on {len(tasks_)} tasks, so 'tasks' (one label per row) is needed here too. Inside "
                "Pipeline or GridSearchCV, call sklearn.set_config(enable_metadata_routing=True); where scikit-learn "
                "passes no 'tasks' on, such as search.predict, keep the labels in a column of X and name it in "
                "'task_column'."
            )
        return np.zeros(n_rows, dtype=np.intp)
    array = check_labels(labels, n_rows)
    known = narrow(as_array(tasks_))
    _check_same_kind(array, known, owner)
    if array.dtype.kind != "O" and known.dtype.kind != "O":
        if array.dtype.kind == "b" or known.dtype.kind == "b":
            array, known = array.astype(np.float64), known.astype(np.float64)
        codes = np.minimum(np.searchsorted(known, array), len(known) - 1)
        codes = np.where(known[codes] == array, codes, -1).astype(np.intp, copy=False)
    else:
        position = {task: code for code, task in enumerate(known.tolist())}
        try:
            codes = np.fromiter((position.get(label, -1) for label in array.tolist()), dtype=np.intp, count=n_rows)
        except TypeError:
            raise TypeError(_not_hashable(array)) from None
    if unseen == "error" and np.any(codes < 0):
        names = list(dict.fromkeys(array[codes < 0].tolist()))
        raise ValueError(
            f"'tasks' has {_count(len(names), 'task')} that {owner} was not fitted on: {_shown(names)}. Leave these "
            'rows out, or set unseen_tasks="shared" to predict them with what is common to all tasks.'
        )
    return codes


def check_labels(labels: Any, n_rows: int, *, what: str = "'tasks'") -> np.ndarray:
    """Return one normalised label per row, or raise an error that opens with `what`."""
    try:
        array = as_array(labels)
    except ValueError:  # nested sequences of different lengths
        raise ValueError(f"{what} must be 1-D, one label per row; got nested sequences.") from None
    if array.ndim == 0:
        raise ValueError(f"{what} must be 1-D, one label per row; got a single {type(labels).__name__}.")
    if array.ndim > 1:
        hint = " Pass it through numpy.ravel." if array.ndim == 2 and array.shape[1] == 1 else ""
        raise ValueError(f"{what} must be 1-D, one label per row; got shape {array.shape}.{hint}")
    if len(array) != n_rows:
        raise ValueError(f"{what} has {_count(len(array), 'label')} but X has {_count(n_rows, 'row')}.")
    missing = np.flatnonzero(missing_in(array))
    if missing.size:
        rows = "row" if missing.size == 1 else "rows"
        raise ValueError(
            f"{what} has {_count(missing.size, 'missing label')} (NaN or None), in {rows} "
            f"{_shown(missing.tolist(), quote=False)}. Leave these rows out, or give them a label of their own."
        )
    return narrow(array)


def _learn_objects(array: np.ndarray, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Learn strings and other objects: a dictionary is an order of magnitude faster than sorting all rows."""
    values = array.tolist()
    try:
        distinct = set(values)
    except TypeError:
        raise TypeError(_not_hashable(array)) from None
    try:
        ordered = sorted(distinct)
    except TypeError:
        raise TypeError(
            f"{owner} cannot sort the labels in 'tasks', which are of type {type_names(array)}. Give all labels one "
            "type that has an order, for example with [str(label) for label in tasks]."
        ) from None
    position = {task: code for code, task in enumerate(ordered)}
    codes = np.fromiter(map(position.__getitem__, values), dtype=np.intp, count=len(values))
    if all(isinstance(task, str) for task in ordered):
        return np.array(ordered, dtype=np.str_), codes
    tasks = np.empty(len(ordered), dtype=object)
    for code, task in enumerate(ordered):  # one by one: an assignment at once would take tuples apart
        tasks[code] = task
    return tasks, codes


def _check_same_kind(array: np.ndarray, known: np.ndarray, owner: str) -> None:
    """Raise if labels can never equal those of ``fit``: taking them for unseen tasks would hide a mistake."""
    if not array.size:
        return
    given, fitted = _kind(array), _kind(known)
    if given == fitted:
        return
    hint = " (a model fitted without labels has the single task 0)" if known.tolist() == [0] else ""
    raise TypeError(
        f"{owner} was fitted on task labels of type {type_names(known)}{hint}, but 'tasks' holds {type_names(array)}: "
        f"{_shown(list(dict.fromkeys(map(_hashable, array.tolist()))))}. Convert the labels to the type used in fit."
    )


def _kind(array: np.ndarray) -> str:
    kind = array.dtype.kind
    if kind in "bif":
        return "number"
    if kind != "O":
        return kind
    types = set(map(type, array.tolist()))
    if all(issubclass(kind_of_value, str) for kind_of_value in types):
        return "str"
    if all(issubclass(kind_of_value, int | np.integer) for kind_of_value in types):
        return "number"  # integers beyond 64 bits
    return "other"


def _hashable(label: Any) -> Any:
    try:
        hash(label)
    except TypeError:
        return repr(label)
    return label


def _not_hashable(array: np.ndarray) -> str:
    return f"'tasks' must hold hashable labels, such as strings or numbers; got values of type {type_names(array)}."


def _shown(values: list, *, quote: bool = True) -> str:
    texts = [repr(value) if quote else str(value) for value in values[:_MAX_SHOWN]]
    return ", ".join(texts) + (", ..." if len(values) > _MAX_SHOWN else "")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
