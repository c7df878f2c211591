"""Every model on every table and split, under the same conditions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import TEST, VALIDATION, Table, score, split
from skmtl.benchmark._store import Run, Store, plain


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
        How much longer the first fit of skmtl's own model took than the same fit again; None if it is not in the suite.
    labels : dict of str to str
        Names of the models in words.
    words : dict of str to (str, str)
        For each table what a task is, in the plural, and what errors are measured in.
    interrupted : bool
        Whether the comparison was stopped before its end.
    """

    runs: list[Run] = field(default_factory=list)
    outlier_scores: dict[str, dict[Any, list[float]]] = field(default_factory=dict)
    task_sizes: dict[str, dict[Any, int]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    compile_seconds: float | None = None
    labels: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    interrupted: bool = False


def run(
    tables: dict[str, Table],
    models: dict[str, type[Model]],
    *,
    n_seeds: int,
    n_threads: int = 1,
    n_jobs: int = 1,
    backend: str = "loky",
    advance: Callable[[str], Any] = lambda text: None,
    store: Store | None = None,
    words: dict[str, tuple[str, str]] | None = None,
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
    n_jobs : int, default=1
        Number of fits at the same time. Their times are comparable only if there are as many cores as threads.
    backend : str, default="loky"
        Backend of joblib for several jobs.
    advance : callable
        Called with a few words before each fit; with several jobs, after it.
    store : Store, default=None
        Where finished fits are kept, and looked for.
    words : dict of str to (str, str), default=None
        For each table what a task is, in the plural, and what errors are measured in.

    Returns
    -------
    results : Results
        Errors, times, outlier scores. After Ctrl-C those of the fits that were finished.
    """
    results = Results(
        labels={name: model.label for name, model in models.items()},
        words={name: (words or {}).get(name, ("tasks", "the unit of the target")) for name in tables},
    )
    for name, model in models.items():
        reason = model.reason_missing()
        if reason is not None:
            results.missing[name] = reason
    for name, table in tables.items():
        labels, counts = np.unique(table.tasks, return_counts=True)
        results.task_sizes[name] = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        results.outlier_scores[name] = {}
    done = {(run.table, run.model, run.seed): (run, scores) for run, scores in (store.load() if store else [])}
    # Models take turns, so that a busy moment of the machine does not fall on one of them alone.
    cells = [(seed, table, model) for seed in range(n_seeds) for table in tables for model in models]
    finished: dict[tuple, tuple[Run, dict]] = {}
    try:
        # The models are told the number of threads too, but LightGBM starts more in some of its calls. The limit holds
        # for libraries that are loaded by now, as those of all usable models are.
        with threadpool_limits(n_threads):
            for cell in cells:
                seed, t, m = cell
                if (t, m, seed) in done:
                    finished[cell] = done[t, m, seed]
                elif m in results.missing:
                    finished[cell] = _missing(tables[t], t, m, seed, results.missing[m]), {}
                else:
                    continue
                advance(f"{t}, {models[m].label}, seed {seed}")
            pending = [cell for cell in cells if cell not in finished]
            for cell, outcome in _fits(pending, tables, models, n_threads, n_jobs, backend, advance, results):
                finished[cell] = outcome
                if store is not None and outcome[0].status == "ok":
                    store.add(*outcome)
    except KeyboardInterrupt:
        results.interrupted = True
    for cell in cells:
        if cell not in finished:
            continue
        found, scores = finished[cell]
        results.runs.append(found)
        for task, value in scores.items():
            results.outlier_scores[cell[1]].setdefault(task, []).append(value)
    return results


def _fits(pending, tables, models, n_threads, n_jobs, backend, advance, results) -> Iterator[tuple]:
    """Yield every cell with its outcome, as soon as it is there."""
    if n_jobs == 1:
        warm = set()
        for cell in pending:
            seed, table, model = cell
            advance(f"{table}, {models[model].label}, seed {seed}")
            if (table, model) not in warm:
                warm.add((table, model))
                _warm_up(results, model, models[model], tables[table], n_threads)
            yield cell, _run_one(table, tables[table], model, models[model], seed, n_threads)
        return
    for table, model in dict.fromkeys((table, model) for _, table, model in pending if model == "rmtgb"):
        _warm_up(results, model, models[model], tables[table], n_threads)  # compiles once, before the workers start
    outcomes = Parallel(n_jobs=n_jobs, backend=backend, return_as="generator_unordered")(
        delayed(_run_in_worker)(cell, tables[cell[1]], models[cell[2]], n_threads) for cell in pending
    )
    for cell, outcome in outcomes:
        seed, table, model = cell
        advance(f"{table}, {models[model].label}, seed {seed}")
        yield cell, outcome


def _run_in_worker(cell, table, model, n_threads):
    """Fit in another process or thread, which first imports and loads what the model needs."""
    seed, table_name, model_name = cell
    with threadpool_limits(n_threads):
        key = (table_name, model_name)
        if key not in _warm:
            _warm.add(key)
            _rehearse(model, table, n_threads)
        return cell, _run_one(table_name, table, model_name, model, seed, n_threads)


_warm: set[tuple[str, str]] = set()  # of this process


def _missing(table, table_name, model_name, seed, reason):
    part = split(table.tasks, seed)
    return Run(
        table_name,
        model_name,
        seed,
        len(np.unique(table.tasks)),
        int(np.sum(part != TEST)),
        int(np.sum(part == TEST)),
        status="missing",
        metric=table.metric,
        reason=reason,
    )


def _run_one(table_name, table, model_name, model, seed, n_threads):
    """Return the outcome of a fit, and the outlier scores of its tasks."""
    part = split(table.tasks, seed)
    rows, test_rows = part != TEST, part == TEST
    train, test = table.take(rows), table.take(test_rows)
    common = {
        "n_tasks": len(np.unique(table.tasks)),
        "n_train": int(rows.sum()),
        "n_test": int(test_rows.sum()),
        "metric": table.metric,
    }
    reason = model.reason_unsupported(table)
    if reason is not None:
        return Run(table_name, model_name, seed, **common, status="unsupported", reason=reason), {}
    try:
        fitted = model(n_threads, seed)
        start = time.perf_counter()
        fitted.fit(train, part[rows] == VALIDATION)
        fit_seconds = time.perf_counter() - start
        start = time.perf_counter()
        predictions = fitted.predict(test.X, test.tasks)
        predict_seconds = time.perf_counter() - start
        errors = score(test.y, predictions, test.tasks)
        outlier_scores = fitted.outlier_scores()
    except Exception as error:  # one model must not cost the others their results
        text = f"{type(error).__name__}: {error}"
        warnings.warn(
            f"{model.label} failed on '{table_name}', seed {seed} ({text}); the report says so.",
            RuntimeWarning,
            stacklevel=2,
        )
        return Run(table_name, model_name, seed, **common, status="failed", reason=text), {}
    found = Run(
        table_name,
        model_name,
        seed,
        **common,
        status="ok",
        error=errors.error,
        worst_task=plain(errors.worst_task),
        worst_task_error=errors.worst_task_error,
        fit_seconds=fit_seconds,
        predict_seconds=predict_seconds,
    )
    return found, outlier_scores


def _warm_up(results, name, model, table, n_threads):
    """Let a model import and compile what it needs, and note how long the compiling one took for that."""
    first = _rehearse(model, table, n_threads)
    if name == "rmtgb" and first is not None:
        again = _rehearse(model, table, n_threads)
        results.compile_seconds = (results.compile_seconds or 0.0) + max(first - (again or first), 0.0)


def _rehearse(model, table, n_threads):
    """Return the seconds that a fit and a prediction on some rows take; None if they fail, as they will again."""
    if model.reason_unsupported(table) is not None:
        return None
    rows = np.random.default_rng(0).permutation(len(table.y))[: model.n_warm_up_rows]
    sample = table.take(np.sort(rows))
    start = time.perf_counter()
    try:
        fitted = model(n_threads, 0)
        fitted.fit(sample, split(sample.tasks, 0) == VALIDATION)
        fitted.predict(sample.X, sample.tasks)
    except Exception:
        return None  # the fit that counts fails likewise, and is reported
    return time.perf_counter() - start
