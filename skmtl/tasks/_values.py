"""Plain NumPy arrays out of lists, Series, categoricals and nullable columns, with no import of pandas or polars."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

# pandas' two markers, known by the name of their type because pandas may not be installed.
_PANDAS_MARKERS = frozenset({"NAType", "NaTType"})
_INT64_MAX = np.iinfo(np.int64).max


def as_array(values: Any) -> np.ndarray:
    """Return an array that holds the values as they are.

    A list becomes an object array first: ``np.asarray([1, "a", None])`` would turn all three into strings.
    """
    if isinstance(values, np.ma.MaskedArray):
        array = values.data.astype(object)
        array[np.ma.getmaskarray(values)] = None
    elif hasattr(values, "__array__"):
        array = np.asarray(values)
    else:
        array = np.asarray(values, dtype=object)
    # Anything but numbers and dates, fixed-width strings included, is handled value by value.
    return array if array.dtype.kind in "biufmM" else array.astype(object, copy=False)


def missing_in(array: np.ndarray) -> np.ndarray:
    """Return where an array of :func:`as_array` holds NaN, NaT, None or pandas' NA, as a mask of its shape."""
    kind = array.dtype.kind
    if kind == "f":
        return np.isnan(array)
    if kind in "mM":
        return np.isnat(array)
    missing = np.zeros(array.shape, dtype=bool)
    if kind == "O":
        values = array.ravel().tolist()
        # The types tell in one fast pass whether the slow one, value by value, is needed at all.
        if any(_may_be_missing(kind_of_value) for kind_of_value in set(map(type, values))):
            missing[...] = np.fromiter(map(_is_missing, values), dtype=bool, count=len(values)).reshape(array.shape)
    return missing


def narrow(array: np.ndarray) -> np.ndarray:
    """Return a 1-D array without missing values as bool, int64, float64, dates, or else objects.

    Equal values come out alike whatever held them: a nullable integer as an int64, an item of NumPy as a plain number.
    """
    kind = array.dtype.kind
    if kind in "bmM":
        return array
    if kind == "u" and array.size and array.max() > _INT64_MAX:
        return array.astype(object)
    if kind in "iu":
        return array.astype(np.int64, copy=False)
    if kind == "f":
        return array.astype(np.float64, copy=False)
    types = set(map(type, array.tolist()))
    if types in ({np.datetime64}, {np.timedelta64}):  # a list of NumPy's items; timedelta64 would pass for an integer
        return np.array(array.tolist())
    if not types or not all(issubclass(kind_of_value, numbers.Real | np.bool_) for kind_of_value in types):
        return array
    if all(issubclass(kind_of_value, bool | np.bool_) for kind_of_value in types):
        return array.astype(bool)
    if all(issubclass(kind_of_value, numbers.Integral | np.bool_) for kind_of_value in types):
        try:
            return array.astype(np.int64)
        except OverflowError:  # beyond 64 bits: Python's own integers compare exactly
            return array
    return array.astype(np.float64)


def type_names(array: np.ndarray) -> str:
    """Return the types of the values of an array of :func:`narrow` for a message, such as ``"int and str"``."""
    kind = array.dtype.kind
    if kind != "O":
        return {"b": "bool", "i": "int", "f": "float", "M": "datetime64", "m": "timedelta64"}.get(kind, "str")
    names = sorted({type(value).__name__.removesuffix("_") for value in array.tolist()})
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _may_be_missing(kind_of_value: type) -> bool:
    if issubclass(kind_of_value, numbers.Integral | str | np.bool_):
        return False
    return (
        kind_of_value is type(None)
        or kind_of_value.__name__ in _PANDAS_MARKERS
        or issubclass(kind_of_value, numbers.Number | np.generic)
    )


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in _PANDAS_MARKERS:
        return True
    return isinstance(value, numbers.Number | np.generic) and bool(value != value)
