"""Threads that grow one tree together."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from .kernels.grow import grow_with_team
from .kernels.grow_steps import make_scratch
from .kernels.team import DISMISSED, MOST_TREES, TICKET

#: With fewer codes to sum at its root a tree is grown by one thread.
_FEWEST_CODES = 100_000


class Memory(NamedTuple):
    """What trees are grown in; one tree is written over the one before."""

    rows: Any  # int32 (n_rows,): the rows of the tree come first
    nodes: Any  # Nodes
    histograms: Any  # int64
    gathered: Any  # int64 (n_rows, n_channels)
    moved_rows: Any  # int32 (n_rows,)
    max_leaf_nodes: int  # trees have no more leaves


class _Crew:
    """Threads that help with trees that have the same table and are grown in the same memory.

    Parameters
    ----------
    table : Table
        The table.
    data : Words
        Words of one of the trees; others must have theirs in the same array.
    memory : Memory
        What the trees are grown in.
    n_threads : int
        Number of threads, the one included that grows the trees.
    """

    def __init__(self, table, data, memory, n_threads):
        self.table = table
        self.words = data.words
        self.channels = data.own_hessian, data.weighted
        self.memory = memory
        sizes = len(table.n_bins), 2 * memory.max_leaf_nodes + 1, data.words.shape[1], n_threads
        # Its control array is of this crew alone.
        self.scratch = make_scratch(*sizes, memory.histograms, memory.gathered, memory.moved_rows)
        #: Columns to sum: a pack is one in its features' stead.
        self.n_columns = len(table.active)
        if len(table.packs) > 0:
            self.n_columns = len(table.packs) + int(np.sum(table.pack_of[table.active] < 0))
        self.present = set()

    def fits(self, table, data, memory):
        """Whether it can help with a tree."""
        return (
            self.memory is memory
            and self.table is table
            and self.words is data.words
            and self.channels == (data.own_hessian, data.weighted)
        )

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

    def grow_tree(self, table, data, settings, stop, memory, state):
        """Grow one tree on ``memory.rows[:stop]``; see `kernels.grow.grow_tree`. Returns its number of nodes.

        Threads that helped with the tree before stay for this one if table, words and memory are the same objects.
        """
        crew = self._crew
        if crew is None or not crew.fits(table, data, memory):
            self._dismiss()
            crew = self._crew = _Crew(table, data, memory, self.n_threads)
        helpers = self.n_threads - 1 if stop * crew.n_columns >= _FEWEST_CODES else 0
        tree = next(self._numbers) % MOST_TREES + 1
        place = memory.rows, 0, stop, memory.nodes, 0
        arguments = (table, data, settings, *place, crew.scratch, state, tree, 1 + helpers)
        for member in range(1, 1 + helpers):
            if member not in crew.present:
                crew.present.add(member)
                self._submit(crew.help, member, arguments)
        return grow_with_team(*arguments, 0)

    def share(self, function, n_items, least):
        """Call ``function(part, begin, end)`` on a thread each for parts of `n_items` items, each `least` or more."""
        n_parts = min(self.n_threads, n_items // least)
        if n_parts <= 1:
            function(0, 0, n_items)
            return
        self._dismiss()
        bounds = [part * n_items // n_parts for part in range(n_parts + 1)]
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
