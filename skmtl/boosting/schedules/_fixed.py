"""The fixed schedule: block after block, each for a number of rounds or until it no longer helps."""

from __future__ import annotations

from ._phase import Phase


class FixedSchedule:
    """One block after the other, as published.

    Parameters
    ----------
    blocks : list of Block
        The blocks in their order.
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

    def __init__(self, blocks, rounds, patience, tol, progress):
        self.blocks = blocks
        self.rounds = rounds
        self.patience = patience
        self.tol = tol
        self.progress = progress

    def run(self, model):
        """Grow the model."""
        stopping = self.patience is not None and model.validation is not None
        for block in self.blocks:
            phase = Phase(model, self.patience, self.tol) if stopping and self.rounds.get(block.name, 0) else None
            for _ in range(self.rounds.get(block.name, 0)):
                model.begin_round()
                model.keep(block.step(model))
                self.progress.update(model, block.name)
                if phase is not None and phase.is_over(model):
                    break
            if phase is not None:
                phase.end(model)
