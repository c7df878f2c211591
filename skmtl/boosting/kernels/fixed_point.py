"""Gradients as integers: sums of integers do not depend on the order of the rows, so neither do the trees."""

from __future__ import annotations

import math

import numpy as np

from ..._shared.jit import borrowing, entry
from .types import Words

#: Bits that a sum of one channel may use; two are left for rounding and the sign.
_SUM_BITS = 61
#: All bits of a float but its sign.
_WITHOUT_SIGN = 0x7FFFFFFFFFFFFFFF


@borrowing
def _scale(largest, n_rows, bits):
    """Largest power of two with which a sum of `n_rows` terms up to `largest` keeps within `bits` bits."""
    if largest == 0.0:
        return 1.0
    exponent = bits - np.ceil(np.log2(largest)) - np.ceil(np.log2(max(n_rows, 2)))
    # Within these limits the scale and its reciprocal are both ordinary floats.
    return math.ldexp(1.0, int(min(max(exponent, -1022.0), 1022.0)))


@borrowing
def _write_scales(bits_of, n_outputs, pointers, bits, scales, bits_of_scales):
    """Scale of each unit's rows.

    Without their sign, floats have the order of their bits, and the processor compares several integers at a time.

    bits_of : int64 (n * n_outputs,), values of float64, row by row; pointers : int64 (n_units + 1,);
    scales : float64 (n_units,), out; bits_of_scales : the same memory as int64
    """
    for u in range(scales.shape[0]):
        largest = np.int64(0)
        for j in range(np.uint64(pointers[u] * n_outputs), np.uint64(pointers[u + 1] * n_outputs)):
            largest = max(largest, bits_of[j] & _WITHOUT_SIGN)
        bits_of_scales[u] = largest
        scales[u] = _scale(scales[u], pointers[u + 1] - pointers[u], bits)


@borrowing
def _write_gradients(gradient, pointers, shift, scales, out):
    """Write the words of rows of one output that have a gradient and nothing else; see `_write_words`."""
    for u in range(pointers.shape[0] - 1):
        scale = scales[0, u]
        for i in range(np.uint64(pointers[u]), np.uint64(pointers[u + 1])):
            out[i, 0] = (np.int64(np.rint(gradient[i] * scale)) << shift) + 1


@borrowing
def _write_pairs(gradient, second, pointers, shift, scales, which, out):
    """Write the words of rows of one output that have a Hessian or a weight, too; its scales are ``scales[which]``."""
    for u in range(pointers.shape[0] - 1):
        scale, second_scale = scales[0, u], scales[which, u]
        for i in range(np.uint64(pointers[u]), np.uint64(pointers[u + 1])):
            out[i, 0] = (np.int64(np.rint(gradient[i] * scale)) << shift) + 1
            out[i, 1] = np.int64(np.rint(second[i] * second_scale))


@borrowing
def _write_words(gradient, hessian, weight, own_hessian, weighted, pointers, shift, scales, out):
    """Round gradients, Hessians and weights to integers.

    gradient, hessian : float64 (n * n_outputs,), row by row; weight : float64 (n,) (read if `weighted`);
    pointers : int64 (n_units + 1,), unit u has the rows ``pointers[u]:pointers[u + 1]``;
    scales : float64 (3, n_units); out : int64 (n, n_channels)
    """
    last = out.shape[1] - 1
    n_outputs = (out.shape[1] - weighted) // (1 + own_hessian)
    for u in range(scales.shape[1]):
        for i in range(pointers[u], pointers[u + 1]):
            j = i * n_outputs
            out[i, 0] = (np.int64(np.rint(gradient[j] * scales[0, u])) << shift) + 1
            for k in range(1, n_outputs):
                out[i, k] = np.int64(np.rint(gradient[j + k] * scales[0, u]))
            if own_hessian:
                for k in range(n_outputs):
                    out[i, n_outputs + k] = np.int64(np.rint(hessian[j + k] * scales[1, u]))
            if weighted:
                out[i, last] = np.int64(np.rint(weight[i] * scales[2, u]))


@entry
def pack_words(gradient, hessian, weight, own_hessian, weighted, pointers, scales, out, bits_of, bits_of_scales):
    """Find the scale of every unit and write its words; returns the number of bits that count rows.

    See `_write_words` for the arguments; scales : float64 (3, n_units), out; bits_of : tuple of the first three and
    bits_of_scales : `scales`, the same memory as int64
    """
    largest = np.int64(0)
    for u in range(pointers.shape[0] - 1):
        largest = max(largest, pointers[u + 1] - pointers[u])
    shift = 0
    while largest >> shift > 0:
        shift += 1
    scales[:] = 1.0
    n_outputs = (out.shape[1] - weighted) // (1 + own_hessian)
    bits = np.int64(_SUM_BITS)  # not a literal, for which the kernel would be compiled once more
    _write_scales(bits_of[0], n_outputs, pointers, bits - shift, scales[0], bits_of_scales[0])
    if own_hessian:
        _write_scales(bits_of[1], n_outputs, pointers, bits, scales[1], bits_of_scales[1])
    if weighted:
        _write_scales(bits_of[2], np.int64(1), pointers, bits, scales[2], bits_of_scales[2])
    if out.shape[1] == 1:
        _write_gradients(gradient, pointers, shift, scales, out)
    elif out.shape[1] == 2 and n_outputs == 1:
        second, which = (hessian, np.int64(1)) if own_hessian else (weight, np.int64(2))
        _write_pairs(gradient, second, pointers, shift, scales, which, out)
    else:
        _write_words(gradient, hessian, weight, own_hessian, weighted, pointers, shift, scales, out)
    return shift


def to_unit_words(gradient, hessian, weight, pointers, scratch=None) -> Words:
    """Pack gradients, Hessians and weights of the rows, each unit on a scale of its own.

    A task whose gradients are huge must not cost the trees of the other tasks their digits.

    Parameters
    ----------
    gradient : ndarray of shape (n_rows, n_outputs)
        Gradients, weights included.
    hessian : ndarray of shape (n_rows, n_outputs) or None
        Hessians, weights included. None: the Hessian of every output is the weight.
    weight : ndarray of shape (n_rows,) or None
        Weights. None: every weight is 1.
    pointers : ndarray of shape (n_units + 1,)
        The rows of unit u are ``pointers[u]:pointers[u + 1]``.
    scratch : dict or None, default=None
        Where the words of an earlier call lie, to be written over.

    Returns
    -------
    words : Words
        The units that its integers stand for are arrays of shape (n_units,).
    """
    words, shift, scales = _packed(gradient, hessian, weight, pointers, scratch)
    gradient_unit, hessian_unit, weight_unit = 1.0 / scales
    own_hessian, weighted = hessian is not None, weight is not None
    return Words(words, shift, gradient_unit, hessian_unit, weight_unit, gradient.shape[1], own_hessian, weighted)


def to_words(gradient, hessian, weight=None, scratch=None) -> Words:
    """Pack gradients, Hessians and weights of the rows on one scale; see `to_unit_words`."""
    pointers = np.array([0, gradient.shape[0]], np.int64)
    words, shift, scales = _packed(gradient, hessian, weight, pointers, scratch)
    (gradient_scale,), (hessian_scale,), (weight_scale,) = scales.tolist()
    own_hessian, weighted = hessian is not None, weight is not None
    units = 1.0 / gradient_scale, 1.0 / hessian_scale, 1.0 / weight_scale
    return Words(words, shift, *units, gradient.shape[1], own_hessian, weighted)


def _packed(gradient, hessian, weight, pointers, scratch):
    """Words, number of bits that count rows, and the scales of each unit; see `to_unit_words`."""
    n_rows, n_outputs = gradient.shape
    own_hessian, weighted = hessian is not None, weight is not None
    shape = n_rows, n_outputs * (1 + own_hessian) + weighted
    words = None if scratch is None else scratch.get(shape)
    if words is None:
        words = np.empty(shape, np.int64)
        if scratch is not None:
            scratch[shape] = words
    scales = np.empty((3, len(pointers) - 1))
    flat = gradient.reshape(-1)
    bits = flat.view(np.int64)
    values = flat, hessian.reshape(-1) if own_hessian else flat, weight if weighted else flat
    bits_of = bits, values[1].view(np.int64) if own_hessian else bits, weight.view(np.int64) if weighted else bits
    shift = pack_words(*values, own_hessian, weighted, pointers, scales, words, bits_of, scales.view(np.int64))
    return words, shift, scales
