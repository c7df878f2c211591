"""Threads that grow one tree together."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

from .kernels.grow import grow_with_team
from .kernels.grow_steps import make_scratch
from .kernels.team import CLOSED, MOST_TREES, TICKET, TREE_BIT

#: With fewer codes to sum at its root a tree is grown by one thread: waking another takes as long as half of its work.
_FEWEST_CODES = 100_000


class Team:
    """Grows trees with several threads; the trees do not depend on how many.

    Parameters
    ----------
    n_threads : int
        Number of threads, the caller's included.
    """

    def __init__(self, n_threads):
        self.n_threads = n_threads
        self._pool = None
        self._scratch = None
        self._numbers = itertools.count(1)

    def grow_tree(self, table, data, settings, rows, nodes, histograms, gathered, buffer, state):
        """Grow one tree on `rows`; see `kernels.grow.grow_tree`. Returns its number of nodes."""
        helpers = self.n_threads - 1 if len(rows) * len(table.active) >= _FEWEST_CODES else 0
        scratch = self._make_scratch(table, data, settings, histograms, gathered, buffer)
        tree = next(self._numbers) % MOST_TREES + 1
        arguments = (table, data, settings, rows, 0, len(rows), nodes, 0, scratch, state, tree, 1 + helpers)
        if not helpers:
            return grow_with_team(*arguments, 0)
        scratch.control[TICKET] = tree << TREE_BIT
        try:
            for member in range(1, 1 + helpers):
                self.submit(grow_with_team, *arguments, member)
            return grow_with_team(*arguments, 0)
        finally:
            # Has been done by the kernel, unless an exception came before it.
            scratch.control[TICKET] = CLOSED

    def submit(self, function, *arguments):
        """Let another thread call a function."""
        if self._pool is None:
            # Its threads end when the team is garbage collected.
            self._pool = ThreadPoolExecutor(max(self.n_threads - 1, 1), thread_name_prefix="skmtl-tree")
        return self._pool.submit(function, *arguments)

    def share(self, function, n_items, least):
        """Call ``function(part, begin, end)`` on a thread each for parts of `n_items` items, each `least` or more."""
        n_parts = max(1, min(self.n_threads, n_items // least))
        bounds = [part * n_items // n_parts for part in range(n_parts + 1)]
        others = [self.submit(function, part, *bounds[part : part + 2]) for part in range(1, n_parts)]
        function(0, *bounds[:2])
        for other in others:
            other.result()

    def _make_scratch(self, table, data, settings, histograms, gathered, buffer):
        n_features, n_channels = len(table.n_bins), data.words.shape[1]
        key = n_features, n_channels, settings.max_leaf_nodes
        if self._scratch is None or self._scratch[0] != key:
            n_nodes = 2 * settings.max_leaf_nodes + 1
            self._scratch = (
                key,
                make_scratch(n_features, n_nodes, n_channels, self.n_threads, histograms, gathered, buffer),
            )
        have = self._scratch[1]
        if have.histograms is not histograms or have.gathered is not gathered or have.moved_rows is not buffer:
            have = have._replace(histograms=histograms, gathered=gathered, moved_rows=buffer)
            self._scratch = key, have
        return have
