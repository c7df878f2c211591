"""What a process pays beside the time of a fit: compiling, loading compiled kernels, memory. Beside LightGBM.

``make bench`` runs it after ``compare.py``. Every figure comes from a process of its own. Compiling is measured with an
empty cache of Numba; the other figure is what loading the cache costs a new process. Memory is the peak of a process
that makes the table and fits the shared block (or LightGBM) to it, in MiB, and what it was before the fit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
_FIT = """
import time
import numpy as np
from skmtl import RMTGBRegressor
rng = np.random.default_rng(0)
X, tasks = rng.normal(size=(1000, 5)), rng.integers(0, 10, 1000)
y = X[:, 0] * (1 + tasks % 3) + rng.normal(size=1000)
seconds = []
for _ in range(2):
    start = time.perf_counter()
    RMTGBRegressor(random_state=0, **{params}).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    seconds.append(time.perf_counter() - start)
print(*seconds)
"""
# The default schedule may do without a block; these parameters make it use all of them.
_ALL_BLOCKS = "dict(early_stopping=False, schedule=dict(shared=2, partition=2, joint=2, specific=2))"
_MEMORY = """
import resource
import compare
X, y = compare.make_table({n_rows}, 20)
compare.{model}().fit(X[:1000], y[:1000])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
compare.{model}().fit(X, y)
print(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run(code, **environment):
    """Run code in a process of its own, in this folder; returns the numbers that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return [float(number) for number in done.stdout.split()]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    options = parser.parse_args()
    for name, params in (("shared block", "dict(schedule=dict(shared=2))"), ("all blocks", _ALL_BLOCKS)):
        with tempfile.TemporaryDirectory() as cache:
            code = _FIT.replace("{params}", params)
            cold, _ = run(code, NUMBA_CACHE_DIR=cache)
            first, second = run(code, NUMBA_CACHE_DIR=cache)
        seconds = first - second
        print(f"{name}: first fit {cold:.1f} s with an empty cache; {seconds:.2f} s over a second with a warm one")
    for label, model in (("skmtl", "ours"), ("LightGBM", "theirs")):
        before, peak = run(_MEMORY.replace("{n_rows}", str(options.rows)).replace("{model}", model))
        print(f"{label}: {options.rows} rows, {before:.0f} MiB before the fit, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
