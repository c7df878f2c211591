"""The shared block: one tree for the rows of all tasks, and the tasks' effects brought up to date."""

from __future__ import annotations

from .._forest import SHARED
from ._base import Step


class SharedBlock:
    """Ordinary gradient boosting on all rows.

    Parameters
    ----------
    task_features : bool
        Whether trees may split on features of the tasks.
    """

    name = "shared"

    def __init__(self, task_features=True):
        self.task_features = task_features

    def step(self, model):
        """Fit a tree to the gradient of all rows."""
        rows, seed = model.draw_rows(), model.draw_seed()
        delta = model.room(SHARED)
        trees = model.grower.grow(
            model.target(),
            model.settings.shared,
            model.learning_rate,
            rows,
            SHARED,
            seed,
            delta,
            task_features=self.task_features,
            noise=model.noise(),
        )
        return Step(self.name, [trees], {SHARED: delta}, rows, effects=model.new_effects(delta))
