"""The replay of a sequence that another schedule found."""

from __future__ import annotations


class ReplaySchedule:
    """Steps of the given blocks, one after the other.

    Parameters
    ----------
    blocks : list of Block
        The blocks.
    sequence : list of str
        Their names in the order of their steps.
    progress : Progress
        Told of every round.
    """

    def __init__(self, blocks, sequence, progress):
        self.blocks = {block.name: block for block in blocks}
        self.sequence = sequence
        self.progress = progress

    def run(self, model):
        """Grow the model."""
        for name in self.sequence:
            model.begin_round()
            model.keep(self.blocks[name].step(model))
            self.progress.update(model, name)
