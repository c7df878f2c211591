"""Finished fits on disk, one line each, so that a second start goes on where the first one stopped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from skmtl.benchmark._protocol import Table


@dataclasses.dataclass(frozen=True)
class Run:
    """One fit: a table, a model, a seed.

    The status is "ok", "missing" (not installed), "unsupported" (not for this table) or "failed"; without "ok" there
    are no errors and no times, and `reason` says why. `settings` are those that the search chose, as JSON, and
    `peak_memory` is in MiB; both are empty unless asked for.
    """

    table: str
    model: str
    seed: int
    n_tasks: int
    n_train: int
    n_test: int
    status: str
    metric: str = "RMSE"
    error: float = np.nan
    worst_task: Any = ""
    worst_task_error: float = np.nan
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    search_seconds: float = np.nan
    n_trials: int = 0
    n_failed_trials: int = 0
    settings: str = ""
    peak_memory: float = np.nan
    reason: str = ""


def fingerprint(table: Table) -> str:
    """Return a digest of a table: results on another one of the same name are not its results."""
    pieces = hashlib.sha256(
        repr((table.X.shape, list(map(str, table.X.columns)), table.n_classes, table.metric)).encode()
    )
    seen = [] if table.y_seen is None else [table.y_seen]
    for values in (table.y, *seen, table.tasks, *(table.X[name].to_numpy() for name in table.X.columns)):
        array = np.asarray(values)
        pieces.update(array.tobytes() if array.dtype.kind in "biuf" else "\0".join(map(str, array.tolist())).encode())
    return pieces.hexdigest()[:16]


class Store:
    """The file of finished fits.

    Parameters
    ----------
    path : Path
        The file; it need not be there.
    settings : dict of str to str
        For each table, what its results depend on beside model and seed: fits under other settings are not reused.
    versions : dict of str to str, default=None
        For each model, what its results depend on beside that.
    """

    def __init__(self, path: Path, settings: dict[str, str], versions: dict[str, str] | None = None) -> None:
        self.path = path
        self.settings = settings
        self.versions = versions or {}

    def load(self) -> list[tuple[Run, dict[Any, float]]]:
        """Return the finished fits that still hold, with the outlier scores of their tasks."""
        found: dict[tuple, tuple[Run, dict[Any, float]]] = {}
        if not self.path.is_file():
            return []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                run, scores = Run(**record["run"]), dict(record["outlier_scores"])
            except (ValueError, KeyError, TypeError):
                continue  # cut off in the middle of a line
            # What was missing or failed is tried again.
            if run.status == "ok" and record["settings"] == self._key(run):
                found[run.table, run.model, run.seed] = (run, scores)
        return list(found.values())

    def add(self, run: Run, outlier_scores: dict[Any, float]) -> None:
        """Write a finished fit at once."""
        record = {
            "settings": self._key(run),
            "run": {name: plain(value) for name, value in dataclasses.asdict(run).items()},
            "outlier_scores": [[plain(task), float(score)] for task, score in outlier_scores.items()],
        }
        text = json.dumps(record) + "\n"
        broken = self.path.is_file() and self.path.read_bytes()[-1:] not in {b"", b"\n"}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if broken else "") + text)

    def _key(self, run: Run) -> str | None:
        """Return all that a result depends on beside table, model and seed."""
        settings = self.settings.get(run.table)
        return f"{settings}, {self.versions[run.model]}" if settings and run.model in self.versions else settings


def plain(value: Any) -> Any:
    """Return a value that JSON knows."""
    return value.item() if isinstance(value, np.generic) else value
