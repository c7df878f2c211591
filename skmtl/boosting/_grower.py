"""Growing trees: owns the scratch memory of the kernels and hands them their arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ._forest import SPECIFIC, Trees, add_trees_to, empty_trees
from ._packs import with_packs, without_packs
from ._scratch import Scratch
from ._team import Memory, Team
from ._unit_grower import UnitGrower
from .kernels.fixed_point import to_unit_words, to_words
from .kernels.leaves import harvest_quantile_trees, harvest_trees
from .kernels.types import Table

#: Fewer rows than this in trees are not worth a thread that gives them their leaves' values.
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
    ):
        self.gradient = gradient
        self.hessian = hessian
        self.hessian_is_weight = hessian_is_weight
        self.sample_weight = sample_weight
        self.weight = weight
        self.quantile = quantile
        self.residual = residual
        self.coefficient = coefficient


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
        self._scratch = Scratch()
        self._memory: Memory | None = None
        self._any_categorical = bool(plan.categorical.any())
        self._words: dict = {}

    def grow(self, target, settings, shrinkage, rows, part, seed, delta, *, task_features=True, noise=0.0):
        """Grow one tree on `rows` and write what it gives each row of the fold to `delta`."""
        table = self.table if task_features else self._own_table
        total = len(rows) if target.sample_weight is None else float(target.sample_weight[rows].sum())
        settings = self._limited(settings, len(rows), total, noise)
        gradient, hessian, weight = self._statistics(target)
        data = to_words(gradient, hessian, weight, self._words)
        memory = self._tree_memory(data.words.shape[1], settings.max_leaf_nodes)
        memory.rows[: len(rows)] = rows
        count = self.team.grow_tree(table, data, settings, len(rows), memory, seed)
        nodes, rows = memory.nodes, memory.rows[: len(rows)]
        bases, counts = np.zeros(1, np.int64), np.array([count], np.int64)
        flat = self._harvest(target, count, nodes, bases, counts, rows, settings, shrinkage, delta)
        trees = Trees.single(flat, part)
        self.write_out_of_bag(trees, rows, delta)
        return trees

    def _tree_memory(self, n_channels, max_leaf_nodes):
        """Memory for trees of up to so many leaves; the same object as long as it is asked for the same."""
        have = self._memory
        if have is None or have.gathered.shape[1] != n_channels or have.max_leaf_nodes != max_leaf_nodes:
            n_rows, scratch = self.fold.n_rows, self._scratch
            have = self._memory = Memory(
                scratch.array("rows", (n_rows,), np.int32),
                scratch.nodes("nodes", 2 * max_leaf_nodes - 1),
                scratch.histograms("histograms", int(self.table.offsets[-1]) * n_channels, max_leaf_nodes),
                scratch.array("gathered", (n_rows, n_channels), np.int64),
                scratch.array("buffer", (n_rows,), np.int32),
                max_leaf_nodes,
            )
        return have

    def grow_units(self, target, settings, shrinkage, rows, seeds, delta):
        """Grow one tree per unit on `rows` and write what the trees give each row of the fold to `delta`."""
        rows = rows.copy()
        pointers = self._unit_grower.pointers(rows)
        sizes = np.diff(pointers)
        heaviest = largest = max(int(sizes.max()), 1)
        if target.sample_weight is not None:
            heaviest = np.bincount(self.fold.units[rows], weights=target.sample_weight[rows]).max()
        settings = self._limited(settings, largest, heaviest)
        gradient, hessian, weight = self._statistics(target)
        data = to_unit_words(gradient, hessian, weight, self.fold.pointers, self._words)
        nodes, bases, counts = self._unit_grower.grow(data, settings, rows, pointers, seeds)
        grown = np.flatnonzero(sizes)
        bases, counts = bases[grown], counts[grown]
        n_nodes = int(counts.sum())
        flat = self._harvest(target, n_nodes, nodes, bases, counts, rows, settings, shrinkage, delta)
        trees = Trees.of_part(flat, counts, SPECIFIC, grown)
        self.write_out_of_bag(trees, rows, delta)
        return trees

    def _harvest(self, target, n_nodes, nodes, bases, counts, rows, settings, shrinkage, delta):
        """Find the values of leaves, write them to `delta`, and take the trees out of the arrays they were grown in."""
        values = self._scratch.array("values", (len(nodes.left), delta.shape[1]), np.float64)
        flat = empty_trees(n_nodes, delta.shape[1], self._any_categorical)
        grown = nodes, bases, counts, rows
        if target.quantile is None:
            derivatives = target.gradient, self._hessian(target)

            def harvest(_, begin, end):
                harvest_trees(*grown, begin, end, *derivatives, settings.l2, shrinkage, values, flat, delta)

            self.team.share(harvest, len(rows), _ROWS_PER_THREAD)
        else:
            weight = np.ones(self.fold.n_rows) if target.weight is None else target.weight
            searched = target.residual, target.coefficient, weight, target.quantile, self.table.monotonic
            harvest_quantile_trees(*grown, *searched, shrinkage, values, flat, delta)
        return flat

    def write_out_of_bag(self, trees, rows, delta):
        """Write what trees give the rows that they were not grown on."""
        if len(rows) == self.fold.n_rows:
            return
        out = np.ones(self.fold.n_rows, bool)
        out[rows] = False
        delta[out] = 0.0
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
    def _unit_grower(self):
        return UnitGrower(self.fold, self._own_table, self.team)

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
    def _limited(settings, n_rows, total_weight, noise=0.0):
        """Settings with no more leaves than a tree can have, whatever it is fitted to, and with noise."""
        most = min(settings.max_leaf_nodes, max(n_rows, 1), 2 ** min(settings.max_depth, 30))
        if settings.min_weight > 0.0:
            most = min(most, max(1, int(total_weight / settings.min_weight * (1.0 + 1e-9))))
        return settings._replace(max_leaf_nodes=most, noise=noise)
