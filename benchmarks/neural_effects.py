"""Three results of papers on multi-task nets, made small: do they show here?

    python benchmarks/neural_effects.py sharing [--seeds 10]     experts against one trunk as tasks grow apart
    python benchmarks/neural_effects.py conflicts [--seeds 5]    conflicts between tasks, with and without flat regions
    python benchmarks/neural_effects.py saliency [--seeds 10]    a regularizer of saliencies against equal weights

Each prints means, standard deviations over the seeds, and paired differences with their standard error, and writes
every single value to ``results/neural_effects.csv``, in place of those of the same effect. A run takes some minutes on
one thread.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from skorch.callbacks import Callback
from torchjd.scalarization import Scalarizer

from skmtl import MultiTaskClassifier, MultiTaskRegressor
from skmtl.datasets import make_correlated_tasks
from skmtl.inspection import gradient_similarity
from skmtl.neural.architectures import HardSharing, MMoE
from skmtl.neural.balancing import FlatRegions
from skmtl.neural.regularizers import RepMTL

RESULTS = Path(__file__).parent / "results" / "neural_effects.csv"
KEYS = ["effect", "setting", "model", "seed", "measure"]
#: Nets as the papers have them: numbers go in as they are, no rows are held out.
PLAIN = {"numeric_embedding": None, "early_stopping": False, "optimizer": "adam", "lr_schedule": "constant"}


def trunk(*sizes, towers=()):
    """Hard sharing in its classical form."""
    return HardSharing(sizes, towers, trunk="mlp", task_size=0, common_head=False, dropout=0.0)


# Tables ---------------------------------------------------------------------------------------------------------------


def correlated(correlation, n_tasks, n_features, n_train, n_test, seed):
    """Tasks with targets on the same rows: features and targets to learn from, and to test on."""
    bunch = make_correlated_tasks(
        correlation,
        n_tasks=n_tasks,
        n_samples=n_train + n_test,
        n_features=n_features,
        shared_rows=True,
        random_state=seed,
    )
    X, y = bunch.data, bunch.target
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def overlay(first, second):
    """Two images of 8 x 8 as one of 12 x 12: the second is moved by (3, 3), the brighter pixel wins.

    first, second : (n_rows, 64) -> (n_rows, 144)
    """
    out = np.zeros((2, len(first), 12, 12))
    out[0, :, :8, :8] = first.reshape(-1, 8, 8)
    out[1, :, 3:11, 3:11] = second.reshape(-1, 8, 8)
    return out.max(axis=0).reshape(-1, 144)


def two_digits(n_train, n_test, seed):
    """Pairs of digits, one over the other; two tasks: which is the first, and which is the second.

    Test pairs are made of images that are in no training pair.
    """
    images, labels = load_digits(return_X_y=True)
    images = images / 16.0
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(images))
    parts = []
    for of_part, n in ((order[:1200], n_train), (order[1200:], n_test)):
        pairs = rng.choice(of_part, (2, n))
        parts += [overlay(images[pairs[0]], images[pairs[1]]), labels[pairs].T]
    return parts


# Measures -------------------------------------------------------------------------------------------------------------


class ConflictMeter(Callback):
    """Looks, before every step, whether the gradients of the tasks' losses on the batch point against each other.

    Attributes
    ----------
    rates : list of float
        For each epoch, the share of its steps and pairs of tasks with a negative cosine.
    """

    def initialize(self):
        self.rates, self.steps = [], []
        return self

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if not training:
            return
        shared = net.module_.shared_parameters()
        losses = net.criterion_.losses(net.criterion_.raw(net.module_, batch), batch).of_task
        of_tasks = [torch.autograd.grad(loss, shared, retain_graph=True) for loss in losses]
        gradients = torch.stack([torch.cat([part.flatten() for part in gradient]) for gradient in of_tasks])
        rates = gradient_similarity(gradients.numpy()).conflict_rate
        self.steps.append(rates[np.triu_indices(len(rates), 1)].mean())

    def on_epoch_end(self, net, **kwargs):
        self.rates.append(float(np.mean(self.steps)))
        self.steps = []


def errors(model, X, y):
    """Root mean squared error of each column over the standard deviation of its targets."""
    return np.sqrt(np.mean((model.predict(X) - y) ** 2, axis=0)) / y.std(axis=0)


def wrong(model, X, y):
    """Share of wrong classes of each column."""
    return np.mean(model.predict(X) != y, axis=0)


# Effects --------------------------------------------------------------------------------------------------------------


def sharing(seeds):
    """Ma et al., KDD 2018: mixtures of experts win over one trunk, the more the less the tasks have in common."""
    sizes = {  # features, rows, and two nets with about as many parameters: 14 818 and 14 776, 594 and 589
        "large nets": (100, 20_000, MMoE(8, (16,), (8,)), trunk(126, towers=(8,))),
        "small nets": (20, 5000, MMoE(4, (4,), (8,)), trunk(15, towers=(8,))),
    }
    longer = {"lr": 0.005, "lr_schedule": "flat_cosine", "batch_size": 256, "max_epochs": 60}
    for size, (n_features, n_train, experts, shared) in sizes.items():
        for correlation in (1.0, 0.9, 0.5, 0.0):
            for seed in range(seeds):
                X, y, X_test, y_test = correlated(correlation, 2, n_features, n_train, 5000, seed)
                for name, architecture in {"mmoe": experts, "hard_sharing": shared}.items():
                    model = MultiTaskRegressor(architecture, random_state=seed, **{**PLAIN, **longer}).fit(X, y)
                    found = errors(model, X_test, y_test).mean()
                    yield f"{size}, correlation {correlation:.1f}", name, seed, "error", found


def conflicts(seeds):
    """Phan et al., ICCV 2025: in flat regions the gradients of tasks are hardly ever in conflict."""
    for aggregator in ("pcgrad", "cagrad", "mgda"):
        models = {
            "flat regions, rho 0.05": FlatRegions(aggregator, rho=0.05),
            "flat regions, rho 2, adaptive": FlatRegions(aggregator, rho=2.0, adaptive=True),
            "the aggregator alone": aggregator,
        }
        for seed in range(seeds):
            X, y, X_test, y_test = two_digits(4000, 2000, seed)
            for name, balancing in models.items():
                meter = ConflictMeter()
                model = MultiTaskClassifier(
                    trunk(128, 64),
                    balancing=balancing,
                    batch_size=256,
                    max_epochs=40,
                    callbacks=[("meter", meter)],
                    random_state=seed,
                    **PLAIN,
                )
                model.fit(X, y)
                rates = dict(model.net_.callbacks_)["meter"].rates
                yield aggregator, name, seed, "conflicts, all epochs", np.mean(rates)
                yield aggregator, name, seed, "conflicts, last 10 epochs", np.mean(rates[-10:])
                yield aggregator, name, seed, "wrong", wrong(model, X_test, y_test).mean()


class LogMean(Scalarizer):
    """Mean of the logarithms of the losses, on which the paper trains."""

    def forward(self, values):
        return torch.log(values + 1e-8).mean()


def saliency(seeds):
    """Wang et al., ICCV 2025: Rep-MTL gains over equal weights."""
    models = {f"rep_mtl, lambda {value}": RepMTL(value, value) for value in (0.9, 0.1, 0.01)}
    models["equal weights"] = None
    for seed in range(seeds):
        tables = {
            "correlated tasks": (MultiTaskRegressor, errors, correlated(0.5, 4, 20, 1000, 4000, seed)),
            "two digits": (MultiTaskClassifier, wrong, two_digits(2000, 2000, seed)),
        }
        for table, (cls, measure, (X, y, X_test, y_test)) in tables.items():
            model = cls(trunk(128, 64), batch_size=64, max_epochs=30, random_state=seed, **PLAIN)
            alone = [measure(clone(model).fit(X, own), X_test, test) for own, test in zip(y.T, y_test.T, strict=True)]
            for kind, balancing in {"losses": "mean", "log losses": LogMean()}.items():
                setting = f"{table}, {kind}"
                for name, regularizer in models.items():
                    begin = time.process_time()
                    model.set_params(regularizer=regularizer, balancing=balancing).fit(X, y)
                    seconds = (time.process_time() - begin) / model.n_iter_
                    found = measure(model, X_test, y_test).mean()
                    yield setting, name, seed, "error", found
                    yield setting, name, seed, "gain over single tasks", 1.0 - found / np.mean(alone)
                    yield setting, name, seed, "seconds per epoch", seconds


EFFECTS = {"sharing": sharing, "conflicts": conflicts, "saliency": saliency}


# Output ---------------------------------------------------------------------------------------------------------------


def summary(values):
    """Means and spread over seeds, and the mean difference to the last model of a setting, seed by seed.

    values : DataFrame with the columns of ``KEYS`` and `value`.
    """
    lines = []
    for (setting, measure), rows in values.groupby(["setting", "measure"], sort=False):
        table = rows.pivot_table("value", "seed", "model")[rows["model"].unique()]
        last = table.columns[-1]
        for model in table:
            difference = table[model] - table[last]
            lines.append(
                {
                    "setting": setting,
                    "measure": measure,
                    "model": model,
                    "mean": table[model].mean(),
                    "sd": table[model].std(),
                    "minus last": difference.mean(),
                    "se": difference.std() / np.sqrt(len(difference)),
                    "lower in": f"{int((difference < 0).sum())}/{len(difference)}",
                }
            )
    return pd.DataFrame(lines)


def main():
    """Run an effect, print its table, keep its values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("effect", choices=EFFECTS)
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    torch.set_num_threads(1)
    seeds = options.seeds or {"conflicts": 5}.get(options.effect, 10)
    begin = time.process_time()
    lines = [(options.effect, *line) for line in EFFECTS[options.effect](seeds)]
    values = pd.DataFrame(lines, columns=[*KEYS, "value"])
    print(EFFECTS[options.effect].__doc__)
    print(f"torch {torch.__version__}, {seeds} seeds, {time.process_time() - begin:.0f} s of CPU time\n")
    print(summary(values).to_string(index=False, float_format="{:.4f}".format))
    old = pd.read_csv(RESULTS) if RESULTS.exists() else values[:0]
    kept = [part for part in (old[old["effect"] != options.effect], values) if len(part)]
    pd.concat(kept).to_csv(RESULTS, index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
