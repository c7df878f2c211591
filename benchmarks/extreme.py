"""Very many classes: what the Z-loss is worth beside log-softmax, and what a step of training costs.

    python benchmarks/extreme.py [errors] [time] [figure]

"errors" prints top-1, top-5 and top-10 errors on a synthetic problem; "time" prints milliseconds per step against the
number of classes and writes them to ``benchmarks/results/extreme.json``, from which "figure" draws
``doc/extreme_time.svg``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from skmtl.datasets import make_extreme_classification
from skmtl.losses import SphericalSoftmaxLoss, ZLoss
from skmtl.losses.layers import SphericalOutputLayer, ZLossOutputLayer

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "extreme.json"
N_CLASSES, WIDTH, EPOCHS, BATCH = 5_000, 64, 8, 128
#: Loss by name (None: log-softmax), optimiser of the last layer, learning rates that are tried on held-out rows.
METHODS = {
    "log-softmax, Adam": (None, "adam", [0.001, 0.003, 0.01]),
    "log-softmax, SGD": (None, "sgd", [1.0, 10.0, 100.0]),
    "Z-loss": (ZLoss, "own", [0.001, 0.003, 0.01, 0.1]),
    "spherical softmax": (SphericalSoftmaxLoss, "own", [0.1, 1.0, 10.0]),
}
LOCATIONS = [(1.0, 0.0), (1.0, 5.0), (1.0, 10.0), (0.3, 10.0)]


def rows(seed):
    """Training, validation and test rows; the classes are those of the seed."""
    X, y, _ = make_extreme_classification(
        N_CLASSES, n_samples=60_000, n_features=64, noise=1.0, random_state=seed, return_X_y_tasks=True
    )
    X = torch.as_tensor(8.0 * X, dtype=torch.float32)
    y = torch.as_tensor(y)
    return [(X[part], y[part]) for part in (slice(40_000), slice(40_000, 50_000), slice(50_000, 60_000))]


def train(loss, kind, lr, train_rows, seed):
    """Fit a net of one hidden layer; returns a function from features to scores."""
    X, y = train_rows
    torch.manual_seed(seed)
    trunk = torch.nn.Sequential(torch.nn.Linear(X.shape[1], 128), torch.nn.ReLU(), torch.nn.Linear(128, WIDTH))
    optimisers = [torch.optim.Adam(trunk.parameters(), lr=1e-3)]
    if loss is None:
        last = torch.nn.Linear(WIDTH, N_CLASSES)
        make = torch.optim.Adam if kind == "adam" else torch.optim.SGD
        optimisers.append(make(last.parameters(), lr=lr))
    else:
        last = SphericalOutputLayer(WIDTH, N_CLASSES, lr, loss)
    n_steps, step = EPOCHS * len(X) // BATCH, 0
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(X)).split(BATCH):
            factor = max(0.01, 1.0 - step / n_steps)  # all learning rates fall in a straight line
            for optimiser, base in zip(optimisers, (1e-3, lr), strict=False):
                optimiser.param_groups[0]["lr"] = base * factor
                optimiser.zero_grad()
            if loss is None:
                torch.nn.functional.cross_entropy(last(trunk(X[batch])), y[batch]).backward()
            else:
                last.lr = lr * factor
                last(trunk(X[batch]), y[batch]).backward()
            for optimiser in optimisers:
                optimiser.step()
            step += 1

    @torch.no_grad()
    def scores(X):
        return last(trunk(X)) if loss is None else last.scores(trunk(X))

    return scores


def errors_of(scores, X, y, loss):
    """Share of rows whose class is not among the first 1, 5 and 10."""
    wrong = np.zeros(3)
    for part in torch.arange(len(X)).split(1000):
        found = scores(X[part])
        if isinstance(loss, SphericalSoftmaxLoss):
            found = found**2
        first = found.topk(10, dim=1).indices == y[part, None]
        wrong += [float((~first[:, :k].any(dim=1)).sum()) for k in (1, 5, 10)]
    return wrong / len(X)


def errors():
    """Choose settings on the held-out rows of seed 0, then report test errors over three seeds."""
    data = {seed: rows(seed) for seed in range(3)}
    for name, (cls, kind, rates) in METHODS.items():
        losses = [ZLoss(a, b) for a, b in LOCATIONS] if cls is ZLoss else [cls and cls()]
        for loss in losses:
            tried = {}
            for lr in rates:
                found = errors_of(train(loss, kind, lr, data[0][0], 0), *data[0][1], loss)
                tried[lr] = found.mean()
            lr = min(tried, key=tried.__getitem__)
            found = [errors_of(train(loss, kind, lr, data[s][0], s + 100), *data[s][2], loss) for s in data]
            mean, spread = np.mean(found, axis=0).round(3), np.std(found, axis=0).round(3)
            print(f"{name:20} {loss!s:25} lr {lr:<6} top 1, 5, 10: {mean} ± {spread}", flush=True)


def steps(n_classes):
    """One training step of the last layer with 64 features and 32 rows, by name."""
    torch.manual_seed(0)
    h, y = torch.randn(32, WIDTH, requires_grad=True), torch.randint(n_classes, (32,))

    def of_torch(layer, loss):
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.01)

        def step():
            optimiser.zero_grad()
            loss(layer).backward()
            optimiser.step()

        return step

    def factored():
        layer = ZLossOutputLayer(WIDTH, n_classes, lr=0.01)
        return lambda: layer(h, y).backward()

    def dense():
        layer = ZLossOutputLayer(WIDTH, n_classes, lr=0.01, mode="dense")
        return lambda: layer(h, y).backward()

    def log_softmax():
        return of_torch(torch.nn.Linear(WIDTH, n_classes), lambda layer: torch.nn.functional.cross_entropy(layer(h), y))

    def adaptive():
        cutoffs = [n_classes // 20, n_classes // 5]
        return of_torch(torch.nn.AdaptiveLogSoftmaxWithLoss(WIDTH, n_classes, cutoffs), lambda layer: layer(h, y).loss)

    return {
        "factored Z-loss": factored,
        "dense Z-loss": dense,
        "log-softmax": log_softmax,
        "adaptive log-softmax": adaptive,
    }


def measure():
    """Median and quartiles of the milliseconds of a step."""
    torch.set_num_threads(1)
    found: dict = {}
    for n_classes in (1_000, 10_000, 100_000, 793_471, 1_000_000):
        for name, make in steps(n_classes).items():
            step = make()
            step()
            times: list[float] = []
            while len(times) < 5 or (sum(times) < 3.0 and len(times) < 200):
                begin = time.perf_counter()
                step()
                times.append(time.perf_counter() - begin)
            quartiles = (1e3 * np.quantile(times, [0.25, 0.5, 0.75])).round(3).tolist()
            found.setdefault(name, []).append([n_classes, *quartiles])
            print(
                f"{n_classes:>9} {name:22} {quartiles[1]:10.2f} ms ({quartiles[0]:.2f} to {quartiles[2]:.2f})",
                flush=True,
            )
            del step
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def figure():
    """Draw the times."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "skmtl"  # the same file every time
    fig, ax = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    for name, values in json.loads(RESULTS.read_text(encoding="utf-8")).items():
        n_classes, low, middle, high = np.array(values).T
        ax.loglog(n_classes, middle, marker="o", markersize=4, label=name)
        ax.fill_between(n_classes, low, high, alpha=0.2)
    ax.set_xlabel("number of classes")
    ax.set_ylabel("milliseconds per training step")
    ax.legend(frameon=False)
    fig.savefig(ROOT / "doc" / "extreme_time.svg", metadata={"Date": None})


if __name__ == "__main__":
    for part in sys.argv[1:] or ["errors", "time", "figure"]:
        {"errors": errors, "time": measure, "figure": figure}[part]()
