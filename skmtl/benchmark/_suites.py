"""Which tables and which models belong together."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from skmtl import datasets
from skmtl._optional import import_optional
from skmtl.benchmark._loss_models import ORDERED, RARE, WRONG, names_of, wrong_labels
from skmtl.benchmark._protocol import Table

ALL_MODELS = (
    "rmtgb",
    "lightgbm_task",
    "xgboost_task",
    "catboost_task",
    "hist_gradient_boosting",
    "gpboost",
    "lightgbm_per_task",
    "net",
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
        What the target, and so its error, is measured in; empty if the error is a share.
    classifies : bool
        Whether the target is a class.
    change : callable
        Makes another table of the one that was read.
    """

    load: Callable
    task: str
    unit: str
    classifies: bool = False
    change: Callable[[Table], Table] = lambda table: table

    def read(self) -> Table:
        """Return the table."""
        X, y, tasks = self.load(return_X_y_tasks=True)
        if not hasattr(X, "iloc"):
            pandas = import_optional("pandas", extra="data")
            X = pandas.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
        if not self.classifies:
            return self.change(Table(X, np.asarray(y, dtype=np.float64), np.asarray(tasks)))
        classes, codes = np.unique(y, return_inverse=True)
        return self.change(Table(X, codes, np.asarray(tasks), len(classes)))


@dataclass(frozen=True)
class Suite:
    """Names of the tables and models that are compared; `models_of` for tables with models of their own."""

    summary: str
    tables: tuple[str, ...]
    models: tuple[str, ...]
    models_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _fourier(scenario: int, problem: str) -> Callable:
    return functools.partial(datasets.make_fourier_tasks, scenario, problem=problem, random_state=0)


def _best_tenth(table: Table) -> Table:
    """Whether a target is in the best tenth."""
    return replace(table, y=(table.y >= np.quantile(table.y, 0.9)).astype(np.intp), n_classes=2, error="1 - F1")


def _first_tasks(table: Table, n: int) -> Table:
    return table.take(np.isin(table.tasks, np.unique(table.tasks)[:n]))


def _fifths_with_wrong_labels(table: Table) -> Table:
    """Fifths of the target in twenty tasks; in training, 40 % of the labels are drawn anew."""
    table = _first_tasks(table, 20)
    y = np.searchsorted(np.quantile(table.y, [0.2, 0.4, 0.6, 0.8]), table.y, side="right")
    return replace(table, y=y, n_classes=5, error="error rate", y_seen=wrong_labels(y, 0.4, 5))


def _points_in_order(table: Table) -> Table:
    """Points, 0, 2, ..., 10, as ordered classes, in twenty tasks."""
    table = _first_tasks(table, 20)
    classes, y = np.unique(table.y, return_inverse=True)
    return replace(table, y=y, n_classes=len(classes), error="class distance")


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
    "exam, best tenth": Source(datasets.load_exam, "schools", "", change=_best_tenth),
    "egsingle, wrong labels": Source(datasets.load_egsingle, "schools", "", change=_fifths_with_wrong_labels),
    "chem97, points in order": Source(
        datasets.load_chem97, "authorities", "steps of 2 points", change=_points_in_order
    ),
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
    "losses": Suite(
        "losses in RMTGB, LightGBM and a net: for a rare class, wrong labels, and ordered classes",
        tables=("exam, best tenth", "egsingle, wrong labels", "chem97, points in order"),
        models=names_of(tuple(dict.fromkeys(RARE + WRONG + ORDERED))),
        models_of={
            "exam, best tenth": names_of(RARE),
            "egsingle, wrong labels": names_of(WRONG),
            "chem97, points in order": names_of(ORDERED),
        },
    ),
}
