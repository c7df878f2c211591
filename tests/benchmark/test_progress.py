"""What is said about the time left follows from the fits that are done."""

from __future__ import annotations

import io

import pytest

from skmtl.benchmark import _progress
from skmtl.benchmark._progress import TimeLeft, in_words, progress
from skmtl.benchmark._store import Run


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(_progress, "time", found)
    return found


def done(table, model, seconds, status="ok"):
    nan = float("nan")
    return Run(table, model, 0, 1, 1, 1, status, fit_seconds=seconds, predict_seconds=nan, search_seconds=nan)


def test_each_fit_is_expected_to_take_what_its_like_took(clock):
    left = TimeLeft()
    left.learn(done("a", "slow", 60.0))  # by an earlier start
    left.start([(1, "a", "slow"), (1, "a", "quick"), (2, "a", "slow"), (2, "a", "quick"), (1, "b", "slow")])
    assert left.seconds() is None
    clock.now += 2.0
    left.done((1, "a", "quick"), done("a", "quick", 2.0))
    # Three slow ones, on a table that is not known yet too, and a quick one; fits take the time that they say.
    assert left.seconds() == pytest.approx(3 * 60.0 + 2.0)
    clock.now += 64.0  # four seconds more than it says: two for each fit up to now
    left.done((1, "a", "slow"), done("a", "slow", 60.0))
    assert left.seconds() == pytest.approx(2 * 60.0 + 2.0 + 3 * 2.0)


def test_fits_at_the_same_time_take_less(clock):
    left = TimeLeft()
    left.start([(seed, "a", "one") for seed in range(10)])
    clock.now += 10.0
    for seed in range(4):
        left.done((seed, "a", "one"), done("a", "one", 10.0))
    assert left.seconds() == pytest.approx(6 * 10.0 / 4)


def test_a_failure_has_no_time_and_the_last_fit_leaves_none(clock):
    left = TimeLeft()
    left.start([(0, "a", "one"), (0, "a", "two")])
    left.done((0, "a", "one"), done("a", "one", float("nan"), "failed"))
    assert left.seconds() is None
    clock.now += 5.0
    left.done((0, "a", "two"), done("a", "two", 4.0))
    assert left.seconds() == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.0, "about 1 s left"),
        (40.4, "about 40 s left"),
        (600.0, "about 10 min left"),
        (9000.0, "about 2.5 h left"),
    ],
)
def test_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_log_gets_a_line_a_minute(clock, monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress(4) as advance:
        for text, pause in (("one", 1.0), ("two", 70.0), ("three", 1.0), ("four", 60.0)):
            clock.now += pause
            advance(text, 120.0)
    assert _progress.sys.stderr.getvalue() == (
        "fit 2 of 4, about 2 min left: two\nfit 4 of 4, about 2 min left: four\n"
    )


def test_a_terminal_gets_a_bar(monkeypatch):
    pytest.importorskip("tqdm")

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    with progress(2) as advance:
        advance("one", None)
        advance("two", 61.0)
    text = _progress.sys.stderr.getvalue()
    assert "one:   0%" in text
    assert "1/2 fits" in text
    assert "about 61 s left" in text
