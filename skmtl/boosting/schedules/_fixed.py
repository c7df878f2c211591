"""The fixed schedule: block after block, each for a number of rounds or until it no longer helps."""

from __future__ import annotations

import numpy as np

from .._theta import random_start, residual_start
from ..blocks import PartitionBlock, SharedBlock, SpecificBlock

#: Shared trees whose leaves describe the residuals of the tasks where theta starts.
_PROBE_TREES = 10


class FixedSchedule:
    """Shared, then partition, then specific, as published.

    Parameters
    ----------
    rounds : dict of str to int
        Most rounds of each block.
    patience : int or None
        With a validation fold: a block ends when so many rounds have not improved its loss, and goes back to its best
        round. None: every block makes all its rounds.
    tol : float
        What counts as an improvement.
    theta_init : "residuals" or "random"
        Where the partition parameters start, if the model has none yet.
    progress : Progress
        Told of every round.
    """

    def __init__(self, rounds, patience, tol, theta_init, progress):
        self.rounds = rounds
        self.patience = patience
        self.tol = tol
        self.theta_init = theta_init
        self.progress = progress

    def run(self, model, earlier=None):
        """Grow the model; `earlier` is the forest that it continues."""
        for block in (SharedBlock(), PartitionBlock(), SpecificBlock()):
            n_rounds = self.rounds.get(block.name, 0)
            if n_rounds == 0:
                continue
            if block.name == "partition" and model.theta is None:
                model.theta = self._start_theta(model, earlier)
            self._run_block(model, block, n_rounds)
        return {name: model.sequence.count(name) for name in self.rounds}

    def _run_block(self, model, block, n_rounds):
        stopping = self.patience is not None and model.validation is not None
        best_loss, best_round = (model.validation_loss[-1], 0) if stopping else (np.inf, 0)
        saved = model.save() if stopping else None
        for i in range(1, n_rounds + 1):
            model.begin_round()
            model.keep(block.step(model))
            self.progress.update(model, block.name)
            if not stopping:
                continue
            if model.validation_loss[-1] < best_loss - self.tol:
                best_loss, best_round, saved = model.validation_loss[-1], i, model.save()
            elif i - best_round >= self.patience:
                break
        if stopping:
            model.restore(saved)

    def _start_theta(self, model, earlier):
        n_units = model.train.n_units
        model.begin_round()
        if self.theta_init == "random":
            return random_start(n_units, np.random.default_rng([model.seed, 1]))
        forest = model.forest(earlier)
        trees = forest.trees
        if not np.any(trees.parts == 0):  # No shared tree yet: look through the leaves of one that is not kept.
            trees = SharedBlock().step(model).trees
        gradients, hessians = model.leaf_sums(trees, _PROBE_TREES)
        fold = model.train
        weights = np.bincount(fold.units, weights=fold.sample_weight, minlength=n_units).astype(np.float64)
        l2 = model.settings.specific.l2
        return residual_start(gradients, hessians, weights, l2)
