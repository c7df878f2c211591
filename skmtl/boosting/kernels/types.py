"""The records that kernels take: named tuples of arrays and scalars, built once in Python and read by every kernel."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

#: Unsigned 32-bit words that hold one bit per bin code (0 to 255).
CODE_WORDS = 8


class Table(NamedTuple):
    """Binned features of all rows, one feature after the other in memory.

    A code below ``n_bins[f]`` is a bin (or a category) of feature ``f``; the code ``n_bins[f]`` says "missing".
    """

    bins: Any  # uint8 (n_features, n_rows)
    n_bins: Any  # int32 (n_features,), bins without the one for missing values
    offsets: Any  # int64 (n_features + 1,), where each feature begins in a histogram
    active: Any  # int32 (n_active,), features with at least two codes
    categorical: Any  # uint8 (n_features,), 1 where codes have no order
    monotonic: Any  # int8 (n_features,), -1, 0 or 1
    groups: Any  # uint8 (n_groups, n_features), the features that may meet on a path; no groups: no constraint
    n_own: int = 2**31 - 1  # features from here on are those of the row's task
    # Read if there are task features:
    task_of_row: Any = np.empty(0, np.int64)  # int64 (n_rows,), ascending
    task_stops: Any = np.empty(0, np.uint32)  # uint32 (n_tasks or more,), where the rows of each task end
    task_places: Any = np.empty((1, 0), np.int32)  # int32 (n_tasks or more, n_features - n_own), codes in a histogram
    # Features that together take few values, see `pack_features`: a pack is one column in their stead.
    columns: Any = np.empty(0, np.int32)  # int32 (n_active,), `active` with packs in one piece; read if there are any
    packs: Any = np.empty((0, 0), np.uint8)  # uint8 (n_packs, n_rows)
    pack_sizes: Any = np.empty(0, np.int64)  # int64 (n_packs,), codes of each pack
    pack_costs: Any = np.empty(0, np.int64)  # int64 (n_packs,), additions to hand out its sums
    pack_of: Any = np.empty(0, np.int64)  # int64 (n_features,), the feature's pack or -1; read if there are packs
    # For each feature of a pack the pack's codes that stand for a value, one value after the other, without the value
    # that most of them stand for.
    pack_order: Any = np.empty((0, 256), np.uint8)  # uint8 (n_features, 256)
    pack_runs: Any = np.empty((0, 256), np.uint8)  # uint8 (n_features, 256), where the codes of each value begin
    pack_most: Any = np.empty(0, np.int64)  # int64 (n_features,), the value left out


class Words(NamedTuple):
    """Fixed-point gradients, Hessians and weights of all rows, one row of integers per row of the table.

    Channel 0 packs the first gradient (high bits) and a count of 1 (low ``shift`` bits); then come the other
    gradients, then the Hessians (if they differ from the weights), then the weight (if there are weights).
    """

    words: Any  # int64 (n_rows, n_channels)
    shift: int  # number of low bits of channel 0 that count rows
    gradient_unit: Any  # float, what one unit of a gradient channel stands for; or float64 (n_units,)
    hessian_unit: Any
    weight_unit: Any
    n_outputs: int
    own_hessian: bool  # False: the Hessian of a row is its weight
    weighted: bool  # False: the weight of a row is 1


class TreeSettings(NamedTuple):
    """Limits of one tree."""

    max_leaf_nodes: int
    max_depth: int
    min_weight: float  # least sum of weights in a leaf
    min_hessian: float  # least sum of Hessians in a leaf
    l2: float  # added to the sum of Hessians
    n_candidates: int  # features looked at per node
    noise: float = 0.0  # standard deviation of what is added to the score of each feature's best split


class Scratch(NamedTuple):
    """Memory that growing a tree needs beside its nodes; all threads that grow the tree see it.

    Of the two nodes that a step looks at, number 0 is the one whose rows are summed, number 1 its sibling.
    """

    histograms: Any  # int64, room for three histograms or more
    gathered: Any  # int64 (n_rows, n_channels), words of rows that are summed, where the rows are
    moved_rows: Any  # int32 (n_rows,)
    sums: Any  # int64 (n_nodes, n_channels), of each node
    tried: Any  # uint8 (2, n_features), features that each of the two nodes may split on
    scores: Any  # float64 (2, n_features), the best of each feature
    cuts: Any  # int64 (2, n_features, 2), threshold (or 0 for a subset; -1: no split) and side of missing values
    subsets: Any  # uint32 (2, n_features, CODE_WORDS), categories that go left
    totals: Any  # int64 (n_chunks, n_channels or more), what each chunk of rows adds up to, or how many go left
    control: Any  # int64, what the threads agree through, see `team`
    numbers: Any  # float64, numbers of the tree, see `publish`
    # Of each thread:
    sides: Any  # uint8 (n_threads, 256), whether a code goes left
    pack_sums: Any  # int64 (n_threads, PACK_SUMS * n_channels), sums by the codes of a pack
    scan_sums: Any  # int64 (n_threads, SCAN_SUMS or n_channels), see `best_threshold`
    scan_scores: Any  # float64 (n_threads, SCAN_SCORES)
    scan_words: Any  # int64 (n_threads, SCAN_SCORES), the same memory


class Nodes(NamedTuple):
    """Nodes of one or several trees. Indices of children are relative to the root of their tree."""

    feature: Any  # int32, -1 in a leaf
    threshold: Any  # int32, codes up to this one go left
    left: Any  # int32, the left child; the right child follows it; 0 in a leaf
    missing_left: Any  # uint8
    categorical: Any  # uint8, 1: `left_codes` decides instead of `threshold`
    left_codes: Any  # uint32 (n_nodes, CODE_WORDS)
    gain: Any  # float64, fall of the (second-order) loss by the split; 0 in a leaf
    weight: Any  # float64, sum of weights of the rows
    start: Any  # int64, the rows of a node are rows[start:stop]
    stop: Any  # int64
    depth: Any  # int32
    lower: Any  # float64, bounds on the values below a node (monotonic constraints)
    upper: Any  # float64


def empty_nodes(n_nodes: int) -> Nodes:
    """Room for `n_nodes` nodes."""
    return Nodes(
        feature=np.full(n_nodes, -1, np.int32),
        threshold=np.zeros(n_nodes, np.int32),
        left=np.zeros(n_nodes, np.int32),
        missing_left=np.zeros(n_nodes, np.uint8),
        categorical=np.zeros(n_nodes, np.uint8),
        left_codes=np.zeros((n_nodes, CODE_WORDS), np.uint32),
        gain=np.zeros(n_nodes),
        weight=np.zeros(n_nodes),
        start=np.zeros(n_nodes, np.int64),
        stop=np.zeros(n_nodes, np.int64),
        depth=np.zeros(n_nodes, np.int32),
        lower=np.full(n_nodes, -np.inf),
        upper=np.full(n_nodes, np.inf),
    )
