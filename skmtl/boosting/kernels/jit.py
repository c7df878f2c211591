"""How kernels are compiled."""

from __future__ import annotations

from numba import njit

#: For kernels that make no array and return none: without counting references to the arrays that they are given. Counts
#: are atomic; in the steps of a tree they would cost as much as the work, and threads that share arrays even more.
#: Divisions by zero give infinity or NaN, as in NumPy.
borrowing = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)

#: For kernels that make arrays for themselves and are called by such as above, whose choice they would inherit.
allocating = njit(cache=True, nogil=True, error_model="numpy", _nrt=True)
