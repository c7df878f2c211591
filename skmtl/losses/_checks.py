"""Checks of parameters of losses."""

from __future__ import annotations

import math
from numbers import Real


def check_number(name, value, low, high=math.inf, *, open_low=False, open_high=False):
    """Return a parameter as a float, or raise where it is no number in the interval."""
    real = isinstance(value, Real) and not isinstance(value, bool)
    number = float(value) if real else math.nan
    above = number > low if open_low else number >= low
    below = number < high if open_high else number <= high
    if not (above and below) or math.isinf(number):
        left, right = "(" if open_low else "[", ")" if open_high or math.isinf(high) else "]"
        raise ValueError(f"'{name}' must be a number in {left}{low:g}, {high:g}{right}. Got {value!r}.")
    return number


def check_option(name, value, options):
    """Raise where a parameter is none of the options."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"'{name}' must be one of {list(options)}. Got {value!r}.")
