"""The weighted quantile, against NumPy's and against repeated values."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl._quantile import quantile_of, weighted_quantile
from tests.boosting.kernels._from_python import from_python

LEVELS = [0.0, 0.05, 0.1, 0.25, 1 / 3, 0.5, 0.6, 0.7, 0.9, 1.0]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("q", LEVELS)
def test_without_weights_it_is_numpys(seed, q):
    rng = np.random.default_rng(seed)
    for n in (1, 2, 3, 10, 20, 31):
        for values in (rng.normal(size=n), rng.integers(0, 4, n).astype(float)):
            expected = np.quantile(values, q, method="averaged_inverted_cdf")
            assert weighted_quantile(values, np.ones(n), q) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("q", LEVELS)
def test_a_weight_is_so_many_copies(seed, q):
    rng = np.random.default_rng(seed)
    values, weight = rng.normal(size=12).round(1), rng.integers(0, 4, 12)
    weight[0] = 1
    copies = np.repeat(values, weight)
    expected = weighted_quantile(copies, np.ones(len(copies)), q)
    assert weighted_quantile(values, weight.astype(float), q) == expected
    # Nor does the unit of the weights matter, even where rounding touches the sums.
    for unit in (0.1, 1 / 3, 1e-7, 1e7):
        assert weighted_quantile(values, weight * unit, q) == expected


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_values_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    values, weight = rng.normal(size=25).round(1), rng.choice([0.5, 1.0, 2.0], 25)
    order = rng.permutation(25)
    for q in LEVELS:
        assert weighted_quantile(values[order], weight[order], q) == weighted_quantile(values, weight, q)


def test_no_weight_at_all_gives_zero():
    assert weighted_quantile(np.array([3.0, 4.0]), np.zeros(2), 0.5) == 0.0
    assert weighted_quantile(np.empty(0), np.empty(0), 0.5) == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_the_kernel_finds_the_same(seed):
    kernel = from_python(quantile_of)
    rng = np.random.default_rng(seed)
    for n in (1, 2, 9, 40):
        values, weight = rng.normal(size=n).round(1), rng.choice([0.0, 0.3, 1.0, 2.0], n)
        for q in LEVELS:
            assert kernel(values, weight, q) == weighted_quantile(values, weight, q)
