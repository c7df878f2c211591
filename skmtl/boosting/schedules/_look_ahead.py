"""A look ahead from the shared phase: what a few rounds of every block come to, beside many shared rounds.

Where a table is nearly all structure of its tasks, shared trees tell the tasks apart one by one. That lowers the loss
for hundreds of rounds, each by less, and what the other blocks could say in a few trees is then fitted already, and
worse. A shared phase that goes on for long is therefore held against its own beginning, followed by a few rounds of
each other block; where these come much further, the phase ends with its beginning.
"""

from __future__ import annotations

from ._phase import Phase

#: Shared rounds that the look begins from, and goes back to.
_EARLY = 20
#: The look is taken when that number has doubled so often. Shared phases that end before need none.
_DOUBLINGS = 2
#: For the look each other block makes so many rounds at most: enough to tell, and hardly noticed.
_LOOK = 5
#: Shared rounds lower the loss by about as much whenever their number doubles. The phase ends where they would have to
#: double more often than this to come as far as the look.
_MOST_DOUBLINGS = 2.0
#: After such an end each other block has up to so many rounds for every row of a task, and no less than so many.
#: Without that limit small tasks would be gone through for hundreds of rounds, of which the first ones say most.
_ROUNDS_PER_ROW, _FEWEST_ROUNDS = 2, 20


class LookAhead:
    """Watches a shared phase, and once lets the other blocks follow its beginning for a few rounds.

    Parameters
    ----------
    blocks : list of Block
        The blocks, in the order of their phases, the shared one first.
    patience : int
        See `Phase`.
    tol : float
        See `Phase`.
    """

    def __init__(self, blocks, patience, tol):
        self.shared, *self.others = blocks
        self.patience = patience
        self.tol = tol
        self._early = None  # state of the model after its early rounds
        self._n_early = self._n_shared = 0  # its rounds, and those of the shared block among them

    def ends_phase(self, model):
        """Look at the model after a shared round; whether it has gone back to its early rounds."""
        if self._early is None:
            n_shared = model.sequence.count(self.shared.name)
            if n_shared >= _EARLY:
                self._early, self._n_early, self._n_shared = model.save(), len(model.sequence), n_shared
            return False
        if len(model.sequence) != self._n_early + (2**_DOUBLINGS - 1) * self._n_shared:
            return False
        pace = model.validation_loss[-1 - 2 ** (_DOUBLINGS - 1) * self._n_shared] - model.validation_loss[-1]
        long, losses = model.park(), model.validation_losses()
        model.restore(self._early)
        for block in self.others:
            self._follow(model, block)
        gain, error = model.validation_gain(losses)
        if gain <= max(error, _MOST_DOUBLINGS * pace):
            model.unpark(long)
            return False
        model.restore(self._early)
        return True

    def _follow(self, model, block):
        """Let another block make a few rounds."""
        phase = Phase(model, self.patience, self.tol, wary=True)
        for _ in range(_LOOK):
            model.begin_round()
            model.keep(block.step(model))
            if phase.is_over(model):
                break
        phase.end(model)


def most_rounds_after(model):
    """Most rounds of a block after a shared phase that a look has ended."""
    return max(_FEWEST_ROUNDS, _ROUNDS_PER_ROW * model.train.n_rows // model.train.n_units)
