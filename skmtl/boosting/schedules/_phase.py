"""A phase of a schedule: rounds that end when the held-out loss no longer falls."""

from __future__ import annotations

#: A wary phase that has not improved anything yet is over after so many rounds.
_FIRST_PATIENCE = 5
#: Share of the loss by which a wary phase must lower it within its patience: less is not worth the trees.
_LEAST_GAIN = 5e-4


class Phase:
    """Rounds that end when the held-out loss no longer falls.

    Parameters
    ----------
    model : GrowingModel
        The model, which has a validation fold.
    patience : int
        The phase is over when so many rounds have not improved the loss.
    tol : float
        What counts as an improvement.
    wary : bool, default=False
        Give up sooner while few rounds have improved the loss, ask for more than `tol`, and go back to the start unless
        the gain of the whole phase exceeds its standard error.
    """

    def __init__(self, model, patience, tol, wary=False):
        self.patience, self.tol, self.wary = patience, tol, wary
        self.first = self.best = model.save()
        self.first_losses = model.validation_losses() if wary else None
        # The loss that a round must improve on to count is that of the last round that counted.
        self.best_loss = self.mark = model.validation_loss[-1]
        self.n_better = self.n_stale = 0

    def is_over(self, model):
        """Look at the model after a round."""
        loss = model.validation_loss[-1]
        if loss < self.best_loss - self.tol:
            self.best_loss, self.best = loss, model.save()
            self.n_better += 1
        if loss < self.mark - max(self.tol, _LEAST_GAIN * abs(self.mark) if self.wary else 0.0):
            self.mark, self.n_stale = loss, 0
        else:
            self.n_stale += 1
        patience = min(self.patience, _FIRST_PATIENCE + self.n_better) if self.wary else self.patience
        return self.n_stale >= patience

    def end(self, model):
        """Go back to the best round, or to the first."""
        model.restore(self.best)
        if self.wary and self.best is not self.first:
            gain, error = model.validation_gain(self.first_losses)
            if gain <= error:
                model.restore(self.first)
