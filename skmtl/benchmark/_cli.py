"""The command line."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import skmtl
from skmtl.benchmark._backends import BACKENDS, BackendError, reason_no_address, reason_unusable
from skmtl.benchmark._cell import Conditions, FailedFitWarning
from skmtl.benchmark._html import write_html
from skmtl.benchmark._memory import reason_not_measured
from skmtl.benchmark._plot import write_picture
from skmtl.benchmark._progress import progress
from skmtl.benchmark._registry import MODELS
from skmtl.benchmark._report import render, write_csv
from skmtl.benchmark._runner import run
from skmtl.benchmark._store import Store, fingerprint
from skmtl.benchmark._suites import ALL_MODELS, SUITES, TABLES
from skmtl.benchmark._user import BadInputError, read_model, read_table

_OWN = "own"  # the suite of the user's table


def main(argv: Sequence[str] | None = None) -> int:
    """Run a suite, print its table, write scores, picture and report.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments of the command. None: those of the process.

    Returns
    -------
    code : int
        0; 1 if something that the run needs is not there, or workers were lost; 130 after Ctrl-C. Wrong arguments exit
        with 2.
    """
    parser = _make_parser()
    arguments = parser.parse_args(argv)
    for option, reason in {
        "--backend": reason_unusable(arguments.backend),
        "--memory": reason_not_measured() if arguments.memory else None,
        "--scheduler": _reason_no_scheduler(arguments),
    }.items():
        if reason is not None:
            parser.error(f"argument {option}: {reason}")
    output = Path(arguments.output or f"benchmark-{arguments.suite}")
    try:
        tables, words, models, models_of, remarks = _read(arguments)
    except BadInputError as error:
        parser.error(str(error))
    except (ImportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass  # better now than after the first fit
    except OSError as error:
        parser.error(f"argument --output: cannot write to the folder '{output}': {error.strerror}.")
    shared = f"skmtl {skmtl.__version__}, {Conditions(arguments.threads, arguments.trials, arguments.memory)}"
    settings = {name: f"{shared}, {fingerprint(table)}" for name, table in tables.items()}
    store = Store(output / "fits.jsonl", settings, {name: model.version() for name, model in models.items()})
    if arguments.fresh:
        store.path.unlink(missing_ok=True)
    n_cells = arguments.seeds * sum(len(models_of.get(name, models)) for name in tables)
    try:
        with progress(n_cells) as advance, _failures_in_a_line():
            results = run(
                tables,
                models,
                n_seeds=arguments.seeds,
                n_threads=arguments.threads,
                n_trials=arguments.trials,
                memory=arguments.memory,
                n_jobs=arguments.jobs,
                backend=arguments.backend,
                scheduler=arguments.scheduler,
                models_of=models_of,
                advance=advance,
                store=store,
                words=words,
            )
    except BackendError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    results.remarks = remarks
    code = 0 if not results.interrupted else 1 if results.lost else 130
    if not results.runs:
        why = f"workers were lost ({results.lost})" if results.lost else "interrupted"
        print(f"Nothing to report: {why} before the first fit was done.", file=sys.stderr)
        return code
    print(render(results, arguments.threads))
    print()
    write_csv(results, output / "scores.csv", arguments.threads)
    print(f"Scores: {output / 'scores.csv'}")
    try:
        write_picture(results, output / "scores.png")
    except ImportError as error:
        print(f"No picture: {error}")
    else:
        print(f"Picture: {output / 'scores.png'}")
    write_html(results, output / "report.html", f"skmtl benchmark: {arguments.suite}", arguments.threads)
    print(f"Report: {output / 'report.html'}")
    return code


def _reason_no_scheduler(arguments: argparse.Namespace) -> str | None:
    """Return why a scheduler cannot be used, or None."""
    if arguments.scheduler is None:
        return None
    return reason_no_address(arguments.scheduler) if arguments.backend == "dask" else "is for --backend dask"


def _read(arguments: argparse.Namespace) -> tuple[dict, dict, dict, dict, list[str]]:
    """Return tables, words about them, models, and the names of those of tables with models of their own; remarks."""
    models_of: dict[str, tuple[str, ...]] = {}
    remarks: list[str] = []
    if arguments.suite == _OWN:
        path = Path(arguments.data)
        name = path.name.split(".")[0]
        table, remarks = read_table(path, arguments.task, arguments.target, arguments.problem)
        tables = {name: table}
        unit = f"units of {arguments.target}" if tables[name].n_classes is None else "nats"
        words = {name: ("tasks", unit)}
        names: tuple[str, ...] = ALL_MODELS
    else:
        suite = SUITES[arguments.suite]
        chosen = [name for name in suite.tables if name in (arguments.table or suite.tables)]
        tables = {name: TABLES[name].read() for name in chosen}
        words = {name: (TABLES[name].task, TABLES[name].unit) for name in chosen}
        names = suite.models
        models_of = {name: (*own, *arguments.model) for name, own in suite.models_of.items()}
    models = {name: MODELS[name] for name in names}
    for text in arguments.model:
        models[text] = read_model(text)
    return tables, words, models, models_of, remarks


@contextlib.contextmanager
def _failures_in_a_line() -> Iterator[None]:
    """Show that a fit failed without the line of the code that says so."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_shortly(message: Any, category: Any, *place: Any, **more: Any) -> None:
            if issubclass(category, FailedFitWarning):
                print(f"warning: {message}", file=sys.stderr)
            else:
                show(message, category, *place, **more)

        warnings.showwarning = show_shortly
        yield


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skmtl.benchmark", description="Compare models on tables with tasks."
    )
    suites = parser.add_subparsers(dest="suite", required=True, metavar="suite")
    summaries = {name: suite.summary for name, suite in SUITES.items()}
    summaries[_OWN] = "all models on a table of your own, a CSV file"
    for name, summary in summaries.items():
        command = suites.add_parser(name, help=summary, description=f"Compare {summary}.")
        if name == _OWN:
            command.add_argument("--data", required=True, metavar="FILE", help="the table, CSV with a header")
            command.add_argument("--task", required=True, metavar="COLUMN", help="column with the task labels")
            command.add_argument("--target", required=True, metavar="COLUMN", help="column with the targets")
            command.add_argument(
                "--problem",
                choices=("auto", "regression", "classification"),
                default="auto",
                help="what the target is (default: auto; text and few whole numbers are classes)",
            )
        else:
            command.add_argument(
                "--table",
                action="append",
                choices=SUITES[name].tables,
                metavar="NAME",
                help=f"only this table of {', '.join(map(repr, SUITES[name].tables))}; may be repeated",
            )
        command.add_argument(
            "--model",
            action="append",
            default=[],
            metavar="MODULE:FACTORY",
            help="a model of your own: where a function is that returns an estimator taking tasks; may be repeated",
        )
        command.add_argument(
            "--seeds", type=_positive, default=3, metavar="N", help="number of random splits (default: 3)"
        )
        command.add_argument("--output", metavar="FOLDER", help=f"where to write (default: benchmark-{name})")
        command.add_argument(
            "--threads", type=_positive, default=1, metavar="N", help="number of threads of every model (default: 1)"
        )
        command.add_argument(
            "--trials",
            type=_count_from_zero,
            default=0,
            metavar="N",
            help="number of settings to try for every model on every split (default: 0, the defaults are used)",
        )
        command.add_argument(
            "--memory",
            action="store_true",
            help="make each fit that counts in a process of its own and measure its peak memory (Linux)",
        )
        command.add_argument(
            "--jobs", type=_positive, default=1, metavar="N", help="number of fits at the same time (default: 1)"
        )
        command.add_argument(
            "--backend",
            choices=BACKENDS,
            default="loky",
            help="where several jobs run: processes, threads, or the workers of a Dask cluster (default: loky)",
        )
        command.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="of a Dask cluster, such as tcp://host:8786 (default: one is started here, with --jobs workers)",
        )
        command.add_argument(
            "--fresh", action="store_true", help="do not go on from the fits that the folder holds, but start anew"
        )
    return parser


def _positive(text: str) -> int:
    """Read an integer of at least 1."""
    with contextlib.suppress(ValueError):
        if int(text) >= 1:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer of at least 1; got '{text}'.")


def _count_from_zero(text: str) -> int:
    """Read an integer of at least 0."""
    with contextlib.suppress(ValueError):
        if int(text) >= 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer of at least 0; got '{text}'.")
