"""Threads that grow one tree together."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .kernels.grow import grow_with_team
from .kernels.grow_steps import make_scratch
from .kernels.team import DISMISSED, MOST_TREES, TICKET

#: With fewer codes to sum at its root a tree is grown by one thread.
_FEWEST_CODES = 100_000


class _Crew:
    """Threads that help with trees whose arrays are the same.

    Parameters
    ----------
    key : tuple
        What trees must have in common.
    arrays : tuple
        The arrays, and records of arrays, that the kernel is given: those of a tree must be the same objects.
    scratch : Scratch
        What the kernel needs beside them; its control array is of this crew alone.
    """

    def __init__(self, key, arrays, scratch):
        self.key = key
        self.arrays = arrays
        self.scratch = scratch
        self.present = set()

    def fits(self, key, arrays):
        """Whether trees with these arrays can be grown by this crew."""
        return self.key == key and all(one is other for one, other in zip(self.arrays, arrays, strict=True))

    def help(self, member, arguments):
        """Help with trees, as long as there are some; called by a thread of its own."""
        try:
            grow_with_team(*arguments, member)
        finally:
            self.present.discard(member)

    def dismiss(self):
        """Send the threads home."""
        self.scratch.control[TICKET] = DISMISSED


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
        self._crew = None
        self._numbers = itertools.count(1)

    def grow_tree(self, table, data, settings, rows, stop, nodes, histograms, gathered, buffer, state):
        """Grow one tree on ``rows[:stop]``; see `kernels.grow.grow_tree`. Returns its number of nodes.

        Threads that helped with the tree before stay for this one if the arrays are the same objects.
        """
        n_columns = len(table.active) if len(table.packs) == 0 else len(table.packs) + np.sum(table.pack_of < 0)
        helpers = self.n_threads - 1 if stop * n_columns >= _FEWEST_CODES else 0
        key = settings.max_leaf_nodes, data.n_outputs, data.own_hessian, data.weighted
        arrays = table, data.words, rows, nodes, histograms, gathered, buffer
        if self._crew is None or not self._crew.fits(key, arrays):
            self._dismiss()
            n_nodes = 2 * settings.max_leaf_nodes + 1
            sizes = len(table.n_bins), n_nodes, data.words.shape[1], self.n_threads
            self._crew = _Crew(key, arrays, make_scratch(*sizes, histograms, gathered, buffer))
        crew = self._crew
        tree = next(self._numbers) % MOST_TREES + 1
        arguments = (table, data, settings, rows, 0, stop, nodes, 0, crew.scratch, state, tree, 1 + helpers)
        for member in range(1, 1 + helpers):
            if member not in crew.present:
                crew.present.add(member)
                self._submit(crew.help, member, arguments)
        return grow_with_team(*arguments, 0)

    def share(self, function, n_items, least):
        """Call ``function(part, begin, end)`` on a thread each for parts of `n_items` items, each `least` or more."""
        n_parts = max(1, min(self.n_threads, n_items // least))
        bounds = [part * n_items // n_parts for part in range(n_parts + 1)]
        if n_parts > 1:
            self._dismiss()
        others = [self._submit(function, part, *bounds[part : part + 2]) for part in range(1, n_parts)]
        function(0, *bounds[:2])
        for other in others:
            other.result()

    def _submit(self, function, *arguments):
        """Let another thread call a function."""
        if self._pool is None:
            # Its threads end when the team is garbage collected.
            self._pool = ThreadPoolExecutor(max(self.n_threads - 1, 1), thread_name_prefix="skmtl-tree")
        return self._pool.submit(function, *arguments)

    def _dismiss(self):
        """Have all threads at hand for something else."""
        if self._crew is not None:
            self._crew.dismiss()
            self._crew = None
