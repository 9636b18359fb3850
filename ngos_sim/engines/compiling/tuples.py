"""Tuples out of memory and back: how lane loops hand numbers to scalar functions."""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ngos_sim.engines.program import BLOCK

VECTOR = 8  # numbers of 64 bits in the widest vectors


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
take_noise, take_parameters = _taker("noise"), _taker("parameters")
take_coordinates, take_numbers = _taker("coordinates"), _taker("numbers")  # of functions of all of theta


@intrinsic
def take_table(typing_context, tag, pointer):
    """Return c: a row of a process's table as a tuple; with a matrix behind it, such a tuple and a pointer to that."""
    row = types.UniTuple(pointer.dtype, tag.sizes["table"])
    result = types.Tuple((row, pointer)) if tag.sizes["matrix"] else row

    def codegen(context, builder, signature, arguments):
        first, one = arguments[1], ir.Constant(ir.IntType(64), 1)
        values = [builder.load(each) for each in _elements(builder, first, one, row.count)]
        taken = context.make_tuple(builder, row, values)
        if result is row:
            return taken
        return context.make_tuple(builder, result, [taken, builder.gep(first, [one.type(row.count)])])

    return result(tag, pointer), codegen


@intrinsic
def width(typing_context, tag):
    """Return how many lanes are stepped at a time: of a process with a matrix so many as fill one vector.

    What all lanes share would else be kept in vectors of equal numbers, eight times the size: too much for the cache.
    """
    lanes = VECTOR if tag.sizes["matrix"] else BLOCK

    def codegen(context, builder, signature, arguments):
        return ir.Constant(ir.IntType(64), lanes)

    return types.uint64(tag), codegen


@intrinsic
def reread(typing_context, pointer):
    """Return a pointer of which LLVM does not know where it leads: what is read through it is read anew."""

    def codegen(context, builder, signature, arguments):
        kind = arguments[0].type
        return builder.call(ir.InlineAsm(ir.FunctionType(kind, [kind]), "", "=r,0", side_effect=True), arguments)

    return pointer(pointer), codegen


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
