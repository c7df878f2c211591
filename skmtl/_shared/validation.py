"""Splitting off validation rows such that every task, and every class, stays in training."""

from __future__ import annotations

import numpy as np


def validation_rows(groups, fraction, rng, classes=None):
    """Choose about `fraction` of the rows of every group, never all of them.

    Small groups give one row more or less by chance, so that many small groups give the right share together.

    Parameters
    ----------
    groups : ndarray of int of shape (n_rows,)
        Group of each row: its unit.
    fraction : float
        Share of the rows, between 0 and 1.
    rng : numpy.random.Generator
        Source of chance.
    classes : ndarray of shape (n_rows,) or None
        Class of each row; of a class that would have no row left in training, none is held out. That a *task* has
        held-out rows of a class that it lacks in training is as it will be with new rows, and must count.

    Returns
    -------
    mask : ndarray of bool of shape (n_rows,)
        True for validation rows.
    """
    _, groups = np.unique(groups, return_inverse=True)
    sizes = np.bincount(groups)
    wanted = np.minimum(np.floor(fraction * sizes + rng.random(len(sizes))), sizes - 1)
    order = np.lexsort((rng.random(len(groups)), groups))
    rank = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    mask = np.zeros(len(groups), bool)
    mask[order] = rank < np.repeat(wanted, sizes)
    if classes is not None:
        mask &= np.isin(classes, classes[~mask])
    return mask
