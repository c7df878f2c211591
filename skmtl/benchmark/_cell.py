"""One model on one table and split: the search, the fit that counts, its score."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skmtl.benchmark._memory import PeakMemory, in_fresh_process
from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import TEST, VALIDATION, Table, score, split
from skmtl.benchmark._store import Run, plain
from skmtl.benchmark._tuning import tune

_MAX_REASON = 300  # characters of a message


@dataclass(frozen=True)
class Conditions:
    """What is the same for all models.

    Attributes
    ----------
    n_threads : int
        Number of threads of every model.
    n_trials : int
        Number of settings that are tried before the fit that counts; 0: the defaults are used.
    memory : bool
        Whether each fit that counts is made in a process of its own, and its peak memory measured.
    """

    n_threads: int = 1
    n_trials: int = 0
    memory: bool = False

    def __str__(self) -> str:
        words = [f"{self.n_threads} threads"]
        words += [f"{self.n_trials} trials"] if self.n_trials else []
        return ", ".join(words + (["memory"] if self.memory else []))


class FailedFitWarning(RuntimeWarning):
    """A fit failed; the others go on."""


class Outcome(NamedTuple):
    """What a fit gave."""

    predictions: np.ndarray
    outlier_scores: dict[Any, float]
    fit_seconds: float
    predict_seconds: float
    peak_memory: float


def without_result(table_name: str, table: Table, model_name: str, seed: int, status: str, reason: str) -> Run:
    """Return the run of a model that was not fitted."""
    part = split(table.tasks, seed)
    return Run(
        table_name,
        model_name,
        seed,
        len(np.unique(table.tasks)),
        int(np.sum(part != TEST)),
        int(np.sum(part == TEST)),
        status=status,
        metric=table.metric,
        reason=reason,
    )


def run_cell(
    table_name: str, table: Table, model_name: str, model: type[Model], seed: int, conditions: Conditions
) -> tuple[Run, dict[Any, float]]:
    """Return the run, and the outlier scores of the tasks."""
    cell = (table_name, table, model_name, seed)
    reason = model.reason_unsupported(table)
    if reason is not None:
        return without_result(*cell, "unsupported", reason), {}
    part = split(table.tasks, seed)
    rows = part != TEST
    train, test, validation = table.take(rows).as_seen(), table.take(~rows), part[rows] == VALIDATION
    n_threads = conditions.n_threads
    try:
        search = tune(model, train, validation, n_trials=conditions.n_trials, n_threads=n_threads, seed=seed)
        call = (model, search.params, train, validation, test.X, test.tasks, n_threads, seed)
        outcome = in_fresh_process(_fit_measured, *call) if conditions.memory else _fit(*call)
        errors = score(test.y, outcome.predictions, test.tasks, table.metric)
    except Exception as error:  # one model must not cost the others their results
        text = f"{type(error).__name__}: {_first_line(str(error))}"
        warnings.warn(
            f"{model.label} failed on '{table_name}', seed {seed} ({text}); the report says so.",
            FailedFitWarning,
            stacklevel=2,
        )
        return without_result(*cell, "failed", text), {}
    run = Run(
        table_name,
        model_name,
        seed,
        len(np.unique(table.tasks)),
        len(train.y),
        len(test.y),
        status="ok",
        metric=table.metric,
        error=errors.error,
        worst_task=plain(errors.worst_task),
        worst_task_error=errors.worst_task_error,
        fit_seconds=outcome.fit_seconds,
        predict_seconds=outcome.predict_seconds,
        search_seconds=search.seconds,
        n_trials=search.n_trials,
        n_failed_trials=search.n_failed,
        settings=json.dumps(search.params) if search.n_trials else "",
        peak_memory=outcome.peak_memory,
    )
    return run, outcome.outlier_scores


def _first_line(text: str) -> str:
    """Return what is worth reading of a message: some packages append what is on their stack."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= _MAX_REASON else f"{line[:_MAX_REASON]}..."


def _fit(model, params, train, validation, X, tasks, n_threads, seed):
    """Fit and predict, and take the time of both."""
    fitted = model(n_threads, seed, params)
    start = time.perf_counter()
    fitted.fit(train, validation)
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    predictions = fitted.predict(X, tasks)
    return Outcome(predictions, fitted.outlier_scores(), fit_seconds, time.perf_counter() - start, np.nan)


def _fit_measured(model, params, train, validation, X, tasks, n_threads, seed):
    """Do the same in a new process, and measure the memory of the fit."""
    model.reason_missing()  # imports what the model needs, so that the limit of threads holds for it
    with threadpool_limits(n_threads):
        rehearse(model, train, n_threads, params)
        fitted = model(n_threads, seed, params)
        with PeakMemory() as peak:
            start = time.perf_counter()
            fitted.fit(train, validation)
            fit_seconds = time.perf_counter() - start
        start = time.perf_counter()
        predictions = fitted.predict(X, tasks)
        predict_seconds = time.perf_counter() - start
    return Outcome(predictions, fitted.outlier_scores(), fit_seconds, predict_seconds, peak.mib)


def rehearse(model: type[Model], table: Table, n_threads: int, params: dict[str, Any] | None = None) -> float | None:
    """Return the seconds that a fit and a prediction on some rows take; None if they fail, as they will again."""
    if model.reason_unsupported(table) is not None:
        return None
    rows = np.random.default_rng(0).permutation(len(table.y))[: model.n_warm_up_rows]
    sample = table.take(np.sort(rows)).as_seen()
    start = time.perf_counter()
    try:
        fitted = model(n_threads, 0, params)
        fitted.fit(sample, split(sample.tasks, 0) == VALIDATION)
        fitted.predict(sample.X, sample.tasks)
    except Exception:
        return None  # the fit that counts fails likewise, and is reported
    return time.perf_counter() - start
