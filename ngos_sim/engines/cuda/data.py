"""Gradients of data on the GPU: the rows of an optimizer's minibatches, of an SDE's noise, of features of a state.

Each thread draws its trajectory's samples and reads their rows of features from global memory; where all samples are
taken every thread reads the same one. Sums are in the order of `engines.python_data`, whose formulas these are.
Factories as in `engines.cuda.steps`, which calls these.
"""

import functools
import math

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.cuda.access import types_of
from ngos_sim.engines.fields import DataField

PARTS = 8  # partial sums of a margin in a minibatch
TILE = 16  # samples whose Gaussians a thread holds
IN_REGISTERS = 16  # coordinates up to which loops are written out; else their rows are in local memory
_L2, _INVERSE, _INVERSE_ROOT, _WEIGHTS = map(np.uint64, range(4))  # places in `factors`
_FOUR, _THREE, _HALF = np.uint64(4), np.uint64(3), np.uint64(32)
_BROWNIAN, _SAMPLES = np.uint64(rng.BROWNIAN), np.uint64(rng.SAMPLES)


def arguments(program, inputs, real):
    """Return what a kernel reads of data: features, targets, factors, and counts.

    factors : l2, 1 / n, 1 / sqrt(n), then the weights of all processes' minibatches over their samples
    counts : how many coordinates there are, then the batch of each process
    """
    if inputs.data is None:
        nothing = np.zeros(1, real)
        return nothing, nothing, nothing, np.zeros(1, np.int64)
    n, fields = len(inputs.data.targets), [process.field for process in program.processes]
    weights = [weight / max(field.batch, 1) for field in fields for weight in field.weights]
    factors = np.array([inputs.data.l2, 1.0 / n, 1.0 / math.sqrt(n), *weights])
    counts = np.array([program.dimension, *(field.batch for field in fields)], dtype=np.int64)
    features = np.ascontiguousarray(inputs.data.features).ravel()
    return features.astype(real), inputs.data.targets.astype(real), factors.astype(real), counts


def samples(program, inputs):
    """Return how many samples a process step takes at most; 1 where it is not of data."""
    if inputs.data is None:
        return 1
    every = len(inputs.data.targets)
    return max(process.field.batch * len(process.field.weights) or every for process in program.processes)


def places(program):
    """Return the fields of Place that say of each process what of data its rows are made of, by name."""
    found, before = [], 0
    for process in program.processes:
        weights = len(process.field.weights) if isinstance(process.field, DataField) else 0
        minibatches = weights if weights and process.field.batch else 0
        found.append({"minibatches": minibatches, "weights_at": int(_WEIGHTS) + before})
        before += weights
    return found


@functools.cache
def _measurer(shape, device):
    """Return length(data): how many coordinates there are, of many read from memory, so that no loop is written out."""
    known = np.uint64(shape.d)
    if shape.d <= IN_REGISTERS:
        return device(lambda data: known)
    return device(lambda data: np.uint64(data.counts[0]))


@functools.cache
def _selector(device):
    """Return pick(four, k): element k of a tuple of four; by comparisons, as registers have no index."""

    def pick(four, k):
        return (four[0] if k == 0 else four[1]) if k < 2 else (four[2] if k == 2 else four[3])

    return device(pick)


def _minibatch_margin(shape, place, multiply_add, device):
    """Return margin(rows, state, row): x . theta in PARTS sums, which are then added in pairs; x begins at `row`."""
    real, _ = types_of(shape.precision)
    begin, slots, zero = np.uint64(place.state_at), np.uint64(place.slots), real(0.0)
    parts, rest, length = np.uint64(PARTS), np.uint64(shape.d % PARTS), _measurer(shape, device)

    def margin(rows, state, row):
        x, sums, groups = rows.data.features, rows.data.parts, length(rows.data) // parts
        for t in range(parts):
            sums[t] = zero
        for group in range(groups):
            for t in range(parts):
                j = np.uint64(group) * parts + np.uint64(t)
                sums[t] = multiply_add(x[row + j], state[begin + j * slots], sums[t])
        for t in range(rest):
            j = groups * parts + np.uint64(t)
            sums[t] = multiply_add(x[row + j], state[begin + j * slots], sums[t])
        first, second = (sums[0] + sums[1]) + (sums[2] + sums[3]), (sums[4] + sums[5]) + (sums[6] + sums[7])
        return real(first + second)

    return device(margin)


def minibatcher(shape, which, slope, draw, multiply_add, device):
    """Return fill(rows, state, step, draws, constants): the weighted gradients of minibatches into rows.pull."""
    place, (real, _) = shape.places[which], types_of(shape.precision)
    margin, pick = _minibatch_margin(shape, place, multiply_add, device), _selector(device)
    second_word, words = device(rng.second_word), draw.words
    count, weights_at, length = np.uint64(place.minibatches), np.uint64(place.weights_at), _measurer(shape, device)
    begin, slots = np.uint64(place.state_at), np.uint64(place.slots)

    def add(rows, state, sample, weight):
        d, x, pull = length(rows.data), rows.data.features, rows.pull
        row = sample * d
        r = real(slope(margin(rows, state, row), rows.data.targets[sample]) * weight)
        for j in range(d):
            pull[j] = multiply_add(r, x[row + np.uint64(j)], pull[j])

    add = device(add)

    def fill(rows, state, step, draws, constants):
        n, batch = np.uint64(rows.data.targets.shape[0]), np.uint64(rows.data.counts[1 + which])
        first, counter = np.uint64(step) * count * batch, draws.counter
        end, l2 = first + count * batch, rows.data.factors[_L2]
        for j in range(length(rows.data)):
            rows.pull[j] = l2 * state[begin + np.uint64(j) * slots]
        head = first // _FOUR
        for b in range((end + _THREE) // _FOUR - head):
            block = head + np.uint64(b)
            second = second_word(block, _SAMPLES)
            four = words(block, second, counter.low, counter.high, counter.k0, counter.k1)
            for k in range(4):
                number = block * _FOUR + np.uint64(k)
                if first <= number and number < end:
                    sample = (np.uint64(pick(four, k)) * n) >> _HALF
                    add(rows, state, sample, rows.data.factors[weights_at + (number - first) // batch])

    return device(fill)


@functools.cache
def _normals(shape, place, draw, device):
    """Return fill(normals, first, count, n, step, counter): dW of a step of samples first .. first + count - 1.

    A process of a stride adds up the Gaussians of its fine steps, which each process draws anew.
    """
    real, noise = types_of(shape.precision)
    pick, second_word, normals_of = _selector(device), device(rng.second_word), draw.normals
    stride, single, scale = np.uint64(place.stride), place.stride == 1, real(1.0 / math.sqrt(place.stride))

    def fill(normals, first, count, n, step, counter):
        for s in range(stride):
            begin = (np.uint64(step) * stride + np.uint64(s)) * n + first
            end, head = begin + count, begin // _FOUR
            for b in range((end + _THREE) // _FOUR - head):
                block = head + np.uint64(b)
                second = second_word(block, _BROWNIAN)
                four = normals_of(block, second, counter.low, counter.high, counter.k0, counter.k1)
                for k in range(4):
                    number = block * _FOUR + np.uint64(k)
                    if begin <= number and number < end:
                        at = number - begin
                        normals[at] = pick(four, k) if s == 0 else normals[at] + pick(four, k)
        if not single:
            for i in range(count):
                normals[i] = noise(normals[i] * scale)

    return device(fill)


@functools.cache
def _sample_margin(shape, place, multiply_add, device):
    """Return margin(rows, state, row): x . theta, the coordinates ascending; x begins at `row`."""
    real, _ = types_of(shape.precision)
    begin, slots, zero, length = np.uint64(place.state_at), np.uint64(place.slots), real(0.0), _measurer(shape, device)

    def margin(rows, state, row):
        total = zero
        for j in range(length(rows.data)):
            total = real(
                multiply_add(rows.data.features[row + np.uint64(j)], state[begin + np.uint64(j) * slots], total)
            )
        return total

    return device(margin)


@functools.cache
def full_batch(shape, place, slope, draw, noisy, spread, multiply_add, device):
    """Return fill(rows, state, step, draws, constants): pull of all samples; where wanted their noise and Sigma_ii.

    noisy : whether Sigma^(1/2) dW is written to rows.mixed; spread : whether the diagonal of Sigma is to rows.spread
    """
    real, noise = types_of(shape.precision)
    margin, normals = _sample_margin(shape, place, multiply_add, device), _normals(shape, place, draw, device)
    begin, slots, length = np.uint64(place.state_at), np.uint64(place.slots), _measurer(shape, device)
    zero, tile = real(0.0), np.uint64(TILE)

    def add(data, state, row, r, w):
        weighted, square = real(r * w), real(r * r)
        for j in range(length(data)):
            x = data.features[row + np.uint64(j)]
            data.sums[j] = multiply_add(x, r, data.sums[j])
            if noisy:
                data.noise[j] = multiply_add(x, weighted, data.noise[j])
            if spread:
                data.squares[j] = multiply_add(real(x * x), square, data.squares[j])

    def finish(rows, state, total):
        data = rows.data
        l2, inverse, root = data.factors[_L2], data.factors[_INVERSE], data.factors[_INVERSE_ROOT]
        for j in range(length(data)):
            mean = real(data.sums[j] * inverse)
            rows.pull[j] = multiply_add(l2, state[begin + np.uint64(j) * slots], mean)
            if noisy:
                rows.mixed[j] = noise(multiply_add(-mean, total, data.noise[j]) * root)
            if spread:
                found = multiply_add(-mean, mean, real(data.squares[j] * inverse))
                rows.spread[j] = zero if found < zero else found

    add, finish = device(add), device(finish)

    def fill(rows, state, step, draws, constants):
        data, n, d, total = rows.data, np.uint64(rows.data.targets.shape[0]), length(rows.data), zero
        for j in range(d):
            data.sums[j] = zero
            if noisy:
                data.noise[j] = zero
            if spread:
                data.squares[j] = zero
        for t in range((n + tile - np.uint64(1)) // tile):
            first = np.uint64(t) * tile
            count = min(tile, n - first)
            if noisy:
                normals(data.normals, first, count, n, step, draws.counter)
            for i in range(count):
                sample = first + np.uint64(i)
                row = sample * d
                r = real(slope(margin(rows, state, row), data.targets[sample]))
                if noisy:
                    total = real(total + data.normals[i])
                    add(data, state, row, r, data.normals[i])
                else:
                    add(data, state, row, r, noise(0.0))
        finish(rows, state, total)

    return device(fill)


def averager(shape, place, function, multiply_add, device):
    """Return add(rows, state, start): start and the mean over all samples of a function (margin, y)."""
    real, _ = types_of(shape.precision)
    margin, zero, length = _sample_margin(shape, place, multiply_add, device), real(0.0), _measurer(shape, device)

    def add(rows, state, start):
        n, d, total = np.uint64(rows.data.targets.shape[0]), length(rows.data), zero
        for i in range(n):
            sample = np.uint64(i)
            total = real(total + function(margin(rows, state, sample * d), rows.data.targets[sample]))
        return real(multiply_add(rows.data.factors[_INVERSE], total, start))

    return device(add)
