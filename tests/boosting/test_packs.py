"""Packs change how features are summed, and no sum."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, _grower, _packs
from skmtl.boosting._packs import with_packs, without_packs
from tests.boosting.kernels._cases import LAYOUTS, grow, histogram_of, make_problem, make_settings


def one_hot_problem(rng, layout, n_rows=3000):
    """Two features of many codes, and the columns of three one-hot codes, one of them with missing values."""
    problem = make_problem(rng, layout, n_rows=n_rows, n_features=2, n_codes=200)
    bins, n_bins = list(problem.table.bins), problem.table.n_bins.tolist()
    for n in (2, 5, 7):
        value = rng.integers(0, n, n_rows)
        for code in range(n):
            bins.append((value == code).astype(np.uint8))
            n_bins.append(2)
    bins[-1][rng.random(n_rows) < 0.1] = 2  # missing
    n_features = len(bins)
    return problem.replace_table(
        bins=np.array(bins),
        n_bins=np.array(n_bins, np.int32),
        offsets=np.concatenate([[0], np.cumsum(np.array(n_bins) + 1)]),
        active=np.arange(n_features, dtype=np.int32),
        categorical=np.zeros(n_features, np.uint8),
        monotonic=np.zeros(n_features, np.int8),
        groups=np.zeros((0, n_features), np.uint8),
    )


@pytest.mark.parametrize(("most", "n_packs"), [(128, 1), (20, 2), (7, 3)])
@pytest.mark.parametrize("layout", LAYOUTS[:5])
def test_histograms_and_trees_are_the_same_to_the_last_bit(layout, most, n_packs, monkeypatch):
    monkeypatch.setattr(_packs, "_MOST_JOINT", most)
    plain = one_hot_problem(np.random.default_rng(0), layout)
    packed = plain._replace(table=with_packs(plain.table))
    assert len(packed.table.packs) == n_packs
    assert sorted(packed.table.columns.tolist()) == list(range(16))
    for n in (10, 300, 3000):
        rows = np.sort(np.random.default_rng(1).choice(3000, n, replace=False))
        for one, other in zip(histogram_of(plain, rows), histogram_of(packed, rows), strict=True):
            np.testing.assert_array_equal(one, other)
    for limits in ({}, {"n_candidates": 3}):
        settings = make_settings(max_leaf_nodes=20, **limits)
        one, other = grow(plain, settings), grow(packed, settings)
        assert one.count == other.count > 10
        np.testing.assert_array_equal(one.rows, other.rows)
        for name, mine, theirs in zip(one.nodes._fields, one.nodes, other.nodes, strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=name)


def test_each_code_of_a_pack_stands_for_the_codes_of_its_features():
    table = with_packs(one_hot_problem(np.random.default_rng(0), (1, False, False)).table)
    for f, pack in enumerate(table.pack_of):
        if pack >= 0:
            assert table.packs[pack].max() < table.pack_sizes[pack]
            value_of = np.full(table.pack_sizes[pack], table.pack_most[f])
            for value in range(table.n_bins[f] + 1):
                value_of[table.pack_order[f, table.pack_runs[f, value] : table.pack_runs[f, value + 1]]] = value
            np.testing.assert_array_equal(value_of[table.packs[pack]], table.bins[f])


def test_features_of_many_values_and_small_tables_are_not_packed():
    rng = np.random.default_rng(0)
    problem = make_problem(rng, n_rows=3000, n_features=3, n_codes=200)
    wide = problem.replace_table(n_bins=np.full(3, 200, np.int32))
    assert with_packs(wide.table) is wide.table
    small = one_hot_problem(rng, (1, False, False), n_rows=60).table
    assert with_packs(small) is small
    packed = with_packs(one_hot_problem(rng, (1, False, False)).table)
    assert len(without_packs(packed).packs) == 0


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_models_are_the_same_with_and_without_packs(cls, monkeypatch):
    rng = np.random.default_rng(0)
    value, tasks = rng.integers(0, 6, 2500), rng.integers(0, 4, 2500)
    X = np.column_stack([np.eye(6)[value], rng.normal(size=2500)])
    y = np.sin(value) + X[:, -1] * tasks + rng.normal(size=2500)
    y = y if cls is RMTGBRegressor else (y > 0).astype(int)
    rounds = {"shared": 4, "partition": 3, "specific": 3}
    nodes = []
    for packed in (True, False):
        if not packed:
            monkeypatch.setattr(_grower, "with_packs", lambda table: table)
        model = cls(schedule=rounds, early_stopping=False, subsample=0.8, random_state=0, n_jobs=2)
        nodes.append(model.fit(X, y, tasks=tasks)._fitted.forest.trees.nodes)
    for one, other in zip(*nodes, strict=True):
        np.testing.assert_array_equal(one, other)
