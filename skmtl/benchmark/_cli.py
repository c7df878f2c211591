"""The command line."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from skmtl._optional import import_optional
from skmtl.benchmark._models import MODELS
from skmtl.benchmark._plot import write_picture
from skmtl.benchmark._report import render, write_csv
from skmtl.benchmark._runner import run
from skmtl.benchmark._suites import SUITES, TABLES


def main(argv: Sequence[str] | None = None) -> int:
    """Run a suite, print its table, write scores and picture.

    Parameters
    ----------
    argv : sequence of str, default=None
        Arguments of the command. None: those of the process.

    Returns
    -------
    code : int
        0, or 1 if something that the run needs is not installed. Wrong arguments exit with 2.
    """
    parser = _make_parser()
    arguments = parser.parse_args(argv)
    suite = SUITES[arguments.suite]
    output = Path(arguments.output or f"benchmark-{arguments.suite}")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --output: cannot make the folder '{output}': {error.strerror}.")
    try:
        tables = {name: TABLES[name].read() for name in suite.tables}
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    models = {name: MODELS[name] for name in suite.models}
    with _progress(len(tables) * len(models) * arguments.seeds) as advance:
        results = run(tables, models, n_seeds=arguments.seeds, n_threads=arguments.jobs, advance=advance)
    print(render(results, arguments.jobs))
    print()
    write_csv(results, output / "scores.csv", arguments.jobs)
    print(f"Scores: {output / 'scores.csv'}")
    try:
        write_picture(results, output / "scores.png")
    except ImportError as error:
        print(f"No picture: {error}")
    else:
        print(f"Picture: {output / 'scores.png'}")
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skmtl.benchmark", description="Compare models on real tables with tasks."
    )
    suites = parser.add_subparsers(dest="suite", required=True, metavar="suite")
    for name, suite in SUITES.items():
        command = suites.add_parser(name, help=suite.summary, description=f"Compare {suite.summary}.")
        command.add_argument(
            "--seeds", type=_positive, default=3, metavar="N", help="number of random splits (default: 3)"
        )
        command.add_argument("--output", metavar="FOLDER", help=f"where to write (default: benchmark-{name})")
        command.add_argument(
            "--jobs", type=_positive, default=1, metavar="N", help="number of threads of every model (default: 1)"
        )
    return parser


def _positive(text: str) -> int:
    """Read an integer of at least 1."""
    with contextlib.suppress(ValueError):
        if int(text) >= 1:
            return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer of at least 1; got '{text}'.")


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[str], Any]]:
    """Show a bar on a terminal, if tqdm is installed."""
    try:
        tqdm = import_optional("tqdm.auto", extra="progress")
    except ImportError:  # a comparison needs no bar
        yield lambda text: None
        return
    with tqdm.tqdm(total=total, unit="fit", disable=None, leave=False) as bar:
        started = False

        def advance(text: str) -> None:
            nonlocal started
            bar.update(int(started))  # the fit before this one is done
            bar.set_description(text)
            started = True

        yield advance
