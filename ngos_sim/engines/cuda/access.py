"""How a GPU thread reads and writes arrays: tuples of elements, a group of coordinates; by plain functions.

Factories as in `engines.cuda.steps`, which calls these, as `products`, `joint` and `kernel` do.
"""

import functools

import numpy as np

ZERO, ONE = np.uint64(0), np.uint64(1)  # of indices


def types_of(precision):
    """Return the types of state and normals."""
    return np.float32 if precision == "f32" else np.float64, np.float64 if precision == "f64" else np.float32


@functools.cache
def taker(count, device):
    """Return take(array, start, stride): `count` elements as a tuple, which can only be concatenated.

    start and stride are unsigned: a signed index is tested for being negative at every access.
    """
    if count == 0:

        def take(array, start, stride):
            return ()
    elif count == 1:

        def take(array, start, stride):
            return (array[start],)
    else:
        half = np.uint64(count // 2)
        first, second = taker(count // 2, device), taker(count - count // 2, device)

        def take(array, start, stride):
            return first(array, start, stride) + second(array, start + half * stride, stride)

    return device(take)


@functools.cache
def idler(device):
    """Return nothing(*arguments): for what a process does not have."""

    def nothing(*arguments):
        return

    return device(nothing)


@functools.cache
def zeros(kind, device):
    """Return zero(*arguments): 0 of a type, for a number that a process does not have."""
    nought = kind(0.0)

    def zero(*arguments):
        return nought

    return device(zero)


@functools.cache
def row_taker(place, device):
    """Return take(table, start): c of one step, with a matrix behind it that row and the matrix, each a tuple."""
    count = place.columns - place.matrix
    own, behind, matrix_at = taker(count, device), taker(max(1, place.matrix), device), np.uint64(count)

    def alone(table, start):
        return own(table, start, ONE)

    def with_matrix(table, start):
        return own(table, start, ONE), behind(table, start + matrix_at, ONE)

    return device(with_matrix if place.matrix else alone)


@functools.cache
def putter(count, device):
    """Return put(array, start, values): a tuple of `count` values, one after the other; start is unsigned."""
    if count == 1:

        def put(array, start, values):
            array[start] = values[0]
    else:
        before, last, behind = putter(count - 1, device), count - 1, np.uint64(count - 1)

        def put(array, start, values):
            before(array, start, values)
            array[start + behind] = values[last]

    return device(put)


def state_begin(shape, which):
    """Return where the state of process `which` begins among the coordinates that are advanced at once."""
    place = shape.places[which]
    return place.state_at if shape.groups == 1 else which * place.slots * shape.together


def porter(shape, device):
    """Return choose(state, room): what is advanced, `room` for a group of coordinates, or the state if that is all.

    And take(part, state, group) and give(state, part, group): the slots of a group of every process, to and fro.
    """
    if shape.groups == 1:
        return device(lambda state, room: state), idler(device), idler(device)
    processes, size, rows = len(shape.places), shape.places[0].slots * shape.together, shape.rows

    def take(part, state, group):
        for process in range(processes):
            begin = np.uint64(process * rows) + group * np.uint64(size)
            for row in range(size):
                part[process * size + row] = state[begin + np.uint64(row)]

    def give(state, part, group):
        for process in range(processes):
            begin = np.uint64(process * rows) + group * np.uint64(size)
            for row in range(size):
                state[begin + np.uint64(row)] = part[process * size + row]

    return device(lambda state, room: room), device(take), device(give)
