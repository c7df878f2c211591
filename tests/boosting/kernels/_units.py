"""Units of rows, and both kernels that grow a tree for each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skmtl.boosting.kernels.fixed_point import to_unit_words
from skmtl.boosting.kernels.grow_small import LANES, UnitCodes, grow_small_trees, place_codes, small_scratch
from skmtl.boosting.kernels.grow_units import compact_codes, grow_unit_trees
from skmtl.boosting.kernels.types import Nodes, empty_nodes
from tests.boosting.kernels._cases import make_problem

SIZES = (12, 1, 0, 30, 2, 25)
POINTERS = np.concatenate([[0], np.cumsum(SIZES)]).astype(np.int64)


def make(seed, layout=(1, False, False), n_codes=12, missing=0.15, n_features=4, **table):
    return make_problem(
        np.random.default_rng(seed),
        layout,
        n_rows=sum(SIZES),
        n_features=n_features,
        n_codes=n_codes,
        missing=missing,
        **table,
    )


def compact(problem, pointers, least=256):
    table, n_units = problem.table, len(pointers) - 1
    n_features = len(table.n_bins)
    local_bins = np.empty_like(table.bins)
    local_n_bins = np.empty((n_units, n_features), np.int32)
    map_pointers = np.empty(n_units * n_features + 1, np.int64)
    local_map = np.empty(int(np.minimum(np.diff(pointers), 256).sum()) * n_features, np.uint8)
    out = local_bins, local_n_bins, map_pointers, local_map
    compact_codes(table.bins, table.n_bins, table.categorical, least, pointers, *out)
    return out


def placed(problem, pointers, least=256):
    """The codes of the problem as the kernel for small trees reads them."""
    local_bins, local_n_bins, map_pointers, local_map = compact(problem, pointers, least)
    n_features, n_units = len(local_bins), len(pointers) - 1
    places, offsets = np.empty(local_bins.T.shape, np.uint16), np.empty((n_units, n_features + 1), np.int64)
    some_missing = np.empty(n_units, np.bool_)
    place_codes(local_bins, local_n_bins, pointers, places, offsets, some_missing)
    return UnitCodes(places, offsets, local_n_bins, some_missing, problem.table.n_bins, local_map, map_pointers)


def unit_words(problem):
    own_hessian, weighted = problem.words.own_hessian, problem.words.weighted
    return to_unit_words(
        problem.gradient, problem.hessian if own_hessian else None, problem.weight if weighted else None, POINTERS
    )


class UnitTrees(NamedTuple):
    nodes: Nodes
    bases: np.ndarray
    counts: np.ndarray
    rows: np.ndarray


def _empty_trees(settings, rows, row_pointers):
    sizes = np.diff(row_pointers)
    room = 2 * np.maximum(np.minimum(sizes, settings.max_leaf_nodes), 1) - 1
    nodes = empty_nodes(int(room.sum()))
    return UnitTrees(nodes, np.cumsum(room) - room, np.zeros(len(sizes), np.int64), np.array(rows, np.int32))


def grow_units(problem, settings, rows, row_pointers, unit_range=None, n_slots=20, least=256) -> UnitTrees:
    """Grow the trees of all units; `row_pointers` says which of `rows` belong to which."""
    local_bins, local_n_bins, map_pointers, local_map = compact(problem, POINTERS, least)
    sizes = np.diff(row_pointers)
    trees, data = _empty_trees(settings, rows, row_pointers), unit_words(problem)
    n_channels = data.words.shape[1]
    for first, stop in unit_range or [(0, len(sizes))]:
        grow_unit_trees(
            problem.table._replace(bins=local_bins),
            local_n_bins,
            local_map,
            map_pointers,
            data,
            settings,
            trees.rows,
            row_pointers,
            first,
            stop,
            trees.nodes,
            trees.bases,
            trees.counts,
            np.full(n_slots * (local_n_bins.sum(axis=1).max() + 4) * n_channels, 5, np.int64),
            np.empty((sizes.max(), n_channels), np.int64),
            np.empty(sizes.max(), np.int32),
            np.arange(1, len(sizes) + 1),
        )
    return trees


def grow_small(problem, settings, rows, row_pointers, unit_range=None, least=256) -> UnitTrees:
    """Grow the same trees with the kernel for small ones."""
    trees, data = _empty_trees(settings, rows, row_pointers), unit_words(problem)
    codes = placed(problem, POINTERS, least)
    largest = max(SIZES)
    limits = data.words.shape[1], min(settings.max_leaf_nodes, largest)
    scratch = small_scratch(len(problem.table.n_bins), largest, int(codes.offsets.max()), *limits)
    for array in scratch:
        array.fill(7)  # leftovers of an earlier tree
    for first, stop in unit_range or [(0, len(SIZES))]:
        grow_small_trees(
            codes,
            data,
            settings,
            trees.rows,
            row_pointers,
            first,
            stop,
            trees.nodes,
            trees.bases,
            trees.counts,
            scratch,
            np.arange(1, len(SIZES) + 1),
        )
    assert codes.offsets.max() <= codes.n_bins.sum(axis=1).max() + len(problem.table.n_bins) * LANES
    return trees


def assert_equal_trees(mine: UnitTrees, theirs: UnitTrees):
    """Bit for bit, and the rows in the same order."""
    np.testing.assert_array_equal(mine.counts, theirs.counts)
    np.testing.assert_array_equal(mine.rows, theirs.rows)
    for name, a, b in zip(Nodes._fields, mine.nodes, theirs.nodes, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
