"""Codes of values, against searches in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.bin_codes import write_category_codes, write_codes, write_few_codes
from tests.boosting.kernels._cases import SEEDS, SMALL


def codes_of(values, cuts):
    codes = np.empty(len(values), np.uint8)
    write_codes(np.asarray(values, float), np.asarray(cuts, float), codes)
    return codes


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_cuts", [0, 1, 7, 254])
def test_codes_count_the_cuts_below(seed, n_cuts):
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.normal(size=n_cuts))
    values = np.concatenate([rng.normal(size=60 if SMALL else 500), cuts, [-np.inf, np.inf, 0.0, -0.0]])
    np.testing.assert_array_equal(codes_of(values, cuts), np.searchsorted(cuts, values, side="left"))


@pytest.mark.parametrize("unit", [1e-320, 1e-300, 1.0, 1e300])
@pytest.mark.parametrize("shape", ["even", "tailed", "far", "huge"])
def test_codes_count_the_cuts_below_however_these_are_spread(shape, unit):
    rng = np.random.default_rng(0)
    cuts = {
        "even": np.linspace(-1, 1, 100),
        "tailed": np.exp(3 * rng.normal(size=100)),
        "far": np.append(rng.random(9), 1e6),
        "huge": np.linspace(-1.7e8, 1.7e8, 100),  # with the largest unit, their range is infinite
    }[shape]
    cuts = np.unique(cuts * unit)
    values = np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), [-np.inf, np.inf, 0.0]])
    np.testing.assert_array_equal(codes_of(values, cuts), np.searchsorted(cuts, values, side="left"))


def test_nan_has_the_code_after_the_last_bin():
    assert codes_of([np.nan, 0.0, np.nan], [-1.0, 1.0]).tolist() == [3, 1, 3]
    assert codes_of([np.nan], np.arange(254.0)).tolist() == [255]


def test_categories_keep_their_index_and_others_are_missing():
    codes = np.empty(7, np.uint8)
    write_category_codes(np.array([0.0, 2.0, 3.0, -1.0, np.nan, 1.0, 1e9]), 3, codes)
    assert codes.tolist() == [0, 2, 3, 3, 3, 1, 3]
    codes = np.empty(255, np.uint8)
    write_category_codes(np.arange(255.0), 255, codes)
    assert codes.tolist() == list(range(255))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_few_rows_at_once_have_the_codes_of_one_feature_at_a_time(seed):
    rng = np.random.default_rng(seed)
    cuts = [np.unique(rng.normal(size=n).round(1)) for n in (0, 1, 5, 254)]
    n_categories = np.array([0, 0, 0, 0, 7])
    X = np.column_stack([*rng.normal(size=(4, 40)).round(1), rng.integers(-1, 9, 40)])
    X[rng.random(X.shape) < 0.2] = np.nan
    X[0, :4], X[1, :4] = np.inf, -np.inf
    codes, expected = np.empty((5, 40), np.uint8), np.empty((5, 40), np.uint8)
    pointers = np.cumsum([0, *map(len, cuts), 0])
    write_few_codes(X, np.concatenate(cuts), pointers, n_categories, codes)
    for f in range(4):
        write_codes(X[:, f].copy(), cuts[f], expected[f])
    write_category_codes(X[:, 4].copy(), 7, expected[4])
    np.testing.assert_array_equal(codes, expected)
