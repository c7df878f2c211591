"""Derivatives of losses that are a function of the probability p which a softmax gives the row's own class.

With the loss φ(log p), e the indicator of the own class and p_j the probabilities, the derivatives by the scores are
φ' (e_j - p_j) and φ'' (e_j - p_j)² - φ' p_j (1 - p_j). For two classes there is one score f, beside 0. The second
derivative is kept above a share of its last term, which is never negative. `factor` : float64 (n_classes,), weight of
each class in the loss.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..._shared.jit import entry, inner
from .functions import CONVEX_SHARE, HESSIAN_FLOOR, fast_exp, log1p_of_share, log1p_of_sum

#: Rows whose exponentials are formed together where there is no array to form all of them in.
_BLOCK = 128


@njit(cache=True, nogil=True, inline="always")
def _logistic(z):
    """Probability of the own class, of the other one, and the logarithm of the first; z is for the own class."""
    e = fast_exp(-abs(z))
    larger = 1.0 / (1.0 + e)
    smaller = e * larger
    positive = z >= 0.0
    return larger if positive else smaller, smaller if positive else larger, min(z, 0.0) - log1p_of_share(e)


@njit(cache=True, nogil=True, inline="always")
def _softmax(raw, i, own, out):
    """Make row i of `out`, see `_exponentials`, probabilities; return that of the own class, of the others, and log.

    The others are summed up, for 1 - p would lose their digits where p is almost 1.
    """
    n_outputs = raw.shape[1]
    largest, others = raw[i, 0], 0.0
    for k in range(n_outputs):
        largest = max(largest, raw[i, k])
        others += out[i, k] if k != own else 0.0
    total = others + out[i, own]
    for k in range(n_outputs):
        out[i, k] /= total
    return out[i, own], others / total, raw[i, own] - largest - np.log(total)


@inner
def _exponentials(raw, begin, out):
    """Write exp(raw - its largest) of the rows from `begin` on to `out` : float64 (n_rows, n_outputs).

    All differences first, so that the processor forms several exponentials at a time.
    """
    n_outputs = raw.shape[1]
    for i in range(out.shape[0]):
        largest = raw[begin + i, 0]
        for k in range(1, n_outputs):
            largest = max(largest, raw[begin + i, k])
        for k in range(n_outputs):
            out[i, k] = raw[begin + i, k] - largest
    flat = out.reshape(-1)
    for j in range(flat.shape[0]):
        flat[j] = fast_exp(flat[j])


@njit(cache=True, nogil=True, inline="always")
def _focal(p, q, log_p, q_power, gamma):
    """Factors φ' and φ'' q of -q^γ log p; `q_power` is q^γ."""
    ratio = log_p / q  # goes to -1 as q goes to 0
    first = q_power * (gamma * p * ratio - 1.0)
    second = p * q_power * (gamma * q * ratio - gamma * (gamma - 1.0) * p * ratio + 2.0 * gamma)
    return first, second


@njit(cache=True, nogil=True, inline="always")
def _comp_sum(log_p, q, tau, largest_exponent):
    """Factors φ' and φ'' q of (p^(τ - 1) - 1) / (1 - τ); beyond the exponent a straight line in log p."""
    exponent = (tau - 1.0) * log_p
    power = fast_exp(min(exponent, largest_exponent))
    return -power, (1.0 - tau) * power * q if exponent < largest_exponent else 0.0


@njit(cache=True, nogil=True, inline="always")
def _convex(exact, first, p):
    return max(max(exact, -CONVEX_SHARE * first * p * (1.0 - p)), HESSIAN_FLOOR)


@njit(cache=True, nogil=True, inline="always")
def _write(i, own, w, scale, q, first, second, gradient, hessian):
    """Turn the probabilities in row i of `gradient` into derivatives; `second` is φ'' q."""
    for j in range(gradient.shape[1]):
        p = gradient[i, j]
        exact = second * (q if j == own else p * (p / q)) - first * p * (1.0 - p)
        hessian[i, j] = w * scale * _convex(exact, first, p)
        gradient[i, j] = w * first * (q if j == own else -p)


@entry
def log_own_probability(y, raw, out):
    """Write the logarithm of the probability of each row's own class to `out` : float64 (n,)."""
    n_outputs = raw.shape[1]
    if n_outputs == 1:
        for i in range(y.shape[0]):
            z = (2.0 * y[i] - 1.0) * raw[i, 0]
            out[i] = min(z, 0.0) - log1p_of_share(fast_exp(-abs(z)))
        return
    block, rest = np.empty((_BLOCK, n_outputs)), np.empty(_BLOCK)
    for begin in range(0, y.shape[0], _BLOCK):
        exponentials = block[: min(_BLOCK, y.shape[0] - begin)]
        n_rows = exponentials.shape[0]
        _exponentials(raw, begin, exponentials)
        for i in range(n_rows):
            own, others, largest = np.uint64(y[begin + i]), 0.0, raw[begin + i, 0]
            for k in range(np.uint64(n_outputs)):
                # Read whether it counts or not: nothing tells the processor which class comes next.
                score, exponential = raw[begin + i, k], exponentials[i, k]
                others += exponential if k != own else 0.0
                largest = score if score > largest else largest
            mine, exponential = raw[begin + i, own] - largest, exponentials[i, own]
            out[begin + i] = mine
            # What the sum of all exceeds 1 by, the exponential of the largest score: its digits are those of the loss.
            rest[i] = others if mine == 0.0 else exponential + (others - 1.0)
        here = out[begin : begin + n_rows]
        for i in range(n_rows):
            here[i] -= log1p_of_sum(rest[i])


@entry
def binary_log_loss(y, raw, weight, gradient, hessian):
    """Derivatives of log(1 + exp(raw)) - y · raw, y in {0, 1}."""
    weighted = weight.shape[0] > 0
    for i in range(y.shape[0]):
        w = weight[i] if weighted else 1.0
        z = raw[i, 0]
        e = fast_exp(-abs(z))
        larger = 1.0 / (1.0 + e)
        smaller = e * larger
        gradient[i, 0] = w * ((larger if z >= 0.0 else smaller) - y[i])
        hessian[i, 0] = w * max(larger * smaller, HESSIAN_FLOOR)


@entry
def softmax_log_loss(y, raw, weight, factor, gradient, hessian):
    """Derivatives of log Σ exp(raw) - raw[y]; the diagonal second derivatives times the number `factor`."""
    n_outputs = raw.shape[1]
    _exponentials(raw, 0, gradient)
    for i in range(y.shape[0]):
        w = weight[i] if weight.shape[0] > 0 else 1.0
        own, total = int(y[i]), 0.0
        for k in range(n_outputs):
            total += gradient[i, k]
        scale = 1.0 / total
        for k in range(n_outputs):
            p = gradient[i, k] * scale
            gradient[i, k] = w * (p - (1.0 if own == k else 0.0))
            hessian[i, k] = w * max(factor * p * (1.0 - p), HESSIAN_FLOOR)


@entry
def binary_focal(y, raw, weight, factor, gamma, gradient, hessian):
    """Derivatives of -(1 - p)^γ log p."""
    weighted = weight.shape[0] > 0
    factor0, difference = factor[0], factor[1] - factor[0]
    for i in range(y.shape[0]):
        w = (weight[i] if weighted else 1.0) * (factor0 + difference * y[i])
        sign = 2.0 * y[i] - 1.0
        z = min(sign * raw[i, 0], 700.0)
        p, q, log_p = _logistic(z)
        first, second = _focal(p, q, log_p, fast_exp(gamma * (log_p - z)), gamma)
        gradient[i, 0] = w * sign * first * q
        hessian[i, 0] = w * _convex(second * q - first * p * q, first, p)


@entry
def softmax_focal(y, raw, weight, factor, gamma, scale, gradient, hessian):
    """Derivatives of -(1 - p)^γ log p; the second ones times `scale`."""
    _exponentials(raw, 0, gradient)
    for i in range(y.shape[0]):
        own = int(y[i])
        w = (weight[i] if weight.shape[0] > 0 else 1.0) * factor[own]
        p, q, log_p = _softmax(raw, i, own, gradient)
        q = max(q, 1e-300)
        first, second = _focal(p, q, log_p if log_p < 0.0 else -q, q**gamma, gamma)
        _write(i, own, w, scale, q, first, second, gradient, hessian)


@entry
def binary_comp_sum(y, raw, weight, tau, largest_exponent, gradient, hessian):
    """Derivatives of (p^(τ - 1) - 1) / (1 - τ)."""
    weighted = weight.shape[0] > 0
    for i in range(y.shape[0]):
        w = weight[i] if weighted else 1.0
        sign = 2.0 * y[i] - 1.0
        p, q, log_p = _logistic(sign * raw[i, 0])
        first, second = _comp_sum(log_p, q, tau, largest_exponent)
        gradient[i, 0] = w * sign * first * q
        hessian[i, 0] = w * _convex(second * q - first * p * q, first, p)


@entry
def softmax_comp_sum(y, raw, weight, tau, largest_exponent, scale, gradient, hessian):
    """Derivatives of (p^(τ - 1) - 1) / (1 - τ); the second ones times `scale`."""
    _exponentials(raw, 0, gradient)
    for i in range(y.shape[0]):
        own = int(y[i])
        w = weight[i] if weight.shape[0] > 0 else 1.0
        _, q, log_p = _softmax(raw, i, own, gradient)
        q = max(q, 1e-300)
        first, second = _comp_sum(log_p, q, tau, largest_exponent)
        _write(i, own, w, scale, q, first, second, gradient, hessian)
