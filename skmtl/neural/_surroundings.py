"""Raw predictions at points near the rows of a batch, for losses that look around."""

from __future__ import annotations

import torch

#: In place of the number of a column of indicators: a column that may move, and one that may not.
FREE, FROZEN = -1, -2


class Surroundings:
    """A batch whose numbers may be shifted; the module is in evaluation mode, so that nothing but the shift differs.

    Parameters
    ----------
    objective : Objective
        Adds the start to raw predictions.
    module : TabularModule
        The module.
    batch : Batch
        Rows. Their categories and tasks stay as they are.
    movable : int64 tensor of shape (n_numbers,)
        For each number ``FREE``, ``FROZEN``, or the column that says in which rows it is missing.
    """

    def __init__(self, objective, module, batch, movable):
        self.objective, self.module, self.batch = objective, module, batch
        missing = batch.numbers[:, movable.clamp_min(0)] * (movable >= 0)
        self.free = (movable != FROZEN) * (1.0 - missing)

    def raw(self, shift=None):
        """Raw predictions, (n_rows * n_members * n_columns, n_values), with `shift` added to the numbers."""
        module, batch = self.module, self.batch
        if shift is not None:
            batch = batch.with_numbers(batch.numbers + shift)
        training, representation = module.training, module.representation
        module.eval()
        try:
            raw = self.objective.raw(module, batch)
        finally:
            module.train(training)
            if representation is not None:  # that of the rows themselves, which regularizers look at
                module.core.__dict__["representation"] = representation
        return raw.reshape(-1, raw.shape[-1])


def movable_numbers(preprocessor) -> torch.Tensor:
    """Which numbers of a preprocessor may move: not indicators of missing values, not constants, not missing values."""
    movable = torch.full((preprocessor.n_numbers,), FROZEN)
    extra = len(preprocessor.numeric)
    for j in range(len(preprocessor.numeric)):
        if preprocessor.scale[j] > 0:
            movable[j] = extra if preprocessor.has_missing[j] else FREE
        extra += int(preprocessor.has_missing[j])
    return movable
