"""Functions of all of theta on the CPU: the loops over 128 lanes around them, and the kernels' phases that enter these.

A process whose oracle couples coordinates (`fields.JointField`) gets its rows of grad f and of Sigma_ii by `couple`
before a step or a record, and those of R(theta) zeta by `mix` within a step. `mix` also has the constant Sigma^(1/2).
"""

import numpy as np
from numba.extending import overload

from ngos_sim.engines.compiling.address import Loop, caller, pointer
from ngos_sim.engines.compiling.bind import bind, call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart, no_overlap, prefer_wide
from ngos_sim.engines.compiling.tuples import store_slots, take_coordinates, take_numbers
from ngos_sim.engines.cpu.lanes import Zeta, enter_zeta
from ngos_sim.engines.cpu.product import product
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)


def _vector(function, out, state, numbers, gap, d):
    """Write rows of a function of all of theta, one a coordinate; theta's are `gap` apart."""
    prefer_wide()
    no_overlap()
    given = take_numbers(function, numbers, d)
    for lane in range(_L):
        theta = take_coordinates(function, pointer(state, lane), gap)
        store_slots(pointer(out, lane), _L, call(function, theta, given))


def _mixed(function, out, state, zeta, numbers, gap, d):
    """Write rows of a function of all of theta and of zeta, one a coordinate."""
    prefer_wide()
    no_overlap()
    given = take_numbers(function, numbers, d)
    for lane in range(_L):
        theta = take_coordinates(function, pointer(state, lane), gap)
        drawn = take_coordinates(function, pointer(zeta, lane), _L)
        store_slots(pointer(out, lane), _L, call(function, theta, drawn, given))


def _value(function, out, state, numbers, gap, d):
    """Add a number, a function of all of theta, to a row."""
    prefer_wide()
    no_overlap()
    given = take_numbers(function, numbers, d)
    for lane in range(_L):
        out[lane] += call(function, take_coordinates(function, pointer(state, lane), gap), given)


vector = Loop(_vector, counts="gap d")
mixed = Loop(_mixed, counts="gap d", real="out zeta")
value = Loop(_value, counts="gap d")
Vector, Mixed, Value = vector.Arguments, mixed.Arguments, value.Arguments
enter_vector, enter_mixed, enter_value = caller(vector), caller(mixed), caller(value)


def whole(function, precision, dimension, numbers):
    """Return the Tag of a function of all of theta; numbers : its loss's or covariance's."""
    return bind(function, precision, coordinates=dimension, numbers=len(numbers))


def loops(process, numbers, precision, types):
    """Return the addresses of the loops of a process's field by their names in `layout.Place`; 0 where it has none."""
    field, d = process.field, len(numbers.start)

    def address(loop, name, given):
        function = getattr(field, name, None)
        return loop.address(whole(function, precision, d, given), *types) if function else 0

    return {
        "gradient_loop": address(vector, "gradient", numbers.loss),
        "variance_loop": address(vector, "variance", numbers.variance),
        "mixed_loop": address(mixed, "mixed", numbers.variance),
    }


@njit(**KERNEL)
def _write(library, loop, out, state, place, numbers, d):
    """Write rows of a function of all of theta."""
    keep_apart()
    arguments = Vector(
        out=pointer(out, 0),
        state=pointer(state, np.uint64(place.at) * _L),
        numbers=numbers,
        gap=np.uint64(place.slots) * _L,
        d=d,
    )
    enter_vector(loop, arguments)


@njit(**KERNEL)
def _couple(library, place, constants, state, pulls, d):
    """Write grad f and the diagonal of Sigma, where a process's field has functions for them."""
    if place.gradient_loop:
        _write(library, place.gradient_loop, pulls.pull, state, place, pointer(constants, place.loss), d)
    if place.variance_loop:
        _write(library, place.variance_loop, pulls.spread, state, place, pointer(constants, place.variance), d)


def couple(library, place, constants, state, pulls, d):
    raise NotImplementedError  # compiled only


# Not forced inline, as in `engines.cpu.joint`: what it calls would inherit that.
@overload(couple, jit_options={"error_model": "numpy", "_nrt": False})  # type: ignore[typeddict-unknown-key]
def _couple_compiled(library, place, constants, state, pulls, d):
    """Write rows of functions of all of theta, where a process has any; else no code at all."""
    if len(pulls[pulls.fields.index("coupled")]) == 0:
        return lambda library, place, constants, state, pulls, d: None
    return lambda library, place, constants, state, pulls, d: _couple(library, place, constants, state, pulls, d)


@njit(**KERNEL)
def add_whole(library, scope, out, place, state, constants, d):
    """Add a feature that is a function of all of theta to its row of the state."""
    keep_apart()
    arguments = Value(
        out=pointer(state, out),
        state=pointer(state, np.uint64(place.at) * _L),
        numbers=pointer(constants, place.loss),
        gap=np.uint64(place.slots) * _L,
        d=d,
    )
    enter_value(scope.loop, arguments)


@njit(**KERNEL)
def mix(library, place, numbers, state, noise, xi, at, extra_at, d):
    """Write zeta, drawn from the noise law, and Sigma^(1/2) zeta: R(theta) zeta, or by a constant root."""
    keep_apart()
    law = pointer(numbers.constants, place.noise)
    zeta, extra = pointer(noise.zeta, 0), pointer(noise.extra, extra_at)
    enter_zeta(place.law_loop, Zeta(out=zeta, xi=pointer(xi, at), extra=extra, noise=law, rows=d))
    if place.mixed_loop:
        arguments = Mixed(
            out=pointer(noise.mixed, 0),
            state=pointer(state, np.uint64(place.at) * _L),
            zeta=zeta,
            numbers=pointer(numbers.constants, place.variance),
            gap=np.uint64(place.slots) * _L,
            d=d,
        )
        enter_mixed(place.mixed_loop, arguments)
    else:
        product(library, noise.mixed, numbers.root, noise.zeta, np.uint64(0), _L, np.uint64(d))
