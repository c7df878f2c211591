"""Atomic access to one element of an int64 array: what threads that grow one tree together agree through.

Numba offers atomics for GPUs only; LLVM has them for every processor. Sequential consistency throughout: what a thread
wrote before it stores is seen by the thread that loads what was stored.
"""

from __future__ import annotations

import sys

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic

_ORDER = "seq_cst"


def _pointer(context, builder, signature, args):
    """Address of ``array[index]``."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    index = context.cast(builder, args[1], signature.args[1], types.intp)
    return cgutils.gep_inbounds(builder, array.data, index)


def _is_int64_array(array):
    return isinstance(array, types.Array) and array.ndim == 1 and array.dtype == types.int64 and array.layout == "C"


def _integer(context, builder, value, given):
    return context.cast(builder, value, given, types.int64)


if config.DISABLE_JIT:
    # Plain Python runs the kernels in one thread only.
    def load(array, index):
        """Value of ``array[index]``."""
        return array[index]

    def store(array, index, value):
        """Set ``array[index]``."""
        array[index] = value

    def add(array, index, value):
        """Add to ``array[index]``."""
        array[index] += value

    def exchange_if(array, index, expected, value):
        """Set ``array[index]`` if it is `expected`; whether it was."""
        equal = array[index] == expected
        if equal:
            array[index] = value
        return equal

    def give_way():
        """Let another thread run."""

else:

    @intrinsic
    def load(typing_context, array, index):
        """Value of ``array[index]``."""
        if not (_is_int64_array(array) and isinstance(index, types.Integer)):
            return None

        def generate(context, builder, signature, args):
            value = builder.load_atomic(_pointer(context, builder, signature, args), _ORDER, 8)
            return impl_ret_untracked(context, builder, signature.return_type, value)

        return types.int64(array, index), generate

    @intrinsic
    def store(typing_context, array, index, value):
        """Set ``array[index]``."""
        if not (_is_int64_array(array) and isinstance(value, types.Integer)):
            return None

        def generate(context, builder, signature, args):
            word = _integer(context, builder, args[2], signature.args[2])
            builder.store_atomic(word, _pointer(context, builder, signature, args), _ORDER, 8)
            return context.get_dummy_value()

        return types.void(array, index, value), generate

    @intrinsic
    def add(typing_context, array, index, value):
        """Add to ``array[index]``."""
        if not (_is_int64_array(array) and isinstance(value, types.Integer)):
            return None

        def generate(context, builder, signature, args):
            word = _integer(context, builder, args[2], signature.args[2])
            builder.atomic_rmw("add", _pointer(context, builder, signature, args), word, _ORDER)
            return context.get_dummy_value()

        return types.void(array, index, value), generate

    @intrinsic
    def exchange_if(typing_context, array, index, expected, value):
        """Set ``array[index]`` if it is `expected`; whether it was."""
        if not (_is_int64_array(array) and isinstance(expected, types.Integer) and isinstance(value, types.Integer)):
            return None

        def generate(context, builder, signature, args):
            old = _integer(context, builder, args[2], signature.args[2])
            new = _integer(context, builder, args[3], signature.args[3])
            pair = builder.cmpxchg(_pointer(context, builder, signature, args), old, new, _ORDER, _ORDER)
            return impl_ret_untracked(context, builder, signature.return_type, builder.extract_value(pair, 1))

        return types.boolean(array, index, expected, value), generate

    @intrinsic
    def give_way(typing_context):
        """Let another thread run, where the system has a call for it."""

        def generate(context, builder, signature, args):
            if sys.platform != "win32":
                kind = ir.FunctionType(ir.IntType(32), [])
                builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
            return context.get_dummy_value()

        return types.void(), generate
