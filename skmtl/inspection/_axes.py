"""What the pictures share: axes of fitting size, checked limits, labels that do not touch."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skmtl._optional import import_optional

ROW_HEIGHT = 0.24  # inches; labels of matplotlib's default size do not touch at this distance
MARGIN = 0.9  # inches above and below the rows, for title and axis
GAIN, LOSS, NEUTRAL = "tab:blue", "tab:red", "0.6"


def make_axes(ax: Any, *, width: float = 6.4, height: float = 4.8, layout: str = "constrained") -> Any:
    """Return the axes of the caller, or those of a new figure of this size in inches."""
    if ax is not None:
        return ax
    pyplot = import_optional("matplotlib.pyplot", extra="plot")
    return pyplot.subplots(figsize=(width, height), layout=layout)[1]


def height_for(n_rows: int) -> float:
    """Return the height of a figure in inches in which so many lines have room."""
    return max(MARGIN + ROW_HEIGHT * (n_rows + 1), 2.0)


def check_limit(value: Any, name: str) -> int:
    """Return a positive integer."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"'{name}' must be an int of at least 1. Got {value!r}.")
    return int(value)


def check_lengths(n_tasks: int, **arrays: Any) -> None:
    """Raise if an array does not have one entry per task."""
    for name, values in arrays.items():
        if len(values) != n_tasks:
            raise ValueError(f"'{name}' has {len(values)} entries but 'tasks' has {n_tasks} labels.")


def label_rows(ax: Any, labels: Sequence[str]) -> None:
    """Put a label at every line 0, 1, ..., small enough not to touch."""
    ax.set_yticks(np.arange(len(labels)), labels)
    distance = ax.get_window_extent().height / ax.figure.dpi * 72.0 / max(len(labels), 1)
    size = min(ax.yaxis.get_ticklabels()[0].get_fontsize(), 0.7 * distance)
    ax.tick_params(axis="y", length=0, labelsize=size)


def label_cells(axis: Any, labels: Sequence[str], max_labels: int, extent: float) -> None:
    """Label the rows or columns of a picture of cells, every one or every second, third, ...

    `extent` is the length of the axis in inches.
    """
    step = max(1, -(-len(labels) // max_labels))
    shown = np.arange(0, len(labels), step)
    axis.set_ticks(shown, [labels[int(i)] for i in shown])
    distance = extent * 72.0 / max(len(labels), 1) * step
    size = min(axis.get_ticklabels()[0].get_fontsize(), max(0.75 * distance, 3.0))
    axis.set_tick_params(labelsize=size, length=2 if step > 1 else 0)


def plain(ax: Any) -> None:
    """Take the frame away above and to the right."""
    ax.spines[["top", "right"]].set_visible(False)


def number(value: float) -> str:
    """Return a number with four digits at most."""
    return f"{value:.3g}"
