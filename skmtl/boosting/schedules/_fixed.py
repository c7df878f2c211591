"""The fixed schedule: block after block, each for a number of rounds or until it no longer helps."""

from __future__ import annotations

import numpy as np

from ..blocks import PartitionBlock, SharedBlock, SpecificBlock


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
    progress : Progress
        Told of every round.
    """

    def __init__(self, rounds, patience, tol, progress):
        self.rounds = rounds
        self.patience = patience
        self.tol = tol
        self.progress = progress

    def run(self, model):
        """Grow the model."""
        for block in (SharedBlock(), PartitionBlock(), SpecificBlock()):
            n_rounds = self.rounds.get(block.name, 0)
            if n_rounds == 0:
                continue
            self._run_block(model, block, n_rounds)

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
