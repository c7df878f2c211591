"""Two neighbouring int64 sums at a time.

Where words have a Hessian or a weight besides the gradient, every row adds to sums that lie next to each other. The
processor adds and writes two of them in one step, if it is told so: Numba finds this in loops over rows only, and here
the loop over rows goes from place to place.
"""

from __future__ import annotations

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

_PAIR = ir.VectorType(ir.IntType(64), 2)


def _is_int64_array(array, ndim):
    return isinstance(array, types.Array) and array.ndim == ndim and array.dtype == types.int64 and array.layout == "C"


def _pointer(context, builder, array_type, array, indices, index_types):
    """Address of a pair that begins at an element of an array."""
    array = context.make_array(array_type)(context, builder, array)
    indices = [
        context.cast(builder, index, given, types.intp) for index, given in zip(indices, index_types, strict=True)
    ]
    if len(indices) == 2:
        n_columns = builder.extract_value(array.shape, 1)
        indices = [builder.add(builder.mul(indices[0], n_columns), indices[1])]
    return builder.bitcast(cgutils.gep_inbounds(builder, array.data, indices[0]), _PAIR.as_pointer())


if config.DISABLE_JIT:

    def add_pair(out, place, words, row, channel):
        """Add ``words[row, channel : channel + 2]`` to ``out[place : place + 2]``."""
        out[int(place) : int(place) + 2] += words[int(row), int(channel) : int(channel) + 2]

    def add_pair_twice(out, place, other_out, other_place, words, row):
        """Add ``words[row, :2]`` to ``out[place : place + 2]`` and ``other_out[other_place : other_place + 2]``."""
        add_pair(out, place, words, row, 0)
        add_pair(other_out, other_place, words, row, 0)

else:

    def _add(builder, pointer, pair):
        # Sums are whole numbers of 8 bytes; nothing says that pairs begin at multiples of 16.
        builder.store(builder.add(builder.load(pointer, align=8), pair), pointer, align=8)

    @intrinsic
    def add_pair(typing_context, out, place, words, row, channel):
        """Add ``words[row, channel : channel + 2]`` to ``out[place : place + 2]``."""
        if not (_is_int64_array(out, 1) and _is_int64_array(words, 2)):
            return None

        def generate(context, builder, signature, args):
            kinds = signature.args
            pair = builder.load(_pointer(context, builder, kinds[2], args[2], args[3:], kinds[3:]), align=8)
            _add(builder, _pointer(context, builder, kinds[0], args[0], args[1:2], kinds[1:2]), pair)
            return context.get_dummy_value()

        return types.void(out, place, words, row, channel), generate

    @intrinsic
    def add_pair_twice(typing_context, out, place, other_out, other_place, words, row):
        """Add ``words[row, :2]`` to ``out[place : place + 2]`` and ``other_out[other_place : other_place + 2]``."""
        if not (_is_int64_array(out, 1) and _is_int64_array(other_out, 1) and _is_int64_array(words, 2)):
            return None

        def generate(context, builder, signature, args):
            kinds = signature.args
            zero = context.get_constant(types.intp, 0)
            first = [args[5], zero], [kinds[5], types.intp]
            pair = builder.load(_pointer(context, builder, kinds[4], args[4], *first), align=8)
            _add(builder, _pointer(context, builder, kinds[0], args[0], args[1:2], kinds[1:2]), pair)
            _add(builder, _pointer(context, builder, kinds[2], args[2], args[3:4], kinds[3:4]), pair)
            return context.get_dummy_value()

        return types.void(out, place, other_out, other_place, words, row), generate
