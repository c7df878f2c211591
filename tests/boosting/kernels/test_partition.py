"""Sending rows left and right."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.types import CODE_WORDS, empty_nodes
from tests.boosting.kernels._cases import SEEDS, make_problem
from tests.boosting.kernels._from_python import goes_left, partition_rows


def random_split(rng, problem, categorical):
    nodes = empty_nodes(1)
    f = int(rng.integers(0, 3))
    nodes.feature[0] = f
    nodes.threshold[0] = rng.integers(0, problem.table.n_bins[f])
    nodes.missing_left[0] = rng.integers(0, 2)
    nodes.categorical[0] = categorical
    nodes.left_codes[0] = rng.integers(0, 2**32, CODE_WORDS, dtype=np.uint64).astype(np.uint32)
    return nodes


def naive_left(problem, nodes):
    """For every row of the table, whether it goes left."""
    f = nodes.feature[0]
    codes = problem.table.bins[f].astype(int)
    if nodes.categorical[0]:
        return np.array([(int(nodes.left_codes[0, code // 32]) >> code % 32) & 1 == 1 for code in codes])
    return np.where(codes == problem.table.n_bins[f], nodes.missing_left[0] == 1, codes <= nodes.threshold[0])


@pytest.mark.parametrize("categorical", [0, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_keeps_the_order_inside_each_child_and_touches_no_other_row(categorical, seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, n_codes=200)
    for _ in range(5):
        nodes = random_split(rng, problem, categorical)
        rows = rng.permutation(60).astype(np.int32)
        before = rows.copy()
        start, stop = np.sort(rng.choice(61, 2, replace=False))
        nodes.start[0], nodes.stop[0] = start, stop
        middle = partition_rows(problem.table, nodes, 0, rows, np.empty(60, np.int32), np.empty(256, np.uint8))
        mine = before[start:stop]
        left = naive_left(problem, nodes)[mine]
        assert middle == start + left.sum()
        np.testing.assert_array_equal(rows[start:middle], mine[left])
        np.testing.assert_array_equal(rows[middle:stop], mine[~left])
        np.testing.assert_array_equal(rows[:start], before[:start])
        np.testing.assert_array_equal(rows[stop:], before[stop:])


@pytest.mark.parametrize("categorical", [0, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_goes_left_agrees_with_partition(categorical, seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, n_codes=200)
    nodes = random_split(rng, problem, categorical)
    f = nodes.feature[0]
    n_bins = problem.table.n_bins[f]
    got = [
        goes_left(code, n_bins, nodes.threshold[0], nodes.missing_left[0], categorical, nodes.left_codes[0])
        for code in problem.table.bins[f]
    ]
    np.testing.assert_array_equal(got, naive_left(problem, nodes))


@pytest.mark.parametrize("missing_left", [0, 1])
def test_all_rows_may_go_one_way(missing_left):
    problem = make_problem(np.random.default_rng(0), missing=1.0)
    nodes = empty_nodes(1)
    nodes.feature[0], nodes.missing_left[0], nodes.stop[0] = 1, missing_left, 60
    rows = np.arange(60, dtype=np.int32)
    assert (
        partition_rows(problem.table, nodes, 0, rows, np.empty(60, np.int32), np.empty(256, np.uint8))
        == 60 * missing_left
    )
    np.testing.assert_array_equal(rows, np.arange(60))
