"""Joining the codes of two columns."""

from __future__ import annotations

import numpy as np

from ..._shared.jit import entry


@entry
def join_codes(left, n_left, right, n_right, most, joined, left_of, right_of):
    """Code the pairs of values that occur; returns how many there are, 0 if more than `most`.

    left, right : uint8 (n,), codes below `n_left` and `n_right`; joined : uint8 (n,), out; left_of, right_of : uint8
    (256,), out: the two codes that each joint code stands for
    """
    code_of = np.full(n_left * n_right, -1, np.int64)
    n_codes = 0
    step = np.uint64(n_right)
    for i in range(np.uint64(left.shape[0])):
        pair = np.uint64(left[i]) * step + np.uint64(right[i])
        code = code_of[pair]
        if code < 0:
            if n_codes == most:
                return 0
            code = n_codes
            code_of[pair] = code
            left_of[code], right_of[code] = left[i], right[i]
            n_codes += 1
        joined[i] = code
    return n_codes
