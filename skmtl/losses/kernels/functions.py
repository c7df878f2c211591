"""Exponential and logarithm without branches or calls, so that a loop over rows becomes vector instructions.

Both are right to within two units in the last place; tests/losses/kernels compares them with those of NumPy.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Least second derivative of a row, so that confident rows do not make a leaf's step explode.
HESSIAN_FLOOR = 1e-6
#: Where a loss is not convex, its second derivative counts as at least this share of its convex part.
CONVEX_SHARE = 0.1

# Coefficients of the Taylor series of exp: 0.35^14 / 14! is below half a unit in the last place.
(_, _, _E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12, _E13) = (1.0 / math.factorial(i) for i in range(14))
_LOG2_E = 1.4426950408889634
# log 2 in two parts, the first with trailing zeros, so that its multiples are exact (W. J. Cody, W. Waite, 1980).
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10


@njit(cache=True, nogil=True, inline="always")
def fast_exp(x):
    """Exponential of x, clipped to [-700, 700]."""
    x = min(max(x, -700.0), 700.0)
    k = np.floor(x * _LOG2_E + 0.5)
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    # Written out: the compiler does not unroll a loop over the coefficients in every kernel.
    p = _E13 * r + _E12
    p = p * r + _E11
    p = p * r + _E10
    p = p * r + _E9
    p = p * r + _E8
    p = p * r + _E7
    p = p * r + _E6
    p = p * r + _E5
    p = p * r + _E4
    p = p * r + _E3
    p = p * r + _E2
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)


@njit(cache=True, nogil=True, inline="always")
def log1p_of_share(e):
    """Logarithm of 1 + e for e in [0, 1]: twice the artanh of e / (2 + e)."""
    s = e / (2.0 + e)  # at most 1 / 3
    t = s * s
    p = t * (1.0 / 33.0) + 1.0 / 31.0
    p = p * t + 1.0 / 29.0
    p = p * t + 1.0 / 27.0
    p = p * t + 1.0 / 25.0
    p = p * t + 1.0 / 23.0
    p = p * t + 1.0 / 21.0
    p = p * t + 1.0 / 19.0
    p = p * t + 1.0 / 17.0
    p = p * t + 1.0 / 15.0
    p = p * t + 1.0 / 13.0
    p = p * t + 1.0 / 11.0
    p = p * t + 1.0 / 9.0
    p = p * t + 1.0 / 7.0
    p = p * t + 1.0 / 5.0
    p = p * t + 1.0 / 3.0
    p = p * t + 1.0
    return 2.0 * s * p


@njit(cache=True, nogil=True, inline="always")
def log1p_of_sum(r):
    """Logarithm of 1 + r for any r from 0 on: that of a share, beside the powers of two in 1 + r."""
    x = 1.0 + r
    bits = np.float64(x).view(np.int64)
    k = (bits >> np.int64(52)) - np.int64(1023)
    rest = np.int64(bits - (k << np.int64(52))).view(np.float64) - 1.0
    return k * _LN2_HIGH + (k * _LN2_LOW + log1p_of_share(r if k == 0 else rest))
