"""The replay of a sequence that another schedule found, in smaller steps where those are worth their time."""

from __future__ import annotations

#: How much longer the steps of a search are than those asked for. What is searched are the rounds, not the model, and
#: few long steps find them as well as many short ones.
SEARCH_PACE = 2.0
#: Shared and partition rounds of a search become so many steps, and four from so many rows on, where the differences
#: between trees are a larger part of what is left to gain.
_STEPS, _MORE_STEPS, _MANY_ROWS = 3, 4, 20_000
#: After so many rounds of a block they become two: that many trees have averaged what differs between draws.
_LATE, _LATE_STEPS = 500, 2


def steps_per_round(block, pace, n_rows, n_before=0):
    """In how many steps a round of the search is gone through again, after `n_before` others of the same block.

    Trees that look at a random share of the features differ from draw to draw; several of a part of the step have as
    much less variance. Joint and specific trees draw nothing: theirs are as long as was asked for.
    """
    if block in ("joint", "specific"):
        return round(pace)
    if pace < SEARCH_PACE or n_before >= _LATE:
        return _LATE_STEPS
    return _MORE_STEPS if n_rows >= _MANY_ROWS else _STEPS


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
    pace : float
        How long the steps of the search were, beside those asked for.
    """

    def __init__(self, blocks, sequence, progress, pace):
        self.blocks = {block.name: block for block in blocks}
        self.sequence = sequence
        self.progress = progress
        self.pace = pace

    def run(self, model):
        """Grow the model."""
        n_before = dict.fromkeys(self.blocks, 0)
        for name in self.sequence:
            n_steps = steps_per_round(name, self.pace, model.train.n_rows, n_before[name])
            n_before[name] += 1
            for i in range(n_steps):
                model.begin_round(share=1.0 / n_steps, last=i == n_steps - 1)
                model.keep(self.blocks[name].step(model), same_round=i > 0, complete=i == n_steps - 1)
            self.progress.update(model, name)
