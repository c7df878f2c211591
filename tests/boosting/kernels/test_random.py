"""The generator of the kernels."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from skmtl.boosting.kernels.random import sample_rows, seed_of, write_seeds
from tests.boosting.kernels._cases import SEEDS, SMALL
from tests.boosting.kernels._from_python import next_state, normal, sample_front


def test_states_are_those_of_the_published_generator():
    """The 10 000th state from 1 is the check value of std::minstd_rand in the C++ standard."""
    state = 1
    for _ in range(10_000):
        state = next_state(state)
    assert state == 399268537
    assert 1 <= next_state(2**31 - 2) <= 2**31 - 2


def test_normal_numbers_have_the_moments_of_four_uniform_ones():
    numbers, state = np.empty(2_000 if SMALL else 20_000), 7
    for i in range(len(numbers)):
        numbers[i], state = normal(state)
    within = 4.0 / np.sqrt(len(numbers))
    assert abs(numbers.mean()) < within
    assert abs(numbers.var() - 1.0) < 1.5 * within
    assert abs(np.mean(numbers**4) - 2.7) < 6.0 * within
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < within


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n_items", "n_wanted"), [(1, 1), (5, 0), (5, 2), (9, 9)])
def test_a_sample_is_the_front_of_a_permutation(seed, n_items, n_wanted):
    items = np.arange(12, dtype=np.int32) * 10
    state = sample_front(items, n_items, n_wanted, seed + 1)
    assert sorted(items[:n_items]) == [10 * i for i in range(n_items)]
    np.testing.assert_array_equal(items[n_items:], np.arange(n_items, 12) * 10)
    assert (state == seed + 1) == (n_wanted == 0)
    again = np.arange(12, dtype=np.int32) * 10
    assert sample_front(again, n_items, n_wanted, seed + 1) == state
    np.testing.assert_array_equal(again, items)


def test_every_ordered_sample_is_equally_likely():
    counts = dict.fromkeys(permutations(range(4), 2), 0)
    n, state = 2_000 if SMALL else 24_000, 2024
    for _ in range(n):
        items = np.arange(4, dtype=np.int32)
        state = sample_front(items, 4, 2, state)
        counts[tuple(items[:2].tolist())] += 1
    share = np.array(list(counts.values())) / n
    # Five standard deviations of a share of 1/12.
    assert np.abs(share - 1 / 12).max() < 5 * np.sqrt(1 / 12 * 11 / 12 / n)


def test_first_samples_of_random_seeds_are_uniform():
    """Every tree starts from a seed of its own, so the first draws after a seed must be uniform as well."""
    rng, n = np.random.default_rng(0), 2_000 if SMALL else 20_000
    counts = np.zeros(10)
    for seed in rng.integers(1, 2**31 - 1, n):
        items = np.arange(10, dtype=np.int32)
        sample_front(items, 10, 3, int(seed))
        counts[items[:3]] += 1
    assert np.abs(counts / n - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / n)


def test_drawn_rows_are_ascending_distinct_and_equally_likely():
    counts, pairs = np.zeros(8), 0
    for seed in range(1, 4001):
        out = np.empty(3, np.int32)
        sample_rows(8, seed_of(seed), out)
        assert np.all(np.diff(out) > 0)
        assert out[0] >= 0
        assert out[-1] < 8
        counts[out] += 1
        pairs += out[0] == 0 and out[1] == 1
    assert np.all(np.abs(counts / 4000 - 3 / 8) < 0.03)
    assert abs(pairs / 4000 - 6 / 56) < 0.02
    everything = np.empty(5, np.int32)
    sample_rows(5, 1, everything)
    assert everything.tolist() == [0, 1, 2, 3, 4]


def test_seeds_are_valid_states_that_hardly_ever_repeat():
    seeds = [seed_of(number) for number in range(10_000)]
    assert min(seeds) >= 1
    assert max(seeds) <= 2**31 - 2
    assert len(set(seeds)) > 9_990
    out = np.empty(10_000, np.int64)
    write_seeds(seeds[0], out)
    assert out.min() >= 1
    assert out.max() <= 2**31 - 2
    assert len(np.unique(out)) > 9_900
    following = {next_state(int(seed)) for seed in out}
    assert len(following & set(out.tolist())) < 100  # no stream is another one, one number later
