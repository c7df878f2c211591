"""What a comparison prints and writes."""

from __future__ import annotations

import csv
import dataclasses
import platform
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import skmtl
from skmtl.benchmark._models import version_of
from skmtl.benchmark._protocol import MIN_TEST_ROWS
from skmtl.benchmark._runner import Results
from skmtl.benchmark._store import Run

_PACKAGES = ("numpy", "scikit-learn", "numba", "pandas", "lightgbm", "xgboost", "catboost", "gpboost", "torch")
_N_OUTLIERS = 3
_WIDTH = 100
_SAME_SCORE = 5e-4  # scores nearer than this look the same when printed


@dataclasses.dataclass(frozen=True)
class Summary:
    """A model on a table, over the seeds. All numbers are NaN if the model has no result."""

    model: str
    seeds: tuple[int, ...]
    errors: np.ndarray
    worst_task_error: float
    fit_seconds: float
    predict_seconds: float
    status: str
    search_seconds: float = np.nan
    peak_memory: float = np.nan

    @property
    def mean(self) -> float:
        """Mean error over the seeds."""
        return float(np.mean(self.errors))

    @property
    def sd(self) -> float:
        """Standard deviation of the error over the seeds, 0 for a single one."""
        return float(np.std(self.errors, ddof=1)) if len(self.errors) > 1 else 0.0


def summarise(results: Results) -> dict[str, list[Summary]]:
    """Return for each table a summary of each model, in the order of the runs."""
    groups: dict[str, dict[str, list[Run]]] = {}
    for run in results.runs:
        groups.setdefault(run.table, {}).setdefault(run.model, []).append(run)
    return {
        table: [
            Summary(
                model,
                tuple(run.seed for run in runs),
                np.array([run.error for run in runs]),
                float(np.mean([run.worst_task_error for run in runs])),
                float(np.median([run.fit_seconds for run in runs])),
                float(np.median([run.predict_seconds for run in runs])),
                next((run.status for run in runs if run.status != "ok"), "ok"),
                float(np.median([run.search_seconds for run in runs])),
                float(np.max([run.peak_memory for run in runs])),
            )
            for model, runs in models.items()
        ]
        for table, models in groups.items()
    }


def comparable_means(summaries: list[Summary]) -> np.ndarray:
    """Return the mean error of each model over the seeds that all models with a result have; NaN without one.

    The seeds differ only where a comparison was interrupted.
    """
    usable = [summary for summary in summaries if summary.status == "ok"]
    common = set.intersection(*(set(summary.seeds) for summary in usable)) if usable else set()
    return np.array(
        [
            np.mean([error for seed, error in zip(summary.seeds, summary.errors, strict=True) if seed in common])
            if summary.status == "ok" and common
            else np.nan
            for summary in summaries
        ]
    )


def measured(metric: str, unit: str) -> str:
    """Return the name of an error and its unit, if it has one."""
    return f"{metric} in {unit}" if unit else metric


def is_ours(model: str) -> bool:
    """Tell whether a model is RMTGB, with whatever loss."""
    return model.split(":")[0] == "rmtgb"


def versions() -> str:
    """Return the versions of what took part, such as ``"skmtl 0.1; python 3.11.2; ..."``."""
    found = [f"skmtl {skmtl.__version__}", f"python {platform.python_version()}"]
    found += [f"{package} {version_of(package) or 'missing'}" for package in _PACKAGES]
    return "; ".join(found)


def columns(results: Results, metric: str, n_seeds: int) -> list[tuple[str, Callable[[Summary], str]]]:
    """Return the heads of the columns of a table beside the model's name, and what is in them."""

    def error(summary):
        if len(summary.seeds) < n_seeds:  # interrupted
            return f"{summary.mean:.4f} ({_count(len(summary.seeds), 'split')})"
        return f"{summary.mean:.4f} ± {summary.sd:.4f}" if n_seeds > 1 else f"{summary.mean:.4f}"

    found: list[tuple[str, Callable[[Summary], str]]] = [
        (f"{metric}, mean ± sd" if n_seeds > 1 else metric, error),
        ("worst task", lambda summary: f"{summary.worst_task_error:.3f}"),
        ("fit, s", lambda summary: f"{summary.fit_seconds:.2f}"),
        ("predict, s", lambda summary: f"{summary.predict_seconds:.3f}"),
    ]
    if results.conditions.n_trials:
        found.append(("search, s", lambda summary: _number(summary.search_seconds, ".1f")))
    if results.conditions.memory:
        found.append(("memory, MiB", lambda summary: _number(summary.peak_memory, ".0f")))
    return found


def notes(results: Results) -> str:
    """Return what the columns mean."""
    text = f"Worst task: mean over splits, of tasks with {MIN_TEST_ROWS} test rows or more. Times: median over splits."
    if results.conditions.memory:
        text += (
            " Memory: by how much the resident memory of a fresh process rises above what it was before the fit, at "
            "its highest, greatest over splits."
        )
    return text


def how_tuned(results: Results) -> str:
    """Return how the settings of the models were chosen, in a sentence or two."""
    n_trials = results.conditions.n_trials
    if not n_trials:
        return "Beyond that nothing was tuned."
    text = (
        f"Settings: the best of {_count(n_trials, 'trial')} for every model, table and split, the first of them the "
        "defaults and the others drawn at random, by the error on the rows held out, which are the same for all."
    )
    if results.not_tuned:
        text += f" Not tuned, without settings to search: {', '.join(results.labels[m] for m in results.not_tuned)}."
    return text


def why_incomplete(results: Results) -> tuple[str, str]:
    """Return why a comparison has no end, and what to do, in a sentence or two each."""
    go_on = "The same command goes on with those that are left"
    if not results.lost:
        return "Interrupted: not all fits were made.", f"{go_on}."
    lost = f"Stopped, because workers were lost: not all fits were made. {results.lost.rstrip('.')}."
    return lost, f"{go_on}; with --memory a fit that ends its process is reported as failed, and the others are made."


def _number(value: float, form: str) -> str:
    return "" if np.isnan(value) else format(value, form)


def write_csv(results: Results, path: Path, n_threads: int) -> None:
    """Write one line per table, model and seed."""
    shared = {"n_threads": n_threads, "versions": versions()}
    names = [field.name for field in dataclasses.fields(Run)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*names, *shared])
        writer.writeheader()
        for run in results.runs:
            values = {
                name: "" if isinstance(value, float) and np.isnan(value) else value
                for name, value in dataclasses.asdict(run).items()
            }
            writer.writerow({**values, **shared})


def render(results: Results, n_threads: int) -> str:
    """Return the whole report as text."""
    return "\n".join(_lines(results, n_threads))


def _lines(results: Results, n_threads: int) -> Iterator[str]:
    n_seeds = len({run.seed for run in results.runs})
    yield _wrap(f"Versions: {versions()}.")
    yield _wrap(
        f"{_count(n_seeds, 'split')}, each with 20 % of the rows of every task for the test; "
        f"{_count(n_threads, 'thread')} per model. RMTGB with its defaults holds out rows for early stopping, then "
        "fits again on all training rows. The others likewise: early stopping on 15 % of the training rows, then again "
        "on all of them for the rounds found; models per task have their number of rounds in common. "
        f"{how_tuned(results)}"
    )
    if results.compile_seconds is not None:
        yield _wrap(
            f"Compiling the kernels of RMTGB took {results.compile_seconds:.1f} s before the first fit; the "
            "result is kept on disk. It is not part of the fit times."
        )
    for remark in results.remarks:
        yield _wrap(remark)
    for table, summaries in summarise(results).items():
        yield ""
        yield from _table_lines(results, table, summaries, n_seeds)
    if results.missing:
        yield ""
        for model, reason in results.missing.items():
            yield _wrap(f"Missing: {results.labels[model]}. {reason}")
    for table, model, status, reason in dict.fromkeys(
        (run.table, run.model, run.status, run.reason)
        for run in results.runs
        if run.status in {"failed", "unsupported"}
    ):
        yield _wrap(f"{status.capitalize()}: {results.labels[model]} on {table}. {reason}")
    if results.interrupted:
        yield ""
        yield _wrap(" ".join(why_incomplete(results)))


def _table_lines(results: Results, table: str, summaries: list[Summary], n_seeds: int) -> Iterator[str]:
    sizes = results.task_sizes[table]
    noun, unit = results.words[table]
    metric = next(run.metric for run in results.runs if run.table == table)
    words = f"errors in {unit}" if unit else f"errors are {metric}"
    yield f"{table}: {sum(sizes.values())} rows, {len(sizes)} {noun}; {words}"
    shown = columns(results, metric, n_seeds)
    cells = [("model", *(head for head, _ in shown))]
    for summary in summaries:
        label = results.labels[summary.model]
        if summary.status != "ok":
            cells.append((label, summary.status, *[""] * (len(shown) - 1)))
            continue
        cells.append((label, *(show(summary) for _, show in shown)))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for i, row in enumerate(cells):
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "   ".join([first, *others]).rstrip()
        if i == 0:
            yield "  " + "   ".join("-" * width for width in widths)
    yield from textwrap.wrap(notes(results), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _outlier_lines(results, table)


def _outlier_lines(results: Results, table: str) -> Iterator[str]:
    scores = {task: float(np.mean(values)) for task, values in results.outlier_scores[table].items()}
    if not scores:
        return
    noun = results.words[table][0]
    if max(scores.values()) - min(scores.values()) < _SAME_SCORE:
        yield f"  No outlying {noun} by RMTGB: all have the outlier score {max(scores.values()):.3f}."
        return
    yield f"  Most outlying {noun} by RMTGB (outlier score in [0, 1], mean over splits):"
    order = sorted(scores, key=scores.__getitem__, reverse=True)
    for task in order[:_N_OUTLIERS]:
        yield f"    {task}: {scores[task]:.3f} ({_count(results.task_sizes[table][task], 'row')})"
    # Which of several equals are shown means nothing: say that there are more.
    last = scores[order[:_N_OUTLIERS][-1]]
    n_more = sum(scores[task] > last - _SAME_SCORE for task in order[_N_OUTLIERS:])
    if n_more:
        yield f"    and {n_more} more with the last score"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _wrap(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
