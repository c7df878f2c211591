"""How far a comparison is, and how long it will still take."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Collection, Iterator

import numpy as np

from skmtl._optional import import_optional
from skmtl.benchmark._store import Run

#: What is called with a few words about a fit, and the seconds that are left, if that can be said.
Advance = Callable[[str, float | None], object]

_SAY_EVERY = 60.0  # seconds, where there is no terminal


class TimeLeft:
    """Estimates the time left from fits of the same model: on the same table, or else on others, or else of any.

    The fits of a comparison differ a thousandfold in time, and take turns: their mean rate says nothing about the rest.
    What a fit costs beside its own seconds, such as a process of its own, is taken to be the same for each. Where they
    took more seconds than went by, as several were under way, it is the share that counts.
    """

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], list[float]] = {}
        self._spent, self._n_done = 0.0, 0
        self._pending: set[tuple[int, str, str]] = set()
        self._start = time.monotonic()

    def learn(self, run: Run) -> None:
        """Take in the times of a fit that is done, now or by an earlier start."""
        seconds = float(np.nansum([run.search_seconds, run.fit_seconds, run.predict_seconds]))
        self._seconds.setdefault((run.table, run.model), []).append(seconds)

    def start(self, pending: Collection[tuple[int, str, str]]) -> None:
        """Begin with these fits before us: seed, table, model."""
        self._pending, self._start = set(pending), time.monotonic()
        self._spent, self._n_done = 0.0, 0

    def done(self, cell: tuple[int, str, str], run: Run) -> None:
        """Take a fit off the list."""
        self._pending.discard(cell)
        self.learn(run)
        self._spent += self._seconds[run.table, run.model][-1]
        self._n_done += 1

    def seconds(self) -> float | None:
        """Return the estimate; None before the first fit is done."""
        if self._spent == 0.0:
            return None
        means = {key: float(np.mean(values)) for key, values in self._seconds.items()}
        of_model: dict[str, list[float]] = {}
        for (_, model), value in means.items():
            of_model.setdefault(model, []).append(value)
        of_any = float(np.mean(list(means.values())))
        left = sum(
            means.get((table, model), float(np.mean(of_model[model])) if model in of_model else of_any)
            for _, table, model in self._pending
        )
        gone = time.monotonic() - self._start
        if gone < self._spent:
            return left * gone / self._spent
        return left + len(self._pending) * (gone - self._spent) / self._n_done


def in_words(seconds: float | None) -> str:
    """Return what is said about the time left."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


@contextlib.contextmanager
def progress(total: int) -> Iterator[Advance]:
    """Show a bar on a terminal, if tqdm is installed; elsewhere write a line now and then, into a log perhaps."""
    if not sys.stderr.isatty():
        yield _Lines(total)
        return
    try:
        tqdm = import_optional("tqdm.auto", extra="progress")
    except ImportError:  # a comparison needs no bar
        yield _Lines(total)
        return
    form = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} fits, {elapsed}{postfix}"
    with tqdm.tqdm(total=total, leave=False, bar_format=form) as bar:
        started = False

        def advance(text: str, seconds: float | None) -> None:
            nonlocal started
            bar.set_postfix_str(in_words(seconds), refresh=False)
            bar.set_description(text, refresh=False)
            bar.n += int(started)  # the fit before this one is done
            bar.refresh()
            started = True

        yield advance


class _Lines:
    """Writes a line a minute to standard error."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.n = 0
        self.said = time.monotonic()

    def __call__(self, text: str, seconds: float | None) -> None:
        self.n += 1
        if time.monotonic() - self.said >= _SAY_EVERY:
            self.said = time.monotonic()
            words = [f"fit {self.n} of {self.total}", in_words(seconds)]
            print(f"{', '.join(filter(None, words))}: {text}", file=sys.stderr, flush=True)
