"""Sums per unit beside NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmtl.boosting.kernels.unit_sums import unit_sums


@pytest.mark.parametrize("n_columns", [1, 3])
def test_sums_are_those_of_bincount_also_for_a_unit_without_rows(n_columns):
    rng = np.random.default_rng(0)
    units = np.sort(rng.integers(0, 8, 150))
    units[units == 5] = 6
    values = rng.normal(size=(150, n_columns))
    sums = np.full((8, n_columns), np.nan)
    unit_sums(values, np.searchsorted(units, np.arange(9)).astype(np.int64), sums)
    for k in range(n_columns):
        assert_array_equal(sums[:, k], np.bincount(units, values[:, k], 8))
