"""Memory that growing trees needs again and again."""

from __future__ import annotations

import numpy as np

from .kernels.types import empty_nodes

#: Bytes that the histograms of one tree may take; leaves beyond that have theirs computed again.
_HISTOGRAM_BYTES = 256 * 2**20


class Scratch:
    """Arrays kept from call to call, by name."""

    def __init__(self):
        self._arrays: dict = {}
        self._nodes: dict = {}

    def array(self, name, shape, dtype):
        """Array of at least this shape; only the first axis may be longer."""
        have = self._arrays.get(name)
        if have is None or have.shape[0] < shape[0] or have.shape[1:] != shape[1:]:
            have = self._arrays[name] = np.empty(shape, dtype)
        return have

    def histograms(self, name, size, max_leaf_nodes):
        """Room for the histograms of a tree, each of so many sums."""
        slots = max(3, min(max_leaf_nodes + 2, _HISTOGRAM_BYTES // max(8 * size, 1)))
        return self.array(name, (slots * size,), np.int64)

    def nodes(self, name, size):
        """Room for so many nodes or more."""
        have = self._nodes.get(name)
        if have is None or len(have.left) < size:
            have = self._nodes[name] = empty_nodes(size)
        return have
