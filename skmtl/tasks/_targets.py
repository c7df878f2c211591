"""Targets of shape (n_rows, n_outputs), in which NaN means not observed, as pairs of a row and one target."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from skmtl.tasks._values import as_array, missing_in, narrow

_MAX_SHOWN = 5


class Pairs(NamedTuple):  # numpydoc ignore=PR02
    """The observed targets of a table, one entry per pair of a row and an output, row by row.

    A unit is what is learned as one task of its own: one output of one task. Unit ``u`` is output ``u % n_outputs`` of
    task ``u // n_outputs``.

    Parameters
    ----------
    rows : ndarray of shape (n_pairs,), dtype intp
        Row of `X` of each target.
    units : ndarray of shape (n_pairs,), dtype intp
        Unit of each target: ``codes[rows] * n_outputs + output``, or -1 for a task with code -1.
    values : ndarray of shape (n_pairs,)
        The targets.
    n_outputs : int
        Number of outputs; 1 if `y` is 1-D.
    """

    rows: np.ndarray
    units: np.ndarray
    values: np.ndarray
    n_outputs: int


def observed_pairs(y: Any, codes: np.ndarray, *, owner: str) -> Pairs:
    """Return one entry per observed target.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Targets. In two dimensions NaN, None and pandas' NA are targets that were not observed; in one dimension `y` is
        passed through unchecked.
    codes : ndarray of shape (n_rows,)
        Position of each row's task in `tasks_`.
    owner : str
        Name of the estimator, for messages.

    Returns
    -------
    pairs : Pairs
        Row, unit and value of every observed target, row by row and then output by output.

    Raises
    ------
    ValueError
        If the number of rows differs, an output has no observed target, or a target is infinite.
    TypeError
        If `y` is sparse.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.tasks import observed_pairs
    >>> pairs = observed_pairs([[1.0, np.nan], [2.0, 3.0]], np.array([0, 0]), owner="Model")
    >>> pairs.rows.tolist(), pairs.units.tolist(), pairs.values.tolist()
    ([0, 1, 1], [0, 0, 1], [1.0, 2.0, 3.0])
    """
    if issparse(y):
        raise TypeError(f"'y' must be dense, but {owner} got a sparse {type(y).__name__}. Convert it with y.toarray().")
    try:
        array = as_array(y)
        if array.ndim == 1:
            array = np.asarray(y)
    except ValueError:
        raise ValueError("'y' must have one target, or the same number of targets, in each row.") from None
    codes = np.asarray(codes, dtype=np.intp)
    if array.ndim not in {1, 2}:
        raise ValueError(f"'y' must be 1-D or 2-D; got shape {array.shape}.")
    if len(array) != len(codes):
        raise ValueError(f"'y' has {len(array)} rows but X has {len(codes)} rows.")
    if array.ndim == 1:
        return Pairs(np.arange(len(codes), dtype=np.intp), codes, array, 1)
    n_outputs = array.shape[1]
    if n_outputs == 0:
        raise ValueError("'y' has no columns; expected one for each output.")
    observed = ~missing_in(array)
    empty = np.flatnonzero(~observed.any(axis=0)).tolist()
    if empty:
        shown = ", ".join(map(str, empty[:_MAX_SHOWN])) + (", ..." if len(empty) > _MAX_SHOWN else "")
        raise ValueError(f"'y' has no observed value in column {shown}; expected at least one in each column.")
    rows, outputs = np.nonzero(observed)  # in row-major order
    values = narrow(array[observed])
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        first = rows[~np.isfinite(values)][:_MAX_SHOWN].tolist()
        raise ValueError(f"'y' must be finite, or NaN where a target was not observed; got infinity in rows {first}.")
    return Pairs(rows.astype(np.intp, copy=False), _units(codes[rows], outputs, n_outputs), values, n_outputs)


def all_pairs(codes: np.ndarray, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and the unit of every pair of a row and an output, for ``predict``.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Position of each row's task in `tasks_`, -1 for an unseen one.
    n_outputs : int
        Number of outputs.

    Returns
    -------
    rows : ndarray of shape (n_rows * n_outputs,), dtype intp
        Row of each pair.
    units : ndarray of shape (n_rows * n_outputs,), dtype intp
        Unit of each pair, -1 for an unseen task.

    See Also
    --------
    stack_predictions : Bring the predictions of these pairs into the shape of `y`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.tasks import all_pairs
    >>> rows, units = all_pairs(np.array([1, 0]), 2)
    >>> rows.tolist(), units.tolist()
    ([0, 0, 1, 1], [2, 3, 0, 1])
    """
    codes = np.asarray(codes, dtype=np.intp)
    rows = np.repeat(np.arange(len(codes), dtype=np.intp), n_outputs)
    outputs = np.tile(np.arange(n_outputs, dtype=np.intp), len(codes))
    return rows, _units(codes[rows], outputs, n_outputs)


def stack_predictions(values: np.ndarray, n_rows: int, n_outputs: int) -> np.ndarray:
    """Bring the predictions for :func:`all_pairs` into the shape of a 2-D `y`.

    Parameters
    ----------
    values : ndarray of shape (n_rows * n_outputs,) or (n_rows * n_outputs, n_values)
        One prediction per pair of a row and an output, row by row.
    n_rows : int
        Number of rows of `X`.
    n_outputs : int
        Number of outputs.

    Returns
    -------
    predictions : ndarray of shape (n_rows, n_outputs) or (n_rows, n_outputs, n_values)
        The same values, one row per row of `X`.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.tasks import stack_predictions
    >>> stack_predictions(np.arange(6), 3, 2).tolist()
    [[0, 1], [2, 3], [4, 5]]
    """
    values = np.asarray(values)
    return values.reshape(n_rows, n_outputs, *values.shape[1:])


def _units(codes: np.ndarray, outputs: np.ndarray, n_outputs: int) -> np.ndarray:
    return np.where(codes < 0, -1, codes * n_outputs + outputs).astype(np.intp, copy=False)
