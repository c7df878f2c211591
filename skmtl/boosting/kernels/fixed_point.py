"""Gradients as integers: sums of integers do not depend on the order of the rows, so neither do the trees."""

from __future__ import annotations

import numpy as np
from numba import njit

from .types import Words

#: Bits that a sum of one channel may use; two are left for rounding and the sign.
_SUM_BITS = 61


@njit(cache=True, nogil=True)
def write_words(gradient, hessian, weight, own_hessian, weighted, shift, scales, out):
    """Round gradients, Hessians and weights to integers.

    gradient, hessian : float64 (n, n_outputs); weight : float64 (n,) (read if `weighted`); scales : float64 (3,);
    out : int64 (n, n_channels)
    """
    n, n_outputs = gradient.shape
    last = out.shape[1] - 1
    for i in range(n):
        out[i, 0] = (np.int64(np.rint(gradient[i, 0] * scales[0])) << shift) + 1
        for k in range(1, n_outputs):
            out[i, k] = np.int64(np.rint(gradient[i, k] * scales[0]))
        if own_hessian:
            for k in range(n_outputs):
                out[i, n_outputs + k] = np.int64(np.rint(hessian[i, k] * scales[1]))
        if weighted:
            out[i, last] = np.int64(np.rint(weight[i] * scales[2]))


@njit(cache=True, nogil=True)
def _largest(values):
    """Largest absolute value of a float64 array of two axes."""
    largest = 0.0
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            largest = max(largest, abs(values[i, k]))
    return largest


def _scale(largest: float, n_rows: int, bits: int) -> float:
    """Largest power of two with which a sum of `n_rows` terms up to `largest` keeps within `bits` bits."""
    if largest == 0.0:
        return 1.0
    exponent = bits - int(np.ceil(np.log2(largest))) - int(np.ceil(np.log2(max(n_rows, 2))))
    # Within these limits the scale and its reciprocal are both ordinary floats.
    return float(np.ldexp(1.0, int(np.clip(exponent, -1022, 1022))))


def to_words(gradient, hessian, weight=None) -> Words:
    """Pack gradients, Hessians and weights of the rows.

    Parameters
    ----------
    gradient : ndarray of shape (n_rows, n_outputs)
        Gradients, weights included.
    hessian : ndarray of shape (n_rows, n_outputs) or None
        Hessians, weights included. None: the Hessian of every output is the weight.
    weight : ndarray of shape (n_rows,) or None
        Weights. None: every weight is 1.
    """
    n_rows, n_outputs = gradient.shape
    own_hessian, weighted = hessian is not None, weight is not None
    shift = int(n_rows).bit_length()
    scales = np.ones(3)
    scales[0] = _scale(_largest(gradient), n_rows, _SUM_BITS - shift)
    if own_hessian:
        scales[1] = _scale(_largest(hessian), n_rows, _SUM_BITS)
    if weighted:
        scales[2] = _scale(float(weight.max()), n_rows, _SUM_BITS)
    words = np.empty((n_rows, n_outputs * (1 + own_hessian) + weighted), np.int64)
    write_words(
        gradient,
        hessian if own_hessian else gradient,
        weight if weighted else np.empty(0),
        own_hessian,
        weighted,
        shift,
        scales,
        words,
    )
    return Words(words, shift, 1.0 / scales[0], 1.0 / scales[1], 1.0 / scales[2], n_outputs, own_hessian, weighted)
