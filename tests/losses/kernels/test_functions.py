"""The exponential and the logarithm of the kernels equal those of NumPy."""

from __future__ import annotations

import numpy as np
from numba import njit

from skmtl.losses.kernels.functions import fast_exp, log1p_of_share, log1p_of_sum


@njit
def apply_exp(x, out):
    for i in range(x.shape[0]):
        out[i] = fast_exp(x[i])


@njit
def apply_log(x, out):
    for i in range(x.shape[0]):
        out[i] = log1p_of_share(x[i])


@njit
def apply_log_of_sum(x, out):
    for i in range(x.shape[0]):
        out[i] = log1p_of_sum(x[i])


def test_fast_exp_equals_exp():
    x = np.concatenate([np.linspace(-700.0, 700.0, 20_001), np.linspace(-1.0, 1.0, 20_001), [0.0, 1e-300, -1e-300]])
    out = np.empty_like(x)
    apply_exp(x, out)
    np.testing.assert_allclose(out, np.exp(x), rtol=1e-15)
    apply_exp(np.array([-1e4, -np.inf, 1e4, np.inf]), out)
    np.testing.assert_allclose(out[:4], np.exp([-700.0, -700.0, 700.0, 700.0]), rtol=1e-15)


def test_log1p_of_share_equals_log1p():
    x = np.concatenate([np.linspace(0.0, 1.0, 20_001), 10.0 ** np.arange(-300.0, 0.0)])
    out = np.empty_like(x)
    apply_log(x, out)
    np.testing.assert_allclose(out, np.log1p(x), rtol=1e-15)


def test_log1p_of_sum_equals_log1p():
    near_powers = np.concatenate([2.0**k - 1.0 + np.linspace(-1e-9, 1e-9, 101) for k in range(1, 20)])
    x = np.concatenate([np.linspace(0.0, 100.0, 20_001), 10.0 ** np.arange(-300.0, 300.0), near_powers, [0.0]])
    out = np.empty_like(x)
    apply_log_of_sum(x, out)
    np.testing.assert_allclose(out, np.log1p(x), rtol=1e-15)
