"""Wherever fits run, results are the same; Ctrl-C leaves a readable result, and the same command goes on from it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import skmtl
from skmtl.benchmark import main
from skmtl.benchmark._runner import run
from skmtl.benchmark._store import Store
from tests.benchmark._tables import MeanPerTask, make_table
from tests.benchmark.test_resume import without_times

pytest.importorskip("pandas")
ROOT = Path(skmtl.__file__).resolve().parents[1]
# distributed deprecates parts of its own event loop as Python moves on, and says at its end that it ends.
DASK_NOISE = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Slow(MeanPerTask):
    """Takes a while."""

    label = "Slow"

    def fit(self, table, validation):
        time.sleep(0.25)
        super().fit(table, validation)


@DASK_NOISE
def test_a_dask_cluster_gives_the_same_and_a_second_start_goes_on(tmp_path):
    distributed = pytest.importorskip("distributed")
    tables, models = {"first": make_table(), "second": make_table(45)}, {"mean": MeanPerTask}
    store = Store(tmp_path / "fits.jsonl", dict.fromkeys(tables, "here"))
    one = run(tables, models, n_seeds=2)
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None)
    with cluster:
        settings = {"backend": "dask", "scheduler": cluster.scheduler_address, "store": store}
        two = run(tables, models, n_seeds=2, **settings)
        assert repr(without_times(two.runs)) == repr(without_times(one.runs))
        again = run(tables, models, n_seeds=2, **settings)
    assert repr(again.runs) == repr(two.runs)  # the times too: nothing was fitted


def test_without_dask_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--backend", "dask"])
    assert stop.value.code == 2
    text = capsys.readouterr().err
    assert "argument --backend: 'distributed' is needed here" in text
    assert "skmtl[dask]" in text


SCRIPT = """
import sys
from skmtl.benchmark import main
from skmtl.benchmark._registry import MODELS
from skmtl.benchmark._suites import SUITES, TABLES, Source, Suite
from tests.benchmark._tables import make_table
from tests.benchmark.test_backends import Slow

def load(*, return_X_y_tasks):
    table = make_table()
    return table.X, table.y, table.tasks

if __name__ == "__main__":
    TABLES["small"], MODELS["slow"] = Source(load, "tasks", "units"), Slow
    SUITES["demo"] = Suite("", ("small",), ("slow",))
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def start(tmp_path):
    """Start the command in a process group of its own, as a terminal does."""
    (tmp_path / "script.py").write_text(SCRIPT)
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "script.py"), "demo", "--output", str(tmp_path), *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


# Workers of every backend start anew, and a Dask cluster takes seconds to: together about half a minute.
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of a process group")
@pytest.mark.parametrize("backend", ["", "loky", "threading", "dask"])
def test_ctrl_c_leaves_a_readable_result_and_the_same_command_goes_on(backend, start, tmp_path):
    if backend == "dask":
        pytest.importorskip("distributed")
    arguments = ["--backend", backend, "--jobs", "2"] if backend else []
    fits = tmp_path / "fits.jsonl"
    process = start("--seeds", "200", *arguments)
    deadline = time.monotonic() + 60
    while not (fits.is_file() and fits.read_text().count("\n") >= 3):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Interrupted: not all fits were made." in out
    assert "Traceback" not in err
    assert "Interrupted: not all fits were made." in (tmp_path / "report.html").read_text()
    kept = fits.read_text()
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == kept.count("\n") >= 3
    assert {row["status"] for row in rows} == {"ok"}
    seeds = {json.loads(line)["run"]["seed"] for line in kept.splitlines()}
    n_seeds = max(seeds) + 3
    process = start("--seeds", str(n_seeds), *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    text = fits.read_text()
    assert text.startswith(kept)
    assert text.count("\n") == n_seeds  # nothing was fitted twice
    assert "Interrupted" not in out
