"""A tiny generator for kernels: equal on every platform, and equal with and without compilation."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing, entry

_MASK = 2**64 - 1


@borrowing
def next_state(state):
    """Next state, in [1, 2**31 - 2], of the multiplicative congruential generator of Park and Miller (1993)."""
    return (state * 48271) % 2147483647


def seed_of(number):
    """State in [1, 2**31 - 2] for :func:`next_state`, from any integer; neighbouring integers give unrelated states.

    Two rounds of the finaliser of SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014.
    """
    z = (number * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return 1 + (z ^ (z >> 31)) % 2147483646


@entry
def write_seeds(state, out):
    """Fill `out`, int64 (n,), with states for as many generators."""
    for i in range(out.shape[0]):
        # Scrambled: of one generator's states in a row, each would start the stream of the one before it, one later.
        z = (state + i * 40503) & 0x7FFFFFFF
        z = ((z ^ (z >> 16)) * 0x45D9F3B) & 0x7FFFFFFF
        z = ((z ^ (z >> 15)) * 0x45D9F3B) & 0x7FFFFFFF
        out[i] = 1 + z % 2147483646


@entry
def sample_rows(n, state, out):
    """Draw ``len(out)`` of the numbers 0 to n - 1 without replacement, ascending, into `out`, int32.

    One pass: each number is taken with the probability that leaves every subset equally likely. C. T. Fan, M. E.
    Muller, I. Rezucha, "Development of sampling plans by using sequential selection techniques", JASA 57, 1962.
    """
    wanted, taken = out.shape[0], 0
    for i in range(n):
        state = next_state(state)
        if (state - 1) * np.float64(n - i) < np.float64(wanted - taken) * 2147483646.0:
            out[taken] = i
            taken += 1
            if taken == wanted:
                break


@borrowing
def normal(state):
    """A number that is nearly standard normal, the sum of four uniform ones, and the next state."""
    total = -2.0
    for _ in range(4):
        state = next_state(state)
        total += state / 2147483647.0
    return np.sqrt(3.0) * total, state


@borrowing
def sample_front(items, n_items, n_wanted, state):
    """Move a random choice of `n_wanted` of the first `n_items` items to the front; returns the next state."""
    for i in range(n_wanted):
        state = next_state(state)
        j = i + state % (n_items - i)
        items[i], items[j] = items[j], items[i]
    return state


@borrowing
def sort_front(items, n_items):
    """Sort the first `n_items` items; they are few, and NumPy's sort would take a second to compile."""
    for i in range(1, n_items):
        item = items[i]
        j = i
        while j > 0 and items[j - 1] > item:
            items[j] = items[j - 1]
            j -= 1
        items[j] = item
