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

# Coefficients of the Taylor series of exp, highest first: 0.35^14 / 14! is below half a unit in the last place.
_EXP = tuple(1.0 / math.factorial(i) for i in range(13, -1, -1))
# Coefficients of artanh(s) / s as a series in s², highest first; s² is at most 1 / 9.
_ARTANH = tuple(1.0 / i for i in range(33, 0, -2))
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
    p = _EXP[0]
    for c in _EXP[1:]:
        p = p * r + c
    return p * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)


@njit(cache=True, nogil=True, inline="always")
def log1p_of_share(e):
    """Logarithm of 1 + e for e in [0, 1]: twice the artanh of e / (2 + e)."""
    s = e / (2.0 + e)
    t = s * s
    p = _ARTANH[0]
    for c in _ARTANH[1:]:
        p = p * t + c
    return 2.0 * s * p
