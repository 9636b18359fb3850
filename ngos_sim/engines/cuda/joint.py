"""Errors of products of two coordinates' slots on the GPU: `engines.cpu.joint`, a thread a trajectory.

Factories as in `engines.cuda.steps`. Of a thread's rows `work` holds first the excess e - a b, then the coefficients.
"""

import functools

import numpy as np

from ngos_sim.engines.cuda.access import idler, row_taker, taker, types_of
from ngos_sim.engines.cuda.products import bender

_ONE = np.uint64(1)


def flat(errors):
    """Return the numbers of Errors one after the other: nodes, weights, powers, and a row a step.

    A row is M's, then the centre before the step and after it.
    """
    rows = np.concatenate([errors.flow, errors.centre[:-1], errors.centre[1:]], axis=1)
    return np.concatenate([np.ravel(each) for each in (errors.nodes, errors.weights, errors.powers, rows)])


def room(shape):
    """Return how many rows of `work` a thread needs."""
    return max(1, max(shape.error_rows + place.slots * shape.d * place.orders for place in shape.places))


@functools.cache
def _adder(count, orders, gap, nodes, multiply_add, device):
    """Return add(work, start, values, at, y): weights times y's `count` slots onto their coefficients, `gap` apart."""
    before = _adder(count - 1, orders, gap, nodes, multiply_add, device) if count > 1 else None
    last = count - 1

    def own(work, start, values, at, y):
        for order in range(orders):
            row = np.uint64(start + last * gap + order)
            work[row] = multiply_add(values[np.uint64(at + order * nodes)], y[last], work[row])

    def both(work, start, values, at, y):
        before(work, start, values, at, y)
        own(work, start, values, at, y)

    own = device(own)
    return own if before is None else device(both)


def _expander(shape, place, move, multiply_add, device):
    """Return expand(rows, state, constants, c, j, begin, centre): the coefficients of coordinate j's step."""
    d, slots, orders, nodes, first = shape.d, place.slots, place.orders, place.nodes, shape.error_rows
    take_x, take_n = taker(slots, device), taker(place.noise, device)
    take_a, take_s, take_p = (taker(count, device) for count in (place.loss, place.variance, place.parameters))
    a_at, s_at = place.constants_at, place.constants_at + place.loss * d
    n_at, gap = s_at + place.variance * d, np.uint64(d)
    add = _adder(slots, orders, d * orders, nodes, multiply_add, device)
    real, _ = types_of(shape.precision)
    zero, state_at, centred, blocks = real(0.0), place.state_at, place.centred * d, place.roles(d).blocks
    _, bend = bender(shape, place, None, multiply_add, device)

    def expand(rows, state, constants, c, j, begin, centre):
        values, work = rows.errors, rows.work
        n = take_n(constants, np.uint64(n_at), _ONE)
        p = take_p(constants, np.uint64(n_at + place.noise), _ONE)
        a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
        x, start = take_x(state, np.uint64(state_at + j * slots), _ONE), first + j * orders
        for i in range(slots):
            for order in range(orders):
                work[np.uint64(start + i * d * orders + order)] = zero
        for node in range(nodes):
            xi, pulled, bent = values[np.uint64(begin + j * nodes + node)], rows.pull[j], bend(rows, j)
            y = move(x, xi, zero, zero, pulled, bent, zero, a, s, n, c, p)
            add(work, start, values, begin + d * nodes + node, y)
        if blocks:
            work[np.uint64(first + (centred + j) * orders)] -= values[np.uint64(centre + blocks + j)]

    return device(expand)


def _updater(shape, place, multiply_add, device):
    """Return update(rows, state, flow, powers, centre): the errors after a step."""
    d, slots, orders, centred = shape.d, place.slots, place.orders, place.centred
    linear, blocks = place.roles(d)
    n = linear * d
    count, begin, first = n + 1, place.state_at + slots * d + len(shape.scopes), shape.error_rows
    gap = (blocks + 1) * count
    products, own, square = n * gap, np.uint64(begin), np.uint64(d * d)
    real, _ = types_of(shape.precision)

    def subtract(state, work, b, block):
        for i in range(linear):
            for j in range(d):
                slot = place.state_at + j * slots + (i if i < centred else i + 1)
                row, a = np.uint64(block + i * d + j), state[np.uint64(slot)]
                work[row] = multiply_add(-a, b, state[own + row])
        last = np.uint64(block + n)
        work[last] = multiply_add(real(-1.0), b, state[own + last])

    def coefficients(k):
        return np.uint64(first + (k if k < centred * d else k + d) * orders)

    def multiply(state, values, work, at, row, to, x, columns):
        total, begins, entry = real(0.0), np.uint64(at + row * columns), np.uint64(x)
        for k in range(np.uint64(columns)):
            total = multiply_add(values[begins + k], work[entry + k], total)
        state[np.uint64(begin + to + row)] = total

    subtract, coefficients, multiply = device(subtract), device(coefficients), device(multiply)

    def update(rows, state, flow, powers, centre):
        values, work = rows.errors, rows.work
        subtract(state, work, real(1.0), 0)
        for j in range(blocks):
            block, of_b = (j + 1) * count, np.uint64(first + (centred * d + j) * orders)
            factor = state[np.uint64(place.state_at + j * slots + centred)] - values[np.uint64(centre + j)]
            subtract(state, work, factor, block)
            for k in range(count):
                multiply(state, values, work, flow + products, k, block, block, count)
            for k in range(n):
                row, of_a = np.uint64(begin + block + k), coefficients(k)
                total = state[row]
                for order in range(np.uint64(orders)):
                    power = np.uint64(powers + k % d * d + j) + order * square
                    total = multiply_add(values[power] * work[of_a + order], work[of_b + order], total)
                state[row] = total
            state[np.uint64(begin + block + n)] += work[of_b]
        for k in range(n):
            multiply(state, values, work, flow, k, 0, 0, gap)
            state[own + np.uint64(k)] += work[coefficients(k)]

    return device(update)


def carrier(shape, which, move, multiply_add, device):
    """Return carry(rows, state, step, numbers, entry): the errors of process `which`, before a step.

    H theta and H grad f are ready in rows; entry : where the step's rows of the table begin
    """
    d, place = shape.d, shape.places[which]
    if not place.nodes:
        return idler(device)
    expand = _expander(shape, place, move, multiply_add, device)
    update = _updater(shape, place, multiply_add, device)
    take_c, columns, last = row_taker(place, device), place.columns, place.rows - 1
    linear, blocks = place.roles(d)
    n = linear * d
    powers_at = (d + place.orders) * place.nodes
    flow_at, size = powers_at + place.orders * d * d, n * (blocks + 1) * (n + 1) + (n + 1) * (n + 1)
    at, width = len(shape.places) + which, size + 2 * blocks

    def carry(rows, state, step, numbers, entry):
        begin = numbers.begins[at]
        flow = begin + flow_at + np.int64(step) * width
        for j in range(d):
            c = take_c(numbers.table, entry + np.uint64(min(j, last) * columns))
            expand(rows, state, numbers.constants, c, j, begin, flow + size)
        update(rows, state, flow, begin + powers_at, flow + size)

    return device(carry)
