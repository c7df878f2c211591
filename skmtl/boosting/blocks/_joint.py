"""The joint block: a tree whose structure all tasks share, with leaf values of each task."""

from __future__ import annotations

from .._forest import JOINT
from ._base import Step


class JointBlock:
    """Where to split is decided together, how much to add is every task's own."""

    name = "joint"

    def step(self, model):
        """Fit one tree to the gradient of all rows."""
        rows = model.draw_rows()
        delta = model.room(JOINT)
        trees = model.joint_grower.grow(model.target(), model.settings.joint, model.learning_rate, rows, delta)
        model.grower.write_out_of_bag(trees, rows, delta)
        return Step(self.name, [trees], {JOINT: delta}, rows)
