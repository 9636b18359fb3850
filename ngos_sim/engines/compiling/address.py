"""Kernels that are called by their address: whoever calls them is compiled without them.

A Loop is compiled once for every tag, a user's function. The kernels that call it get its address, a number, and know
nothing of the function: they are compiled once and for all.
"""

import inspect
from collections import namedtuple

from numba import types
from numba.extending import intrinsic

from ngos_sim.engines.compiling import numba_internals
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL
from ngos_sim.engines.compiling.refusals import naming_the_line


class Loop:
    """A function of a tag and of pointers and counts.

    Parameters
    ----------
    function : function (tag, ..)
    real, counts : str
        Names of the parameters that are pointers to normals ("real"), and of those that are counts; all others are
        pointers to numbers of the state's type.

    Attributes
    ----------
    Arguments : class of named tuples
        What is passed behind the tag, by the function's own names.
    """

    def __init__(self, function, counts, real=""):
        _, *names = inspect.signature(function).parameters
        unknown = {*counts.split(), *real.split()} - {*names}
        if unknown:
            raise TypeError(f"{function.__name__} has no parameter {sorted(unknown)[0]!r}; it has {', '.join(names)}")
        kinds = {**dict.fromkeys(counts.split(), "count"), **dict.fromkeys(real.split(), "real")}
        self.kinds = [kinds.get(name, "state") for name in names]
        self.Arguments = namedtuple("Arguments", names)
        self.kernel = njit(**KERNEL, no_cpython_wrapper=True)(function)

    def types(self, real, state):
        """Return the Numba types of the arguments behind the tag."""
        kinds = {"real": types.CPointer(real), "state": types.CPointer(state), "count": types.uint64}
        return [kinds[kind] for kind in self.kinds]

    def address(self, tag, real, state):
        """Return the address of the function compiled for a tag; real, state : Numba types.

        Raises
        ------
        TypeError
            Numba cannot compile what is behind the tag.
        """
        signature = tag._numba_type_, *self.types(real, state)
        with naming_the_line():
            return numba_internals.address(self.kernel, signature)


def caller(loop):
    """Return enter(address, arguments): it calls what a loop was compiled to; arguments : the loop's Arguments."""

    @intrinsic
    def enter(typing_context, address, arguments):
        given = dict(zip(loop.kinds, arguments, strict=True))
        real, state = (given[kind].dtype if kind in given else types.void for kind in ("real", "state"))
        wanted = loop.types(real, state)

        def codegen(context, builder, signature, values):
            tag = context.get_constant_null(types.voidptr)  # an empty value
            passed = [
                context.cast(builder, builder.extract_value(values[1], i), was, to)
                for i, (was, to) in enumerate(zip(arguments, wanted, strict=True))
            ]
            numba_internals.call_address(context, builder, values[0], [types.voidptr, *wanted], [tag, *passed])
            return context.get_dummy_value()

        return types.none(types.int64, arguments), codegen

    return enter


@intrinsic
def pointer(typing_context, base, index):
    """Return the pointer to base[index]; base : array or pointer."""

    def codegen(context, builder, signature, arguments):
        first = arguments[0]
        if isinstance(base, types.Array):
            first = numba_internals.data_pointer(context, builder, base, first)
        return builder.gep(first, [arguments[1]])

    return types.CPointer(base.dtype)(base, types.uint64), codegen
