"""A forest as flat arrays: what boosting leaves behind, and what predictions walk."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .kernels.types import CODE_WORDS, Nodes

#: Which part of the prediction a tree adds to.
SHARED, OUTLIER, INLIER, SPECIFIC, JOINT = 0, 1, 2, 3, 4


class FlatTrees(NamedTuple):
    """Nodes of trees, one tree after the other, and one entry per tree."""

    feature: Any  # int32 (n_nodes,)
    threshold: Any  # int32 (n_nodes,)
    left: Any  # int32 (n_nodes,), relative to the root, 0 in a leaf
    missing_left: Any  # uint8 (n_nodes,)
    categorical: Any  # uint8 (n_nodes,)
    left_codes: Any  # uint32 (n_nodes, CODE_WORDS); a single row of zeros where no split is categorical
    gain: Any  # float64 (n_nodes,)
    value: Any  # float64 (n_nodes, n_outputs); of a joint tree, for units not seen
    unit_row: Any  # int32 (n_nodes,), row of `unit_value` of a leaf of a joint tree, otherwise -1
    unit_value: Any  # float64 (n_joint_leaves, n_units, n_outputs), or no rows


def empty_trees(n_nodes, n_outputs, categorical=True):
    """Room for trees of `n_nodes` nodes; `categorical`: whether a split may be."""
    return FlatTrees(
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.uint8),
        np.empty(n_nodes, np.uint8),
        np.empty((n_nodes, CODE_WORDS), np.uint32) if categorical else no_left_codes(),
        np.empty(n_nodes),
        np.empty((n_nodes, n_outputs)),
        np.empty(n_nodes, np.int32),
        np.empty((0, 1, n_outputs)),
    )


def no_left_codes():
    """Left codes of trees without a categorical split."""
    return np.zeros((1, CODE_WORDS), np.uint32)


class Trees:
    """Some trees: their nodes, and for each tree its root, the part it adds to and the unit it belongs to (-1: all)."""

    def __init__(self, nodes: FlatTrees, roots, parts, units):
        self.nodes = nodes
        self.roots = roots
        self.parts = parts
        self.units = units

    def __len__(self):
        return len(self.roots)

    @classmethod
    def from_nodes(cls, nodes: Nodes, bases, counts, values, part, units, unit_row=None, unit_value=None):
        """Take the trees out of the arrays that they were grown in.

        Tree t has ``nodes[bases[t] : bases[t] + counts[t]]``.
        """
        if len(bases) == 1 and bases[0] == 0:
            chosen = slice(0, counts[0])
        else:
            ends = np.cumsum(counts)
            chosen = (
                np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts) + np.repeat(bases, counts)
            )
        flat = FlatTrees(
            nodes.feature[chosen].copy(),
            nodes.threshold[chosen].copy(),
            nodes.left[chosen].copy(),
            nodes.missing_left[chosen].copy(),
            nodes.categorical[chosen].copy(),
            nodes.left_codes[chosen].copy() if nodes.categorical[chosen].any() else no_left_codes(),
            nodes.gain[chosen].copy(),
            values[chosen].copy(),
            np.full(counts.sum(), -1, np.int32) if unit_row is None else unit_row,
            np.empty((0, 1, values.shape[1])) if unit_value is None else unit_value,
        )
        return cls.of_part(flat, counts, part, units)

    @classmethod
    def of_part(cls, flat, counts, part, units):
        """Trees of so many nodes each, one after the other, that all add to the same part."""
        roots = np.cumsum(counts, dtype=np.int64) - counts
        return cls(flat, roots, np.full(len(roots), part, np.int8), np.asarray(units, np.int32))

    @classmethod
    def single(cls, flat, part):
        """One tree that belongs to all units."""
        return cls(flat, np.zeros(1, np.int64), np.array([part], np.int8), np.array([-1], np.int32))

    @classmethod
    def concatenate(cls, parts):
        """Put several lots of trees one after the other."""
        sizes = [len(trees.nodes.feature) for trees in parts]
        starts = np.cumsum([0, *sizes[:-1]])
        columns = FlatTrees(*zip(*(trees.nodes for trees in parts), strict=True))
        unit_row, unit_value = cls._join_unit_values(parts)
        nodes = FlatTrees(
            np.concatenate(columns.feature),
            np.concatenate(columns.threshold),
            np.concatenate(columns.left),
            np.concatenate(columns.missing_left),
            np.concatenate(columns.categorical),
            cls._join_left_codes(columns),
            np.concatenate(columns.gain),
            np.concatenate(columns.value),
            unit_row,
            unit_value,
        )
        return cls(
            nodes,
            np.concatenate([trees.roots + start for trees, start in zip(parts, starts, strict=True)]),
            np.concatenate([trees.parts for trees in parts]),
            np.concatenate([trees.units for trees in parts]),
        )

    @staticmethod
    def _join_left_codes(columns):
        """Left codes of all nodes, or of none where no split is categorical."""
        split = [categorical.any() for categorical in columns.categorical]
        if not any(split):
            return no_left_codes()
        return np.concatenate(
            [
                codes if some else np.zeros((len(left), CODE_WORDS), np.uint32)
                for codes, some, left in zip(columns.left_codes, split, columns.left, strict=True)
            ]
        )

    @staticmethod
    def _join_unit_values(parts):
        tables = [trees.nodes.unit_value for trees in parts]
        filled = [table for table in tables if len(table)]
        if not filled:
            return np.concatenate([trees.nodes.unit_row for trees in parts]), tables[0]
        starts = np.cumsum([0, *(len(table) for table in tables[:-1])])
        unit_row = np.concatenate(
            [
                np.where(trees.nodes.unit_row < 0, -1, trees.nodes.unit_row + start).astype(np.int32)
                for trees, start in zip(parts, starts, strict=True)
            ]
        )
        return unit_row, np.concatenate(filled)

    @classmethod
    def none(cls, n_outputs):
        """No tree."""
        return cls(empty_trees(0, n_outputs), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0, np.int32))


class Forest:
    """All trees of a model in the order in which they were grown.

    Attributes
    ----------
    trees : Trees
        The trees.
    round_ends : ndarray of shape (n_rounds,)
        Number of trees after each round.
    """

    def __init__(self, trees: Trees, round_ends, n_bins, n_units):
        self.trees = trees
        self.round_ends = np.asarray(round_ends, np.int64)
        self.n_bins = n_bins
        self.n_units = n_units

    def __getstate__(self):
        """Leave out what is only kept for speed, so that a pickle does not change with use."""
        return {name: value for name, value in vars(self).items() if name != "_all_sorted"}

    def add_to(self, parts, bins, units, begin=0, end=None, only_own=False):
        """Add the trees ``begin:end`` to the parts of the raw prediction.

        Parameters
        ----------
        parts : dict of int to ndarray of shape (n_rows, n_outputs)
            The parts, by their number; changed in place.
        bins : uint8 array of shape (n_features, n_rows)
            Codes.
        units : intp array of shape (n_rows,)
            Unit of each row, -1 where unknown.
        begin, end : int
            Range of trees.
        only_own : bool
            Leave out the trees that give every unit the same.
        """
        if begin == 0 and end in (None, len(self.trees)):
            chosen = self._all_sorted
        else:
            chosen = _sort_out(self.trees, self.n_units, begin, end)
        _add_sorted(parts, self.trees.nodes, chosen, self.n_bins, bins, units, only_own=only_own)

    @cached_property
    def _all_sorted(self):
        """All trees, sorted out once: for a few rows it takes as long as walking them."""
        return _sort_out(self.trees, self.n_units, 0, len(self.trees))

    def gains(self, n_features):
        """Sum of gains by part, unit and feature.

        Returns
        -------
        shared, outlier, inlier, joint : ndarrays of shape (n_features,)
        specific : ndarray of shape (n_units, n_features)
        """
        nodes = self.trees.nodes
        ends = np.append(self.trees.roots[1:], len(nodes.feature))
        tree = np.repeat(np.arange(len(self.trees)), ends - self.trees.roots)
        inner = nodes.left != 0
        part, unit = self.trees.parts[tree[inner]], self.trees.units[tree[inner]]
        feature, gain = nodes.feature[inner], nodes.gain[inner]
        common = [
            np.bincount(feature[part == p], weights=gain[part == p], minlength=n_features)
            for p in (SHARED, OUTLIER, INLIER, JOINT)
        ]
        own = part == SPECIFIC
        index = unit[own].astype(np.int64) * n_features + feature[own]
        specific = np.bincount(index, weights=gain[own], minlength=self.n_units * n_features)
        return *common, specific.reshape(self.n_units, n_features)


class _ByPart(NamedTuple):
    """Roots of trees, sorted out."""

    common: dict  # part number to roots, of the trees that give every unit the same
    joint: np.ndarray
    pointers: np.ndarray  # unit u owns ``own[pointers[u]:pointers[u + 1]]``
    own: np.ndarray


def _sort_out(trees, n_units, begin, end):
    """Sort the trees ``begin:end`` by the part that they add to, those of the specific part by unit."""
    roots, kinds, owners = trees.roots[begin:end], trees.parts[begin:end], trees.units[begin:end]
    common = {part: np.ascontiguousarray(roots[kinds == part]) for part in (SHARED, OUTLIER, INLIER)}
    own = kinds == SPECIFIC
    order = np.argsort(owners[own], kind="stable")
    pointers = np.searchsorted(owners[own][order], np.arange(n_units + 1))
    filled = {part: found for part, found in common.items() if found.size}
    return _ByPart(filled, np.ascontiguousarray(roots[kinds == JOINT]), pointers, roots[own][order])


def add_trees_to(parts, trees, n_bins, n_units, bins, units, rows=None):
    """Add trees to the parts of the raw prediction of the given rows (None: all); see :meth:`Forest.add_to`."""
    from .kernels.walk import add_trees

    kind = int(trees.parts[0]) if len(trees) == 1 else -1
    if kind in (SHARED, OUTLIER, INLIER):  # A step of the shared block: no need to sort it out.
        rows = np.arange(bins.shape[1], dtype=np.int32) if rows is None else rows
        add_trees(bins, n_bins, trees.nodes, trees.roots, rows, parts[kind])
        return
    _add_sorted(parts, trees.nodes, _sort_out(trees, n_units, 0, len(trees)), n_bins, bins, units, rows)


def _add_sorted(parts, nodes, sorted_out, n_bins, bins, units, rows=None, only_own=False):
    from .kernels.walk import add_trees, add_unit_trees
    from .kernels.walk_joint import add_joint_trees

    if rows is None:
        rows = np.arange(bins.shape[1], dtype=np.int32)
    if not only_own:
        for part, roots in sorted_out.common.items():
            add_trees(bins, n_bins, nodes, roots, rows, parts[part])
    if sorted_out.joint.size:
        add_joint_trees(bins, n_bins, nodes, sorted_out.joint, units, rows, parts[JOINT])
    if sorted_out.own.size:
        add_unit_trees(bins, n_bins, nodes, sorted_out.pointers, sorted_out.own, units, rows, parts[SPECIFIC])
