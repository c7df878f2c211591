"""Fits every model of a suite on every table and seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import TEST, VALIDATION, Table, score, split

_N_WARM_UP_ROWS = 10_000  # at most; kernels that only larger tables need have to be among those that are compiled


@dataclass(frozen=True)
class Run:
    """One fit: a table, a model, a seed. A model that is missing has no errors and no times."""

    table: str
    model: str
    seed: int
    n_tasks: int
    n_train: int
    n_test: int
    status: str
    rmse: float = np.nan
    worst_task: Any = ""
    worst_task_rmse: float = np.nan
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan


@dataclass
class Results:
    """Everything that a report needs.

    Attributes
    ----------
    runs : list of Run
        All fits.
    outlier_scores : dict
        For each table and task the outlier scores of the model that has some, one per seed.
    task_sizes : dict
        For each table the number of rows of each task.
    missing : dict of str to str
        For each model that cannot be used, the reason.
    compile_seconds : float or None
        How much longer the first fit of `RMTGBRegressor` took than the same fit again; None if it is not in the suite.
    """

    runs: list[Run] = field(default_factory=list)
    outlier_scores: dict[str, dict[Any, list[float]]] = field(default_factory=dict)
    task_sizes: dict[str, dict[Any, int]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    compile_seconds: float | None = None


def run(
    tables: dict[str, Table],
    models: dict[str, type[Model]],
    *,
    n_seeds: int,
    n_threads: int = 1,
    advance: Callable[[str], Any] = lambda text: None,
) -> Results:
    """Compare models on tables.

    Parameters
    ----------
    tables : dict of str to Table
        Tables by name.
    models : dict of str to class
        Models by name.
    n_seeds : int
        Number of splits, by the seeds 0, 1, ...
    n_threads : int, default=1
        Number of threads of every model.
    advance : callable
        Called with a few words before each fit.

    Returns
    -------
    results : Results
        Errors, times, outlier scores.
    """
    results = Results()
    for name, model in models.items():
        reason = model.reason_missing()
        if reason is not None:
            results.missing[name] = reason
    for name, table in tables.items():
        labels, counts = np.unique(table.tasks, return_counts=True)
        results.task_sizes[name] = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        results.outlier_scores[name] = {}
    usable = {name: model for name, model in models.items() if name not in results.missing}
    # The models are told the number of threads too, but LightGBM starts more in some of its calls. The limit holds for
    # libraries that are loaded by now, as those of all usable models are.
    with threadpool_limits(n_threads):
        results.compile_seconds = _warm_up(tables, usable, n_threads)
        # Models take turns, so that a busy moment of the machine does not fall on one of them alone.
        for seed in range(n_seeds):
            for table_name, table in tables.items():
                for model_name, model in models.items():
                    advance(f"{table_name}, {model.label}, seed {seed}")
                    results.runs.append(_run_one(results, table_name, table, model_name, model, seed, n_threads))
    return results


def _run_one(results, table_name, table, model_name, model, seed, n_threads):
    part = split(table.tasks, seed)
    rows, test_rows = part != TEST, part == TEST
    train, test = table.take(rows), table.take(test_rows)
    sizes = {"n_tasks": len(results.task_sizes[table_name]), "n_train": int(rows.sum()), "n_test": int(test_rows.sum())}
    if model_name in results.missing:
        return Run(table_name, model_name, seed, **sizes, status="missing")
    fitted = model(n_threads, seed)
    start = time.perf_counter()
    fitted.fit(train, part[rows] == VALIDATION)
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    predictions = fitted.predict(test.X, test.tasks)
    predict_seconds = time.perf_counter() - start
    for task, value in fitted.outlier_scores().items():
        results.outlier_scores[table_name].setdefault(task, []).append(value)
    errors = score(test.y, predictions, test.tasks)
    return Run(
        table_name,
        model_name,
        seed,
        **sizes,
        status="ok",
        rmse=errors.rmse,
        worst_task=errors.worst_task,
        worst_task_rmse=errors.worst_task_rmse,
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
    )


def _warm_up(tables, models, n_threads):
    """Let each model import and compile what it needs, and return how long the compiling one took for that."""
    compile_seconds = None
    for table in tables.values():
        rows = np.random.default_rng(0).permutation(len(table.y))[:_N_WARM_UP_ROWS]
        sample = table.take(np.sort(rows))
        validation = split(sample.tasks, 0) == VALIDATION
        for name, model in models.items():
            first = _time_fit(model(n_threads, 0), sample, validation)
            if name == "rmtgb":
                again = _time_fit(model(n_threads, 0), sample, validation)
                compile_seconds = (compile_seconds or 0.0) + max(first - again, 0.0)
    return compile_seconds


def _time_fit(model, table, validation):
    """Return the seconds that a fit and a prediction take."""
    start = time.perf_counter()
    model.fit(table, validation)
    model.predict(table.X, table.tasks)
    return time.perf_counter() - start
