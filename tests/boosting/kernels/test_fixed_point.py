"""Integers in place of floats: exact sums that fit, whatever the magnitude and the order."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from skmtl.boosting.kernels.fixed_point import _SUM_BITS, to_unit_words, to_words
from tests.boosting.kernels._cases import LAYOUTS, SEEDS, SMALL
from tests.boosting.kernels._from_python import output_gradient, output_hessian, row_weight, scale

MAGNITUDES = [1e-300, 1e-280, 1e-30, 1e-3, 0.75, 1.0, 3.0, 1e6, 1e30, 1e300]


def random_statistics(rng, layout, n_rows, magnitude=1.0):
    n_outputs, own_hessian, weighted = layout
    gradient = rng.normal(size=(n_rows, n_outputs)) * magnitude
    hessian = rng.exponential(size=(n_rows, n_outputs)) * magnitude if own_hessian else None
    weight = rng.exponential(size=n_rows) * magnitude if weighted else None
    return gradient, hessian, weight


def summed(data):
    return data.words.sum(axis=0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_sums_come_back_as_the_sums_of_the_floats(layout, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    gradient, hessian, weight = random_statistics(rng, layout, n)
    data = to_words(gradient, hessian, weight)
    sums = summed(data)
    assert sums[0] & ((1 << data.shift) - 1) == n
    expected_weight = n if weight is None else math.fsum(weight)
    assert row_weight(sums, data) == pytest.approx(expected_weight, rel=1e-14)
    for k in range(layout[0]):
        assert output_gradient(sums, k, data) == pytest.approx(math.fsum(gradient[:, k]), abs=1e-10)
        expected = expected_weight if hessian is None else math.fsum(hessian[:, k])
        assert output_hessian(sums, k, data) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
@pytest.mark.parametrize("layout", [(1, False, False), (1, True, True), (3, True, True)])
def test_extreme_magnitudes_neither_overflow_nor_vanish(layout, magnitude):
    rng = np.random.default_rng(0)
    n = 300 if SMALL else 3000
    gradient, hessian, weight = random_statistics(rng, layout, n, magnitude)
    data = to_words(gradient, hessian, weight)
    sums = summed(data)
    # NumPy's own sum of integers would wrap silently; Python's do not.
    assert sums.tolist() == [sum(column) for column in data.words.T.tolist()]
    # Close to the smallest floats there is no scale that keeps all digits.
    if magnitude < 1e-290:
        return
    for k in range(layout[0]):
        assert output_gradient(sums, k, data) / magnitude == pytest.approx(
            math.fsum(gradient[:, k] / magnitude), abs=n * 1e-9
        )
    if weight is not None:
        assert row_weight(sums, data) / magnitude == pytest.approx(math.fsum(weight / magnitude), rel=1e-12)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 1000, 2**20 - 1, 2**20, 2**20 + 1])
@pytest.mark.parametrize("largest", [*MAGNITUDES, 2.0**-1000, 2.0**1000, np.nextafter(1.0, 2.0), 5e-324, 1.7e308])
def test_a_sum_of_the_largest_values_fits_by_bound(n_rows, largest):
    shift = n_rows.bit_length()
    for bits in (_SUM_BITS, _SUM_BITS - shift):
        found = float(scale(largest, n_rows, bits))
        assert 0 < found < np.inf
        assert 0 < 1.0 / found < np.inf
        assert math.frexp(found)[0] == 0.5  # a power of two: scaling loses nothing
        assert Fraction(largest) * Fraction(found) * n_rows <= 2**bits
        # Nor is room wasted: two bits at most. Where the scale itself has an end, so has the precision.
        if 1e-290 < largest < 1e300:
            assert Fraction(largest) * Fraction(found) * n_rows > 2 ** (bits - 2)
    # The packed channel: all gradients at the bound, their rounding, and the count.
    packed = (int(largest * float(scale(largest, n_rows, _SUM_BITS - shift))) + 1) * n_rows
    assert (packed << shift) + n_rows < 2**63


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_all_rows_at_the_bound_do_not_overflow(sign):
    n = 1000 if SMALL else 100_000
    gradient = np.full((n, 1), sign * 0.1)
    data = to_words(gradient, np.full((n, 1), 0.7), np.full(n, 0.3))
    sums = summed(data)
    assert sums.tolist() == [sum(column) for column in data.words.T.tolist()]
    assert output_gradient(sums, 0, data) == pytest.approx(sign * 0.1 * n, abs=n * data.gradient_unit)
    assert output_hessian(sums, 0, data) == pytest.approx(0.7 * n, rel=1e-12)
    assert row_weight(sums, data) == pytest.approx(0.3 * n, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    statistics = random_statistics(rng, (2, True, True), 200)
    expected = summed(to_words(*statistics))
    order = rng.permutation(200)
    data = to_words(*(np.ascontiguousarray(part[order]) for part in statistics))
    np.testing.assert_array_equal(summed(data), expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_row_unpacks_to_its_own_values(layout):
    rng = np.random.default_rng(0)
    gradient, hessian, weight = random_statistics(rng, layout, 50)
    gradient[:5] = 0.0  # a zero gradient still counts
    data = to_words(gradient, hessian, weight)
    for i, words in enumerate(data.words):
        assert words[0] & ((1 << data.shift) - 1) == 1
        for k in range(layout[0]):
            assert output_gradient(words, k, data) == pytest.approx(gradient[i, k], abs=data.gradient_unit / 2)
            if hessian is not None:
                assert output_hessian(words, k, data) == pytest.approx(hessian[i, k], abs=data.hessian_unit / 2)
        assert row_weight(words, data) == pytest.approx(1.0 if weight is None else weight[i], abs=data.weight_unit / 2)


def test_statistics_of_zero_stay_zero():
    data = to_words(np.zeros((4, 2)), np.zeros((4, 2)), None)
    sums = summed(data)
    assert [output_gradient(sums, k, data) for k in range(2)] == [0.0, 0.0]
    assert [output_hessian(sums, k, data) for k in range(2)] == [0.0, 0.0]
    assert row_weight(sums, data) == 4.0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_units_have_scales_of_their_own(layout):
    """Each unit's words are those that it would have alone, but for the room of the count."""
    rng = np.random.default_rng(0)
    pointers = np.array([0, 20, 20, 21, 50])
    gradient, hessian, weight = random_statistics(rng, layout, 50)
    size = np.repeat([1.0, 1e60, 1e-60], [20, 1, 29])
    gradient *= size[:, None]
    hessian = None if hessian is None else hessian * size[:, None]
    data = to_unit_words(gradient, hessian, weight, pointers)
    for u, (begin, end) in enumerate(pairwise(pointers)):
        own = data._replace(
            words=data.words[begin:end],
            gradient_unit=data.gradient_unit[u],
            hessian_unit=data.hessian_unit[u],
            weight_unit=data.weight_unit[u],
        )
        sums = summed(own)
        assert sums[0] & ((1 << data.shift) - 1) == end - begin
        for k in range(layout[0]):
            largest = np.abs(gradient[begin:end]).max(initial=1e-300)
            assert output_gradient(sums, k, own) / largest == pytest.approx(
                math.fsum(gradient[begin:end, k] / largest), abs=1e-10
            )
            if hessian is not None:
                assert output_hessian(sums, k, own) == pytest.approx(math.fsum(hessian[begin:end, k]), rel=1e-12)
