"""What losses are worth: F1 of a rare class, wrong labels, ordered classes.

    python benchmarks/losses.py [f1] [noise] [ordinal]

The tables of the R-MTGB experiments are read from the folder that the variable ``SKMTL_DATASETS`` of the environment
names, as CSV files with the columns `task` and `target`.
"""

from __future__ import annotations

import sys

import numpy as np
import tables
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, mean_absolute_error
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV

from skmtl.boosting import LightGBMClassifier, RMTGBClassifier
from skmtl.losses import AnyLoss, CompSumLoss, FocalLoss, OrdinalCrossEntropy

MODELS = {
    "LightGBMClassifier": lambda loss: LightGBMClassifier(loss, task_column="task", num_leaves=15, random_state=0),
    "RMTGBClassifier": lambda loss: RMTGBClassifier(loss, task_column="task", random_state=0),
}


def read(name):
    table = tables.load(name)
    return table.X.assign(task=table.tasks), table.y


def folds(X, y, n):
    return StratifiedKFold(n, shuffle=True, random_state=0).split(X, y)


def f1():
    tables = {
        "landmine": lambda y: y.astype(int),
        "abalone": lambda y: (y >= 15).astype(int),
        "school": lambda y: (y >= np.quantile(y, 0.93)).astype(int),
    }
    losses = {
        "log_loss": "log_loss",
        "log_loss, threshold tuned": "log_loss",
        "AnyLoss('f1')": AnyLoss("f1"),
        "AnyLoss('f1', L=8)": AnyLoss("f1", L=8.0),
        "FocalLoss(alpha=0.75)": FocalLoss(alpha=0.75),
    }
    for table, label in tables.items():
        X, y = read(table)
        y = label(y)
        for model, make in MODELS.items():
            for name, loss in losses.items():
                scores = []
                for train, test in folds(X, y, 10):
                    estimator = make(loss)
                    if name.endswith("tuned"):
                        estimator = TunedThresholdClassifierCV(estimator, scoring="f1", cv=5, random_state=0)
                    estimator.fit(X.iloc[train], y[train])
                    scores.append(f1_score(y[test], estimator.predict(X.iloc[test])))
                print(f"{table:10} {model:20} {name:28} {np.mean(scores):.3f} ± {np.std(scores) / 10**0.5:.3f}")


def noise():
    X, y = load_digits(return_X_y=True)
    for share in (0.0, 0.2, 0.4):
        for tau in (0.5, 1.0, 1.5, 1.7, 2.0):
            scores = []
            for train, test in folds(X, y, 3):
                rng = np.random.default_rng(0)
                labels, wrong = y[train].copy(), rng.random(len(train)) < share
                labels[wrong] = rng.integers(0, 10, wrong.sum())
                model = LightGBMClassifier(
                    CompSumLoss(tau), n_estimators=60, num_leaves=8, early_stopping=False, random_state=0
                )
                scores.append(accuracy_score(y[test], model.fit(X[train], labels).predict(X[test])))
            print(f"wrong labels {share:.0%}, tau {tau}: accuracy {np.mean(scores):.3f}")


def ordinal():
    X, rings = read("abalone")
    y = np.searchsorted(np.quantile(rings, [0.2, 0.4, 0.6, 0.8]), rings)
    losses = {"log_loss": "log_loss"} | {
        kind: OrdinalCrossEntropy(kind) for kind in ("coral", "corn", "cumulative_logit")
    }
    for model, make in MODELS.items():
        for name, loss in losses.items():
            rows = []
            for train, test in folds(X, y, 5):
                estimator = make(loss)
                if model == "LightGBMClassifier":
                    estimator.set_params(learning_rate=0.05)
                p = estimator.fit(X.iloc[train], y[train]).predict_proba(X.iloc[test])
                mode, median = p.argmax(axis=1), (p.cumsum(axis=1) < 0.5).sum(axis=1)
                kappa = cohen_kappa_score(y[test], mode, weights="quadratic")
                errors = mean_absolute_error(y[test], mode), mean_absolute_error(y[test], median)
                rows.append([accuracy_score(y[test], mode), *errors, kappa])
            print(f"{model:20} {name:18}", "accuracy, MAE, MAE of the median, kappa:", np.mean(rows, axis=0).round(3))


if __name__ == "__main__":
    for part in sys.argv[1:] or ["f1", "noise", "ordinal"]:
        {"f1": f1, "noise": noise, "ordinal": ordinal}[part]()
