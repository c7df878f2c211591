"""A phase of a schedule: rounds that end when the held-out loss no longer falls."""

from __future__ import annotations


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
    """

    def __init__(self, model, patience, tol):
        self.patience, self.tol = patience, tol
        self.first = self.best = model.save()
        self.first_losses = model.validation_row_losses()
        self.best_loss = model.validation_loss[-1]
        self.n_stale = 0

    def is_over(self, model):
        """Look at the model after a round."""
        if model.validation_loss[-1] < self.best_loss - self.tol:
            self.best_loss, self.best, self.n_stale = model.validation_loss[-1], model.save(), 0
        else:
            self.n_stale += 1
        return self.n_stale >= self.patience

    def end(self, model, by_one_error=False):
        """Go back to the best round; with `by_one_error` to the first, unless the gain exceeds its standard error."""
        model.restore(self.best)
        if by_one_error and self.best is not self.first:
            gain, error = model.mean_gain(self.first_losses, model.validation_row_losses(), model.validation.weight)
            if gain <= error:
                model.restore(self.first)
