"""Sorting, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.sort_values import sort_values
from tests.boosting.kernels._cases import SEEDS, SMALL

N = 40 if SMALL else 3000
NONE = np.empty(0)


def sort(values):
    ordered = np.full(len(values), np.nan)
    return ordered[: sort_values(np.asarray(values, float), NONE, ordered, NONE)]


CASES = {
    "none": lambda rng: [],
    "one": lambda rng: [3.0],
    "normal": lambda rng: rng.normal(size=N),
    "all magnitudes": lambda rng: rng.normal(size=N) * 10.0 ** rng.integers(-320, 300, N),
    "whole numbers": lambda rng: rng.integers(-9, 9, N),
    "zeros and ones": lambda rng: rng.integers(0, 2, N),
    "equal": lambda rng: np.full(N, 7.0),
    "descending": lambda rng: -np.arange(N),
    # The upper half of their bits is the same: insertion alone would take quadratic time.
    "seconds since 1970": lambda rng: 1.7e9 + rng.random(N),
    "neighbouring floats": lambda rng: 1.0 + rng.permutation(N) * 2.0**-52,
    "a few neighbouring floats": lambda rng: np.where(rng.random(N) < 0.1, 1.0 + rng.random(N) * 1e-9, rng.random(N)),
    "infinite": lambda rng: rng.choice([-np.inf, np.inf, 0.0, 1.0, -1.0, 5e-324, -5e-324], N),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES)
def test_values_are_in_the_order_of_numpy(case, seed):
    values = np.asarray(CASES[case](np.random.default_rng(seed)), float)
    np.testing.assert_array_equal(sort(values), np.sort(values))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("case", CASES)
def test_weights_come_along_those_of_equal_values_in_their_order(case, missing, seed):
    rng = np.random.default_rng(seed)
    values = np.asarray(CASES[case](rng), float) + 0.0  # NumPy's order does not tell the zeros apart
    values[rng.random(len(values)) < missing] = np.nan
    weights, ordered, ordered_weights = rng.random(len(values)), np.empty(len(values)), np.empty(len(values))
    n = sort_values(values, weights, ordered, ordered_weights)
    order = np.argsort(values, kind="stable")[:n]
    assert n == np.sum(~np.isnan(values))
    np.testing.assert_array_equal(ordered[:n], values[order])
    np.testing.assert_array_equal(ordered_weights[:n], weights[order])


@pytest.mark.parametrize("seed", SEEDS)
def test_missing_values_are_left_out(seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(N) < 0.3, np.copysign(np.nan, rng.normal(size=N)), rng.normal(size=N))
    np.testing.assert_array_equal(sort(values), np.sort(values)[: np.sum(~np.isnan(values))])
    assert sort(np.full(5, np.nan)).size == 0


def test_both_zeros_are_kept():
    ordered = sort([0.0, -0.0, 1.0, -1.0, -0.0])
    assert ordered.tolist() == [-1.0, 0.0, 0.0, 0.0, 1.0]
    assert np.signbit(ordered).sum() == 3
