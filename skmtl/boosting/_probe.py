"""Where theta starts: a look at how the tasks' residuals differ, before the blocks take their turns."""

from __future__ import annotations

import numpy as np

from ._model import GrowingModel
from ._theta import residual_start
from .blocks import SharedBlock

#: Shared trees whose leaves describe the residuals of the tasks.
_TREES = 10


def probe_theta(fold, loss, grower, settings, effects, seed, options, pace):
    """Start of theta from a few shared trees that are not kept.

    They split on features of rows only: told the task, they would explain what is to be seen. What they leave of each
    task, leaf by leaf, is handed to :func:`residual_start`. Only the data, the loss and the parameters decide, so
    that a continued fit starts theta where an uninterrupted one does.

    Parameters
    ----------
    fold : Fold
        The training rows at their first raw prediction; changed.
    loss, grower, settings, effects, seed, options, pace : object
        As of :class:`GrowingModel`.

    Returns
    -------
    theta : ndarray of shape (n_units,)
    """
    model = GrowingModel(
        fold, None, loss, grower, settings, None, effects, seed, options, train_scored=False, pace=pace
    )
    block = SharedBlock(task_features=False)
    for _ in range(_TREES):
        model.begin_round()
        model.keep(block.step(model))
    model.begin_round()
    gradients, hessians = model.leaf_sums()
    weights = np.bincount(fold.units, weights=fold.sample_weight, minlength=fold.n_units).astype(np.float64)
    return residual_start(gradients, hessians, weights, settings.specific.l2)
