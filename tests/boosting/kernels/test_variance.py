"""Variance components beside the formulas in NumPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.boosting.kernels.variance import variance_ratio


def _ratio(residual, units, n_units, weight=None):
    pointers = np.searchsorted(units, np.arange(n_units + 1)).astype(np.int64)
    total = np.bincount(units, weights=weight, minlength=n_units).astype(float)
    mean = np.empty(n_units)
    ratio, overall = variance_ratio(residual, np.empty(0) if weight is None else weight, pointers, total, mean)
    return ratio, overall, mean


@pytest.mark.parametrize("weighted", [False, True])
def test_ratio_is_that_of_the_unbalanced_one_way_layout(weighted):
    rng = np.random.default_rng(0)
    units = np.sort(rng.integers(0, 8, 150))
    units[units == 5] = 6  # a unit without rows
    residual = rng.normal(size=8)[units] + rng.normal(size=150)
    weight = rng.integers(1, 4, 150).astype(float) if weighted else None
    ratio, overall, mean = _ratio(residual, units, 8, weight)
    w = np.ones(150) if weight is None else weight
    n, p = w.sum(), 7
    size = np.bincount(units, w, 8)
    means = np.bincount(units, w * residual, 8) / np.where(size > 0, size, 1)
    within = np.sum(w * (residual - means[units]) ** 2) / (n - p)
    between = np.sum(size * (means - np.average(residual, weights=w)) ** 2) / (p - 1)
    n0 = (n - np.sum(size**2) / n) / (p - 1)
    assert_allclose(mean, means)
    assert_allclose(overall, np.average(residual, weights=w))
    assert_allclose(ratio, within / ((between - within) / n0))


def test_weight_two_is_the_row_twice():
    rng = np.random.default_rng(1)
    units = np.repeat(np.arange(5), 10)
    residual = rng.normal(size=50) + units
    weight = rng.integers(1, 3, 50)
    often = np.repeat(np.arange(50), weight)
    assert_allclose(
        _ratio(residual, units, 5, weight.astype(float))[0], _ratio(residual[often], units[often], 5)[0], rtol=1e-12
    )


def test_no_difference_gives_a_large_ratio_and_no_information_an_infinite_one():
    rng = np.random.default_rng(2)
    units = np.repeat(np.arange(5), 100)
    noise = rng.normal(size=500)
    noise -= np.repeat(noise.reshape(5, 100).mean(axis=1), 100)
    assert _ratio(noise, units, 5)[0] >= 1e5
    assert _ratio(np.arange(5.0), np.arange(5), 5)[0] == np.inf
    assert _ratio(np.arange(5.0), np.zeros(5, int), 1)[0] == np.inf
    assert _ratio(np.zeros(10), np.repeat([0, 1], 5), 2)[0] == np.inf
