"""Errors of products of two coordinates' slots, carried along: a phase of the CPU's kernels before a step.

A process's errors are rows of its state behind the features: for every b of (1, the centred slot of each
coordinate less its centre), or 1 alone, those of every a of (the linear slots, all coordinates of one after the other,
and 1). Once a step

    e' = M (e - a b) + E[a' b' | x],    E[a' b'] = sum_n power_n (coefficient n of a') (coefficient n of b'),

the coefficients of a coordinate's step being weighted sums of `move` at the nodes of a rule. (`program.Errors`.)
"""

import numpy as np
from numba.extending import overload

from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, PRIMITIVES, prefer_wide
from ngos_sim.engines.cpu.lanes import Nodes, enter_nodes
from ngos_sim.engines.cpu.product import rectangle
from ngos_sim.engines.layout import Errors, ErrorsPlace, aligned, records
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_ONE = np.uint64(1)
_fma = PRIMITIVES[fma]


def numbers(program, inputs):
    """Return records of where all processes' Errors are, and one flat array of them; () where there are none."""
    places, values, row, size = [], [], 0, 0
    for process, given in zip(program.processes, inputs.processes, strict=True):
        row += process.slots * program.dimension + len(program.features)
        if given.errors is None:
            return ()
        each = given.errors
        arrays = [np.ravel(array) for array in (each.nodes, each.weights, each.powers, each.flow, each.centre)]
        begins = size + np.cumsum([0, *map(len, arrays)])
        orders, nodes = each.weights.shape
        slots, blocks = process.slots, each.centre.shape[1]
        centred = slots if each.centred is None else each.centred
        linear = slots - (centred < slots)
        places.append(ErrorsPlace(row, linear, centred, blocks, nodes, orders, *begins[:-1]))
        values += arrays
        row, size = row + given.error_rows, begins[-1]
    return records(ErrorsPlace, places, np.uint64), np.concatenate(values)


def workspace(given, slots, d):
    """Return the phase's argument for one thread: what `numbers` returned, and rows to work in."""
    if not given:
        return ()
    places, _ = given
    linear, nodes, orders = (int(places[name].max()) for name in ("linear", "nodes", "orders"))
    n = linear * d
    rows = (n + 1, d + 1, (n + 1) * (d + 1), nodes * slots, d * slots * orders)
    a, b, *others = (aligned(count * BLOCK, np.float64) for count in rows)
    a[-BLOCK:] = b[:BLOCK] = 1.0  # they stay
    return Errors(*given, a, b, *others)


@njit(**KERNEL)
def _factors(library, a, b, state, mine, at, values, centre, slots, d):
    """Write the rows of a and b."""
    prefer_wide()
    for j in range(d):
        for i in range(mine.linear):
            slot = i if i < mine.centred else i + _ONE
            to, row = (i * d + j) * _L, (at + j * slots + slot) * _L
            for lane in range(_L):
                a[to + lane] = state[row + lane]
    for j in range(mine.blocks):
        to, row = (j + _ONE) * _L, (at + j * slots + mine.centred) * _L
        for lane in range(_L):
            b[to + lane] = state[row + lane] - values[centre + j]


@njit(**KERNEL)
def _excess(library, excess, to, state, begin, a, b, which, count):
    """Write the rows e - a b of b number `which`."""
    prefer_wide()
    for k in range(count):
        row = k * _L
        for lane in range(_L):
            excess[to + row + lane] = _fma(-a[row + lane], b[which * _L + lane], state[begin + row + lane])


@njit(**KERNEL)
def _coefficients(library, coefficients, values, mine, moved, centre, j, slots, d):
    """Write the coefficients of coordinate j's step out of its slots at the nodes, the centred one's last."""
    nodes, orders, gap = mine.nodes, mine.orders, slots * _L
    for i in range(mine.linear):
        to, slot = (i * d + j) * orders * _L, i if i < mine.centred else i + _ONE
        rectangle(library, coefficients, to, values, mine.weights, nodes, orders, nodes, moved, slot * _L, gap)
    if mine.blocks > 0:
        to, slot = (mine.linear * d + j) * orders * _L, mine.centred
        rectangle(library, coefficients, to, values, mine.weights, nodes, orders, nodes, moved, slot * _L, gap)
        for lane in range(_L):
            coefficients[to + lane] -= values[centre + j]


@njit(**KERNEL)
def _add(library, state, begin, coefficients, orders, count):
    """Add E[a'] to the errors of b = 1."""
    prefer_wide()
    for k in range(count):
        row, of_a = begin + k * _L, k * orders * _L
        for lane in range(_L):
            state[row + lane] += coefficients[of_a + lane]


@njit(**KERNEL)
def _add_products(library, state, begin, coefficients, values, powers, orders, n, j, d):
    """Add E[a' b' | x] to the errors of b = y_j."""
    prefer_wide()
    of_b = (n + j) * orders * _L
    for k in range(n):
        row, of_a = begin + k * _L, k * orders * _L
        for order in range(orders):
            power, at = values[powers + (order * d + k % d) * d + j], order * _L
            for lane in range(_L):
                weighted = power * coefficients[of_a + at + lane]
                state[row + lane] = _fma(weighted, coefficients[of_b + at + lane], state[row + lane])
    for lane in range(_L):
        state[begin + n * _L + lane] += coefficients[of_b + lane]


@njit(**KERNEL)
def _advance(library, state, mine, values, flow, a, b, excess, coefficients, n, d):
    """Write the errors after the step, those of one b after the other: such a block stays in the cache."""
    count, orders, begin = n + _ONE, mine.orders, mine.row * _L
    size, gap, products = count * _L, (mine.blocks + _ONE) * count, flow + n * (mine.blocks + _ONE) * count
    _excess(library, excess, np.uint64(0), state, begin, a, b, np.uint64(0), count)
    for j in range(mine.blocks):
        to = (j + _ONE) * size
        row = begin + to
        _excess(library, excess, to, state, row, a, b, j + _ONE, count)
        rectangle(library, state, row, values, products, count, count, count, excess, to, _L)
        _add_products(library, state, row, coefficients, values, mine.powers, orders, n, j, d)
    rectangle(library, state, begin, values, flow, gap, n, gap, excess, np.uint64(0), _L)
    _add(library, state, begin, coefficients, orders, n)


@njit(**KERNEL)
def _carry(library, errors, place, which, numbers, state, pulls, step, d):
    """Take one process's errors through its step number `step`; H theta and, where it is read, H grad f are ready."""
    constants, values, a, b, coefficients = numbers.constants, errors.values, errors.a, errors.b, errors.coefficients
    mine, d, at, slots = errors.places[which], np.uint64(d), np.uint64(place.at), np.uint64(place.slots)
    n, k = mine.linear * d, np.uint64(step)
    centre = mine.centre + k * mine.blocks
    for j in range(d):
        entry = k * np.uint64(place.rows) + min(j, np.uint64(place.rows) - _ONE)
        arguments = Nodes(
            moved=pointer(errors.moved, 0),
            state=pointer(state, (at + j * slots) * _L),
            pull=pointer(pulls.pull, j * _L),
            bend=pointer(pulls.bend, j * _L),
            spread=pointer(pulls.spread, j * _L),
            loss=pointer(constants, place.loss + j),
            variance=pointer(constants, place.variance + j),
            noise=pointer(constants, place.noise),
            parameters=pointer(constants, place.parameters),
            table=pointer(numbers.table, np.uint64(place.table) + entry * np.uint64(place.columns)),
            values=pointer(values, mine.nodes_at + j * mine.nodes),
            d=d,
            count=mine.nodes,
            slots=slots,
        )
        enter_nodes(place.nodes_loop, arguments)
        _coefficients(library, coefficients, values, mine, errors.moved, centre + mine.blocks, j, slots, d)
    _factors(library, a, b, state, mine, at, values, centre, slots, d)
    flow = mine.flow + k * (n + _ONE) * (n * (mine.blocks + _ONE) + n + _ONE)
    _advance(library, state, mine, values, flow, a, b, errors.excess, coefficients, n, d)


def carry(library, errors, place, which, numbers, state, pulls, step, d):
    raise NotImplementedError  # compiled only


# Not forced inline as other overloads: what it calls would inherit that, and some of it is kept apart.
@overload(carry, jit_options={"error_model": "numpy", "_nrt": False})  # type: ignore[typeddict-unknown-key]
def _carry_compiled(library, errors, place, which, numbers, state, pulls, step, d):
    """Take one process's errors through its step, where it carries any; else no code at all."""
    if len(errors) == 0:
        return lambda library, errors, place, which, numbers, state, pulls, step, d: None
    return lambda library, errors, place, which, numbers, state, pulls, step, d: _carry(
        library, errors, place, which, numbers, state, pulls, step, d
    )
