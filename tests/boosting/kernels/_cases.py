"""Small random problems for the kernels. Statistics are multiples of 1/64, so that sums of floats are exact as well."""

from __future__ import annotations

import os
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from skmtl.boosting.kernels.fixed_point import to_words
from skmtl.boosting.kernels.types import Nodes, Table, TreeSettings, Words, empty_nodes
from tests.boosting.kernels._from_python import fill_histogram

SMALL = os.environ.get("SKMTL_TEST_SIZE") == "small"
SEEDS = range(2) if SMALL else range(8)
#: Every layout of the channels: (n_outputs, own_hessian, weighted).
LAYOUTS = list(product((1, 2, 3), (False, True), (False, True)))
UNLIMITED = 2**31 - 1


class Problem(NamedTuple):
    """Rows to grow a tree on."""

    table: Table
    words: Words
    gradient: np.ndarray  # (n_rows, n_outputs)
    hessian: np.ndarray  # (n_rows, n_outputs)
    weight: np.ndarray  # (n_rows,)

    @property
    def n_rows(self):
        return len(self.weight)

    def replace_table(self, **fields):
        return self._replace(table=self.table._replace(**fields))


def make_table(bins, n_bins, categorical=(), monotonic=None, groups=()):
    n_features = len(n_bins)
    is_categorical = np.zeros(n_features, np.uint8)
    is_categorical[list(categorical)] = 1
    monotonic = np.zeros(n_features, np.int8) if monotonic is None else np.array(monotonic, np.int8)
    return Table(
        bins=np.ascontiguousarray(bins, dtype=np.uint8),
        n_bins=np.array(n_bins, np.int32),
        offsets=np.concatenate([[0], np.cumsum(np.asarray(n_bins) + 1)]).astype(np.int64),
        active=np.arange(n_features, dtype=np.int32),
        categorical=is_categorical,
        monotonic=monotonic,
        groups=np.array(groups, np.uint8).reshape(len(groups), n_features),
    )


def make_problem(
    rng, layout=(1, False, False), n_rows=60, n_features=3, n_codes=8, missing=0.2, signal=True, **table
) -> Problem:
    """Random codes; the gradients follow the codes, so that trees have something to find."""
    n_outputs, own_hessian, weighted = layout
    n_bins = rng.integers(2, n_codes + 1, n_features)
    bins = rng.integers(0, n_bins[:, None], (n_features, n_rows))
    bins = np.where(rng.random(bins.shape) < missing, n_bins[:, None], bins)
    weight = rng.choice([0.5, 1.0, 2.0, 3.0], n_rows) if weighted else np.ones(n_rows)
    gradient = rng.integers(-128, 129, (n_rows, n_outputs)) / 64.0
    if signal:
        effects = [rng.integers(-128, 129, (n + 1, n_outputs)) / 64.0 for n in n_bins]
        gradient = gradient + sum(effect[codes] for effect, codes in zip(effects, bins, strict=True))
    if own_hessian:
        hessian = rng.integers(1, 65, (n_rows, n_outputs)) / 16.0
    else:
        hessian = np.repeat(weight[:, None], n_outputs, axis=1)
    words = to_words(gradient, hessian if own_hessian else None, weight if weighted else None)
    return Problem(make_table(bins, n_bins, **table), words, gradient, hessian, weight)


def make_settings(**limits: Any) -> TreeSettings:
    defaults = {
        "max_leaf_nodes": 8,
        "max_depth": UNLIMITED,
        "min_weight": 1.0,
        "min_hessian": 1e-3,
        "l2": 1.0,
        "n_candidates": 100,
    }
    return TreeSettings(**{**defaults, **limits})


def histogram_of(problem, rows):
    """Histogram of some rows, and the sums of their words."""
    rows = np.asarray(rows, np.int32)
    n_channels = problem.words.words.shape[1]
    words = problem.words.words[rows]
    histograms = np.empty(problem.table.offsets[-1] * n_channels, np.int64)
    fill_histogram(problem.table, rows, 0, len(rows), words, histograms, 0)
    return histograms, words.sum(axis=0)


class Grown(NamedTuple):
    """A tree as the kernel leaves it: its nodes from `base` on, and the rows in the order of its leaves."""

    nodes: Nodes
    base: int
    count: int
    rows: np.ndarray

    @property
    def leaves(self):
        return [node for node in range(self.base, self.base + self.count) if self.nodes.left[node] == 0]

    def rows_of(self, node):
        return self.rows[self.nodes.start[node] : self.nodes.stop[node]]

    def row_sets(self):
        """Rows of every leaf, in an order of their own."""
        return sorted(tuple(self.rows_of(leaf).tolist()) for leaf in self.leaves)


def grow(problem, settings, rows=None, first=0, stop=None, base=0, n_slots=40, state=12345) -> Grown:
    from skmtl.boosting.kernels.grow import grow_tree

    rows = np.arange(problem.n_rows, dtype=np.int32) if rows is None else np.array(rows, np.int32)
    stop = len(rows) if stop is None else stop
    n_channels = problem.words.words.shape[1]
    nodes = empty_nodes(base + 2 * max(min(settings.max_leaf_nodes, stop - first), 1) - 1)
    size = int(problem.table.offsets[-1]) * n_channels
    count = grow_tree(
        problem.table,
        problem.words,
        settings,
        rows,
        first,
        stop,
        nodes,
        base,
        np.full(n_slots * size, 77, np.int64),  # leftovers of an earlier tree
        np.empty((max(stop - first, 1), n_channels), np.int64),
        np.empty(max(stop - first, 1), np.int32),
        state,
    )
    return Grown(nodes, base, count, rows)
