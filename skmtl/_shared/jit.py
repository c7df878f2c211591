"""How kernels are compiled.

All of them are cached and release the interpreter's lock; divisions by zero give infinity or NaN, as in NumPy. What
Numba would compile for each function so that Python, or C, can call it takes longer to compile than most of the
functions, so that each kernel says who calls it.
"""

from __future__ import annotations

from functools import partial

from numba import njit

_compiled = partial(njit, cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)

#: For kernels that Python calls.
entry = _compiled()

#: For kernels that only kernels call. Python must not: there is nothing that it could call, and the process would end.
inner = _compiled(no_cpython_wrapper=True)

#: Inner kernels that make no array and return none: without counting references to the arrays that they are given.
#: Counts are atomic; in the steps of a tree they would cost as much as the work, and threads that share arrays even
#: more.
borrowing = _compiled(no_cpython_wrapper=True, _nrt=False)

#: Inner kernels that make arrays for themselves and are called by such as above, whose choice they would inherit.
allocating = _compiled(no_cpython_wrapper=True, _nrt=True)

#: For kernels that Python calls and that make no array: as above.
borrowing_entry = _compiled(_nrt=False)

#: Borrowing kernels that become part of the kernel that calls them, whatever their size: handing over records of arrays
#: takes as long as a step of a small tree.
embedded = _compiled(no_cpython_wrapper=True, _nrt=False, forceinline=True)
