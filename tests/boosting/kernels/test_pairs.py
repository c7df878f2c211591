"""Sums two at a time, against one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from skmtl.boosting.kernels import pairs
from tests.boosting.kernels._cases import SEEDS


@njit
def add(out, places, words, channel):
    for i in range(places.shape[0]):
        pairs.add_pair(out, places[i], words, i, channel)


@njit
def add_twice(out, other_out, places, other_places, words):
    for i in range(places.shape[0]):
        pairs.add_pair_twice(out, places[i], other_out, other_places[i], words, i)


def naive(size, places, values):
    out = np.zeros(size, np.int64)
    for place, (first, second) in zip(places, values, strict=True):
        out[place] += first
        out[place + 1] += second
    return out


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("channel", [0, 1, 3])
def test_a_pair_is_added_like_its_halves(seed, channel):
    rng = np.random.default_rng(seed)
    places, words = rng.integers(0, 15, 30), rng.integers(-(2**40), 2**40, (30, 5))
    # From an odd element on: pairs need not begin at multiples of 16 bytes.
    out = np.zeros(17, np.int64)[1:]
    add(out, places, words, channel)
    np.testing.assert_array_equal(out, naive(16, places, words[:, channel : channel + 2]))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pair_is_added_in_two_places(seed):
    rng = np.random.default_rng(seed)
    places, other_places = rng.integers(0, 15, (2, 30))
    words = rng.integers(-(2**40), 2**40, (30, 2))
    out, other = np.zeros(16, np.int64), np.zeros(16, np.int64)
    add_twice(out, other, places, other_places, words)
    np.testing.assert_array_equal(out, naive(16, places, words))
    np.testing.assert_array_equal(other, naive(16, other_places, words))
