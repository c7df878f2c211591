"""Sizes of batches that the estimators choose."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.neural import MultiTaskRegressor
from skmtl.neural._settings import auto_batch_size

#: From the size of a small table to that of a large one.
ROWS = sorted({round(10**power) for power in np.linspace(0, 7, 400)})


@pytest.mark.parametrize(
    ("n_rows", "size"), [(1, 32), (1792, 32), (1793, 64), (4000, 128), (20_000, 512), (50_000, 1024), (10**7, 1024)]
)
def test_sizes_are_as_documented(n_rows, size):
    assert auto_batch_size(n_rows) == size


def test_sizes_grow_with_the_table_from_32_to_1024_in_powers_of_two():
    sizes = [auto_batch_size(n) for n in ROWS]
    assert sizes == sorted(sizes)
    assert set(sizes) == {32, 64, 128, 256, 512, 1024}


def test_a_pass_is_about_40_steps_wherever_the_limits_allow_it():
    for n in ROWS:
        size = auto_batch_size(n)
        if 32 < size < 1024:
            assert 28 <= n / size <= 56, n
        assert size == 32 or n / size >= 28, n  # a small table is not trained in few large steps


@pytest.mark.parametrize(("n_rows", "size"), [(20, 20), (900, 32), (4000, 128)])
def test_a_fit_takes_them(n_rows, size):
    """From the rows that train; no more than there are."""
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    model = MultiTaskRegressor(max_epochs=1, early_stopping=False, random_state=0).fit(X, X[:, 0])
    assert model.net_.batch_size == size
    model.set_params(batch_size=10**6).fit(X, X[:, 0])
    assert model.net_.batch_size == n_rows
