"""One tree per unit in one call, against one call per unit with codes ranked in plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.boosting.kernels._cases import LAYOUTS, SEEDS, SMALL, grow, make_problem, make_settings, make_table
from tests.boosting.kernels._from_python import goes_left
from tests.boosting.kernels._units import POINTERS, SIZES, assert_equal_trees, compact, grow_small, grow_units, make


def ranked(problem, begin, end):
    """The problem with the codes of some rows by rank, and for each feature the codes in use."""
    table = problem.table
    bins, used = np.zeros_like(table.bins), []
    for f, column in enumerate(table.bins):
        mine = column[begin:end]
        present = np.unique(mine[mine < table.n_bins[f]])
        bins[f, begin:end] = np.where(mine == table.n_bins[f], len(present), np.searchsorted(present, mine))
        used.append(present.astype(int))
    other = make_table(
        bins, [len(present) for present in used], np.flatnonzero(table.categorical), table.monotonic, table.groups
    )
    return problem._replace(table=other), used


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_codes", [3, 12, 255])
def test_codes_are_ranks_among_the_codes_of_the_unit(seed, n_codes):
    problem = make(seed, n_codes=n_codes, missing=0.3)
    local_bins, local_n_bins, map_pointers, local_map = compact(problem, POINTERS)
    for u, (begin, end) in enumerate(pairwise(POINTERS)):
        expected, used = ranked(problem, begin, end)
        np.testing.assert_array_equal(local_bins[:, begin:end], expected.table.bins[:, begin:end])
        for f, present in enumerate(used):
            assert local_n_bins[u, f] == len(present)
            a, b = map_pointers[u * 4 + f : u * 4 + f + 2]
            # Halfway to the next code; after the last one come missing values alone.
            cuts = np.append((present[:-1] + present[1:]) // 2, problem.table.n_bins[f] - 1)
            np.testing.assert_array_equal(local_map[a:b], cuts[: len(present)])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("least", [1, 3, 8])
def test_where_codes_are_many_neighbours_share_one(seed, least):
    problem = make(seed, n_codes=255, missing=0.1, categorical=[1])
    bins, n_bins = problem.table.bins, problem.table.n_bins
    local_bins, local_n_bins, map_pointers, local_map = compact(problem, POINTERS, least)
    own = compact(problem, POINTERS)
    shared = False
    for u, (begin, end) in enumerate(pairwise(POINTERS)):
        for f in range(4):
            n, kept = own[1][u, f], local_n_bins[u, f]
            assert kept == (n if f == 1 else min(n, max(least, -(-n // 3))))
            old, new, codes = own[0][f, begin:end], local_bins[f, begin:end], bins[f, begin:end]
            assert (new[old == n] == kept).all()
            members = np.array([len(np.unique(old[new == code])) for code in range(kept)], int)
            if n > 0:
                assert members.min() >= n // kept and members.max() <= -(-n // kept)
            shared |= kept < n
            thresholds = local_map[map_pointers[u * 4 + f] : map_pointers[u * 4 + f + 1]]
            assert len(thresholds) == kept
            for code, threshold in enumerate(thresholds if f != 1 else ()):
                known = codes < n_bins[f]
                np.testing.assert_array_equal(new[known] <= code, codes[known] <= threshold)
    assert shared


def test_rows_that_come_twice_leave_the_codes_of_the_unit_as_they_are():
    problem = make(0, n_codes=255)
    times = np.random.default_rng(0).integers(1, 4, sum(SIZES))
    twice = problem._replace(table=problem.table._replace(bins=np.repeat(problem.table.bins, times, axis=1)))
    pointers = np.concatenate([[0], np.cumsum(times)])[POINTERS]
    once, more = compact(problem, POINTERS, 4), compact(twice, pointers, 4)
    np.testing.assert_array_equal(more[0], np.repeat(once[0], times, axis=1))
    np.testing.assert_array_equal(more[1], once[1])
    np.testing.assert_array_equal(more[3][: more[2][-1]], once[3][: once[2][-1]])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kernel", [grow_units, grow_small])
def test_thresholds_of_the_table_send_rows_where_those_of_the_unit_did(seed, kernel):
    problem = make(seed, n_codes=255)
    trees = kernel(problem, make_settings(), np.arange(sum(SIZES)), POINTERS, least=4)
    nodes, table = trees.nodes, problem.table
    for base, count in zip(trees.bases, trees.counts, strict=True):
        for node in range(base, base + count):
            if nodes.left[node] == 0:
                continue
            left = base + nodes.left[node]
            rows = np.sort(trees.rows[nodes.start[node] : nodes.stop[node]])
            codes, f = table.bins[nodes.feature[node], rows], nodes.feature[node]
            goes = (codes <= nodes.threshold[node]) | ((codes == table.n_bins[f]) & (nodes.missing_left[node] == 1))
            np.testing.assert_array_equal(rows[goes], np.sort(trees.rows[nodes.start[left] : nodes.stop[left]]))


def test_a_unit_with_all_codes_keeps_them():
    problem = make_problem(np.random.default_rng(0), n_rows=256, n_features=1)
    table = problem.table._replace(
        bins=np.arange(256, dtype=np.uint8)[None, ::-1].copy(), n_bins=np.array([255], np.int32)
    )
    local_bins, local_n_bins, map_pointers, local_map = compact(problem._replace(table=table), np.array([0, 256]))
    np.testing.assert_array_equal(local_bins, table.bins)
    assert (local_n_bins[0, 0], map_pointers.tolist()) == (255, [0, 255])
    np.testing.assert_array_equal(local_map[:255], np.arange(255))  # halfway to the next one, rounded down


def left_of(problem, nodes, node, codes):
    f = nodes.feature[node]
    split = nodes.threshold[node], nodes.missing_left[node], nodes.categorical[node], nodes.left_codes[node]
    return [bool(goes_left(code, problem.table.n_bins[f], *split)) for code in codes]


def check_unit(problem, settings, trees, u, begin, end, chosen):
    """The tree of unit u equals the one grown on its own rows by rank, its splits translated to the table's codes."""
    local, used = ranked(problem, begin, end)
    alone = grow(local, settings, chosen, state=u + 1)
    base, nodes = trees.bases[u], trees.nodes
    assert trees.counts[u] == alone.count
    mine = slice(base, base + alone.count)
    for name in ("feature", "left", "gain", "weight", "depth", "categorical", "lower", "upper"):
        np.testing.assert_array_equal(getattr(nodes, name)[mine], getattr(alone.nodes, name)[: alone.count])
    for node in range(alone.count):
        if alone.nodes.left[node] == 0:
            continue
        f = alone.nodes.feature[node]
        missing = int(problem.table.n_bins[f])
        missing_left = bool(alone.nodes.missing_left[node])
        codes = used[f]
        expected = dict(zip(codes, left_of(local, alone.nodes, node, range(len(codes))), strict=True))
        expected[missing] = missing_left
        if alone.nodes.categorical[node]:
            # Categories that the unit does not have go with its missing values.
            expected = {code: expected.get(code, missing_left) for code in range(256)}
        else:
            lows, highs = [c for c in codes if expected[c]], [c for c in codes if not expected[c]]
            cut = (max(lows) + min(highs)) // 2 if highs else missing - 1
            assert nodes.threshold[base + node] == cut
            expected.update({code: code <= cut for code in range(missing)})
        assert left_of(problem, nodes, base + node, expected) == list(expected.values())


@pytest.mark.parametrize("layout", LAYOUTS[:6])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("categorical", [[], [0, 2]])
def test_equals_a_tree_per_unit_on_its_own_rows(layout, seed, categorical):
    problem = make(seed, layout, n_codes=60 if seed % 2 else 6, categorical=categorical)
    settings = make_settings(l2=0.5, min_weight=2.0)
    trees = grow_units(problem, settings, np.arange(sum(SIZES)), POINTERS)
    assert trees.counts.max() > 1
    for u, (begin, end) in enumerate(pairwise(POINTERS)):
        assert sorted(trees.rows[begin:end]) == list(range(begin, end))
        check_unit(problem, settings, trees, u, begin, end, np.arange(begin, end))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limits", [{}, {"n_candidates": 2}, {"max_depth": 2, "l2": 0.0}])
def test_some_of_the_rows_leave_the_ranks_as_they_are(seed, limits):
    rng = np.random.default_rng(100 + seed)
    problem = make(seed, categorical=[1], monotonic=[1, 0, 0, -1], groups=[[1, 1, 0, 0], [0, 1, 1, 1]])
    chosen = np.sort(rng.choice(sum(SIZES), 45, replace=False))
    row_pointers = np.searchsorted(chosen, POINTERS).astype(np.int64)
    settings = make_settings(**limits)
    trees = grow_units(problem, settings, chosen, row_pointers)
    for u, (begin, end) in enumerate(pairwise(POINTERS)):
        check_unit(problem, settings, trees, u, begin, end, chosen[row_pointers[u] : row_pointers[u + 1]])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_way_units_are_dealt_to_calls_and_memory_do_not_matter(seed):
    problem = make(seed)
    rows = np.arange(sum(SIZES))
    expected = grow_units(problem, make_settings(), rows, POINTERS)
    for other in (
        grow_units(problem, make_settings(), rows, POINTERS, unit_range=[(4, 6), (0, 3), (3, 4)]),
        grow_units(problem, make_settings(), rows, POINTERS, n_slots=3),
    ):
        assert_equal_trees(other, expected)


def test_a_feature_that_a_unit_lacks_is_not_split():
    problem = make(0)
    bins = problem.table.bins.copy()
    bins[0] = problem.table.n_bins[0]  # missing throughout
    bins[1] = 1
    problem = problem.replace_table(bins=bins)
    trees = grow_units(problem, make_settings(), np.arange(sum(SIZES)), POINTERS)
    features = trees.nodes.feature[trees.nodes.left > 0]
    assert features.size > (0 if SMALL else 3)
    assert set(features.tolist()) <= {2, 3}


@pytest.mark.parametrize("size", [1e6, 2.0**60, 2.0**400])
def test_huge_gradients_of_a_unit_leave_the_other_trees_as_they_are(size):
    problem = make(0)
    rows = np.arange(sum(SIZES))
    expected = grow_units(problem, make_settings(), rows, POINTERS)
    problem.gradient[POINTERS[3] : POINTERS[4]] *= size
    trees = grow_units(problem, make_settings(), rows, POINTERS)
    np.testing.assert_array_equal(trees.rows[: POINTERS[3]], expected.rows[: POINTERS[3]])
    np.testing.assert_array_equal(trees.rows[POINTERS[4] :], expected.rows[POINTERS[4] :])
    others = np.array([0, 1, 2, 4, 5])
    np.testing.assert_array_equal(trees.counts[others], expected.counts[others])
    for u in others:
        mine = slice(trees.bases[u], trees.bases[u] + trees.counts[u])
        np.testing.assert_array_equal(trees.nodes.gain[mine], expected.nodes.gain[mine])
        np.testing.assert_array_equal(trees.nodes.threshold[mine], expected.nodes.threshold[mine])
