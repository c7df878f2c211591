"""Checks of the parameters of architectures."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from .._layers import ACTIVATIONS


def check_sizes(name: str, sizes: Any, *, least: int = 0) -> tuple[int, ...]:
    """Return widths of layers as a tuple of int.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    sizes : sequence of int
        The widths.
    least : int, default=0
        Least number of layers.
    """
    good = isinstance(sizes, list | tuple) and all(
        isinstance(size, Integral) and not isinstance(size, bool) and int(size) > 0 for size in sizes
    )
    if not good or len(sizes) < least:
        wanted = "positive integers, one for each layer" + (f", at least {least}" if least else "")
        raise ValueError(f"'{name}' must be a tuple of {wanted}. Got {sizes!r}.")
    return tuple(int(size) for size in sizes)


def check_count(name: str, value: Any, *, least: int = 1) -> int:
    """Return a number of things as int."""
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < least:
        raise ValueError(f"'{name}' must be an integer of at least {least}. Got {value!r}.")
    return int(value)


def check_share(name: str, value: Any, *, up_to_one: bool = False) -> float:
    """Return a number of [0, 1), or [0, 1], as float."""
    good = isinstance(value, Real) and not isinstance(value, bool)
    if not good or not (0.0 <= float(value) < 1.0 or (up_to_one and value == 1)):
        raise ValueError(f"'{name}' must be a number from 0 to {'' if up_to_one else 'below '}1. Got {value!r}.")
    return float(value)


def check_option(name, value, options):
    """Return one of some names."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"'{name}' must be one of {sorted(options)}. Got {value!r}.")
    return value


def check_activation(value):
    """Return the name of an activation."""
    return check_option("activation", value, ACTIVATIONS)


def check_number(name: str, value: Any, *, positive: bool = False) -> float:
    """Return a finite number, at least 0 or above it, as float."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError(f"'{name}' must be a finite number, {'above' if positive else 'at least'} 0. Got {value!r}.")
    if positive and value == 0:
        raise ValueError(f"'{name}' must be a finite number, above 0. Got {value!r}.")
    return float(value)
