"""A tiny generator for kernels: equal on every platform, and equal with and without compilation."""

from __future__ import annotations

from .jit import borrowing


@borrowing
def next_state(state):
    """Next state, in [1, 2**31 - 2], of the multiplicative congruential generator of Park and Miller (1993)."""
    return (state * 48271) % 2147483647


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
