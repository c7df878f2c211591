"""Checks of the parameters of architectures."""

from __future__ import annotations

import math
from numbers import Integral, Real

from .._layers import ACTIVATIONS


def check_sizes(name, sizes, *, least=0):
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
        isinstance(size, Integral) and not isinstance(size, bool) and size > 0 for size in sizes
    )
    if not good or len(sizes) < least:
        wanted = "positive integers, one for each layer" + (f", at least {least}" if least else "")
        raise ValueError(f"'{name}' must be a tuple of {wanted}. Got {sizes!r}.")
    return tuple(int(size) for size in sizes)


def check_count(name, value, *, least=1):
    """Return a number of things as int."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"'{name}' must be an integer of at least {least}. Got {value!r}.")
    return int(value)


def check_share(name, value, *, up_to_one=False):
    """Return a number of [0, 1), or [0, 1], as float."""
    if not isinstance(value, Real) or isinstance(value, bool) or not (0.0 <= value < 1.0 or (up_to_one and value == 1)):
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


def check_number(name, value, *, positive=False):
    """Return a finite number, at least 0 or above it, as float."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise ValueError(f"'{name}' must be a finite number, {'above' if positive else 'at least'} 0. Got {value!r}.")
    if positive and value == 0:
        raise ValueError(f"'{name}' must be a finite number, above 0. Got {value!r}.")
    return float(value)
