"""Gains of units at every threshold where a single channel holds all: one output, rows of weight 1, Hessians of 1.

Twin of `joint._add_run_gains` in scalars, because most joint trees spend their time here. A feature with two codes,
such as one column of a one-hot code, needs no histogram at all.
"""

from __future__ import annotations

import numpy as np

from ..._shared.jit import borrowing

#: Runs of rows shorter than this list the codes that they have; longer ones look at all codes.
SHORT = 16


@borrowing
def run_totals(words, shift, gradient_unit, units, rows, runs, n_runs, l2, noise, totals):
    """Write gradient, count and score of every unit in a node to `totals`, float64 (3, n_units or more)."""
    mask = (np.int64(1) << shift) - 1
    for r in range(n_runs):
        total = np.int64(0)
        for i in range(runs[r], runs[r + 1]):
            total += words[rows[i], 0]
        g, n = (total >> shift) * gradient_unit[units[rows[runs[r]]]], np.float64(total & mask)
        totals[0, r], totals[1, r] = g, n
        totals[2, r] = (g * g - noise * n) / (n + l2)


@borrowing
def _gain(g_left, n_left, g, n, l2, noise):
    """Score of two children, over a common denominator: one division."""
    g_right, n_right = g - g_left, n - n_left
    a, b = n_left + l2, n_right + l2
    area = a * b
    if area <= 0.0:
        return 0.0
    return ((g_left * g_left - noise * n_left) * b + (g_right * g_right - noise * n_right) * a) / area


@borrowing
def add_two_code_gains(
    column, words, shift, gradient_unit, units, rows, runs, n_runs, l2, noise, totals, steps, weights
):  # fmt: skip
    """Add what the units gain by a split between the codes 0 and 1 to `steps`, and their counts to `weights`."""
    mask = (np.int64(1) << shift) - 1
    count, gain = 0.0, 0.0
    for r in range(n_runs):
        left = np.int64(0)
        for i in range(runs[r], runs[r + 1]):
            row = rows[i]
            left += words[row, 0] if column[row] == 0 else 0
        n_left = np.float64(left & mask)
        n = totals[1, r]
        if n_left > 0.0 and n_left < n:
            g_left = (left >> shift) * gradient_unit[units[rows[runs[r]]]]
            gain += _gain(g_left, n_left, totals[0, r], n, l2, noise) - totals[2, r]
        count += n_left
        weights[1] += n - n_left
    steps[0] += gain
    steps[1] -= gain
    weights[0] += count


@borrowing
def insert_code(found, n, code):
    """Put a code among the first `n` of `found`, which stay sorted."""
    place = n
    while place > 0 and found[place - 1] > code:
        found[place] = found[place - 1]
        place -= 1
    found[place] = code


@borrowing
def add_plain_gains(
    column, n_codes, missing_code, missing_left, words, shift, gradient_unit, units, rows, runs, n_runs, l2, noise,
    totals, sums, found, steps, weights,
):  # fmt: skip
    """Add what the units gain at every threshold, as differences, to `steps`, and their counts to `weights`.

    sums : int64 (n_codes + 1 or more,), zero before and after; found : int64 (SHORT,), scratch
    """
    mask = (np.int64(1) << shift) - 1
    for r in range(n_runs):
        begin, end = runs[r], runs[r + 1]
        unit = gradient_unit[units[rows[begin]]]
        g, n, parent = totals[0, r], totals[1, r], totals[2, r]
        short = end - begin < SHORT
        n_found = 0
        if short:
            for i in range(begin, end):
                row = rows[i]
                code = np.int64(column[row])
                if sums[code] == 0 and code != missing_code:
                    insert_code(found, n_found, code)
                    n_found += 1
                sums[code] += words[row, 0]
        else:
            for i in range(begin, end):
                row = rows[i]
                sums[np.int64(column[row])] += words[row, 0]
            n_found = n_codes
        before = 0.0
        left = np.int64(0)
        if missing_left and sums[missing_code] != 0:
            left = sums[missing_code]
            before = _gain((left >> shift) * unit, np.float64(left & mask), g, n, l2, noise) - parent
            steps[0] += before
        sums[missing_code] = 0
        for j in range(n_found):
            code = found[j] if short else j
            word = sums[code]
            if word == 0:
                continue
            sums[code] = 0
            left += word
            weights[code] += np.float64(word & mask)
            n_left = np.float64(left & mask)
            gain = _gain((left >> shift) * unit, n_left, g, n, l2, noise) - parent if n_left < n else 0.0
            steps[code] += gain - before
            before = gain
