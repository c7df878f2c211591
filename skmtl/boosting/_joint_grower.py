"""Growing joint trees: coarse codes once, then one compiled call per tree."""

from __future__ import annotations

import numpy as np

from ._forest import JOINT, Trees
from .kernels.fixed_point import to_unit_words
from .kernels.joint import JointTable, coarsen, grow_joint_tree
from .kernels.joint_leaves import joint_values, to_fine
from .kernels.joint_split import joint_scratch
from .kernels.types import Nodes, empty_nodes

#: Thresholds of an ordered feature that joint trees look at, and one more for the last bin.
_COARSE_BINS = 32


class JointGrower:
    """Grows trees whose structure all units share, on the rows of one fold.

    Parameters
    ----------
    fold : Fold
        The rows.
    plan : FeaturePlan
        Bins, categories and constraints.
    """

    def __init__(self, fold, plan):
        self.fold = fold
        n_own = len(plan.positions)
        self.n_bins = plan.n_bins[:n_own]
        fine_to_coarse = np.empty((n_own, 256), np.uint8)
        self.last_fine = np.zeros((n_own, 256), np.uint8)
        coarse_n_bins = np.empty(n_own, np.int32)
        for f in range(n_own):
            coarse_n_bins[f] = self._merge(f, plan.categorical[f], fine_to_coarse[f], self.last_fine[f])
        bins = np.empty((n_own, fold.n_rows), np.uint8)
        coarsen(fold.bins, fine_to_coarse, bins)
        # A split on a monotonic feature would have to keep the order for every unit: left to the other blocks.
        active = np.flatnonzero((plan.monotonic[:n_own] == 0) & (self.n_bins > 0)).astype(np.int32)
        self.table = JointTable(
            bins,
            coarse_n_bins,
            active,
            np.ascontiguousarray(plan.categorical[:n_own]),
            np.ascontiguousarray(plan.groups[:, :n_own]),
            np.ascontiguousarray(fold.units, dtype=np.int64),
        )
        self.nodes: Nodes | None = None
        self._scratch: tuple | None = None  # and what it was made for
        self.words = {}

    def _merge(self, f, categorical, fine_to_coarse, last_fine):
        """Merge neighbouring bins of nearly equal weight; returns the number of coarse ones."""
        n_bins = int(self.n_bins[f])
        if categorical or n_bins <= _COARSE_BINS:
            fine_to_coarse[:] = np.minimum(np.arange(256), n_bins)
            last_fine[:n_bins] = np.arange(n_bins)
            return n_bins
        counts = np.bincount(self.fold.bins[f], minlength=n_bins + 1)[:n_bins]
        # The middle of a bin's rows decides where it goes, so that a heavy bin does not drag its neighbours along.
        middle = np.cumsum(counts) - 0.5 * counts
        place = np.minimum(middle / max(counts.sum(), 1) * _COARSE_BINS, _COARSE_BINS - 1).astype(np.int64)
        _, coarse = np.unique(place, return_inverse=True)
        n_coarse = int(coarse[-1]) + 1
        fine_to_coarse[:n_bins] = coarse
        fine_to_coarse[n_bins:] = n_coarse
        last_fine[coarse] = np.arange(n_bins)  # the last one written stays
        return n_coarse

    def grow(self, target, settings, shrinkage, rows, delta):
        """Grow one tree on `rows` and write what it gives each of them to `delta`."""
        fold = self.fold
        rows = rows.copy()
        leaves = min(settings.max_leaf_nodes, max(len(rows), 1), 2 ** min(settings.max_depth, 30))
        nodes = self.nodes
        if nodes is None or len(nodes.left) < 2 * leaves - 1:
            nodes = self.nodes = empty_nodes(2 * leaves - 1)
        settings = settings._replace(max_leaf_nodes=leaves)
        hessian = None if target.hessian_is_weight else target.hessian
        data = to_unit_words(target.gradient, hessian, target.sample_weight, fold.pointers, self.words)
        squares = target.gradient**2 if fold.weight is None else target.gradient**2 / fold.weight[:, None]
        total = float(target.hessian.sum())
        noise = float(squares.sum()) / total if total > 0.0 else 0.0
        n_outputs = delta.shape[1]
        scratch = self._make_scratch(data.words.shape[1], n_outputs, len(nodes.left))
        n_nodes = grow_joint_tree(self.table, data, settings, noise, rows, nodes, scratch)
        unit_row = np.empty(n_nodes, np.int32)
        values = np.empty((n_nodes, n_outputs))
        unit_values = np.empty(((n_nodes + 1) // 2, fold.n_units, n_outputs))
        joint_values(
            nodes, n_nodes, rows, self.table.units, target.gradient, target.hessian, settings.l2, shrinkage,
            unit_row, values, unit_values, delta,
        )  # fmt: skip
        to_fine(nodes, n_nodes, self.n_bins, self.table.n_bins, self.last_fine)
        counts = np.array([n_nodes], np.int64)
        return Trees.from_nodes(nodes, np.zeros(1, np.int64), counts, values, JOINT, [-1], unit_row, unit_values)

    def _make_scratch(self, *key):
        if self._scratch is None or self._scratch[0] != key:
            fold, n_groups = self.fold, len(self.table.groups)
            self._scratch = key, joint_scratch(fold.n_units, fold.n_rows, n_groups, *key)
        return self._scratch[1]
