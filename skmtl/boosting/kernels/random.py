"""A tiny generator for kernels: equal on every platform, and equal with and without compilation."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def next_state(state):
    """Next state, in [1, 2**31 - 2], of the multiplicative congruential generator of Park and Miller (1993)."""
    return (state * 48271) % 2147483647


@njit(cache=True, nogil=True)
def sample_front(items, n_items, n_wanted, state):
    """Move a random choice of `n_wanted` of the first `n_items` items to the front; returns the next state."""
    for i in range(n_wanted):
        state = next_state(state)
        j = i + state % (n_items - i)
        items[i], items[j] = items[j], items[i]
    return state
