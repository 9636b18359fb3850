"""Tuples out of flat arrays and back: how the CPU's kernels hand a lane's numbers to scalar functions."""

from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _elements(context, builder, kind, array, start, stride, count):
    """Return pointers to array[start + i stride], i < count."""
    data = make_array(kind)(context, builder, array).data
    offsets = (builder.mul(stride, stride.type(i)) for i in range(count))
    return [builder.gep(data, [builder.add(start, offset)]) for offset in offsets]


def _taker(size):
    """Return take(tag, array, start, stride): as many elements as the tag's `size` says, as a tuple."""

    @intrinsic
    def take(typing_context, tag, array, start, stride):
        count = tag.sizes[size]

        def codegen(context, builder, signature, arguments):
            pointers = _elements(context, builder, signature.args[1], *arguments[1:], count)
            return context.make_tuple(builder, signature.return_type, [builder.load(p) for p in pointers])

        return types.UniTuple(array.dtype, count)(tag, array, types.uint64, types.uint64), codegen

    return take


take_slots, take_loss, take_variance = _taker("slots"), _taker("loss"), _taker("variance")
take_noise, take_table, take_parameters = _taker("noise"), _taker("table"), _taker("parameters")


@intrinsic
def store_slots(typing_context, array, start, stride, values):
    """Write a tuple to array[start + i stride]."""

    def codegen(context, builder, signature, arguments):
        pointers = _elements(context, builder, signature.args[0], *arguments[:3], len(values))
        for at, (pointer, kind) in enumerate(zip(pointers, values, strict=True)):
            value = builder.extract_value(arguments[3], at)
            builder.store(context.cast(builder, value, kind, array.dtype), pointer)
        return context.get_dummy_value()

    return types.none(array, types.uint64, types.uint64, values), codegen
