"""What units add to their rows, beside NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.boosting.kernels.effects import add_unit_values, without_effects


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_rows_of_a_unit_get_its_values_and_are_rid_of_them(n_outputs):
    rng = np.random.default_rng(0)
    units = np.sort(rng.choice([0, 1, 3, 4], 40))  # a unit without rows
    pointers = np.searchsorted(units, np.arange(6)).astype(np.int64)
    values = rng.normal(size=(5, n_outputs))
    raw, delta = rng.normal(size=(2, 40, n_outputs))
    out = raw.copy()
    add_unit_values(values, pointers, out)
    assert_allclose(out, raw + values[units])
    without_effects(raw, delta, values, pointers, out)
    assert_allclose(out, raw + delta - values[units])
