"""Histograms against np.add.at."""

from __future__ import annotations

import numpy as np
import pytest

from tests.boosting.kernels._cases import LAYOUTS, SEEDS, make_problem
from tests.boosting.kernels._from_python import fill_histogram, subtract_codes


def naive_histogram(problem, rows):
    words, table = problem.words.words, problem.table
    out = np.zeros((table.offsets[-1], words.shape[1]), np.int64)
    for f, column in enumerate(table.bins):
        np.add.at(out, table.offsets[f] + column[rows].astype(int), words[rows])
    return out.ravel()


def build(problem, rows, start, stop, histograms, slot):
    words = problem.words.words[rows[start:stop]]
    fill_histogram(problem.table, rows, start, stop, words, histograms, slot)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_equals_add_at_for_rows_with_and_without_gaps(layout, seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    n_channels = problem.words.words.shape[1]
    size = problem.table.offsets[-1] * n_channels
    gaps = np.sort(rng.choice(60, 25, replace=False))
    together = np.arange(20, 45)
    for chosen in (gaps, together, np.array([7])):
        rows = np.concatenate([[3, 1], chosen, [0]]).astype(np.int32)  # other rows around the node's
        start, stop = 2, 2 + len(chosen)
        histograms = np.full(3 * size, 99, np.int64)
        build(problem, rows, start, stop, histograms, 1)
        np.testing.assert_array_equal(histograms[size : 2 * size], naive_histogram(problem, chosen))
        assert (histograms[:size] == 99).all()
        assert (histograms[2 * size :] == 99).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sums_of_every_feature_equal_the_sum_of_the_rows(layout):
    problem = make_problem(np.random.default_rng(0), layout, n_features=4)
    words = problem.words.words
    rows = np.arange(60, dtype=np.int32)
    histograms = np.empty(problem.table.offsets[-1] * words.shape[1], np.int64)
    build(problem, rows, 0, 60, histograms, 0)
    by_code = histograms.reshape(-1, words.shape[1])
    for f in range(4):
        feature = by_code[problem.table.offsets[f] : problem.table.offsets[f + 1]]
        np.testing.assert_array_equal(feature.sum(axis=0), words.sum(axis=0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_subtraction_equals_summing_the_other_child(layout, seed):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout)
    in_left = rng.random(60) < 0.3
    left, right = np.flatnonzero(in_left).astype(np.int32), np.flatnonzero(~in_left).astype(np.int32)
    size = problem.table.offsets[-1] * problem.words.words.shape[1]
    histograms = np.empty(3 * size, np.int64)
    build(problem, np.arange(60, dtype=np.int32), 0, 60, histograms, 2)
    build(problem, left, 0, len(left), histograms, 0)
    subtract_codes(histograms, 2 * size, 0, size)
    np.testing.assert_array_equal(histograms[2 * size :], naive_histogram(problem, right))
    np.testing.assert_array_equal(histograms[:size], naive_histogram(problem, left))


def test_only_active_features_are_summed():
    problem = make_problem(np.random.default_rng(0), n_features=3)
    problem = problem.replace_table(active=np.array([2], np.int32))
    rows = np.arange(60, dtype=np.int32)
    histograms = np.full(problem.table.offsets[-1], 4, np.int64)
    build(problem, rows, 0, 60, histograms, 0)
    assert (histograms[: problem.table.offsets[2]] == 4).all()
    np.testing.assert_array_equal(
        histograms[problem.table.offsets[2] :], naive_histogram(problem, rows)[problem.table.offsets[2] :]
    )


def test_all_256_codes_have_a_place():
    bins = np.arange(256, dtype=np.uint8)[None, :]
    problem = make_problem(np.random.default_rng(0), n_rows=256, n_features=1)
    problem = problem.replace_table(bins=bins, n_bins=np.array([255], np.int32), offsets=np.array([0, 256], np.int64))
    histograms = np.empty(256, np.int64)
    build(problem, np.arange(256, dtype=np.int32), 0, 256, histograms, 0)
    np.testing.assert_array_equal(histograms, problem.words.words[:, 0])
