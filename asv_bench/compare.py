"""Print fit and prediction times beside LightGBM's: the same data, tree settings and threads, runs taken in turn.

``make bench`` runs it. Ratios below one are in our favour. Times are the best of several runs; compiling the kernels is
not part of them and is shown on a line of its own. Then fits with weights, and of classes. Then predictions of 500
trees, and of a single row. Then many small tasks: rounds of one tree per task beside a loop of LightGBM fits, of which
the first twenty tasks are timed and the rest extrapolated. Where the variable ``SKMTL_DATASETS`` of the environment
names the folder of the R-MTGB tables, `school` is among the tables: most of its columns are one-hot.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from functools import partial
from pathlib import Path

import lightgbm
import numba
import numpy as np
import pandas as pd

from skmtl import RMTGBClassifier, RMTGBRegressor, __version__

SIZES = [(15_000, 27), (100_000, 20), (1_000_000, 20)]
MANY_TASKS = [(1_000, 20), (10_000, 50)]
TREES, LEAVES = 100, 31


def make_table(n_rows, n_features):
    """Smooth effects, an interaction and noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    return X, 2 * X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + rng.normal(size=n_rows)


def tables(largest):
    """Yield features and targets of the tables, the named ones up to so many rows."""
    for n_rows, n_features in SIZES:
        if n_rows <= largest:
            yield f"{n_rows} × {n_features}", *make_table(n_rows, n_features)
    if "SKMTL_DATASETS" in os.environ:
        school = pd.read_csv(Path(os.environ["SKMTL_DATASETS"]) / "school.csv.gz")
        yield "school", school.drop(columns=["task", "target"]).to_numpy(float), school["target"].to_numpy()


def ours(n_threads=1, n_trees=TREES, estimator=RMTGBRegressor):
    """Return the shared block alone, with LightGBM's defaults for the trees."""
    return estimator(
        schedule={"shared": n_trees},
        early_stopping=False,
        init="mean",
        max_leaf_nodes=LEAVES,
        min_samples_leaf=20,
        l2_regularization=0.0,
        max_features=1.0,
        random_strength=0.0,
        n_jobs=n_threads,
        random_state=0,
    )


def theirs(n_threads=1, n_trees=TREES, estimator=lightgbm.LGBMRegressor):
    """Return LightGBM with as many trees of as many leaves."""
    return estimator(n_estimators=n_trees, num_leaves=LEAVES, n_jobs=n_threads, verbose=-1)


def seconds(call):
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(X, y, repeats, n_threads):
    """Return the best times of fit and predict, ours and LightGBM's."""
    models = [ours(n_threads), theirs(n_threads)]
    fit, predict = [[], []], [[], []]
    for _ in range(repeats):
        for times, model in zip(fit, models, strict=True):
            times.append(seconds(lambda model=model: model.fit(X, y)))
        predict[0].append(seconds(lambda: models[0].predict(X)))
        predict[1].append(seconds(lambda: models[1].predict(X, num_threads=n_threads)))
    return [min(times) for times in (*fit, *predict)]


def compare_kinds(X, y, repeats, n_threads):
    """Yield the best times of fits where a row has more than a gradient: a weight, or a Hessian for every class.

    For three classes LightGBM grows three trees in every round, ours have a value for each class in their leaves.
    """
    weight = np.random.default_rng(0).exponential(size=len(y))
    classifiers = RMTGBClassifier, lightgbm.LGBMClassifier
    for name, estimators, target, arguments in (
        ("weights", (RMTGBRegressor, lightgbm.LGBMRegressor), y, {"sample_weight": weight}),
        ("two classes", classifiers, y > np.median(y), {}),
        ("three classes", classifiers, np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])), {}),
    ):
        models = [make(n_threads, estimator=e) for make, e in zip((ours, theirs), estimators, strict=True)]
        times = [[seconds(partial(m.fit, X, target, **arguments)) for m in models] for _ in range(repeats + 1)]
        yield name, *np.min(times[1:], axis=0)


def compare_predictions(n_threads, n_trees=500):
    """Return the best times of predictions of 100 000 rows and of one row, ours and LightGBM's."""
    X, y = make_table(100_000, 20)
    models = [make(n_threads, n_trees).fit(X, y) for make in (ours, theirs)]
    found = []
    for rows, repeats in ((X, 3), (X[:1], 1000)):
        for model, threads in zip(models, ({}, {"num_threads": n_threads}), strict=True):
            model.predict(rows, **threads)
            found.append(min(seconds(lambda m=model, t=threads, r=rows: m.predict(r, **t)) for _ in range(repeats)))
    return found


def compare_many_tasks(n_tasks, size, n_rounds=20, n_sampled=20):
    """Return the times of `n_rounds` trees for every task: ours, and those of a loop over LightGBM fits."""
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(n_tasks * size, 10)), np.repeat(np.arange(n_tasks), size)
    y = X[:, 0] * rng.normal(size=n_tasks)[tasks] + rng.normal(size=n_tasks * size)
    settings = {"early_stopping": False, "init": "mean", "theta_init": "random", "random_state": 0}
    models = [RMTGBRegressor(schedule={"specific": rounds}, **settings) for rounds in (1, 1 + n_rounds)]
    for model in models:
        model.fit(X[: 20 * size], y[: 20 * size], tasks=tasks[: 20 * size])
    short, long = (min(seconds(lambda model=model: model.fit(X, y, tasks=tasks)) for _ in range(5)) for model in models)
    alone = lightgbm.LGBMRegressor(n_estimators=n_rounds, num_leaves=4, min_child_samples=3, n_jobs=1, verbose=-1)

    def loop():
        for begin in range(0, n_sampled * size, size):
            alone.fit(X[begin : begin + size], y[begin : begin + size])

    return long - short, min(seconds(loop) for _ in range(5)) / n_sampled * n_tasks


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the best of which counts (default 3)")
    parser.add_argument("--largest", type=int, default=SIZES[-1][0], help="leave out tables with more rows than this")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads (default 1 2)")
    options = parser.parse_args()
    compiling = seconds(lambda: ours().fit(*make_table(500, 5)))
    print(
        f"skmtl {__version__}, LightGBM {lightgbm.__version__}, Numba {numba.__version__}, Python "
        f"{platform.python_version()}, {platform.machine()}; {TREES} trees of {LEAVES} leaves"
    )
    print(f"first fit, which compiles or loads the kernels: {compiling:.1f} s\n")
    head = ["fit", "LightGBM", "ratio", "predict", "LightGBM", "ratio"]
    print(f"{'threads':>7}  {'table':<13}" + "".join(f"{name:>10}" for name in head))
    for n_threads in options.threads:
        for name, X, y in tables(options.largest):
            a, b, c, d = compare(X, y, options.repeats, n_threads)
            print(
                f"{n_threads:>7}  {name:<13}{a:>9.2f}s{b:>9.2f}s{a / b:>10.2f}{c:>9.2f}s{d:>9.2f}s{c / d:>10.2f}",
                flush=True,
            )
    print(f"\n{'threads':>7}  {'table':<15}{'':<15}{'fit':>9} {'LightGBM':>9}{'ratio':>9}")
    for n_threads in options.threads:
        for table, X, y in tables(min(options.largest, SIZES[1][0])):
            for kind, a, b in compare_kinds(X, y, options.repeats, n_threads):
                print(f"{n_threads:>7}  {table:<15}{kind:<15}{a:>9.2f}s{b:>9.2f}s{a / b:>8.2f}", flush=True)
    print(f"\n{'threads':>7}  {'500 trees':<13}{'predict':>10}{'LightGBM':>10}{'ratio':>10}")
    for n_threads in options.threads:
        a, b, c, d = compare_predictions(n_threads)
        print(f"{n_threads:>7}  {'100000 × 20':<13}{a:>9.2f}s{b:>9.2f}s{a / b:>10.2f}")
        print(f"{n_threads:>7}  {'one row':<13}{1e6 * c:>8.0f}µs{1e6 * d:>8.0f}µs{c / d:>10.2f}", flush=True)
    print(f"\n{'tasks':>7}{'rows each':>10}{'20 rounds':>12}{'loop':>10}{'ratio':>10}")
    for n_tasks, size in MANY_TASKS:
        a, b = compare_many_tasks(n_tasks, size)
        print(f"{n_tasks:>7}{size:>10}{a:>11.2f}s{b:>9.1f}s{b / a:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
