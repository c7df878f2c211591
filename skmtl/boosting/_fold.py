"""Rows in the making: codes, targets, weights, units, and the parts of their raw prediction."""

from __future__ import annotations

import numpy as np

from ._forest import INLIER, JOINT, OUTLIER, SHARED, SPECIFIC
from .kernels.effects import add_unit_values


class Fold:
    """Rows sorted by unit, so that each unit is a slice.

    Parameters
    ----------
    bins : uint8 array of shape (n_features, n_rows)
        Codes.
    y : float64 array of shape (n_rows,)
        Targets.
    weight : float64 array of shape (n_rows,) or None
        Weights in the loss; None means 1.
    sample_weight : float64 array of shape (n_rows,) or None
        As how many rows each counts towards the size of a leaf; None means 1.
    units : intp array of shape (n_rows,)
        Unit of each row, ascending.
    n_units : int
        Number of units.
    start : float64 array of shape (n_units, n_outputs)
        Raw prediction that each unit starts from.
    """

    def __init__(self, bins, y, weight, sample_weight, units, n_units, start):
        self.bins = bins
        self.y = y
        self.weight = weight
        self.sample_weight = sample_weight
        self.units = units
        self.n_units = n_units
        self.pointers = np.searchsorted(units, np.arange(n_units + 1)).astype(np.int64)
        common = start[units]
        # What shared, joint and specific trees add is never weighted, so they add to one array.
        self.parts = dict.fromkeys((SHARED, JOINT, SPECIFIC), common)
        self.parts |= {OUTLIER: np.zeros_like(common), INLIER: np.zeros_like(common)}
        self._partitioned = False
        self._combined: tuple | None = None  # share and raw prediction, as long as both hold

    @property
    def n_rows(self):
        """Number of rows."""
        return len(self.y)

    def raw(self, share):
        """Raw prediction of each row; `share` is the weight of the outlier trees, per unit."""
        if not self._partitioned:
            return self.parts[SHARED]
        if self._combined is None or share is not self._combined[0]:
            s = share[self.units][:, None]
            raw = self.parts[SHARED] + (1.0 - s) * self.parts[INLIER] + s * self.parts[OUTLIER]
            self._combined = share, raw
        return self._combined[1]

    def add(self, part, addition):
        """Add to a part."""
        self.parts[part] += addition
        self._combined = None
        self._partitioned |= part in (INLIER, OUTLIER)

    def add_by_unit(self, part, additions):
        """Add to a part what all rows of a unit get, (n_units, n_outputs)."""
        add_unit_values(additions, self.pointers, self.parts[part])
        self._combined = None
        self._partitioned |= part in (INLIER, OUTLIER)

    def touch(self, parts):
        """Say that some parts were changed in place."""
        self._combined = None
        self._partitioned |= bool({INLIER, OUTLIER} & set(parts))

    def copy_parts(self):
        """Raw predictions as they are, to go back to."""
        used = (SHARED, OUTLIER, INLIER) if self._partitioned else (SHARED,)
        return {part: self.parts[part].copy() for part in used}

    def restore_parts(self, saved):
        """Go back to what :meth:`copy_parts` returned."""
        self._partitioned = OUTLIER in saved
        self._combined = None
        for part in (SHARED, OUTLIER, INLIER):
            self.parts[part][:] = saved.get(part, 0.0)
