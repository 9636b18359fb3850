"""Errors of products of two coordinates' slots, carried along: a phase of the CPU's kernels before a step.

A process's errors are rows of its state behind the features: for every b of (1, the last slot of each coordinate
less its centre) those of every a of (the linear slots, all coordinates of one after the other, and 1). Once a step

    e' = M (e - a b) + E[a' b' | x],    E[a' b'] = sum_n power_n (coefficient n of a') (coefficient n of b'),

the coefficients of a coordinate's step being weighted sums of `move` at the nodes of a rule. (`program.Errors`.)
"""

import numpy as np
from numba.extending import overload

from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, PRIMITIVES, prefer_wide
from ngos_sim.engines.cpu.lanes import enter_nodes
from ngos_sim.engines.cpu.product import rectangle
from ngos_sim.engines.layout import AT, COLUMNS, LOSS, NODES, NOISE, PARAMETERS, ROWS, SLOTS, TABLE, VARIANCE, aligned
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_ONE = np.uint64(1)
_fma = PRIMITIVES[fma]

# One row a process: its first row of errors, its numbers of nodes and of orders, and where each array begins.
_ERRORS, _NODES, _ORDERS, _NODES_AT, _WEIGHTS, _POWERS, _FLOW, _CENTRE = range(8)


def numbers(program, inputs):
    """Return a row a process and one flat array of all their Errors, or () where there are none."""
    layout, values, row, size = [], [], 0, 0
    for process, given in zip(program.processes, inputs.processes, strict=True):
        row += process.slots * program.dimension + len(program.features)
        if given.errors is None:
            return ()
        each = given.errors
        arrays = [np.ravel(array) for array in (each.nodes, each.weights, each.powers, each.flow, each.centre)]
        begins = size + np.cumsum([0, *map(len, arrays)])
        layout.append([row, each.weights.shape[1], len(each.weights), *begins[:-1]])
        values += arrays
        row, size = row + given.error_rows, begins[-1]
    return np.array(layout, dtype=np.uint64), np.concatenate(values)


def workspace(given, slots, d):
    """Return the phase's argument for one thread: what `numbers` returned, and rows to work in."""
    if not given:
        return ()
    n, (nodes, orders) = (slots - 1) * d, np.max(given[0], axis=0)[[_NODES, _ORDERS]].tolist()
    rows = (n + 1, d + 1, (n + 1) * (d + 1), nodes * slots, d * slots * orders)
    a, b, *others = (aligned(count * BLOCK, np.float64) for count in rows)
    a[-BLOCK:] = b[:BLOCK] = 1.0  # they stay
    return (*given, a, b, *others)


@njit(**KERNEL)
def _factors(library, a, b, state, at, values, centre, slots, d):
    """Write the rows of a and b."""
    prefer_wide()
    linear = slots - _ONE
    for j in range(d):
        for i in range(linear):
            to, row = (i * d + j) * _L, (at + j * slots + i) * _L
            for lane in range(_L):
                a[to + lane] = state[row + lane]
        to, row = (j + _ONE) * _L, (at + j * slots + linear) * _L
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
    """Write the coefficients of coordinate j's step out of its slots at the nodes."""
    nodes, orders = mine[_NODES], mine[_ORDERS]
    for i in range(slots):
        to, gap = (i * d + j) * orders * _L, slots * _L
        rectangle(library, coefficients, to, values, mine[_WEIGHTS], nodes, orders, nodes, moved, i * _L, gap)
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
    count, orders, begin = n + _ONE, mine[_ORDERS], mine[_ERRORS] * _L
    size, gap, products = count * _L, (d + _ONE) * count, flow + n * (d + _ONE) * count
    _excess(library, excess, np.uint64(0), state, begin, a, b, np.uint64(0), count)
    for j in range(d):
        to = (j + _ONE) * size
        row = begin + to
        _excess(library, excess, to, state, row, a, b, j + _ONE, count)
        rectangle(library, state, row, values, products, count, count, count, excess, to, _L)
        _add_products(library, state, row, coefficients, values, mine[_POWERS], orders, n, j, d)
    rectangle(library, state, begin, values, flow, gap, n, gap, excess, np.uint64(0), _L)
    _add(library, state, begin, coefficients, orders, n)


@njit(**KERNEL)
def _carry(library, joint, place, which, numbers, state, pulls, step, d):
    """Take one process's errors through its step number `step`; pulls: H theta and, where it is read, H grad f."""
    layout, values, a, b, excess, moved, coefficients = joint
    constants, table, pull, bend = numbers[0], numbers[1], pulls[0], pulls[1]
    mine, d, at, slots = layout[which], np.uint64(d), np.uint64(place[AT]), np.uint64(place[SLOTS])
    n, k = (slots - _ONE) * d, np.uint64(step)
    centre = mine[_CENTRE] + k * d
    for j in range(d):
        entry = k * np.uint64(place[ROWS]) + min(j, np.uint64(place[ROWS]) - _ONE)
        oracle = pointer(constants, place[LOSS] + j), pointer(constants, place[VARIANCE] + j)
        own = pointer(constants, place[NOISE]), pointer(constants, place[PARAMETERS])
        c = pointer(table, np.uint64(place[TABLE]) + entry * np.uint64(place[COLUMNS]))
        x, nodes = pointer(state, (at + j * slots) * _L), pointer(values, mine[_NODES_AT] + j * mine[_NODES])
        pulled = pointer(pull, j * _L), pointer(bend, j * _L)
        there = (pointer(moved, 0), x, *pulled, *oracle, *own, c, nodes, d, mine[_NODES], slots)
        enter_nodes(place[NODES], there)
        _coefficients(library, coefficients, values, mine, moved, centre + d, j, slots, d)
    _factors(library, a, b, state, at, values, centre, slots, d)
    flow = mine[_FLOW] + k * (n + _ONE) * (n * (d + _ONE) + n + _ONE)
    _advance(library, state, mine, values, flow, a, b, excess, coefficients, n, d)


def carry(library, joint, place, which, numbers, state, pulls, step, d):
    raise NotImplementedError  # compiled only


# Not forced inline as other overloads: what it calls would inherit that, and some of it is kept apart.
@overload(carry, jit_options={"error_model": "numpy", "_nrt": False})  # type: ignore[typeddict-unknown-key]
def _carry_compiled(library, joint, place, which, numbers, state, pulls, step, d):
    """Take one process's errors through its step, where it carries any; else no code at all."""
    if len(joint) == 0:
        return lambda library, joint, place, which, numbers, state, pulls, step, d: None
    return lambda library, joint, place, which, numbers, state, pulls, step, d: _carry(
        library, joint, place, which, numbers, state, pulls, step, d
    )
