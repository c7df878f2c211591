"""The replay of a sequence that another schedule found, in smaller steps where those are worth their time."""

from __future__ import annotations

#: How many trees share the step of one round, by block. Trees that look at a random share of the features differ from
#: draw to draw; two of half the size have half the variance, for the time of one more tree. The other blocks draw
#: nothing.
STEPS_PER_ROUND = {"shared": 2, "partition": 2}


class ReplaySchedule:
    """Rounds of the given blocks, one after the other.

    Parameters
    ----------
    blocks : list of Block
        The blocks.
    sequence : list of str
        Their names in the order of their rounds.
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
            n_steps = STEPS_PER_ROUND.get(name, 1)
            for i in range(n_steps):
                model.begin_round(pace=1.0 / n_steps)
                model.keep(self.blocks[name].step(model), same_round=i > 0)
            self.progress.update(model, name)
