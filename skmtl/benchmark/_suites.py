"""Which tables and which models belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from skmtl.benchmark._protocol import Table
from skmtl.datasets import load_egsingle, load_exam


@dataclass(frozen=True)
class Source:
    """A table by name.

    Attributes
    ----------
    load : callable
        Returns ``(data, target, tasks)`` with ``return_X_y_tasks=True``.
    task : str
        What a task is, in the plural.
    unit : str
        What the target, and so its error, is measured in.
    """

    load: Callable
    task: str
    unit: str

    def read(self) -> Table:
        """Return the table."""
        return Table(*self.load(return_X_y_tasks=True))


@dataclass(frozen=True)
class Suite:
    """Names of the tables and models that are compared."""

    summary: str
    tables: tuple[str, ...]
    models: tuple[str, ...]


TABLES = {
    "exam": Source(load_exam, "schools", "sd of the exam score"),
    "egsingle": Source(load_egsingle, "schools", "points of the mathematics score"),
}

SUITES = {
    "demo": Suite(
        "RMTGBRegressor and LightGBM on the exam scores of pupils in schools, two tables, in less than two minutes",
        tables=("exam", "egsingle"),
        models=("rmtgb", "lightgbm_task", "lightgbm_per_task"),
    ),
}
