"""The adaptive schedule: first the blocks take turns by what they gain, then each has its say on all rows.

Opening. A step is fitted on a share of the rows, and what it gains on the others scores it. The next round goes to the
block with the largest average gain; a block that is not chosen is tried now and then. Shared steps are always kept. A
step of another block is kept where its gain exceeds its standard error and clearly exceeds what shared steps gain at
present: only then is it worth the parameters that every task has in it. Where tasks have little in common this matters,
because shared trees would otherwise spend hundreds of rounds on telling tasks apart. The opening ends when nothing but
shared steps was kept for some rounds; on most tables that is at once.

Close. The blocks follow each other, each until the held-out loss no longer falls. What a block other than the shared
one adds is dropped as a whole unless its gain on the held-out rows exceeds the standard error of that gain.
A shared phase that goes on for long is looked at from the other blocks, and may end early; see `_look_ahead`.

Without held-out rows to stop by there is no close: the blocks take turns to the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ._look_ahead import LookAhead, most_rounds_after
from ._phase import Phase

#: Share of the rows that a step of the opening is fitted to, at most.
SCORING_SUBSAMPLE = 0.8
#: Weight of the past in the average gain of a block.
_DECAY = 0.7
#: A block that is not chosen is tried after so many rounds; after every refusal it waits twice as long, up to the most.
_WAIT, _MOST_WAIT = 10, 160
#: The opening ends after so many rounds without a step of another block than the shared one.
_QUIET = 10
#: Without a close: after so many such rounds shared steps come in runs, of which one step is scored.
_LONG_QUIET, _RUN = 30, 5
#: How many times the average gain of shared steps another step must gain.
_FACTOR = 1.5


@dataclass
class AdaptiveState:
    """What the schedule remembers from round to round."""

    gain: dict[str, float] = field(default_factory=dict)  # average gain of a step of each block
    wait: dict[str, int] = field(default_factory=dict)  # steps until a block that is not chosen is tried again
    idle: dict[str, int] = field(default_factory=dict)  # steps since a block was last tried
    refused: set[str] = field(default_factory=set)  # blocks whose last step was not kept
    quiet: int = 0  # rounds since a step of another block than the shared one was kept
    unscored: int = 0  # shared steps still to come without a score
    opened: bool = False  # whether the opening is over


class AdaptiveSchedule:
    """Interleaves the steps of several blocks, then lets each go on by itself.

    Parameters
    ----------
    blocks : list of Block
        The shared block first.
    n_rounds : int
        Most rounds, kept steps, of the opening; in the close, of each block, those of the opening included.
    done : dict of str to int
        Rounds that each block has made before (warm start). They count.
    patience : int or None
        With a validation fold: a phase ends when so many rounds have not improved its loss, and goes back to its best
        round.
    tol : float
        What counts as an improvement.
    progress : Progress
        Told of every round.
    state : AdaptiveState or None
        What to go on from.
    """

    def __init__(self, blocks, n_rounds, done, patience, tol, progress, state=None):
        self.blocks = {block.name: block for block in blocks}
        self.shared = blocks[0].name
        self.n_rounds = self.most_after = n_rounds
        self.done = done
        self.patience = patience
        self.tol = tol
        self.progress = progress
        # All blocks are due at once: what a block is worth is learned in the first rounds.
        self.state = state or AdaptiveState(
            wait=dict.fromkeys(self.blocks, _WAIT), idle=dict.fromkeys(self.blocks, _WAIT)
        )

    def run(self, model):
        """Grow the model."""
        stopping = self.patience is not None and model.validation is not None
        if not (stopping and self.state.opened):
            self._open(model, stopping)
        if stopping:
            self.state.opened = True
            for name in self.blocks:
                self._close(model, name)

    # Opening ---------------------------------------------------------------------------------------------------------

    def _open(self, model, stopping):
        subsample, model.subsample = model.subsample, min(model.subsample, SCORING_SUBSAMPLE)
        phase = Phase(model, self.patience, self.tol) if stopping else None
        while sum(self.done.values()) + len(model.sequence) < self.n_rounds:
            name = self._choose(stopping)
            if not self._take(model, name):
                continue
            self.progress.update(model, name)
            if phase is not None and (phase.is_over(model) or self.state.quiet >= _QUIET):
                phase.end(model)
                break
        model.subsample = subsample

    def _choose(self, stopping):
        """Name of the block whose turn it is."""
        state = self.state
        if state.unscored > 0:
            return self.shared
        for name in self.blocks:
            if state.idle[name] >= state.wait[name]:
                return name
        ready = [name for name in self.blocks if name not in state.refused]
        best = max(ready, key=lambda name: state.gain.get(name, -np.inf))
        if not stopping and best == self.shared and state.quiet >= _LONG_QUIET:
            state.unscored = _RUN
        return best

    def _take(self, model, name):
        """Let a block make a step; returns whether it was kept."""
        state = self.state
        for other in self.blocks:
            state.idle[other] = 0 if other == name else state.idle[other] + 1
        model.begin_round()
        step = self.blocks[name].step(model)
        if state.unscored > 1:
            state.unscored -= 1
            state.quiet += 1
            model.keep(step)
            return True
        state.unscored = 0
        gain, error = model.out_of_bag_gain(step)
        state.gain[name] = _DECAY * state.gain.get(name, gain) + (1.0 - _DECAY) * gain
        if name == self.shared:
            state.quiet += 1
        elif gain > error and gain > _FACTOR * state.gain.get(self.shared, 0.0):
            state.quiet = 0
            state.wait[name] = _WAIT
            state.refused.discard(name)
        else:
            state.refused.add(name)
            state.wait[name] = min(2 * state.wait[name], _MOST_WAIT)
            return False
        model.keep(step)
        return True

    # Close -----------------------------------------------------------------------------------------------------------

    def _close(self, model, name):
        phase = Phase(model, self.patience, self.tol, wary=name != self.shared)
        watched = name == self.shared and sum(self.done.values()) == 0
        ahead = LookAhead(list(self.blocks.values()), self.patience, self.tol) if watched else None
        most = self.n_rounds if name == self.shared else min(self.n_rounds, self.most_after)
        for _ in range(most - self.done.get(name, 0) - model.sequence.count(name)):
            model.begin_round()
            model.keep(self.blocks[name].step(model))
            self.progress.update(model, name)
            if phase.is_over(model):
                break
            if ahead is not None and ahead.ends_phase(model):
                self.most_after = most_rounds_after(model)
                return
        phase.end(model)
