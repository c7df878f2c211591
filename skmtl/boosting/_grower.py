"""Growing trees: owns the scratch memory of the kernels and hands them their arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from ._forest import SPECIFIC, Trees, add_trees_to, empty_tree
from ._packs import with_packs, without_packs
from ._team import Team
from .kernels.fixed_point import to_unit_words, to_words
from .kernels.grow_units import compact_codes, grow_unit_trees
from .kernels.leaves import add_leaf_values, harvest_tree, newton_values, quantile_values
from .kernels.types import Table, empty_nodes

#: Bytes that the histograms of one tree may take; leaves beyond that have theirs computed again.
_HISTOGRAM_BYTES = 256 * 2**20
#: Fewer codes than this in a round are not worth a thread.
_CODES_PER_THREAD = 500_000
#: Fewer rows than this in a tree are not worth a thread that gives them their leaves' values.
_ROWS_PER_THREAD = 50_000


class Target:
    """What a tree is fitted to.

    Parameters
    ----------
    gradient, hessian : float64 arrays of shape (n_rows, n_outputs)
        Derivatives by the tree's output, weights included.
    hessian_is_weight : bool
        Whether every Hessian equals the row's sample weight.
    sample_weight : float64 array of shape (n_rows,) or None
        As how many rows each counts towards the size of a leaf; None means 1.
    weight : float64 array of shape (n_rows,) or None
        Weights in the loss, for the line search.
    quantile : float or None
        With a quantile the leaves' values are found by line search on `residual` over `coefficient`.
    residual, coefficient : float64 arrays of shape (n_rows,) or None
        Targets less raw predictions; what the tree's output is multiplied by.
    noise : float
        What the noise of the settings is multiplied by.
    """

    def __init__(
        self,
        gradient,
        hessian,
        hessian_is_weight,
        sample_weight,
        *,
        weight=None,
        quantile=None,
        residual=None,
        coefficient=None,
        noise=0.0,
    ):
        self.gradient = gradient
        self.hessian = hessian
        self.hessian_is_weight = hessian_is_weight
        self.sample_weight = sample_weight
        self.weight = weight
        self.quantile = quantile
        self.residual = residual
        self.coefficient = coefficient
        self.noise = noise


class TreeGrower:
    """Grows trees on the rows of one fold.

    Parameters
    ----------
    fold : Fold
        The rows.
    plan : FeaturePlan
        Bins, categories and constraints.
    n_outputs : int
        Columns of y: unit u is of task ``u // n_outputs``.
    n_threads : int
        Trees of different tasks are grown by so many threads; they do not depend on it.
    """

    def __init__(self, fold, plan, n_outputs=1, n_threads=1):
        self.fold = fold
        self.plan = plan
        self.n_threads = n_threads
        n_bins, task_features = plan.n_bins, plan.task_features
        self.n_own = len(n_bins) - len(task_features.source)
        offsets = np.concatenate([[0], np.cumsum(n_bins + 1)]).astype(np.int64)
        task_of_row = np.ascontiguousarray(fold.units // n_outputs, dtype=np.int64)
        task_stops = np.searchsorted(task_of_row, np.arange(task_features.codes.shape[1]), side="right")
        self.table = Table(
            fold.bins,
            n_bins,
            offsets,
            np.arange(len(n_bins), dtype=np.int32),
            plan.categorical,
            plan.monotonic,
            plan.groups,
            self.n_own,
            task_of_row,
            task_stops.astype(np.uint32),
            np.ascontiguousarray((offsets[self.n_own : -1, None] + task_features.codes).T, dtype=np.int32),
        )
        self.table = with_packs(self.table)
        self.rows = np.arange(fold.n_rows, dtype=np.int32)
        self.team = Team(n_threads)
        self._scratch = {}
        self._words: dict = {}

    def grow(self, target, settings, shrinkage, rows, part, seed, delta, *, task_features=True):
        """Grow one tree on `rows` and add what it gives each row of the fold to `delta`."""
        table = self.table if task_features else self._own_table
        rows = rows.copy()
        total = len(rows) if target.sample_weight is None else float(target.sample_weight[rows].sum())
        settings = self._limited(settings, len(rows), total)
        if settings.noise > 0.0:
            settings = settings._replace(noise=settings.noise * target.noise)
        gradient, hessian, weight = self._statistics(target)
        data = to_words(gradient, hessian, weight, self._words)
        nodes = self._take("nodes", empty_nodes, 2 * settings.max_leaf_nodes - 1, settings.max_leaf_nodes)
        n_channels = data.words.shape[1]
        histograms = self._histograms("histograms", int(self.table.offsets[-1]) * n_channels, settings.max_leaf_nodes)
        gathered = self._array("gathered", (self.fold.n_rows, n_channels), np.int64)
        buffer = self._array("buffer", (self.fold.n_rows,), np.int32)
        count = self.team.grow_tree(table, data, settings, rows, nodes, histograms, gathered, buffer, seed)
        if target.quantile is None:
            flat = empty_tree(count, delta.shape[1])
            hessian = self._hessian(target)

            def harvest(begin, end):
                harvest_tree(
                    nodes, count, rows, begin, end, target.gradient, hessian, settings.l2, shrinkage, flat, delta
                )

            self.team.share(harvest, len(rows), _ROWS_PER_THREAD)
            trees = Trees.single(flat, count, part)
        else:
            bases, counts = np.zeros(1, np.int64), np.array([count], np.int64)
            values = self._values(target, nodes, bases, counts, rows, settings, shrinkage, count)
            add_leaf_values(nodes, bases, counts, rows, values, delta)
            trees = Trees.from_nodes(nodes, bases, counts, values, part, [-1])
        self.add_out_of_bag(trees, rows, delta)
        return trees

    def grow_units(self, target, settings, shrinkage, rows, seeds, delta):
        """Grow one tree per unit on `rows` and add what the trees give each row of the fold to `delta`."""
        table, local_n_bins, map_pointers, local_map, codes = self._local_codes
        rows = rows.copy()
        pointers = self.fold.pointers
        if len(rows) < self.fold.n_rows:
            pointers = np.searchsorted(self.fold.units[rows], np.arange(self.fold.n_units + 1)).astype(np.int64)
        sizes = np.diff(pointers)
        largest = max(int(sizes.max()), 1)
        heaviest = largest
        if target.sample_weight is not None:
            heaviest = np.bincount(self.fold.units[rows], weights=target.sample_weight[rows]).max()
        settings = self._limited(settings, largest, heaviest)
        leaves = settings.max_leaf_nodes
        room = 2 * np.maximum(np.minimum(sizes, leaves), 1) - 1
        bases = np.cumsum(room) - room
        nodes = empty_nodes(int(room.sum()))
        gradient, hessian, weight = self._statistics(target)
        data = to_unit_words(gradient, hessian, weight, self.fold.pointers, self._words)
        n_channels = data.words.shape[1]
        counts = np.zeros(len(sizes), np.int64)

        def grow_range(thread, first, stop):
            histograms = self._histograms(f"histograms {thread}", codes * n_channels, leaves)
            gathered = self._array(f"gathered {thread}", (largest, n_channels), np.int64)
            buffer = self._array(f"buffer {thread}", (largest,), np.int32)
            grow_unit_trees(
                table,
                local_n_bins,
                local_map,
                map_pointers,
                data,
                settings,
                rows,
                pointers,
                first,
                stop,
                nodes,
                bases,
                counts,
                histograms,
                gathered,
                buffer,
                seeds,
            )

        n_threads = min(self.n_threads, max(1, len(rows) * table.bins.shape[0] // _CODES_PER_THREAD))
        if n_threads == 1:
            grow_range(0, 0, len(sizes))
        else:
            cuts = np.searchsorted(pointers[1:], np.linspace(0, len(rows), n_threads + 1)[1:-1])
            bounds = [0, *cuts.tolist(), len(sizes)]
            with ThreadPoolExecutor(n_threads) as pool:
                list(pool.map(grow_range, range(n_threads), bounds[:-1], bounds[1:]))
        grown = np.flatnonzero(sizes)
        bases, counts = bases[grown], counts[grown]
        values = self._values(target, nodes, bases, counts, rows, settings, shrinkage, len(nodes.left))
        add_leaf_values(nodes, bases, counts, rows, values, delta)
        trees = Trees.from_nodes(nodes, bases, counts, values, SPECIFIC, grown)
        self.add_out_of_bag(trees, rows, delta)
        return trees

    def _values(self, target, nodes, bases, counts, rows, settings, shrinkage, n_nodes):
        values = np.zeros((n_nodes, target.gradient.shape[1]))
        if target.quantile is None:
            hessian = self._hessian(target)
            newton_values(nodes, bases, counts, rows, target.gradient, hessian, settings.l2, shrinkage, values)
        else:
            weight = np.ones(self.fold.n_rows) if target.weight is None else target.weight
            quantile_values(
                nodes,
                bases,
                counts,
                rows,
                target.residual,
                target.coefficient,
                weight,
                target.quantile,
                self.table.monotonic,
                shrinkage,
                values,
            )
        return values

    def add_out_of_bag(self, trees, rows, delta):
        if len(rows) == self.fold.n_rows:
            return
        out = np.ones(self.fold.n_rows, bool)
        out[rows] = False
        add_trees_to(
            dict.fromkeys(range(5), delta),
            trees,
            self.table.n_bins,
            self.fold.n_units,
            self.fold.bins,
            self.fold.units,
            rows=np.flatnonzero(out).astype(np.int32),
        )

    @staticmethod
    def _hessian(target):
        """Hessians, of no rows where each is 1."""
        ones = target.hessian_is_weight and target.sample_weight is None
        return target.hessian[:0] if ones else target.hessian

    @staticmethod
    def _statistics(target):
        return target.gradient, None if target.hessian_is_weight else target.hessian, target.sample_weight

    @cached_property
    def _local_codes(self):
        """Table of codes of the units' own, how many there are, those that they stand for, and the most of a unit."""
        fold, n_features = self.fold, self.n_own
        own_bins = fold.bins[:n_features]
        local_bins = np.empty_like(own_bins)
        local_n_bins = np.empty((fold.n_units, n_features), np.int32)
        map_pointers = np.empty(fold.n_units * n_features + 1, np.int64)
        room = int(np.minimum(np.diff(fold.pointers), 256).sum()) * n_features
        local_map = np.empty(room, np.uint8)
        n_bins = self.table.n_bins[:n_features]
        compact_codes(own_bins, n_bins, fold.pointers, local_bins, local_n_bins, map_pointers, local_map)
        most = int((local_n_bins.sum(axis=1) + n_features).max())
        table = self._own_table._replace(bins=local_bins)
        return table, local_n_bins, map_pointers, local_map[: map_pointers[-1]].copy(), most

    @cached_property
    def _own_table(self):
        """Table without the task features, which are constant within a task."""
        own = slice(0, self.n_own)
        return without_packs(self.table)._replace(
            bins=self.fold.bins[own],
            n_bins=self.table.n_bins[own],
            offsets=self.table.offsets[: self.n_own + 1],
            active=self.table.active[own],
            categorical=self.table.categorical[own],
            monotonic=self.table.monotonic[own],
            groups=np.ascontiguousarray(self.table.groups[:, own]),
        )

    @staticmethod
    def _limited(settings, n_rows, total_weight):
        """Settings with no more leaves than a tree can have, whatever it is fitted to."""
        most = min(settings.max_leaf_nodes, max(n_rows, 1), 2 ** min(settings.max_depth, 30))
        if settings.min_weight > 0.0:
            most = min(most, max(1, int(total_weight / settings.min_weight * (1.0 + 1e-9))))
        return settings._replace(max_leaf_nodes=most)

    def _histograms(self, name, size, max_leaf_nodes):
        slots = max(3, min(max_leaf_nodes + 2, _HISTOGRAM_BYTES // max(8 * size, 1)))
        return self._array(name, (slots * size,), np.int64)

    def _array(self, name, shape, dtype):
        """Scratch of at least this shape, kept from call to call."""
        have = self._scratch.get(name)
        if have is None or have.shape[0] < shape[0] or have.shape[1:] != shape[1:]:
            have = self._scratch[name] = np.empty(shape, dtype)
        return have

    def _take(self, name, make, size, key):
        have = self._scratch.get(name)
        if have is None or have[0] != key:
            have = self._scratch[name] = key, make(size)
        return have[1]
