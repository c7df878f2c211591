"""What the splitters share: the task of each row, the class inside it, and shares of ordered rows."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skmtl._sklearn import _num_samples
from skmtl.tasks import learn_tasks, take_tasks
from skmtl.tasks._values import as_array, missing_in


def task_and_class(X: Any, y: Any, tasks: Any, task_column: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the code of the task and that of the class of each row.

    The class is 0 throughout if `y` is None or not discrete. Without task labels, a row of a 2-D `y` belongs to the
    task "has targets in just these columns", so that every column is observed in every part.
    """
    n_rows = _num_samples(X)
    _, labels = take_tasks(X, tasks, task_column, owner=owner)
    _, codes = learn_tasks(labels, n_rows, owner=owner)
    classes = np.zeros(n_rows, dtype=np.intp)
    if y is None:
        return codes, classes
    if _num_samples(y) != n_rows:
        raise ValueError(f"'y' has {_num_samples(y)} rows but X has {n_rows} rows.")
    values = as_array(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        pattern = np.unique(~missing_in(values), axis=0, return_inverse=True)[1].ravel()
        return np.unique(codes * (pattern.max() + 1) + pattern, return_inverse=True)[1], classes
    if missing_in(values).any():
        raise ValueError("'y' has missing values, which only a 2-D 'y' may have. Leave these rows out.")
    if values.dtype.kind == "O":
        values = np.array([str(value) for value in values]) if _is_text(values) else np.array(values.tolist())
    with warnings.catch_warnings():  # many classes are no concern of a split
        warnings.filterwarnings("ignore", message="The number of unique classes is greater", category=UserWarning)
        discrete = type_of_target(values, input_name="y") in {"binary", "multiclass"}
    return codes, np.unique(values, return_inverse=True)[1].astype(np.intp) if discrete else classes


def ordered_rows(codes: np.ndarray, classes: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Return the rows by task, class and chance; without `rng` in the order they came."""
    last = np.arange(len(codes)) if rng is None else rng.permutation(len(codes))
    return np.lexsort((last, classes, codes))


def _is_text(values: np.ndarray) -> bool:
    return all(isinstance(value, str) for value in values.tolist())
