"""Accuracy of our boosters on the tables of the study, beside the peers, and what each part is worth.

    python benchmarks/accuracy.py --ours [--seeds 5] [--tables a,b] [--set NAME=VALUE ...] [--output FILE] [--jobs 2]
    python benchmarks/accuracy.py --plain [the same options]
    python benchmarks/accuracy.py --compare [--output FILE]
    python benchmarks/accuracy.py [--seeds 5] [--parts] [--tables exam,egsingle]

`--ours` fits the tables with tasks, `--plain` those without, once as they are and once with 20 random labels as tasks.
Both write their scores to `FILE` (default: ``results/ours.csv``; a fit of the same table and seed replaces the line
that was there) and print them beside those that ``peers.py`` left in ``results/peers.csv``; `--compare` only prints.
`--set` changes parameters of the constructor (``--set learning_rate=0.05 max_iter=300``): give another `FILE` then,
``results/ours.csv`` is for the defaults.

Without any of them: ours and LightGBM with the task as a category, side by side on the older tables, with the times of
this run. Splits are those of `skmtl.benchmark`: 20 % of every task for the test. Models get all other rows; LightGBM
stops early on 15 % of them and is fitted again on all for the rounds found, as ours does by itself. Root mean squared
error, log-loss for classes. One thread each. See ``tables.py`` for the tables.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything loads OpenMP

import argparse
import ast
import multiprocessing
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed

import numpy as np
import pandas as pd
from peers import fit_peer
from scores import N_NOISE_TASKS, OURS, aligned, compare, divide, replace, score
from tables import CHOSEN, PLAIN, names
from threadpoolctl import threadpool_limits

from skmtl import RMTGBClassifier, RMTGBRegressor

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


def ours(data, seed, **params):
    """Fit our estimator; return a function of rows and tasks."""
    if data.kind == "regression":
        model = RMTGBRegressor(random_state=seed, n_jobs=1, **params).fit(data.X, data.y, tasks=data.tasks)
        return lambda X, tasks: model.predict(X, tasks=tasks)
    # The log-loss of a class that a task never had in training would be infinite.
    model = RMTGBClassifier(random_state=seed, n_jobs=1, **{"unseen_classes": "shared"} | params)
    model.fit(data.X, data.y, tasks=data.tasks)
    return lambda X, tasks: aligned(model.predict_proba(X, tasks=tasks), model.classes_, data.n_classes)


def theirs(data, seed):
    """Fit LightGBM with the task as a category, twice; return a function of rows and tasks."""
    *_, (_, predict) = fit_peer("lightgbm", data, seed)
    return predict


def evaluate(fit, name, seed, tasks="own", **params):
    """Return the test score of one fit, and the seconds of CPU time that it took.

    `tasks`: "own" are those of the table, "none" fits without, "noise" draws labels at random.
    """
    data, (X, y, test_tasks) = divide(name, seed)
    if tasks == "none":
        data, test_tasks = data._replace(tasks=None), None
    elif tasks == "noise":
        rng = np.random.default_rng(seed)
        labels = rng.integers(N_NOISE_TASKS, size=len(data.y) + len(y))
        data, test_tasks = data._replace(tasks=labels[: len(data.y)]), labels[len(data.y) :]
    start = time.process_time()
    predict = fit(data, seed, **params)
    seconds = time.process_time() - start
    return score(data, y, predict(X, test_tasks)), seconds


def evaluate_ours(name, seed, tasks, params):
    """Return the score and the seconds, or what went wrong, of a fit in a process of the pool."""
    try:
        return evaluate(ours, name, seed, tasks, **params)
    except Exception as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"


def compile_everything(params):
    """Fit small tables, so that no compilation is in the times, and so that the processes need not do it again."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=240), "b": pd.Categorical(rng.choice(["u", "v", "w"], 240))})
    tasks = rng.integers(3, size=240)
    for y in (X["a"].to_numpy() + tasks, (X["a"].to_numpy() > 0).astype(int), rng.integers(3, size=240)):
        estimator = RMTGBRegressor if y.dtype.kind == "f" else RMTGBClassifier
        for labels in (tasks, None):
            model = estimator(random_state=0, n_jobs=1, **params).fit(X, y, tasks=labels)
            model.predict(X, tasks=labels)


def run_ours(wanted, seeds, params, path, n_jobs):
    """Fit ours on each of the tables, and write a line per fit."""
    compile_everything(params)
    kinds = {"none": "skmtl", "noise": f"skmtl, {N_NOISE_TASKS} random tasks", "own": "skmtl"}
    jobs = [
        (name, seed, tasks)
        for seed in range(seeds)
        for name in wanted
        for tasks in (("none", "noise") if name in PLAIN else ("own",))
    ]
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(n_jobs, mp_context=context) as pool:
        running = {pool.submit(evaluate_ours, *job, params): job for job in jobs}
        for future in as_completed(running):
            (name, seed, tasks), result = running[future], future.result()
            line = {"table": name, "seed": seed, "model": kinds[tasks], "refit": 1}
            if isinstance(result, str):
                line["note"] = result
            else:
                line |= {"score": result[0], "seconds": round(result[1], 3)}
                print(f"{name:<18}{kinds[tasks]:<24}{seed}{result[0]:>14.5f}{result[1]:>9.2f} s", flush=True)
            replace(path, line)


def compare_live(options):
    """Print ours beside LightGBM, both fitted now; and ours without each of its parts."""
    wanted = options.tables.split(",") if options.tables else [name for name in names() if name not in CHOSEN]
    compile_everything({})
    seeds = range(options.seeds)
    print(f"{'table':<14}{'ours':>10}{'sd':>9}{'LightGBM':>11}{'sd':>9}{'paired z':>10}{'time':>8}{'LightGBM':>10}")
    for name in wanted:
        a = np.array([evaluate(ours, name, seed) for seed in seeds])
        b = np.array([evaluate(theirs, name, seed) for seed in seeds])
        difference = a[:, 0] - b[:, 0]
        z = difference.mean() / (difference.std(ddof=1) / np.sqrt(len(seeds)))
        print(
            f"{name:<14}{a[:, 0].mean():>10.4f}{a[:, 0].std(ddof=1):>9.4f}{b[:, 0].mean():>11.4f}"
            f"{b[:, 0].std(ddof=1):>9.4f}{z:>10.1f}{a[:, 1].mean():>7.2f}s{b[:, 1].mean():>9.2f}s",
            flush=True,
        )
    if options.parts:
        print(f"\n{'':<27}" + "".join(f"{name:>14}" for name in wanted))
        for part, params in PARTS.items():
            means = [np.mean([evaluate(ours, name, seed, **params)[0] for seed in seeds]) for name in wanted]
            print(f"{part:<27}" + "".join(f"{mean:>14.4f}" for mean in means), flush=True)


def setting(text):
    """Read ``name=value``; a value that is no Python literal is text."""
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"must be like learning_rate=0.05; got {text!r}.")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", action="store_true", help="fit ours on the tables with tasks")
    parser.add_argument("--plain", action="store_true", help="fit ours on the tables without tasks")
    parser.add_argument("--compare", action="store_true", help="only print what earlier runs wrote")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", action="store_true", help="also leave out one part of the method at a time")
    parser.add_argument("--tables", help="names, separated by commas (default: all that are there)")
    parser.add_argument("--set", type=setting, nargs="+", default=[], metavar="NAME=VALUE", help="parameters of ours")
    parser.add_argument("--output", default=OURS, metavar="FILE", help="the file of our scores")
    parser.add_argument("--jobs", type=int, default=1, help="number of processes for --ours and --plain")
    options = parser.parse_args()
    with threadpool_limits(1):
        if options.ours or options.plain:
            there = [*(names() if options.ours else []), *(PLAIN if options.plain else [])]
            wanted = options.tables.split(",") if options.tables else there
            if unknown := set(wanted) - set(there):
                parser.error(f"argument --tables: {sorted(unknown)} not among {there}.")
            run_ours(wanted, options.seeds, dict(options.set), options.output, options.jobs)
            compare(options.output, tables=wanted)
        elif options.compare:
            compare(options.output, tables=options.tables.split(",") if options.tables else None)
        else:
            compare_live(options)


if __name__ == "__main__":
    main()
