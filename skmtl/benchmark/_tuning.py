"""The search for settings: the same number of trials, rows, threads and seeds for every model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterSampler

from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import Table, hold_out, score
from skmtl.benchmark._store import plain


@dataclass(frozen=True)
class Search:
    """What a search found. Without trials the settings are the defaults, and there is no time."""

    params: dict[str, Any] = field(default_factory=dict)
    n_trials: int = 0
    n_failed: int = 0
    seconds: float = np.nan


def tune(
    model: type[Model], table: Table, validation: np.ndarray, *, n_trials: int, n_threads: int, seed: int
) -> Search:
    """Choose the settings of a model by random search [1]_.

    The first trial is the defaults, so that a search that finds nothing costs nothing but time. Every trial is fitted
    without the validation rows, and compared by its error on them. Rows to stop early on are held out of the others,
    task by task, and are the same for all models.

    Parameters
    ----------
    model : class
        The model. One without a `space` is not tuned.
    table : Table
        The rows for training.
    validation : ndarray of bool of shape (n_rows,)
        Those of them by which trials are compared.
    n_trials : int
        Number of trials. 0: the defaults.
    n_threads : int
        Number of threads of every model.
    seed : int
        Source of the settings that are tried, of the split, and of the models' own randomness.

    Returns
    -------
    search : Search
        The best settings.

    Raises
    ------
    RuntimeError
        If every trial fails; it quotes the first failure.

    References
    ----------
    .. [1] J. Bergstra, Y. Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 13, 2012.
    """
    if n_trials == 0 or not model.space:
        return Search()
    start = time.perf_counter()
    rest, held_out = table.take(~validation), table.take(validation)
    stop_on = hold_out(rest.tasks, seed)
    found: list[tuple[float, dict[str, Any]]] = []
    failures: list[Exception] = []
    tried = candidates(model.space, n_trials, seed)
    for params in tried:
        try:
            fitted = model(n_threads, seed, params)
            fitted.fit(rest, stop_on)
            predictions = fitted.predict(held_out.X, held_out.tasks)
            error = score(held_out.y, predictions, held_out.tasks, table.metric).error
        except Exception as failure:  # settings that do not go together cost a trial, no more
            failures.append(failure)
            continue
        found.append((error if np.isfinite(error) else np.inf, params))
    if not found:
        raise RuntimeError(
            f"all {len(tried)} trials failed, the first one by {type(failures[0]).__name__}: {failures[0]}"
        ) from failures[0]
    best = min(found, key=lambda pair: pair[0])  # of equals the first
    return Search(best[1], len(tried), len(failures), time.perf_counter() - start)


def candidates(space: Mapping[str, Any], n_trials: int, seed: int) -> list[dict[str, Any]]:
    """Return the defaults, as no settings, and settings drawn at random; fewer if a space of lists has no more."""
    n_drawn = n_trials - 1
    if all(isinstance(values, list) for values in space.values()):
        n_drawn = min(n_drawn, int(np.prod([len(values) for values in space.values()])))
    drawn = ParameterSampler(space, n_drawn, random_state=seed)
    return [{}, *({name: plain(value) for name, value in params.items()} for params in drawn)]
