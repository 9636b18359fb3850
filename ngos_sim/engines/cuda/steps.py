"""What a GPU thread does for one process: draws, running sums of normals, a step, a feature.

Each factory returns a plain function that `device` makes callable: numba-cuda compiles it, simulator and
emulator run it as it is. Sizes are constants of the closure, so that every index into a thread's arrays is
known when it is compiled and small arrays become registers.
"""

import functools
import math
from collections import namedtuple

import numpy as np

from ngos_sim.engines import rng

_WORDS = 4  # normals of a Philox block
_ONE = np.uint64(1)

# Sizes of one process: slots, stride, rows and columns of its table a step and how many of these are a matrix, how many
# numbers each kind has, and where its state and its constants begin; of its Errors, if any, how many nodes and orders;
# whether its step reads H grad f.
Place = namedtuple(
    "Place", "slots stride rows columns matrix loss variance noise parameters state_at constants_at nodes orders bent"
)


@functools.cache
def taker(count, device):
    """Return take(array, start, stride): `count` elements as a tuple, which can only be concatenated.

    start and stride are unsigned: a signed index is tested for being negative at every access.
    """
    if count == 1:

        def take(array, start, stride):
            return (array[start],)
    else:
        half = np.uint64(count // 2)
        first, second = taker(count // 2, device), taker(count - count // 2, device)

        def take(array, start, stride):
            return first(array, start, stride) + second(array, start + half * stride, stride)

    return device(take)


def row_taker(place, device):
    """Return take(table, start): c of one step, with a matrix behind it that row and the matrix, each a tuple."""
    count = place.columns - place.matrix
    own, behind, matrix_at = taker(count, device), taker(max(1, place.matrix), device), np.uint64(count)

    def alone(table, start):
        return own(table, start, _ONE)

    def with_matrix(table, start):
        return own(table, start, _ONE), behind(table, start + matrix_at, _ONE)

    return device(with_matrix if place.matrix else alone)


def width(d):
    """Return how many normals a thread holds: whole Philox blocks and whole steps."""
    return math.lcm(_WORDS, d)


def fetcher(d, draw, stream, device):
    """Return fetch(normals, step, low, high, k0, k1): the d normals of a step, at the head of `normals`.

    Blocks are drawn when their first normal is due; until then the normals move up. A step's number has 32 bits
    (`program.STEPS`), and so has a block's where a step takes no more than one.
    """

    def alone(block, stream):
        return stream

    held = width(d)
    period, blocks, stream = np.uint32(held // d), held // _WORDS, np.uint64(stream)
    second_word = device(rng.second_word if blocks > 1 else alone)

    def fetch(normals, step, low, high, k0, k1):
        if step % period == np.uint32(0):
            first = np.uint64(step // period) * np.uint64(blocks)
            for b in range(blocks):
                block = first + np.uint64(b)
                four = draw(block, second_word(block, stream), low, high, k0, k1)
                normals[4 * b] = four[0]
                normals[4 * b + 1] = four[1]
                normals[4 * b + 2] = four[2]
                normals[4 * b + 3] = four[3]
        else:
            for i in range(held - d):
                normals[i] = normals[i + d]

    return device(fetch)


def adder(d, strides, device):
    """Return add(sums, normals, fine): the running sums of the normals, a row of d for each stride above 1."""
    if not strides:

        def add(sums, normals, fine):
            return

        return device(add)
    *rest, stride = strides
    before, row, period = adder(d, rest, device), len(rest) * d, np.uint32(stride)

    def add(sums, normals, fine):
        before(sums, normals, fine)
        fresh = fine % period == np.uint32(0)
        for j in range(d):
            sums[row + j] = normals[j] if fresh else sums[row + j] + normals[j]

    return device(add)


def multiplier(d, real, multiply_add, device):
    """Return multiply(out, matrix, x, at, stride): out = matrix @ x, entry j of x at `at` + j stride; j ascending."""

    def multiply(out, matrix, x, at, stride):
        for i in range(d):
            total = real(0.0)
            for j in range(d):
                total = real(multiply_add(matrix[i * d + j], x[at + j * stride], total))
            out[i] = total

    return device(multiply)


def puller(shape, place, multiply_add, device):
    """Return pull(rows, state): H theta of a process into the rows, where the Hessian is a matrix."""
    real, _ = types_of(shape.precision)
    multiply, begin, slots = multiplier(shape.d, real, multiply_add, device), place.state_at, place.slots

    def pull(dense, state):
        multiply(dense[0], dense[3], state, begin, slots)

    def nothing(dense, state):
        return

    return device(pull if shape.dense_loss else nothing)


def bender(shape, place, slope, multiply_add, device):
    """Return fill(dense, state, constants), H grad f of a process into its rows, and bend(dense, j) of coordinate j."""
    real, _ = types_of(shape.precision)
    zero = real(0.0)

    def nothing(dense, state, constants):
        return

    def no_bend(dense, j):
        return zero

    if not place.bent:
        return device(nothing), device(no_bend)
    d, multiply = shape.d, multiplier(shape.d, real, multiply_add, device)
    take_x, take_a, take_s = (taker(count, device) for count in (place.slots, place.loss, place.variance))
    a_at, s_at = place.constants_at, place.constants_at + place.loss * shape.d
    slots, begin, gap = place.slots, place.state_at, np.uint64(shape.d)

    def fill(dense, state, constants):
        for j in range(d):
            a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
            dense[7][j] = zero + slope(take_x(state, np.uint64(begin + j * slots), _ONE), dense[0][j], a, s)
        multiply(dense[8], dense[3], dense[7], 0, 1)

    def bend(dense, j):
        return dense[8][j]

    return device(fill), device(bend)


def drawer(shape, place, law, multiply_add, device):
    """Return fill(dense, normals, sums, extra, n), done before a step, and xi(dense, normals, sums, j) of coordinate j.

    xi is the normal, the normalised sum of normals, or where the covariance is a matrix (R zeta)_j.
    """
    d, (real, noise) = shape.d, types_of(shape.precision)
    single, scale = place.stride == 1, real(1.0 / math.sqrt(place.stride))
    row = 0 if single else shape.strides.index(place.stride) * d

    def own(dense, normals, sums, j):
        return normals[j] if single else noise(sums[row + j] * scale)

    def mixed(dense, normals, sums, j):
        return dense[2][j]

    def nothing(dense, normals, sums, extra, n):
        return

    own = device(own)
    if not shape.dense_noise:
        return device(nothing), own
    multiply = multiplier(d, noise, multiply_add, device)

    def fill(dense, normals, sums, extra, n):
        for j in range(d):
            dense[1][j] = law(own(dense, normals, sums, j), extra[j], n)
        multiply(dense[2], dense[4], dense[1], 0, 1)

    return device(fill), device(mixed)


def stepper(shape, which, functions, carry, multiply_add, device):
    """Return step(dense, state, normals, sums, extra, fine, constants, table, places): process `which`, where due.

    functions : its move, its noise law, its slope or None; dense : rows for H theta, zeta and R zeta, then H and R,
    what else carry (see `cuda_joint`) needs, and rows for grad f and H grad f
    """
    d, place, (move, law, slope) = shape.d, shape.places[which], functions
    fill_bend, bend = bender(shape, place, slope, multiply_add, device)
    pull, (fill, xi) = puller(shape, place, multiply_add, device), drawer(shape, place, law, multiply_add, device)
    take_x, take_c = taker(place.slots, device), row_taker(place, device)
    take_a, take_s = taker(place.loss, device), taker(place.variance, device)
    take_n, take_p = taker(place.noise, device), taker(place.parameters, device)
    a_at, s_at = place.constants_at, place.constants_at + place.loss * d
    n_at = np.uint64(s_at + place.variance * d)
    p_at = n_at + np.uint64(place.noise)
    slots, columns, last, entry_size = place.slots, place.columns, place.rows - 1, np.uint64(place.rows * place.columns)
    begin, period, gap = place.state_at, np.uint32(place.stride), np.uint64(d)

    def step(dense, state, normals, sums, extra, fine, constants, table, places):
        if (fine + np.uint32(1)) % period == np.uint32(0):
            entry = np.uint64(places[which]) + np.uint64(fine // period) * entry_size
            n, p = take_n(constants, n_at, _ONE), take_p(constants, p_at, _ONE)
            fill(dense, normals, sums, extra, n)
            pull(dense, state)
            fill_bend(dense, state, constants)
            carry(dense, state, fine // period, constants, table, entry, places)
            for j in range(d):
                a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
                c = take_c(table, entry + np.uint64(min(j, last) * columns))
                x, drawn = take_x(state, np.uint64(begin + j * slots), _ONE), xi(dense, normals, sums, j)
                put(state, begin + j * slots, move(x, drawn, extra[j], dense[0][j], bend(dense, j), a, s, n, c, p))

    put = putter(slots, device)
    return device(step)


@functools.cache
def putter(count, device):
    """Return put(array, start, values): a tuple of `count` values, one after the other."""
    if count == 1:

        def put(array, start, values):
            array[start] = values[0]
    else:
        before, last = putter(count - 1, device), count - 1

        def put(array, start, values):
            before(array, start, values)
            array[start + last] = values[last]

    return device(put)


def feature(shape, place, which, function, multiply_add, device):
    """Return write(dense, state, constants): feature `which` of one process into its row of the state.

    Its scope: first and last + 1 coordinate to sum, and whether the root is taken.
    """
    d, (first, last, root) = shape.d, shape.scopes[which]
    row, pull = place.state_at + place.slots * d + which, puller(shape, place, multiply_add, device)
    take_x = taker(place.slots, device)
    take_a, take_s = taker(place.loss, device), taker(place.variance, device)
    slots, begin, a_at, s_at = place.slots, place.state_at, place.constants_at, place.constants_at + place.loss * d
    gap = np.uint64(d)
    real, _ = types_of(shape.precision)

    def write(dense, state, constants):
        pull(dense, state)
        total = real(0.0)
        for j in range(first, last):
            a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
            x = take_x(state, np.uint64(begin + j * slots), _ONE)
            total = real(total + function(x, dense[0][j], a, s))
        state[row] = real(math.sqrt(total)) if root else total

    return device(write)


def types_of(precision):
    """Return the types of state and normals."""
    return np.float32 if precision == "f32" else np.float64, np.float64 if precision == "f64" else np.float32
