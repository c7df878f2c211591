"""Observed targets of a 2-D `y` as pairs, against a plain loop over its cells."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from skmtl.tasks import Pairs, all_pairs, observed_pairs, stack_predictions


def pairs_by_hand(y, codes):
    """Return (row, unit, value) of every observed cell, row by row."""
    n_outputs = len(y[0])
    return [
        (row, codes[row] * n_outputs + output, value)
        for row, cells in enumerate(y)
        for output, value in enumerate(cells)
        if value is not None and value == value  # NaN does not equal itself
    ]


def listed(pairs):
    return list(zip(pairs.rows.tolist(), pairs.units.tolist(), pairs.values.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_outputs", [1, 2, 5])
def test_pairs_equal_those_of_a_loop(seed, n_outputs):
    rng = np.random.default_rng(seed)
    y, codes = rng.normal(size=(30, n_outputs)), rng.integers(0, 4, 30)
    y[rng.random(y.shape) < 0.4] = np.nan
    y.flags.writeable = False
    pairs = observed_pairs(y, codes, owner="Model")
    assert listed(pairs) == pairs_by_hand(y.tolist(), codes.tolist())
    assert pairs.n_outputs == n_outputs
    assert pairs.rows.dtype == pairs.units.dtype == np.intp
    assert pairs.values.dtype == np.float64


@pytest.mark.parametrize(
    "make",
    [
        lambda cells: cells,
        lambda cells: np.array(cells, dtype=object),
        lambda cells: pytest.importorskip("pandas").DataFrame(cells).astype("Int64"),
        lambda cells: pytest.importorskip("pandas").DataFrame(cells),
        lambda cells: pytest.importorskip("polars").DataFrame(cells, orient="row"),
        lambda cells: np.asfortranarray([[np.nan if cell is None else cell for cell in row] for row in cells]),
    ],
    ids=["lists", "object", "pandas-Int64", "pandas-float", "polars", "fortran"],
)
def test_missing_targets_of_every_kind_are_left_out(make):
    cells = [[1, None], [2, 3], [None, None], [None, 4]]
    pairs = observed_pairs(make(cells), np.array([0, 1, 0, 1]), owner="Model")
    assert listed(pairs) == [(0, 0, 1), (1, 2, 2), (1, 3, 3), (3, 3, 4)]
    assert pairs.values.dtype.kind in "if"


def test_labels_of_classes_may_be_missing_too():
    y = np.array([["yes", None], ["no", "yes"], [np.nan, "no"]], dtype=object)
    pairs = observed_pairs(y, np.zeros(3, dtype=int), owner="Model")
    assert listed(pairs) == [(0, 0, "yes"), (1, 0, "no"), (1, 1, "yes"), (2, 1, "no")]


@pytest.mark.parametrize("y", [[1.0, np.nan, 3.0], ["a", "b", "a"], np.array([1, 2, 3])])
def test_1d_targets_pass_through_with_one_unit_per_task(y):
    codes = np.array([1, 0, 1])
    pairs = observed_pairs(y, codes, owner="Model")
    assert isinstance(pairs, Pairs)
    np.testing.assert_array_equal(pairs.values, np.asarray(y))
    np.testing.assert_array_equal(pairs.rows, [0, 1, 2])
    np.testing.assert_array_equal(pairs.units, codes)
    assert pairs.n_outputs == 1


def test_complete_targets_are_all_pairs():
    y, codes = np.arange(12.0).reshape(4, 3), np.array([2, 0, 1, 0])
    pairs = observed_pairs(y, codes, owner="Model")
    rows, units = all_pairs(codes, 3)
    np.testing.assert_array_equal(pairs.rows, rows)
    np.testing.assert_array_equal(pairs.units, units)
    np.testing.assert_array_equal(stack_predictions(pairs.values, 4, 3), y)


def test_unseen_tasks_have_no_unit():
    _, units = all_pairs(np.array([-1, 1]), 2)
    assert units.tolist() == [-1, -1, 2, 3]


def test_predictions_of_several_values_are_stacked():
    values = np.arange(12).reshape(6, 2)
    stacked = stack_predictions(values, 3, 2)
    assert stacked.shape == (3, 2, 2)
    np.testing.assert_array_equal(stacked[2, 1], values[5])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]]),
            r"'y' has no observed value in column 1; expected at",
        ),
        (np.full((3, 7), np.nan), r"'y' has no observed value in column 0, 1, 2, 3, 4, \.\.\.;"),
        (
            np.array([[1.0, np.inf], [2.0, 1.0], [-np.inf, 1.0]]),
            r"'y' must be finite, .*; got infinity in rows \[0, 2\]\.",
        ),
        (np.zeros((3, 0)), r"'y' has no columns"),
        (np.zeros((3, 2, 2)), r"'y' must be 1-D or 2-D; got shape \(3, 2, 2\)\."),
        (5.0, r"'y' must be 1-D or 2-D; got shape \(\)\."),
        (np.zeros((5, 2)), r"'y' has 5 rows but X has 3 rows\."),
        (np.zeros(2), r"'y' has 2 rows but X has 3 rows\."),
        ([[1.0], np.zeros((2, 2)), np.zeros((2, 3))], "same number of targets|must be 1-D or 2-D|rows"),
    ],
)
def test_bad_targets_raise(y, message):
    with pytest.raises(ValueError, match=message):
        observed_pairs(y, np.zeros(3, dtype=int), owner="Model")


def test_sparse_targets_raise():
    with pytest.raises(TypeError, match=r"'y' must be dense, but Model got a sparse csr_matrix\."):
        observed_pairs(scipy.sparse.csr_matrix(np.eye(3)), np.zeros(3, dtype=int), owner="Model")
