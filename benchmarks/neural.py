"""What each architecture of the neural estimators reaches with defaults on real tables.

    python benchmarks/neural.py [--architectures hard_sharing,mmoe] [--tables exam,school] [--seeds 1]

Tables and splits are those of ``accuracy.py``: 20 % of every task for the test, the estimator holds out its own rows
from the rest. Root mean squared error, log-loss for classes, and seconds of CPU time on one thread. Scores are added to
``results/neural.csv``; a fit of the same table, seed and architecture replaces the line that was there.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch

import torch
from accuracy import evaluate
from scores import RESULTS, aligned, replace

from skmtl import MultiTaskClassifier, MultiTaskRegressor

TABLES = ["computer", "abalone", "exam", "school", "landmine"]
ARCHITECTURES = ["hard_sharing", "mmoe", "cgc", "ple", "cross_stitch"]


def neural(data, seed, **params):
    """Fit a net; return a function of rows and tasks."""
    if data.kind == "regression":
        model = MultiTaskRegressor(random_state=seed, **params).fit(data.X, data.y, tasks=data.tasks)
        return lambda X, tasks: model.predict(X, tasks=tasks)
    model = MultiTaskClassifier(random_state=seed, unseen_classes="shared", **params)
    model.fit(data.X, data.y, tasks=data.tasks)
    return lambda X, tasks: aligned(model.predict_proba(X, tasks=tasks), model.classes_, data.n_classes)


def main():
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", default=",".join(ARCHITECTURES))
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for architecture in options.architectures.split(","):
        for name in options.tables.split(","):
            for seed in range(options.seeds):
                error, seconds = evaluate(neural, name, seed, architecture=architecture)
                print(f"{architecture:<14}{name:<12}{seed}{error:>12.4f}{seconds:>9.1f} s", flush=True)
                line = {"table": name, "seed": seed, "model": architecture, "refit": 0}
                replace(RESULTS / "neural.csv", {**line, "score": error, "seconds": round(seconds, 1)})


if __name__ == "__main__":
    main()
