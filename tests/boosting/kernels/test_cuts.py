"""Cut points, against counts in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.cuts import equal_count_cuts, equal_weight_cuts, few_value_cuts
from tests.boosting.kernels._cases import SEEDS


def find_cuts(values, weights, max_bins):
    cuts = np.full(max_bins, np.nan)
    n_cuts = equal_weight_cuts(np.asarray(values, float), np.asarray(weights, float), max_bins, cuts)
    assert n_cuts <= max_bins - 1
    assert np.isnan(cuts[n_cuts:]).all()
    return cuts[:n_cuts]


def codes_of(values, cuts):
    return np.searchsorted(cuts, values, side="left")


@pytest.mark.parametrize("seed", SEEDS)
def test_few_distinct_values_get_a_bin_each_with_cuts_half_way(seed):
    rng = np.random.default_rng(seed)
    values = np.unique(rng.normal(size=20))
    np.testing.assert_array_equal(find_cuts(values, rng.uniform(0.1, 9, 20), 20), (values[:-1] + values[1:]) / 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("max_bins", [2, 7, 255])
def test_bins_of_equally_heavy_values_differ_by_one_value_at_most(seed, max_bins):
    n = int(np.random.default_rng(seed).integers(256, 3000))
    cuts = find_cuts(np.arange(n), np.ones(n), max_bins)
    sizes = np.bincount(codes_of(np.arange(n), cuts))
    assert len(sizes) == max_bins
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_heavy_value_has_a_bin_of_its_own_and_leaves_the_others_for_the_rest(seed):
    rng = np.random.default_rng(seed)
    values, weights = np.arange(200.0), np.ones(200)
    heavy = int(rng.integers(0, 200))
    weights[heavy] = 1000.0
    codes = codes_of(values, find_cuts(values, weights, 10))
    sizes = np.bincount(codes)
    # The value closes its bin; the bin may hold lighter ones that came before it.
    assert (codes[heavy + 1 :] > codes[heavy]).all()
    assert len(sizes) >= (10 if heavy < 150 else 5)
    own = find_cuts([0.0, 1.0, 2.0, 3.0], [1000.0, 1.0, 1.0, 1.0], 3)
    assert own[0] == 0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("max_bins", [5, 100])
def test_the_scale_of_the_weights_does_not_matter(seed, max_bins):
    rng = np.random.default_rng(seed)
    values, weights = np.unique(rng.normal(size=400)), rng.uniform(0.1, 3.0, 400)
    expected = find_cuts(values, weights, max_bins)
    for scale in (3.0, 1e-9, 1e9, 1 / 3):
        np.testing.assert_array_equal(find_cuts(values, weights * scale, max_bins), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_bin_is_heavier_than_its_share_and_one_value(seed):
    rng = np.random.default_rng(seed)
    values, weights = np.arange(500.0), rng.exponential(size=500)
    codes = codes_of(values, find_cuts(values, weights, 20))
    per_bin = np.bincount(codes, weights=weights)
    for code, weight in enumerate(per_bin):
        share = weights[codes >= code].sum() / (20 - code)
        assert weight - weights[codes == code][-1] < share * (1 + 1e-9)


def test_cuts_separate_neighbouring_and_extreme_floats():
    for lower in (1.0, -1.0, 0.0, 5e-324, 1e308, -1.7e308, np.nextafter(0, -1)):
        values = np.array([lower, np.nextafter(lower, np.inf)])
        cuts = find_cuts(values, [1, 1], 255)
        assert codes_of(values, cuts).tolist() == [0, 1]
    values = np.array([-1.7e308, -1.6e308, -1.0, 1.0, 1.6e308, 1.7e308])
    assert codes_of(values, find_cuts(values, np.ones(6), 255)).tolist() == [0, 1, 2, 3, 4, 5]


def test_one_value_needs_no_cut():
    assert find_cuts([3.0], [1.0], 255).size == 0
    assert codes_of([3.0, -1.0, 9.0], []).tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("max_bins", [2, 9, 254])
@pytest.mark.parametrize("n_distinct", [1, 8, 9, 10, 100, 600])
def test_values_that_repeat_are_values_with_weights(seed, max_bins, n_distinct):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n_distinct)
    values = np.sort(np.repeat(values, rng.geometric(0.2, n_distinct) ** 2))
    cuts = np.empty(max_bins)
    n_cuts = equal_count_cuts(values, max_bins, cuts)
    distinct, counts = np.unique(values, return_counts=True)
    np.testing.assert_array_equal(cuts[:n_cuts], find_cuts(distinct, counts, max_bins))


def test_no_value_needs_no_cut():
    assert equal_count_cuts(np.empty(0), 255, np.empty(255)) == 0
    assert find_cuts([], [], 255).size == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_distinct", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("max_bins", [8, 255])
def test_a_few_values_are_found_without_sorting(seed, n_distinct, max_bins):
    rng = np.random.default_rng(seed)
    values = rng.choice([*rng.normal(size=n_distinct), np.nan], 300)
    cuts, expected = np.empty(max_bins), np.empty(max_bins)
    n_cuts = few_value_cuts(values, max_bins, cuts)
    assert n_cuts == equal_count_cuts(np.sort(values[~np.isnan(values)]), max_bins, expected)
    np.testing.assert_array_equal(cuts[:n_cuts], expected[:n_cuts])


@pytest.mark.parametrize("max_bins", [2, 7, 255])
def test_more_than_a_few_values_are_told_from_a_few(max_bins):
    values = np.repeat(np.arange(9.0), 3)
    assert few_value_cuts(values, max_bins, np.empty(max_bins)) == -1
    assert few_value_cuts(values[:6], max_bins, np.empty(max_bins)) == 1
