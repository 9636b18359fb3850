"""What a GPU thread does for one process: draws, running sums of normals, a step.

Each factory returns a plain function that `device` makes callable: numba-cuda compiles it, simulator and
emulator run it as it is. Sizes are constants of the closure, so that every index into a thread's arrays is
known when it is compiled and small arrays become registers.
"""

import functools
import math

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.cuda.access import ONE, ZERO, idler, putter, row_taker, state_begin, taker, types_of, zeros
from ngos_sim.engines.cuda.data import IN_REGISTERS, full_batch, minibatcher
from ngos_sim.engines.cuda.fields import coupler, mixer, spreader
from ngos_sim.engines.cuda.products import bender, multiplier

_WORDS = 4  # normals of a Philox block


def width(d):
    """Return how many normals a thread holds: whole Philox blocks and whole steps."""
    return math.lcm(_WORDS, d)


@functools.cache
def fetcher(d, groups, draw, stream, device):
    """Return fetch(normals, step, counter, group): the d normals of a step, at the head of `normals`.

    groups : of how many such groups of coordinates this is one: with several d is 4

    Blocks are drawn when their first normal is due; until then the normals move up. A step's number has 32 bits
    (`program.STEPS`), and so has a block's where a step takes no more than one.
    """

    def alone(block, stream):
        return stream

    held, each = width(d), np.uint64(groups)
    period, blocks, stream = np.uint32(held // d), held // _WORDS, np.uint64(stream)
    second_word = device(rng.second_word if blocks * groups > 1 else alone)

    def fetch(normals, step, counter, group):
        if step % period == np.uint32(0):
            first = (np.uint64(step // period) * each + group) * np.uint64(blocks)
            for b in range(blocks):
                block = first + np.uint64(b)
                second = second_word(block, stream)
                four = draw(block, second, counter.low, counter.high, counter.k0, counter.k1)
                normals[4 * b] = four[0]
                normals[4 * b + 1] = four[1]
                normals[4 * b + 2] = four[2]
                normals[4 * b + 3] = four[3]
        else:
            for i in range(held - d):
                normals[i] = normals[i + d]

    return device(fetch)


@functools.cache
def adder(d, strides, device):
    """Return add(sums, normals, fine): the running sums of the normals, a row of d for each stride above 1."""
    if not strides:
        return idler(device)
    *rest, stride = strides
    before, row, period = adder(d, tuple(rest), device), len(rest) * d, np.uint32(stride)

    def add(sums, normals, fine):
        before(sums, normals, fine)
        fresh = fine % period == np.uint32(0)
        for j in range(d):
            sums[row + j] = normals[j] if fresh else sums[row + j] + normals[j]

    return device(add)


@functools.cache
def _normal(precision, stride, row, device):
    """Return xi(rows, draws, j) and chi(draws, j): a normal, or `stride` of them, summed from `row` on, normalised."""
    real, noise = types_of(precision)
    single, scale = stride == 1, real(1.0 / math.sqrt(stride))

    def xi(rows, draws, j):
        return draws.xi[j] if single else noise(draws.xi_sums[row + j] * scale)

    def chi(draws, j):
        return draws.chi[j] if single else noise(draws.chi_sums[row + j] * scale)

    return device(xi), device(chi)


@functools.cache
def _mixed(device):
    """Return xi(rows, draws, j) of coordinates whose noise all of them make."""

    def xi(rows, draws, j):
        return rows.mixed[j]

    return device(xi)


def drawer(shape, place, functions, multiply_add, device):
    """Return fill(rows, state, draws, constants, n), before a step, and xi(rows, draws, j), chi(draws, j) in it.

    They are the normal of coordinate j, or the normalised sum of normals; xi is (Sigma^(1/2) zeta)_j where all
    coordinates make it, and of minibatches 0: their noise is in their gradient.
    """
    d, (_, noise), law = shape.together, types_of(shape.precision), functions.law
    row = 0 if place.stride == 1 else shape.strides.index(place.stride) * d
    xi, chi = _normal(shape.precision, place.stride, row, device)
    if place.channels != 2:
        chi = zeros(noise, device)
    if shape.of_data:
        return idler(device), zeros(noise, device) if place.minibatches else _mixed(device), chi
    if functions.mixed is None and not shape.dense_noise:
        return idler(device), xi, chi
    multiply = multiplier(d, noise, multiply_add, device)

    def by_root(rows, state, constants):
        multiply(rows.mixed, rows.root, rows.zeta, ZERO, ONE)

    mix = device(by_root) if functions.mixed is None else mixer(shape, place, functions.mixed, device)

    def fill(rows, state, draws, constants, n):
        for j in range(d):
            rows.zeta[j] = law(xi(rows, draws, j), draws.extra[j], n)
        mix(rows, state, constants)

    return device(fill), _mixed(device), chi


def feeder(shape, which, functions, draw, multiply_add, device):
    """Return fill(rows, state, step, draws, constants): pull, and spread and mixed where a field makes them."""
    place = shape.places[which]
    if not shape.of_data:
        return coupler(shape, place, functions, multiply_add, device)
    if place.minibatches:
        return minibatcher(shape, which, functions.sample, draw, multiply_add, device)
    wanted = (True, place.spread)  # noise, the diagonal of Sigma
    return full_batch(shape, place, functions.sample, draw, *wanted, multiply_add, device)


def stepper(shape, which, functions, carry, draw, multiply_add, device):
    """Return step(rows, state, draws, fine, numbers): process `which`, where due; functions : its Functions."""
    d, place, move = shape.d, shape.places[which], functions.move
    feed = feeder(shape, which, functions, draw, multiply_add, device)
    fill_bend, bend = bender(shape, place, functions.slope, multiply_add, device)
    fill_zeta, xi, chi = drawer(shape, place, functions, multiply_add, device)
    take_x, take_c = taker(place.slots, device), row_taker(place, device)
    take_a, take_s = taker(place.loss, device), taker(place.variance, device)
    take_n, take_p = taker(place.noise, device), taker(place.parameters, device)
    a_at = np.uint64(place.constants_at)
    s_at = a_at + np.uint64(place.loss * d)
    n_at = s_at + np.uint64(place.variance * d)
    p_at = n_at + np.uint64(place.noise)
    slots, entry_size = place.slots, np.uint64(place.rows * place.columns)
    row = np.uint64(place.columns if place.rows > 1 else 0)
    begin, period, gap = state_begin(shape, which), np.uint32(place.stride), np.uint64(d)
    together, group_size = shape.together, np.uint64(shape.together)
    spread, many = spreader(place.spread, shape.precision, device), shape.of_data and d > IN_REGISTERS

    def step(rows, state, draws, fine, numbers):
        if (fine + np.uint32(1)) % period == np.uint32(0):
            constants = numbers.constants
            entry = np.uint64(numbers.begins[which]) + np.uint64(fine // period) * entry_size
            n, p = take_n(constants, n_at, ONE), take_p(constants, p_at, ONE)
            fill_zeta(rows, state, draws, constants, n)
            feed(rows, state, fine // period, draws, constants)
            fill_bend(rows, state, constants)
            carry(rows, state, fine // period, numbers, entry)
            first = numbers.group * group_size
            for j in range(rows.data.counts[0] if many else together):
                coordinate = first + np.uint64(j)
                a, s = take_a(constants, a_at + coordinate, gap), take_s(constants, s_at + coordinate, gap)
                c = take_c(numbers.table, entry + coordinate * row)
                at = np.uint64(begin + j * slots)
                x = take_x(state, at, ONE)
                of_w, of_b, pulled, bent = xi(rows, draws, j), chi(draws, j), rows.pull[j], bend(rows, j)
                put(state, at, move(x, of_w, of_b, draws.extra[j], pulled, bent, spread(rows, j), a, s, n, c, p))

    put = putter(slots, device)
    return device(step)
