"""The form in which every real table is returned."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import Bunch


def make_bunch(
    table: Any,
    target: np.ndarray,
    tasks: np.ndarray,
    *,
    as_frame: bool,
    return_X_y_tasks: bool,
    text: Any,
) -> Any:
    """Return a table as ``(data, target, tasks)`` or as a Bunch with description, source and licence.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_samples, n_features)
        Features.
    target : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    tasks : ndarray of shape (n_samples,)
        Task labels.
    as_frame : bool
        Whether features stay a DataFrame; otherwise they become float64, categories their positions.
    return_X_y_tasks : bool
        Whether to return a tuple.
    text : callable
        Called without arguments; returns description, source and licence.

    Returns
    -------
    result : Bunch or tuple
        The table.
    """
    data: Any = table
    if not as_frame:
        data = np.empty(table.shape)
        for j, name in enumerate(table.columns):
            column = table[name]
            if str(column.dtype) == "category":
                codes = column.cat.codes.to_numpy(dtype=np.float64)
                data[:, j] = np.where(codes < 0, np.nan, codes)
            else:
                data[:, j] = column.to_numpy(dtype=np.float64)
    if return_X_y_tasks:
        return data, target, tasks
    description, source, licence = text()
    return Bunch(
        data=data,
        target=target,
        tasks=tasks,
        feature_names=table.columns.tolist(),
        DESCR=description,
        source=source,
        licence=licence,
    )
