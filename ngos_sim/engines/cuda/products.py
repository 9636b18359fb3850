"""Products of a matrix with a GPU thread's rows: H theta and H grad f before a step, Sigma^(1/2) zeta.

Factories as in `engines.cuda.steps`, which calls these.
"""

import functools

import numpy as np

from ngos_sim.engines.cuda.access import ONE, ZERO, idler, taker, types_of, zeros

COMPILED = 24  # coordinates up to which matrices are compiled in: their entries become operands of instructions


@functools.cache
def multiplier(d, real, multiply_add, device):
    """Return multiply(out, matrix, x, at, stride): out = matrix @ x, entry j of x at `at` + j stride; j ascending.

    at and stride are unsigned, as in `taker`. Up to COMPILED coordinates the compiler writes out all products, the
    matrix in the instructions; beyond, four rows at once share the loads of x.
    """
    one, two, three, four = map(np.uint64, range(1, 5))
    count = np.uint64(d)
    whole = np.uint64(d - d % 4 if d > COMPILED else 0)
    nought = real(0.0)

    def multiply(out, matrix, x, at, stride):
        for block in range(whole // four):
            i = block * four
            first = i * count
            second, third, fourth = first + count, first + two * count, first + three * count
            a, b, c, e = nought, nought, nought, nought
            for j in range(count):
                y = x[at + j * stride]
                a = real(multiply_add(matrix[first + j], y, a))
                b = real(multiply_add(matrix[second + j], y, b))
                c = real(multiply_add(matrix[third + j], y, c))
                e = real(multiply_add(matrix[fourth + j], y, e))
            out[i], out[i + one], out[i + two], out[i + three] = a, b, c, e
        for i in range(whole, count):
            total = nought
            for j in range(count):
                total = real(multiply_add(matrix[i * count + j], x[at + j * stride], total))
            out[i] = total

    return device(multiply)


def puller(shape, place, multiply_add, device):
    """Return fill(rows, state, constants): H theta of a process into its rows, where the Hessian is a matrix."""
    real, _ = types_of(shape.precision)
    multiply = multiplier(shape.d, real, multiply_add, device)
    begin, slots = np.uint64(place.state_at), np.uint64(place.slots)

    def fill(rows, state, constants):
        multiply(rows.pull, rows.hessian, state, begin, slots)

    return device(fill) if shape.dense_loss else idler(device)


def bender(shape, place, slope, multiply_add, device):
    """Return fill(rows, state, constants), H grad f of a process into its rows, and bend(rows, j) of coordinate j."""
    real, _ = types_of(shape.precision)
    if not place.bent:
        return idler(device), zeros(real, device)
    zero = real(0.0)
    d, multiply = shape.d, multiplier(shape.d, real, multiply_add, device)
    take_x, take_a, take_s = (taker(count, device) for count in (place.slots, place.loss, place.variance))
    a_at, s_at = place.constants_at, place.constants_at + place.loss * shape.d
    slots, begin, gap = place.slots, place.state_at, np.uint64(shape.d)

    def fill(rows, state, constants):
        for j in range(d):
            a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
            x = take_x(state, np.uint64(begin + j * slots), ONE)
            rows.slopes[j] = zero + slope(x, rows.pull[j], zero, a, s)
        multiply(rows.bend, rows.hessian, rows.slopes, ZERO, ONE)

    def bend(rows, j):
        return rows.bend[j]

    return device(fill), device(bend)
