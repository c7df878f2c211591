"""Growing one tree for each unit: prepares what the kernels need and shares the units out among threads."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ._scratch import Scratch
from .kernels.grow_small import LANES, UnitCodes, grow_small_trees, place_codes, small_scratch
from .kernels.grow_units import compact_codes, grow_unit_trees

#: Fewer codes than this in a round are not worth a thread.
_CODES_PER_THREAD = 200_000
#: With more rows per unit the general kernel is no slower.
_SMALL_ROWS = 2000
#: Up to so many codes of an ordered feature a unit tells all of its own apart.
FEWEST_CODES = 16
#: Codes that a place can say, and bytes that the sums of one small tree may take.
_MOST_PLACES, _SMALL_BYTES = 2**16, 2**24


class UnitGrower:
    """Grows one tree for each unit of a fold.

    Parameters
    ----------
    fold : Fold
        The rows.
    table : Table
        Their codes, without the task features, which are constant within a unit.
    team : Team
        Units are shared out among its threads; the trees do not depend on how many there are.
    """

    def __init__(self, fold, table, team):
        self.fold = fold
        self.table = table
        self.team = team
        self.scratch = Scratch()
        self._small_scratch: dict = {}

    def pointers(self, rows):
        """Where the rows of each unit begin among chosen ones."""
        if len(rows) == self.fold.n_rows:
            return self.fold.pointers
        return np.searchsorted(self.fold.units[rows], np.arange(self.fold.n_units + 1)).astype(np.int64)

    def grow(self, data, settings, rows, pointers, seeds):
        """Grow the trees; `rows` are rearranged, so that each leaf is a slice of them.

        Returns
        -------
        nodes, bases, counts
            The tree of unit u is ``nodes[bases[u] : bases[u] + counts[u]]``. The next call overwrites the nodes.
        """
        sizes = np.diff(pointers)
        room = 2 * np.maximum(np.minimum(sizes, settings.max_leaf_nodes), 1) - 1
        bases, counts = np.cumsum(room) - room, np.zeros(len(sizes), np.int64)
        nodes = self.scratch.nodes("nodes", int(room.sum()))
        # Codes are made before threads ask for them.
        if self.is_small(data, settings):
            grow_range, codes = self._grow_small, self._unit_codes
        else:
            grow_range, codes = self._grow_any, self._local_codes

        def grow(thread, begin, end):
            # Of the units that begin or end between rows of two threads each goes to the one that has its end.
            first = int(np.searchsorted(pointers[1:], begin)) if begin > 0 else 0
            stop = int(np.searchsorted(pointers[1:], end)) if end < len(rows) else len(sizes)
            units, trees = (rows, pointers, first, stop), (nodes, bases, counts)
            grow_range(thread, codes, data, settings, units, trees, seeds)

        least = max(1, _CODES_PER_THREAD // max(1, self.table.bins.shape[0]))
        self.team.share(grow, len(rows), least)
        return nodes, bases, counts

    def is_small(self, data, settings):
        """Whether the kernel for small trees can grow them, and is the faster to do so."""
        table, most = self.table, self._most_codes
        constrained = table.monotonic.any() or len(table.groups) > 0
        if constrained or self._categories_vary or data.n_outputs > 1 or most > _MOST_PLACES:
            return False
        n_bytes = 8 * most * data.words.shape[1] * settings.max_leaf_nodes
        return self.fold.n_rows <= _SMALL_ROWS * self.fold.n_units and n_bytes <= _SMALL_BYTES

    def _grow_small(self, thread, codes, data, settings, units, trees, seeds):
        key = data.words.shape[1], settings.max_leaf_nodes
        have = self._small_scratch.get(thread)
        if have is None or have[0] != key:
            n_features, largest = self.table.bins.shape[0], int(np.diff(self.fold.pointers).max())
            have = self._small_scratch[thread] = key, small_scratch(n_features, largest, self._most_codes, *key)
        grow_small_trees(codes, data, settings, *units, *trees, have[1], seeds)

    def _grow_any(self, thread, codes, data, settings, units, trees, seeds):
        largest, n_channels = max(int(np.diff(units[1]).max()), 1), data.words.shape[1]
        local_bins, *codes = codes
        n_sums = self._most_codes * n_channels
        histograms = self.scratch.histograms(f"histograms {thread}", n_sums, settings.max_leaf_nodes)
        gathered = self.scratch.array(f"gathered {thread}", (largest, n_channels), np.int64)
        buffer = self.scratch.array(f"buffer {thread}", (largest,), np.int32)
        table = self.table._replace(bins=local_bins)
        grow_unit_trees(table, *codes, data, settings, *units, *trees, histograms, gathered, buffer, seeds)

    @cached_property
    def _categories_vary(self):
        """Whether a categorical feature has two values within a unit; else no tree can split on any."""
        bins = self.table.bins[self.table.categorical != 0]
        same_unit = self.fold.units[1:] == self.fold.units[:-1]
        return bool(((bins[:, 1:] != bins[:, :-1]) & same_unit).any())

    @cached_property
    def _local_codes(self):
        """Codes of the units' own, how many each has, what they stand for in the table, and where they begin."""
        fold, (n_features, _) = self.fold, self.table.bins.shape
        bins = np.empty_like(self.table.bins)
        n_bins = np.empty((fold.n_units, n_features), np.int32)
        pointers = np.empty(fold.n_units * n_features + 1, np.int64)
        codes = np.empty(int(np.minimum(np.diff(fold.pointers), 256).sum()) * n_features, np.uint8)
        table = self.table
        # The codes of a single unit are those of the table already.
        least = FEWEST_CODES if fold.n_units > 1 else 256
        compact_codes(table.bins, table.n_bins, table.categorical, least, fold.pointers, bins, n_bins, pointers, codes)
        return bins, n_bins, codes[: pointers[-1]].copy(), pointers

    @cached_property
    def _most_codes(self):
        """Room for the codes of a unit, missing ones included."""
        n_bins = self._local_codes[1]
        return int(n_bins.sum(axis=1).max()) + n_bins.shape[1] * LANES

    @cached_property
    def _unit_codes(self):
        bins, n_bins, codes, pointers = self._local_codes
        places = np.empty(bins.T.shape, np.uint16)
        offsets = np.empty((len(n_bins), len(bins) + 1), np.int64)
        some_missing = np.empty(len(n_bins), np.bool_)
        place_codes(bins, n_bins, self.fold.pointers, places, offsets, some_missing)
        return UnitCodes(places, offsets, n_bins, some_missing, self.table.n_bins, codes, pointers)
