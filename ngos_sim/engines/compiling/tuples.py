"""Tuples out of memory and back: how lane loops hand numbers to scalar functions."""

from numba import types
from numba.extending import intrinsic


def _elements(builder, pointer, stride, count):
    """Return pointers to pointer[i stride], i < count."""
    return [builder.gep(pointer, [builder.mul(stride, stride.type(i))]) for i in range(count)]


def _taker(size):
    """Return take(tag, pointer, stride): as many elements as the tag's `size` says, as a tuple."""

    @intrinsic
    def take(typing_context, tag, pointer, stride):
        count = tag.sizes[size]

        def codegen(context, builder, signature, arguments):
            pointers = _elements(builder, *arguments[1:], count)
            return context.make_tuple(builder, signature.return_type, [builder.load(p) for p in pointers])

        return types.UniTuple(pointer.dtype, count)(tag, pointer, types.uint64), codegen

    return take


take_slots, take_loss, take_variance = _taker("slots"), _taker("loss"), _taker("variance")
take_noise, take_table, take_parameters = _taker("noise"), _taker("table"), _taker("parameters")


@intrinsic
def store_slots(typing_context, pointer, stride, values):
    """Write a tuple to pointer[i stride]."""

    def codegen(context, builder, signature, arguments):
        pointers = _elements(builder, *arguments[:2], len(values))
        for at, (place, kind) in enumerate(zip(pointers, values, strict=True)):
            value = builder.extract_value(arguments[2], at)
            builder.store(context.cast(builder, value, kind, pointer.dtype), place)
        return context.get_dummy_value()

    return types.none(pointer, types.uint64, values), codegen
