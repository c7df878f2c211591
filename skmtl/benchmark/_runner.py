"""Every model on every table and split, under the same conditions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skmtl.benchmark._backends import WorkersLostError, losses_told, workers
from skmtl.benchmark._cell import Conditions, rehearse, run_cell, without_result
from skmtl.benchmark._models import Model
from skmtl.benchmark._progress import Advance, TimeLeft
from skmtl.benchmark._protocol import Table
from skmtl.benchmark._store import Run, Store


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
    lost : str
        Why workers ended before their time, which stops it likewise; empty if none did.
    conditions : Conditions
        What was the same for all models.
    not_tuned : list of str
        Names of the models without settings to search, where a search was asked for.
    remarks : list of str
        What else a reader has to know, such as columns that were left out.
    """

    runs: list[Run] = field(default_factory=list)
    outlier_scores: dict[str, dict[Any, list[float]]] = field(default_factory=dict)
    task_sizes: dict[str, dict[Any, int]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    compile_seconds: float | None = None
    labels: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    interrupted: bool = False
    lost: str = ""
    conditions: Conditions = field(default_factory=Conditions)
    not_tuned: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def run(
    tables: dict[str, Table],
    models: Mapping[str, type[Model]],
    *,
    n_seeds: int,
    n_threads: int = 1,
    n_trials: int = 0,
    memory: bool = False,
    n_jobs: int = 1,
    backend: str = "loky",
    scheduler: str | None = None,
    models_of: Mapping[str, Sequence[str]] | None = None,
    advance: Advance = lambda text, seconds: None,
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
    n_trials : int, default=0
        Number of settings to try for every model, table and split. 0: the defaults are used.
    memory : bool, default=False
        Whether to make each fit that counts in a process of its own, and measure its peak memory.
    n_jobs : int, default=1
        Number of fits at the same time. Their times are comparable only if there are as many cores as threads.
    backend : {"loky", "threading", "dask"}, default="loky"
        Backend of joblib for several jobs; "dask" is used for a single one too.
    scheduler : str or None, default=None
        Address of the scheduler of a Dask cluster. None: a cluster of `n_jobs` workers is started here.
    models_of : mapping of str to sequence of str, default=None
        Names of the models for each table. None: all models on every table.
    advance : callable
        Called with a few words, and the seconds that are left or None, before each fit; with several jobs, after it.
    store : Store, default=None
        Where finished fits are kept, and looked for.
    words : dict of str to (str, str), default=None
        For each table what a task is, in the plural, and what errors are measured in.

    Returns
    -------
    results : Results
        Errors, times, outlier scores. After Ctrl-C those of the fits that were finished.

    Raises
    ------
    BackendError
        If the workers of a cluster cannot be used.
    """
    results = Results(
        labels={name: model.label for name, model in models.items()},
        words={name: (words or {}).get(name, ("tasks", "the unit of the target")) for name in tables},
        conditions=Conditions(n_threads, n_trials, memory),
        not_tuned=[name for name, model in models.items() if n_trials and not model.space],
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
    cells = [
        (seed, table, model)
        for seed in range(n_seeds)
        for table in tables
        for model in (models_of or {}).get(table, models)
    ]
    finished: dict[tuple, tuple[Run, dict]] = {}
    left = TimeLeft()
    try:
        # The models are told the number of threads too, but LightGBM starts more in some of its calls. The limit holds
        # for libraries that are loaded by now, as those of all usable models are.
        with threadpool_limits(n_threads):
            for cell in cells:
                seed, t, m = cell
                if (t, m, seed) in done:
                    finished[cell] = done[t, m, seed]
                    left.learn(finished[cell][0])
                elif m in results.missing:
                    reason = results.missing[m]
                    finished[cell] = without_result(t, tables[t], m, seed, "missing", reason), {}
                else:
                    continue
                advance(f"{t}, {models[m].label}, seed {seed}", None)
            pending = [cell for cell in cells if cell not in finished]
            left.start(pending)

            def tell(cell):
                advance(f"{cell[1]}, {models[cell[2]].label}, seed {cell[0]}", left.seconds())

            elsewhere = n_jobs > 1 or backend == "dask"
            if elsewhere:
                fits = _fits_elsewhere(pending, tables, models, results, (backend, n_jobs, scheduler))
            else:
                fits = _fits_here(pending, tables, models, tell, results)
            for cell, outcome in fits:
                finished[cell] = outcome
                if store is not None and outcome[0].status == "ok":
                    store.add(*outcome)
                left.done(cell, outcome[0])
                if elsewhere:  # several are under way: it is told what is done
                    tell(cell)
    except KeyboardInterrupt:
        results.interrupted = True
    except WorkersLostError as error:
        results.interrupted, results.lost = True, str(error)
    for cell in cells:
        if cell not in finished:
            continue
        found, scores = finished[cell]
        results.runs.append(found)
        for task, value in scores.items():
            results.outlier_scores[cell[1]].setdefault(task, []).append(value)
    return results


def _fits_here(pending, tables, models, tell, results) -> Iterator[tuple]:
    """Yield every cell with its outcome, as soon as it is there."""
    warm = set()
    for cell in pending:
        seed, table, model = cell
        tell(cell)
        if (table, model) not in warm:
            warm.add((table, model))
            _warm_up(results, models[model], tables[table])
        yield cell, run_cell(table, tables[table], model, models[model], seed, results.conditions)


def _fits_elsewhere(pending, tables, models, results, where) -> Iterator[tuple]:
    """Do the same with several workers; outcomes come in any order."""
    if not pending:
        return
    with workers(*where) as settings:  # first, so that a cluster that is not there is told at once
        for table, model in dict.fromkeys((table, model) for _, table, model in pending if models[model].compiles):
            _warm_up(results, models[model], tables[table])  # compiles once, before the workers do anything
        with parallel_config(**settings), losses_told():
            outcomes = Parallel(return_as="generator_unordered", batch_size=1)(
                delayed(_run_in_worker)(cell, tables[cell[1]], models[cell[2]], results.conditions) for cell in pending
            )
            yield from outcomes


def _run_in_worker(cell, table, model, conditions):
    """Fit in another process or thread, which first imports and loads what the model needs."""
    seed, table_name, model_name = cell
    with threadpool_limits(conditions.n_threads):
        with _rehearsing:  # whoever comes second waits, and does not pay for the compiling
            key = (table_name, model_name)
            if key not in _warm:
                rehearse(model, table, conditions.n_threads)
                _warm.add(key)
        return cell, run_cell(table_name, table, model_name, model, seed, conditions)


_warm: set[tuple[str, str]] = set()  # of this process
_rehearsing = threading.Lock()


def _warm_up(results, model, table):
    """Let a model import and compile what it needs, and note how long the compiling one took for that."""
    n_threads = results.conditions.n_threads
    first = rehearse(model, table, n_threads)
    if model.compiles and first is not None:
        again = rehearse(model, table, n_threads)
        results.compile_seconds = (results.compile_seconds or 0.0) + max(first - (again or first), 0.0)
