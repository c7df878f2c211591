"""The per-task block: a tree for each task, fitted to its own rows."""

from __future__ import annotations

from .._forest import SPECIFIC
from ._base import Step


class SpecificBlock:
    """Gradient boosting of each task on what the other blocks leave."""

    name = "specific"

    def step(self, model):
        """Fit a tree per task to the gradient of the task's rows."""
        rows = model.draw_rows()
        seeds = model.draw_seeds(model.train.n_units)
        delta = model.room(SPECIFIC)
        trees = model.grower.grow_units(
            model.target(), model.settings.specific, model.learning_rate, rows, seeds, delta
        )
        return Step(self.name, [trees], {SPECIFIC: delta}, rows)
