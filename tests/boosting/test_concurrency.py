"""Several fits at once, in a process of their own: neither abort nor deadlock, and the numbers of a serial run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skmtl.boosting import RMTGBRegressor

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 120

#: What every process starts with: a table large enough for threads to be worth it, and a model.
_COMMON = """
import numpy as np
from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

rng = np.random.default_rng(0)
X, tasks = rng.normal(size=(20_000, 30)), rng.integers(0, 6, 20_000)
y = X[:, 0] * tasks + X[:, 1] + rng.normal(size=20_000)
ROUNDS = {"shared": 3, "partition": 3, "specific": 3}

def fit(seed=0, cls=RMTGBRegressor, **params):
    model = cls(schedule=ROUNDS, early_stopping=False, subsample=0.7, random_state=seed, n_jobs=2, **params)
    target = y if cls is RMTGBRegressor else (y > 0).astype(int)
    return model.fit(X, target, tasks=tasks)

def said(model):
    return model.predict_proba(X, tasks=tasks) if hasattr(model, "predict_proba") else model.predict(X, tasks=tasks)
"""

_THREADS = """
from concurrent.futures import ThreadPoolExecutor

jobs = [(seed, cls) for seed in range(2) for cls in (RMTGBRegressor, RMTGBClassifier)]
serial = [said(fit(*job)) for job in jobs]
with ThreadPoolExecutor(2) as pool:
    together = list(pool.map(lambda job: said(fit(*job)), jobs))
for one, other in zip(serial, together, strict=True):
    assert np.array_equal(one, other)
# One model asked by several threads.
model = fit()
with ThreadPoolExecutor(4) as pool:
    for one in pool.map(lambda _: said(model), range(8)):
        assert np.array_equal(one, serial[0])
print("same numbers")
"""

_FIRST_IN_THREADS = """
# Nothing is compiled or loaded yet when the threads start.
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(2) as pool:
    together = list(pool.map(lambda seed: said(fit(seed)), range(4)))
for seed, one in enumerate(together):
    assert np.array_equal(one, said(fit(seed)))
print("same numbers")
"""

_SEARCH = """
import multiprocessing
import joblib
import sklearn
from sklearn.model_selection import GridSearchCV

if __name__ == "__main__":
    sklearn.set_config(enable_metadata_routing=True)
    model = RMTGBRegressor(schedule=ROUNDS, early_stopping=False, random_state=0, n_jobs=2)

    def search(n_jobs):
        grid = {"learning_rate": [0.1, 0.5]}
        return GridSearchCV(model, grid, cv=2, n_jobs=n_jobs, error_score="raise").fit(X, y, tasks=tasks)

    serial = search(1)  # the kernels and their threads have run before the workers are forked
    with joblib.parallel_config(BACKEND):
        parallel = search(2)
    assert np.array_equal(serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"])
    assert np.array_equal(said(serial.best_estimator_), said(parallel.best_estimator_))
    print("same numbers")
"""

_FORK = """
import multiprocessing
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later: of forks of a process with threads
here = said(fit())

def work(queue):
    queue.put(said(fit()))

context = multiprocessing.get_context("fork")
queues = [context.SimpleQueue() for _ in range(2)]
workers = [context.Process(target=work, args=(queue,)) for queue in queues]
for worker in workers:
    worker.start()
for worker, queue in zip(workers, queues, strict=True):
    assert np.array_equal(queue.get(), here)
    worker.join()
    assert worker.exitcode == 0
print("same numbers")
"""


def _run(code, tmp_path, **environment):
    script = tmp_path / "script.py"
    script.write_text(_COMMON + code)
    path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "same numbers"


_LAYERS = pytest.mark.parametrize("layer", ["default", "workqueue"])


@_LAYERS
@pytest.mark.parametrize("code", [_THREADS, _FIRST_IN_THREADS], ids=["after a serial run", "first of all"])
def test_two_threads_fit_at_once(code, layer, tmp_path):
    _run(code, tmp_path, NUMBA_THREADING_LAYER=layer)


@_LAYERS
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_search_with_two_jobs(backend, layer, tmp_path):
    if backend == "multiprocessing" and not hasattr(os, "fork"):
        pytest.skip("needs fork")
    environment = (
        {"NUMBA_THREADING_LAYER": layer, "JOBLIB_START_METHOD": "fork"} if backend == "multiprocessing" else {}
    )
    _run(_SEARCH.replace("BACKEND", repr(backend)), tmp_path, **{"NUMBA_THREADING_LAYER": layer, **environment})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@_LAYERS
def test_forked_processes_fit(layer, tmp_path):
    _run(_FORK, tmp_path, NUMBA_THREADING_LAYER=layer)


def test_predictions_of_several_threads_are_those_of_one():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(20_000, 3)), rng.integers(0, 5, 20_000)
    y = X[:, 0] + tasks * X[:, 1]
    model = RMTGBRegressor(
        schedule={"shared": 60, "partition": 10, "joint": 10, "specific": 10}, early_stopping=False, random_state=0
    ).fit(X, y, tasks=tasks)
    alone = model.predict(X, tasks=tasks)
    for n_jobs in (2, 3):
        np.testing.assert_array_equal(model.set_params(n_jobs=n_jobs).predict(X, tasks=tasks), alone)
