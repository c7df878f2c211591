"""Which classes there are, which of them each task had in `fit`, and probabilities that keep to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class TaskClasses(NamedTuple):
    """Classes of all tasks together, and what each unit and each column of y had of them."""

    labels: np.ndarray  # (n_classes,), sorted
    of_unit: np.ndarray  # bool (n_units, n_classes)
    of_column: np.ndarray  # bool (n_outputs, n_classes)

    @classmethod
    def learn(cls, pairs, n_units, owner):
        """Learn the classes from observed pairs; returns them and the index of each value's class."""
        labels, coded = np.unique(pairs.values, return_inverse=True)
        if len(labels) < 2:
            raise ValueError(f"{owner} needs at least two classes in y. Got one class: {labels.tolist()}.")
        of_unit = np.zeros((n_units, len(labels)), bool)
        of_unit[pairs.units, coded] = True
        of_column = np.array([of_unit[j :: pairs.n_outputs].any(axis=0) for j in range(pairs.n_outputs)])
        return cls(labels, of_unit, of_column), coded

    def extend(self, pairs):
        """Add what more rows show (warm start); returns the classes and the index of each value's class."""
        coded = np.minimum(np.searchsorted(self.labels, pairs.values), len(self.labels) - 1)
        new = np.unique(pairs.values[self.labels[coded] != pairs.values])
        if len(new):
            raise ValueError(
                f"With warm_start=True 'y' must have no new classes. Got {new[:5].tolist()}, not in "
                f"{self.labels[:5].tolist()}."
            )
        of_unit, of_column = self.of_unit.copy(), self.of_column.copy()
        of_unit[pairs.units, coded] = True
        of_column[pairs.units % pairs.n_outputs, coded] = True
        return self._replace(of_unit=of_unit, of_column=of_column), coded

    def allowed(self, task_codes, unseen_classes):
        """Which classes each row may have, bool (n_rows, n_outputs, n_classes)."""
        n_outputs = len(self.of_column)
        allowed = np.repeat(self.of_column[None], len(task_codes), axis=0)
        if unseen_classes == "zero":
            known = task_codes >= 0
            units = task_codes[known, None] * n_outputs + np.arange(n_outputs)
            allowed[known] = self.of_unit[units]
        return allowed


def by_column(function, raw):
    """Apply a function of (n_rows, ...) to every column of y in `raw`, (n_rows, n_outputs, ...)."""
    return np.stack([function(raw[:, j]) for j in range(raw.shape[1])], axis=1)


def restrict_columns(probabilities, allowed):
    """Apply :func:`restrict` to every column of y; both (n_rows, n_outputs, n_classes)."""
    return np.stack([restrict(probabilities[:, j], allowed[:, j]) for j in range(allowed.shape[1])], axis=1)


def restrict(probabilities, allowed):
    """Set probabilities of classes that are not allowed to zero and scale the others to a sum of one.

    probabilities, allowed : float64 and bool, (n_rows, n_classes)
    """
    whole = allowed.all(axis=1, keepdims=True)  # left as they are, whatever the other rows
    if whole.all():
        return probabilities
    kept = np.where(allowed, probabilities, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    # Where all that is allowed has underflown, the allowed classes are equally likely.
    even = allowed / allowed.sum(axis=1, keepdims=True)
    scaled = np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)
    return np.where(whole, probabilities, scaled)
