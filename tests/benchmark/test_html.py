"""The page holds every number, needs nothing else, and is well formed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from skmtl.benchmark._html import write_html
from skmtl.benchmark._report import render, summarise
from skmtl.benchmark._runner import run
from tests.benchmark._tables import Absent, MeanPerTask, make_table

pytest.importorskip("pandas")
VOID = {"meta", "br", "img", "link", "hr", "input", "wbr"}


class Checker(HTMLParser):
    """Collects text and attributes, and sees that tags are closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in {"src", "href"} and not value.startswith("#")]

    def handle_startendtag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in {"src", "href"} and not value.startswith("#")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


class Odd(MeanPerTask):
    """Has signs in its name that mean something in HTML."""

    label = "Mean <b>& more</b>"


@pytest.fixture
def results():
    tables = {"first": make_table(), "second": make_table(45)}
    return run(tables, {"mean": MeanPerTask, "odd": Odd, "absent": Absent}, n_seeds=2)


def read(results, tmp_path):
    write_html(results, tmp_path / "report.html", "A title & more", 3)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return page, " ".join(" ".join(checker.text).split()), checker


def test_page_is_well_formed_and_stands_alone(results, tmp_path):
    page, _, checker = read(results, tmp_path)
    assert checker.sources == []
    assert "<script" not in page
    assert "@import" not in page
    assert set(re.findall(r"https?://[^\"' <]*", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert 'name="viewport"' in page


def test_page_holds_every_number(results, tmp_path):
    _, text, _ = read(results, tmp_path)
    for summaries in summarise(results).values():
        for summary in summaries:
            if summary.status == "ok":
                assert f"{summary.mean:.4f} ± {summary.sd:.4f}" in text
    for words in ("Mean ranks", "Mean <b>& more</b>", "A title & more", "3 threads per model", "Machine and versions"):
        assert words in text
    assert "Absent: missing on every table. 'skmtl_absent' is needed" in text
    assert "Not ranked, without a result on some table: Absent." in text


def test_a_picture_for_each_table(results, tmp_path):
    pytest.importorskip("matplotlib")
    page, _, _ = read(results, tmp_path)
    assert page.count("<svg role=") == 2


def test_an_interrupted_run_says_so(results, tmp_path):
    results.interrupted = True
    assert "Interrupted: not all fits were made." in read(results, tmp_path)[1]


def test_a_run_that_lost_its_workers_says_why(results, tmp_path):
    results.interrupted, results.lost = True, "worker <3> died"
    text = read(results, tmp_path)[1]
    assert "Stopped, because workers were lost: not all fits were made. worker <3> died." in text
    assert "with --memory" in text


def test_models_that_are_not_meant_for_all_tables_are_not_ranked(tmp_path):
    tables, models = {"first": make_table(), "second": make_table(45)}, {"mean": MeanPerTask, "odd": Odd}
    models_of = {"first": ("mean", "odd"), "second": ("odd",)}
    assert "Mean ranks" not in read(run(tables, models, n_seeds=1, models_of=models_of), tmp_path)[1]
    assert "Mean ranks" in read(run(tables, models, n_seeds=1), tmp_path)[1]


def test_an_error_without_a_unit(results, tmp_path):
    results.words["first"] = ("schools", "")
    assert "90 rows, 3 schools; RMSE." in read(results, tmp_path)[1]
    assert "first: 90 rows, 3 schools; errors are RMSE" in render(results, 1)
