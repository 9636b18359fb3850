"""Errors of products of two coordinates' slots, carried along: a phase of the CPU's kernels before a step.

A process's errors are rows of its state behind the features: for every b of (1, the last slot of each coordinate
less its centre) those of every a of (the linear slots, all coordinates of one after the other, and 1). Once a step

    e' = M (e - a b) + E[a' b' | x],    E[a' b'] = sum_n power_n (coefficient n of a') (coefficient n of b'),

the coefficients of a coordinate's step being weighted sums of `move` at the nodes of a rule. (`program.Errors`.)
"""

import numpy as np
from numba import njit
from numba.extending import overload

from ngos_sim.arithmetic import fma
from ngos_sim.engines.bind import call
from ngos_sim.engines.layout import AT, COLUMNS, LOSS, NOISE, PARAMETERS, ROWS, SLOTS, TABLE, VARIANCE
from ngos_sim.engines.primitives import JIT, KERNEL, PRIMITIVES, prefer_wide
from ngos_sim.engines.product import product, rectangle
from ngos_sim.engines.program import BLOCK
from ngos_sim.engines.tuples import (
    store_slots,
    take_loss,
    take_noise,
    take_parameters,
    take_slots,
    take_table,
    take_variance,
)

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
    return (*given, *(np.ones(count * BLOCK) for count in rows))  # the last of a and the first of b stay 1


@njit(**KERNEL)
def _products(library, state, at, errors, values, centre, slots, d, rows):
    """Write a, b and the excess e - a b."""
    prefer_wide()
    a, b, excess = rows
    linear = slots - _ONE
    for j in range(d):
        for i in range(linear):
            to, row = (i * d + j) * _L, (at + j * slots + i) * _L
            for lane in range(_L):
                a[to + lane] = state[row + lane]
        to, row = (j + _ONE) * _L, (at + j * slots + linear) * _L
        for lane in range(_L):
            b[to + lane] = state[row + lane] - values[centre + j]
    count = linear * d + _ONE
    for i in range(d + _ONE):
        for k in range(count):
            row = (i * count + k) * _L
            for lane in range(_L):
                excess[row + lane] = _fma(-a[k * _L + lane], b[i * _L + lane], state[errors * _L + row + lane])


@njit(**KERNEL)
def _flow(library, state, errors, values, flow, excess, n, d):
    """Write M (e - a b) in place of e."""
    count = n + _ONE
    gap, begin = (d + _ONE) * count, errors * _L
    rectangle(library, state, begin, values, flow, gap, n, gap, excess, np.uint64(0), _L)
    for i in range(_ONE, d + _ONE):
        row = i * count * _L
        rectangle(library, state, begin + row, values, flow + n * gap, count, count, count, excess, row, _L)


@njit(**KERNEL)
def _moved(move, moved, state, at, pull, constants, j, d, place, c, values, nodes, first):
    """Write the slots of coordinate j after `move` at every node."""
    prefer_wide()
    a = take_loss(move, constants, np.uint64(place[LOSS]) + j, d)
    s = take_variance(move, constants, np.uint64(place[VARIANCE]) + j, d)
    n = take_noise(move, constants, np.uint64(place[NOISE]), _ONE)
    p = take_parameters(move, constants, np.uint64(place[PARAMETERS]), _ONE)
    for node in range(nodes):
        xi, row = values[first + node], node * np.uint64(place[SLOTS]) * _L
        for lane in range(_L):
            x = take_slots(move, state, at + lane, _L)
            store_slots(moved, row + lane, _L, call(move, x, xi, 0.0, pull[j * _L + lane], a, s, n, c, p))


@njit(**KERNEL)
def _expected(library, state, errors, values, powers, coefficients, orders, slots, d):
    """Add E[a' b' | x] to the errors."""
    prefer_wide()
    linear, size = slots - _ONE, orders * _L
    n, last = linear * d, linear * d * size
    for i in range(n):
        row, of_a = (errors + i) * _L, i * size
        for lane in range(_L):
            state[row + lane] += coefficients[of_a + lane]
    for j in range(d):
        block, of_b = (errors + (j + _ONE) * (n + _ONE)) * _L, last + j * size
        for i in range(n):
            row, of_a = block + i * _L, i * size
            for order in range(orders):
                power, at = values[powers + (order * d + i % d) * d + j], order * _L
                for lane in range(_L):
                    weighted = power * coefficients[of_a + at + lane]
                    state[row + lane] = _fma(weighted, coefficients[of_b + at + lane], state[row + lane])
        for lane in range(_L):
            state[block + n * _L + lane] += coefficients[of_b + lane]


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
def _carry(library, move, joint, place, which, numbers, state, pull, step, d):
    """Take one process's errors through its step number `step`."""
    layout, values, a, b, excess, moved, coefficients = joint
    constants, table, hessian, _ = numbers
    mine, d, at, slots = layout[which], np.uint64(d), np.uint64(place[AT]), np.uint64(place[SLOTS])
    errors, linear, k = mine[_ERRORS], slots - _ONE, np.uint64(step)
    count, centre = linear * d + _ONE, mine[_CENTRE] + k * d
    flow = mine[_FLOW] + k * count * ((count - _ONE) * (d + _ONE) + count)
    _products(library, state, at, errors, values, centre, slots, d, (a, b, excess))
    _flow(library, state, errors, values, flow, excess, count - _ONE, d)
    if len(hessian):
        product(library, pull, hessian, state, at * _L, slots * _L, d)
    for j in range(d):
        entry = k * np.uint64(place[ROWS]) + min(j, np.uint64(place[ROWS]) - _ONE)
        c = take_table(move, table, np.uint64(place[TABLE]) + entry * np.uint64(place[COLUMNS]), _ONE)
        first = mine[_NODES_AT] + j * mine[_NODES]
        row = (at + j * slots) * _L
        _moved(move, moved, state, row, pull, constants, j, d, place, c, values, mine[_NODES], first)
        _coefficients(library, coefficients, values, mine, moved, centre + d, j, slots, d)
    _expected(library, state, errors, values, mine[_POWERS], coefficients, mine[_ORDERS], slots, d)


def carry(library, move, joint, place, which, numbers, state, pull, step, d):
    raise NotImplementedError  # compiled only


@overload(carry, jit_options={**JIT, "_nrt": False})
def _carry_compiled(library, move, joint, place, which, numbers, state, pull, step, d):
    """Take one process's errors through its step, where it carries any; else no code at all."""
    if len(joint) == 0:
        return lambda library, move, joint, place, which, numbers, state, pull, step, d: None
    return lambda library, move, joint, place, which, numbers, state, pull, step, d: _carry(
        library, move, joint, place, which, numbers, state, pull, step, d
    )
