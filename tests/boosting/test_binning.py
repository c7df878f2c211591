"""The binner: columns of floats to rows of codes."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import _binning
from skmtl.boosting._binning import Binner


def fit(X, weight=None, max_bins=255, n_categories=None, n_threads=1):
    X = np.asarray(X, float)
    n_categories = np.zeros(X.shape[1], int) if n_categories is None else np.asarray(n_categories)
    return Binner(max_bins, n_categories, n_threads).fit(X, weight, np.random.default_rng(0))


def table(seed, n_rows=700):
    """Columns: continuous, rounded with missing values, one heavy value, constant, missing throughout."""
    rng = np.random.default_rng(seed)
    rounded = rng.normal(size=n_rows).round(1)
    rounded[rng.random(n_rows) < 0.2] = np.nan
    heavy = np.where(rng.random(n_rows) < 0.6, 0.0, rng.normal(size=n_rows))
    return np.column_stack([rng.normal(size=n_rows), rounded, heavy, np.ones(n_rows), np.full(n_rows, np.nan)])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("max_bins", [2, 16, 255])
def test_weight_two_is_the_row_twice(seed, max_bins):
    X = table(seed)
    weight = np.random.default_rng(seed).integers(1, 4, len(X))
    weighted = fit(X, weight.astype(float), max_bins)
    repeated = fit(np.repeat(X, weight, axis=0), None, max_bins)
    for ours, theirs in zip(weighted.cuts, repeated.cuts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("seed", range(5))
def test_equal_weights_and_the_order_of_rows_do_not_matter(seed):
    X = table(seed)
    expected = fit(X, max_bins=32).cuts
    order = np.random.default_rng(seed).permutation(len(X))
    for other in (fit(X, np.full(len(X), 0.3), 32), fit(X[order], max_bins=32), fit(np.asfortranarray(X), max_bins=32)):
        for ours, theirs in zip(other.cuts, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n_features", [1, 7, 8, 9, 31])
def test_features_do_not_know_of_each_other_whatever_the_layout(n_features):
    X = np.random.default_rng(0).normal(size=(300, 2 * n_features)).round(2)[:, ::2]
    layouts = X, np.ascontiguousarray(X), np.asfortranarray(X)
    for layout in layouts:
        binner = fit(layout, max_bins=40)
        codes = binner.transform(layout)
        for f in range(n_features):
            alone = fit(X[:, [f]], max_bins=40)
            np.testing.assert_array_equal(binner.cuts[f], alone.cuts[0])
            np.testing.assert_array_equal(codes[f], alone.transform(X[:, [f]])[0])


@pytest.mark.parametrize("seed", range(5))
def test_codes_keep_the_order_of_the_values_and_missing_comes_last(seed):
    X = table(seed)
    binner = fit(X, max_bins=32)
    codes = binner.transform(X)
    assert codes.shape == X.shape[::-1]
    assert codes.dtype == np.uint8
    for f, column in enumerate(X.T):
        missing = np.isnan(column)
        assert (codes[f, missing] == binner.n_bins[f]).all()
        assert (codes[f, ~missing] < binner.n_bins[f]).all()
        assert (np.diff(codes[f, ~missing][np.argsort(column[~missing], kind="stable")].astype(int)) >= 0).all()
    assert binner.n_bins[3:].tolist() == [1, 1]


def test_up_to_max_bins_distinct_values_get_a_code_each():
    X = np.arange(255.0)[:, None] ** 2
    assert fit(X).transform(X)[0].tolist() == list(range(255))
    binner = fit(np.arange(256.0)[:, None])
    assert binner.n_bins[0] == 255


def test_no_bin_of_a_column_with_a_heavy_value_stays_empty():
    X = table(0, 3000)[:, [2]]
    binner = fit(X, max_bins=64)
    counts = np.bincount(binner.transform(X)[0], minlength=64)
    assert (counts[:64] > 0).all()


def test_categories_are_codes_and_unknown_ones_are_missing():
    X = np.array([[0.0, 5.0], [1.0, 6.0], [np.nan, 7.0]])
    binner = fit(X, n_categories=[2, 0])
    assert binner.n_bins.tolist() == [2, 3]
    assert binner.transform(np.array([[1.0, 4.0], [np.nan, np.nan], [7.0, 6.0]])).tolist() == [[1, 2, 2], [0, 3, 1]]


def test_infinite_values_at_predict_fall_into_the_outer_bins():
    binner = fit(np.arange(10.0)[:, None])
    assert binner.transform(np.array([[-np.inf], [np.inf]]))[0].tolist() == [0, 9]


def test_threads_change_nothing():
    X = np.random.default_rng(0).normal(size=(100_000, 11))
    one, two = fit(X, n_threads=1), fit(X, n_threads=2)
    for ours, theirs in zip(one.cuts, two.cuts, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(one.transform(X), two.transform(X))


def test_many_rows_are_binned_by_a_sample_of_them(monkeypatch):
    monkeypatch.setattr(_binning, "_MAX_ROWS", 2000)
    X = np.random.default_rng(0).normal(size=(20_000, 1))
    counts = np.bincount(fit(X, np.ones(len(X)), 10).transform(X)[0])
    assert counts.sum() == len(X)
    assert counts.max() < 1.3 * counts.min()


def test_few_rows_have_the_codes_of_many():
    X = np.column_stack([table(0), np.arange(700) % 9])
    binner = fit(X, max_bins=32, n_categories=[0, 0, 0, 0, 0, 7])
    few = [binner.transform(X[begin : begin + 7]) for begin in range(0, 700, 7)]
    np.testing.assert_array_equal(np.concatenate(few, axis=1), binner.transform(X))
