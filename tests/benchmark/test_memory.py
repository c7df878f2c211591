"""Peak memory is that of the fit, and a process of its own is what it says."""

from __future__ import annotations

import csv
import os
import time

import numpy as np
import pytest

from skmtl.benchmark._html import write_html
from skmtl.benchmark._memory import PeakMemory, in_fresh_process, reason_not_measured
from skmtl.benchmark._report import render, summarise, write_csv
from skmtl.benchmark._runner import run
from tests.benchmark._tables import MeanPerTask, make_table

pytest.importorskip("pandas")
if reason_not_measured() is not None:
    pytest.skip(reason_not_measured(), allow_module_level=True)


class Greedy(MeanPerTask):
    """Takes 100 MiB for a moment, and only with many rows: a rehearsal on few must not hide it."""

    label = "Greedy"
    n_warm_up_rows = 20

    def fit(self, table, validation):
        super().fit(table, validation)
        if len(table.y) > 50:
            np.ones(100 * 2**17)
        self.process = os.getpid()

    def outlier_scores(self):
        return {"process": float(self.process)}


def test_peak_is_seen_though_the_memory_was_freed():
    with PeakMemory() as peak:
        np.ones(60 * 2**17)
    assert 59 <= peak.mib < 70
    with PeakMemory() as peak:
        pass
    assert peak.mib < 5


def test_a_fit_is_measured_in_a_process_of_its_own(tmp_path):
    models = {"greedy": Greedy, "mean": MeanPerTask}
    results = run({"first": make_table()}, models, n_seeds=2, memory=True)
    plain = run({"first": make_table()}, models, n_seeds=2)
    assert [found.error for found in results.runs] == [found.error for found in plain.runs]
    greedy = [found.peak_memory for found in results.runs if found.model == "greedy"]
    assert all(99 <= peak < 110 for peak in greedy)
    assert all(found.peak_memory < 10 for found in results.runs if found.model == "mean")
    processes = results.outlier_scores["first"].pop("process")
    assert len({*processes, os.getpid()}) == 3
    text = " ".join(render(results, 1).split())
    assert "memory, MiB" in text
    assert "Memory: by how much the resident memory of a fresh process rises" in text
    summary = summarise(results)["first"][0]
    assert summary.peak_memory == max(greedy)
    write_csv(results, tmp_path / "scores.csv", 1)
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert [float(row["peak_memory"]) for row in csv.DictReader(file) if row["model"] == "greedy"] == greedy
    write_html(results, tmp_path / "report.html", "Title", 1)
    page = (tmp_path / "report.html").read_text()
    assert "<th>memory, MiB</th>" in page
    assert f"<td>{max(greedy):.0f}</td>" in page


def test_without_asking_there_is_no_column():
    results = run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=1)
    assert np.isnan(results.runs[0].peak_memory)
    assert "memory" not in render(results, 1).lower()


def fail(text):
    raise ValueError(text)


class Unpicklable(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def fail_oddly():
    raise Unpicklable("a", "b")


def test_failures_come_back_and_a_killed_process_is_told_of():
    with pytest.raises(ValueError, match="no luck"):
        in_fresh_process(fail, "no luck")
    with pytest.raises(RuntimeError, match="Unpicklable: a b"):
        in_fresh_process(fail_oddly)
    with pytest.raises(ChildProcessError, match="the process of a fit ended with code 7"):
        in_fresh_process(os._exit, 7)


def test_what_a_process_takes_to_start_is_not_in_the_times():
    start = time.perf_counter()
    results = run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=1, memory=True)
    assert results.runs[0].fit_seconds < 0.2 * (time.perf_counter() - start)
