"""Kernels that only kernels may call (see `skmtl._shared.jit`), wrapped so that a test can call them."""

from __future__ import annotations

import numpy as np
from numba import njit

from skmtl.boosting.kernels import (
    fixed_point,
    histogram,
    joint,
    leaves,
    partition,
    random,
    score,
    split,
    split_categorical,
    split_numeric,
    walk,
)
from skmtl.boosting.kernels.pack_sums import PACK_SUMS
from skmtl.boosting.kernels.split_numeric import SCAN_SCORES, SCAN_SUMS
from skmtl.boosting.kernels.types import CODE_WORDS

_fill_features, _split_features, _choose_split = histogram.fill_features, split.split_features, split.choose_split


def from_python(kernel):
    return njit(lambda *arguments: kernel(*arguments))


scale = from_python(fixed_point._scale)
subtract_codes = from_python(histogram.subtract_codes)
unit_runs = from_python(joint.unit_runs)
write_leaf_values = from_python(leaves.write_leaf_values)
newton_values = from_python(leaves.newton_values)
quantile_values = from_python(leaves.quantile_values)
goes_left = from_python(partition.goes_left)
partition_rows = from_python(partition.partition_rows)
next_state = from_python(random.next_state)
normal = from_python(random.normal)
sample_front = from_python(random.sample_front)
bounded_score = from_python(score.bounded_score)
bounded_value = from_python(score.bounded_value)
child_scores = from_python(score.child_scores)
free_score = from_python(score.free_score)
node_score = from_python(score.node_score)
output_gradient = from_python(score.output_gradient)
output_hessian = from_python(score.output_hessian)
row_weight = from_python(score.row_weight)
candidate_features = from_python(split.candidate_features)
best_subset = from_python(split_categorical.best_subset)
best_threshold = from_python(split_numeric.best_threshold)
half_way = from_python(split_numeric.half_way)
least_count = from_python(split_numeric.least_count)
threshold_by_counts = from_python(split_numeric.threshold_by_counts)
find_leaf = from_python(walk.find_leaf)


@njit
def fill_histogram(table, rows, start, stop, words, histograms, slot):
    """Fill the histogram in `slot` with the rows ``rows[start:stop]``, whose words are the first of `words`."""
    n_channels = words.shape[1]
    size = table.offsets[-1] * n_channels
    columns = table.columns if table.packs.shape[0] > 0 else table.active
    sums = np.empty(PACK_SUMS * n_channels, np.int64)
    _fill_features(table, columns, 0, columns.shape[0], rows, start, stop, words, 0, histograms, slot * size, sums)


@njit
def find_split(table, data, settings, histograms, slot, total, nodes, node, candidates, state=1):
    """Find the node's best split over the candidates and write it to `nodes`; returns its gain, 0 where there is none.

    total : int64 (n_channels,), sums of the node
    """
    n_features, n_channels = table.n_bins.shape[0], total.shape[0]
    tried = np.zeros(n_features, np.uint8)
    for f in candidates:
        tried[f] = 1
    scores, cuts = np.empty(n_features), np.full((n_features, 2), -1)
    subsets = np.empty((n_features, CODE_WORDS), np.uint32)
    sums, found = np.empty(max(SCAN_SUMS, n_channels), np.int64), np.empty(SCAN_SCORES)
    base, lower, upper = slot * table.offsets[-1] * n_channels, nodes.lower[node], nodes.upper[node]
    _split_features(
        table, candidates, 0, candidates.shape[0], data, settings, histograms, base, total, lower, upper, tried, scores,
        cuts, subsets, sums, found, found.view(np.int64),
    )  # fmt: skip
    gain, _ = _choose_split(
        table, data, settings, histograms, base, total, nodes, node, tried, scores, cuts, subsets, sums, state
    )
    return gain
