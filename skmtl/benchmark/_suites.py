"""Which tables and which models belong together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skmtl import datasets
from skmtl._optional import import_optional
from skmtl.benchmark._protocol import Table

ALL_MODELS = (
    "rmtgb",
    "lightgbm_task",
    "xgboost_task",
    "catboost_task",
    "hist_gradient_boosting",
    "gpboost",
    "lightgbm_per_task",
)


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
    classifies : bool
        Whether the target is a class.
    """

    load: Callable
    task: str
    unit: str
    classifies: bool = False

    def read(self) -> Table:
        """Return the table."""
        X, y, tasks = self.load(return_X_y_tasks=True)
        if not hasattr(X, "iloc"):
            pandas = import_optional("pandas", extra="data")
            X = pandas.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
        if not self.classifies:
            return Table(X, np.asarray(y, dtype=np.float64), np.asarray(tasks))
        classes, codes = np.unique(y, return_inverse=True)
        return Table(X, codes, np.asarray(tasks), len(classes))


@dataclass(frozen=True)
class Suite:
    """Names of the tables and models that are compared."""

    summary: str
    tables: tuple[str, ...]
    models: tuple[str, ...]


def _fourier(scenario: int, problem: str) -> Callable:
    return functools.partial(datasets.make_fourier_tasks, scenario, problem=problem, random_state=0)


TABLES = {
    "exam": Source(datasets.load_exam, "schools", "sd of the exam score"),
    "egsingle": Source(datasets.load_egsingle, "schools", "points of the mathematics score"),
    "computer": Source(datasets.fetch_computer, "respondents", "points of likelihood of purchase"),
    "abalone": Source(datasets.fetch_abalone, "sexes", "rings"),
    "school": Source(datasets.fetch_school, "schools", "points of the exam score"),
    "landmine": Source(datasets.fetch_landmine, "fields", "nats", classifies=True),
    "avila": Source(datasets.fetch_avila, "tasks", "nats", classifies=True),
    **{
        f"scenario {number}": Source(_fourier(number, "regression"), "tasks", "units of the function")
        for number in (1, 2, 3, 4)
    },
    "scenario 4, classes": Source(_fourier(4, "classification"), "tasks", "nats", classifies=True),
}

SUITES = {
    "demo": Suite(
        "RMTGBRegressor and LightGBM on the exam scores of pupils in schools, two tables, in less than two minutes",
        tables=("exam", "egsingle"),
        models=("rmtgb", "lightgbm_task", "lightgbm_per_task"),
    ),
    "rmtgb": Suite(
        "all models on the tables of the R-MTGB experiments",
        tables=("computer", "abalone", "school", "landmine", "avila"),
        models=ALL_MODELS,
    ),
    "synthetic": Suite(
        "all models on made-up tasks that share everything, nothing, most, or most but for outliers",
        tables=("scenario 1", "scenario 2", "scenario 3", "scenario 4", "scenario 4, classes"),
        models=ALL_MODELS,
    ),
}
