"""How the time of a fit grows: with rows, features, tasks and threads, beside LightGBM.

    python benchmarks/growth.py [rows] [features] [tasks] [threads] [figure]

Each axis is measured and written to ``benchmarks/results/growth.csv`` (lines of an axis replace those that were
there); "figure" draws ``doc/growth.svg`` from the file and prints the exponents: slopes of log time over log size,
least squares over the upper half of the sizes. Without arguments: everything. One thread but for the last axis; the
best of several fits, of a single one where it takes longer than ten seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads OpenMP

import sys
import time
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

from skmtl import RMTGBRegressor

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "growth.csv"
ROWS = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]
FEATURES = [10, 30, 100, 300, 1_000]
TASKS = [1, 10, 100, 1_000, 10_000]
THREADS = [1, 2]
N_ROUNDS = 100
#: What is timed. The first three make a hundred rounds; the default fit stops early and makes as many as it needs.
SHARED, BLOCKS, DEFAULT, PEER = "shared block", "four blocks in turn", "defaults", "LightGBM"


def make_table(n_rows, n_features, n_tasks):
    """Effects that all tasks share, one slope of each task's own, and noise."""
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(n_rows, n_features)), np.sort(rng.integers(n_tasks, size=n_rows))
    slope = rng.normal(size=n_tasks)
    common = 2 * X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3]
    return X, common + slope[tasks] * X[:, 4] + rng.normal(size=n_rows), tasks


def fit(model, X, y, tasks, n_threads):
    """Fit one of the models."""
    if model == PEER:
        peer = lightgbm.LGBMRegressor(n_estimators=N_ROUNDS, num_leaves=31, n_jobs=n_threads, verbose=-1)
        peer.fit(np.column_stack([X, tasks]), y, categorical_feature=[X.shape[1]])
        return
    schedules = {
        SHARED: {"shared": N_ROUNDS},
        BLOCKS: dict.fromkeys(("shared", "partition", "joint", "specific"), N_ROUNDS // 4),
    }
    params = {"random_state": 0, "n_jobs": n_threads}
    if model != DEFAULT:
        params |= {"schedule": schedules[model], "early_stopping": False, "max_leaf_nodes": 31}
    RMTGBRegressor(**params).fit(X, y, tasks=tasks)


def seconds(model, table, n_threads=1):
    """Best time of one to five fits."""
    times: list[float] = []
    while not times or (sum(times) < 10.0 and len(times) < 5):
        begin = time.perf_counter()
        fit(model, *table, n_threads)
        times.append(time.perf_counter() - begin)
    return min(times)


def tables(axis):
    """Yield the sizes of an axis, a table for each, and the number of threads."""
    if axis == "rows":
        yield from ((n, make_table(n, 20, 20), 1) for n in ROWS)
    elif axis == "features":
        yield from ((n, make_table(20_000, n, 20), 1) for n in FEATURES)
    elif axis == "tasks":
        yield from ((n, make_table(100_000, 10, n), 1) for n in TASKS)
    else:
        table = make_table(300_000, 20, 20)
        yield from ((n, table, n) for n in THREADS)


def measure(axis):
    """Time the fits of one axis."""
    small = make_table(500, 6, 4)
    for model in (SHARED, BLOCKS, DEFAULT, PEER):
        fit(model, *small, 1)  # compiles
    lines = []
    for size, table, n_threads in tables(axis):
        for model in (SHARED, BLOCKS, DEFAULT, PEER):
            lines.append([axis, model, size, seconds(model, table, n_threads)])
            print("{:<9} {:<20} {:>9} {:>9.3f} s".format(*lines[-1]), flush=True)
    found = pd.DataFrame(lines, columns=["axis", "model", "size", "seconds"])
    if RESULTS.exists():
        earlier = pd.read_csv(RESULTS)
        found = pd.concat([earlier[earlier["axis"] != axis], found])
    found.round({"seconds": 4}).to_csv(RESULTS, index=False)


def exponent(sizes, times):
    """Slope of log time over log size, over the upper half of the sizes."""
    upper = np.asarray(sizes) >= np.sqrt(np.min(sizes) * np.max(sizes)) * 0.999
    return np.polyfit(np.log(np.asarray(sizes)[upper]), np.log(np.asarray(times)[upper]), 1)[0]


def figure():
    """Draw the times and print the exponents."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "skmtl"  # the same file every time
    found = pd.read_csv(RESULTS)
    fig, axes = plt.subplots(2, 2, figsize=(9.0, 8.0), layout="constrained")
    titles = {
        "rows": "rows (20 features, 20 tasks)",
        "features": "features (20 000 rows, 20 tasks)",
        "tasks": "tasks (100 000 rows, 10 features)",
        "threads": "threads (300 000 rows, 20 features, 20 tasks)",
    }
    for ax, (axis, title) in zip(axes.ravel(), titles.items(), strict=True):
        for number, model in enumerate((SHARED, BLOCKS, DEFAULT, PEER)):
            own = found[(found["axis"] == axis) & (found["model"] == model)]
            sizes, times = own["size"].to_numpy(), own["seconds"].to_numpy()
            power = np.polyfit(np.log(sizes), np.log(times), 1)[0] if axis == "threads" else exponent(sizes, times)
            print(f"{axis:<9} {model:<20} {power:6.2f}")
            style = {"color": f"C{number}", "linestyle": "--" if model == PEER else "-", "marker": "o", "markersize": 4}
            ax.plot(sizes, times, label=f"{model}: {power:.2f}", **style)
        ax.set(xscale="log", yscale="log", xlabel=title, ylabel="seconds per fit")
        if axis == "threads":
            ax.set_xticks(THREADS, THREADS)
            ax.minorticks_off()
        ax.legend(frameon=False, title="exponents", ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        ax.spines[["top", "right"]].set_visible(False)
    fig.savefig(ROOT / "doc" / "growth.svg", metadata={"Date": None})


if __name__ == "__main__":
    for part in sys.argv[1:] or ["rows", "features", "tasks", "threads", "figure"]:
        figure() if part == "figure" else measure(part)
