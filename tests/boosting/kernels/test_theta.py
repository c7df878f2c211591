"""Sums for a step of theta beside NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.boosting.kernels.theta import theta_sums


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_sums_equal_those_of_numpy(n_outputs, weighted):
    rng = np.random.default_rng(0)
    gradient, hessian, difference = rng.normal(size=(3, 200, n_outputs))
    units = np.sort(rng.integers(0, 5, 200))
    weight = rng.uniform(0.5, 2.0, 200) if weighted else np.empty(0)
    g, h = np.zeros(6), np.zeros(6)
    squares = theta_sums(gradient, hessian, difference, units, weight, g, h)
    share = weight[:, None] if weighted else 1.0
    assert_allclose(squares, np.sum(gradient**2 / share))
    assert_allclose(g, np.bincount(units, (gradient * difference).sum(axis=1), 6))
    assert_allclose(h, np.bincount(units, (hessian * difference**2).sum(axis=1), 6))
