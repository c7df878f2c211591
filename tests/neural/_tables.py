"""Small tables with tasks."""

from __future__ import annotations

import numpy as np

#: Settings that make a fit quick.
SHORT = {"max_epochs": 3, "random_state": 0}


def rows_of_tasks(n=120, n_tasks=3, seed=0):
    """Features, targets and labels of rows of some tasks that differ in level and slope."""
    rng = np.random.default_rng(seed)
    X, codes = rng.normal(size=(n, 4)), np.arange(n) % n_tasks
    y = X[:, 0] + 2.0 * codes + X[:, 1] * codes + 0.1 * rng.normal(size=n)
    return X, y, np.array(list("abcdefgh"))[codes]


def columns(n=120, seed=0, missing=0.3):
    """Features and three columns of targets, some not observed."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = np.column_stack([X[:, 0], X[:, 0] + X[:, 1], 10.0 * X[:, 2] + 100.0]) + 0.1 * rng.normal(size=(n, 3))
    y[rng.random((n, 3)) < missing] = np.nan
    return X, y
