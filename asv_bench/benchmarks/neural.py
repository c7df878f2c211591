"""Speed and memory of the neural estimators beside loops written by hand.

Run with ``pip install asv virtualenv``, then ``asv run`` in this folder. As a script it prints rows per second of one
epoch in one run, the estimator and the loop in turns: ``python asv_bench/benchmarks/neural.py``.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch
from skorch.callbacks import Callback
from torch import nn

from skmtl.neural import MultiTaskRegressor
from skmtl.neural.architectures import HardSharing

N_ROWS, N_FEATURES, N_TASKS, SIZES = 20_000, 20, 4, (128, 64)
#: Rows per batch; 512 is what ``batch_size="auto"`` makes of the table, 1024 the most that it makes of any.
BALANCED_BATCHES = 256, 512, 1024


def table(route):
    """Features, targets and what else `fit` takes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES))
    if route == "columns":
        return X, X[:, :N_TASKS] + rng.normal(size=(N_ROWS, N_TASKS)), {}
    tasks = rng.integers(0, N_TASKS, N_ROWS)
    return X, X[np.arange(N_ROWS), tasks] + rng.normal(size=N_ROWS), {"tasks": tasks}


def estimator(batch_size=256, max_epochs=1, **params):
    """The estimator with the classical form of hard sharing, without what the loops do not do."""
    architecture = HardSharing(SIZES, trunk="mlp", task_size=0, common_head=False, dropout=0.0)
    return MultiTaskRegressor(
        architecture,
        numeric_embedding=None,
        lr_schedule=None,
        batch_size=batch_size,
        max_epochs=max_epochs,
        early_stopping=False,
        random_state=0,
        **params,
    )


class Loop:
    """What one would write by hand: the same layers, loss, optimiser and batches.

    Parameters
    ----------
    route : {"columns", "rows"}
        Four columns of y, or rows of four tasks.
    batch_size : int
        Rows per step, about: a pass is cut into equal batches, as the estimator's is.
    """

    def __init__(self, route, batch_size=256):
        X, y, known = table(route)
        self.x = torch.as_tensor(X, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)
        self.tasks = torch.as_tensor(known["tasks"]) if known else None
        torch.manual_seed(0)
        n_in, layers = N_FEATURES, []
        for n_out in SIZES:
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
            n_in = n_out
        self.net = nn.Sequential(*layers, nn.Linear(n_in, N_TASKS))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=0.001, weight_decay=0.02, fused=True)
        self.n_batches = max(1, round(len(X) / batch_size))

    def loss(self, rows):
        """Half the mean squared error of a batch."""
        raw = self.net(self.x[rows])
        if self.tasks is not None:
            raw = raw.gather(1, self.tasks[rows, None])[:, 0]
        return 0.5 * nn.functional.mse_loss(raw, self.y[rows])

    def epoch(self):
        """One pass."""
        for rows in torch.randperm(len(self.x)).tensor_split(self.n_batches):
            self.optimizer.zero_grad()
            loss = self.loss(rows)
            loss.backward()
            self.optimizer.step()

    def separate_passes(self):
        """One pass with a backward pass for each task, without combining their gradients."""
        for rows in torch.randperm(len(self.x)).tensor_split(self.n_batches):
            losses = (self.net(self.x[rows]) - self.y[rows]).square().mean(dim=0)
            for value in losses:
                self.optimizer.zero_grad()
                value.backward(retain_graph=True)
            self.optimizer.step()


class Turns(Callback):
    """After each epoch of the estimator one of another loop; seconds of CPU time of both, epoch by epoch.

    CPU time, and turns, because others may share the core.
    """

    def __init__(self, other):
        self.other, self.ours, self.theirs = other, [], []

    def on_epoch_begin(self, net, **kwargs):
        if self.theirs:  # all that lies between the beginnings of two epochs
            self.ours.append(time.thread_time() - self.begin - self.theirs[-1])
        self.begin = time.thread_time()

    def on_epoch_end(self, net, **kwargs):
        begin = time.thread_time()
        self.other()
        self.theirs.append(time.thread_time() - begin)

    def medians(self):
        """Seconds of an epoch of the estimator, and of the other loop; the first ones warm up."""
        return statistics.median(self.ours[1:]), statistics.median(self.theirs[1:])


class Epoch:
    """One fit of an epoch, and one pass of the loop."""

    params = (["columns", "rows"],)
    param_names = ("route",)

    def setup(self, route):
        self.X, self.y, self.known = table(route)
        self.loop = Loop(route)
        self.loop.epoch()
        estimator().fit(self.X[:512], self.y[:512], **{name: value[:512] for name, value in self.known.items()})

    def time_estimator(self, route):
        estimator().fit(self.X, self.y, **self.known)

    def time_loop(self, route):
        self.loop.epoch()


class Memory:
    """Peak of a fit on a wide table, 152 MB as float32: over `peakmem_table` it grows by one such copy of X."""

    params = ([False, True],)
    param_names = ("early_stopping",)

    def setup(self, early_stopping):
        self.X = np.random.default_rng(0).normal(size=(200_000, 200))
        self.y = self.X[:, :N_TASKS].copy()

    def peakmem_table(self, early_stopping):
        pass

    def peakmem_estimator(self, early_stopping):
        estimator(8192).set_params(early_stopping=early_stopping).fit(self.X, self.y)


class Balanced:
    """One epoch with balancing."""

    params = (["gradvac", "mgda", "pcgrad", "upgrad", "uw"],)
    param_names = ("balancing",)

    def setup(self, balancing):
        self.X, self.y, _ = table("columns")

    def time_estimator(self, balancing):
        estimator(balancing=balancing).fit(self.X, self.y)


def compare(n_epochs=30):
    """Print rows per second of the estimator and the loop, in turns, and the price of balancing."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), {N_ROWS} rows, {N_TASKS} tasks, {SIZES}")
    for route in ("columns", "rows"):
        for batch_size in (256, 8192):
            X, y, known = table(route)
            turns = Turns(Loop(route, batch_size).epoch)
            estimator(batch_size, n_epochs, callbacks=[turns]).fit(X, y, **known)
            ours, theirs = turns.medians()
            print(
                f"{route:8s} batch {batch_size:5d}: estimator {N_ROWS / ours:9.0f} rows/s, loop "
                f"{N_ROWS / theirs:9.0f} rows/s, ratio {theirs / ours:.2f}"
            )
    X, y, _ = table("columns")
    print(f"\nEpochs with balancing, in epochs with {N_TASKS} separate backward passes for each batch")
    print(f"{'':8s}" + "".join(f"{batch_size:7d} rows" for batch_size in BALANCED_BATCHES))
    for name in ("uw", "gradnorm", "db_mtl", "imtl_g", "pcgrad", "upgrad", "gradvac", "mgda"):
        ratios = []
        for batch_size in BALANCED_BATCHES:
            turns = Turns(Loop("columns", batch_size).separate_passes)
            estimator(batch_size, max(3, n_epochs // 3), balancing=name, callbacks=[turns]).fit(X, y)
            ours, theirs = turns.medians()
            ratios.append(ours / theirs)
        print(f"{name:8s}" + "".join(f"{ratio:12.2f}" for ratio in ratios), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    compare()
