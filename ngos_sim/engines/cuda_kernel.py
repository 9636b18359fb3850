"""The GPU kernel of a program: one thread a trajectory, 128 threads a block.

At a record the test functions of every thread are summed over the block by the CPU's tree, in float64.
This file is the only one that says `cuda.` inside kernels, since the simulator puts its own there by module.
"""

import math
from collections import namedtuple

import numpy as np
from numba import float32, float64

from ngos_sim.engines import rng
from ngos_sim.engines.cuda_package import cuda
from ngos_sim.engines.cuda_steps import adder, all_steps, feature, fetcher, in_turn, stepper, types_of, width
from ngos_sim.engines.program import BLOCK

COLUMNS = 8  # sums that a block makes between two rounds of barriers: 4 observables and their squares
_REGISTERS = 64  # rows of state that may live in registers; more of them are in local memory anyway

# What a kernel is made of besides functions: scopes of the features, a Place a process.
Shape = namedtuple("Shape", "precision d substeps gaussians scopes places")


def make(shape, draw, moves, features, device):
    """Return the kernel of a program, a plain function.

    Parameters
    ----------
    shape : Shape
    draw, moves, features : bound scalar functions
        The normals of a Philox block, the move of each process, the features.
    device : function
        Makes a plain function callable from the kernel.
    """
    d, substeps, random = shape.d, np.uint32(shape.substeps), shape.gaussians == 2
    real, noise = (float32 if kind is np.float32 else float64 for kind in types_of(shape.precision))
    strides = sorted({place.stride for place in shape.places if place.stride > 1})
    processes, slots = len(shape.places), shape.places[0].slots
    rows = slots * d + len(shape.scopes)
    size, held, summed = rows * processes, width(d), max(1, len(strides) * d)
    extra_held = held if random else d
    fetch, fetch_extra = (fetcher(d, draw, stream, device) for stream in (rng.BROWNIAN, rng.EXTRA))
    add = adder(d, strides, device)
    each = zip(shape.places, moves, strict=True)
    steps = [stepper(d, at, i, strides, move, shape.precision, device) for i, (at, move) in enumerate(each)]
    step = all_steps(steps, device)
    observe = _observer(processes, rows, device)
    write = in_turn(
        [
            feature(d, place, place.state_at + slots * d + which, scope, function, shape.precision, device)
            for which, (scope, function) in enumerate(zip(shape.scopes, features, strict=True))
            for place in shape.places
        ],
        device,
    )
    shown = size if size <= _REGISTERS else 1

    def kernel(key, trajectory, constants, table, places, starts, records, terms, exponents, begins, mixed, sums, bad):
        shared = cuda.shared.array((COLUMNS, BLOCK), float64)
        state, normals = cuda.local.array(size, real), cuda.local.array(held, noise)
        extra, together = cuda.local.array(extra_held, noise), cuda.local.array(summed, noise)
        values, copied = cuda.local.array(processes, float64), cuda.local.array(shown, real)
        lane, block = cuda.threadIdx.x, cuda.blockIdx.x
        index = np.uint64(trajectory + block * BLOCK + lane)
        low, high = index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)
        k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
        for row in range(size):
            state[row] = starts[row]
        for j in range(d):
            extra[j] = 0.0
        at, fine = 0, np.uint32(0)  # 32 bits: a table of a row a step, and 2**32 steps, would fit nowhere
        for record in range(records.shape[0]):
            while fine < np.uint32(records[record]):
                fetch(normals, fine, low, high, k0, k1)
                if random and fine % substeps == np.uint32(0):
                    fetch_extra(extra, fine // substeps, low, high, k0, k1)
                add(together, normals, fine)
                step(state, normals, together, extra, fine, constants, table, places)
                fine = np.uint32(fine + np.uint32(1))
            write(state, constants)
            if size <= _REGISTERS:
                for row in range(size):
                    copied[row] = state[row]
                observe(shared, values, copied, lane, record, terms, exponents, begins, mixed, sums[block], at)
            else:
                observe(shared, values, state, lane, record, terms, exponents, begins, mixed, sums[block], at)
            at += 2 * (begins.shape[0] - 1) * mixed.shape[0]
        finite = True
        for process in range(processes):
            for row in range(slots * d):
                finite = finite and math.isfinite(state[process * rows + row])
        bad[block, lane] = 0 if finite else 1

    return kernel


def _reducer(device):
    """Return reduce(shared, lane, columns, sums, at): sums[at + i] = the tree's sum of column i over the lanes."""

    def reduce(shared, lane, columns, sums, at):
        cuda.syncthreads()
        half = BLOCK // 2
        while half > 0:
            if lane < half:
                for column in range(columns):
                    shared[column, lane] += shared[column, lane + half]
            cuda.syncthreads()
            half //= 2
        if lane < columns:
            sums[at + lane] = shared[lane, 0]
        cuda.syncthreads()

    return device(reduce)


def _valuer(device):
    """Return value(rows, at, record, first, last, coefficients, exponents): a test function of one process."""

    def value(rows, at, record, first, last, coefficients, exponents):
        total = 0.0
        for t in range(first, last):
            term = coefficients[record, t]
            for r in range(exponents.shape[1]):
                for _ in range(exponents[t, r]):
                    term *= np.float64(rows[at + r])
            total += term
        return total

    return device(value)


def _observer(processes, rows_each, device):
    """Return observe(shared, values, rows, lane, record, terms.., combinations, sums, at).

    rows : the state's rows of every process, `rows_each` of them; values : room for a number a process.
    """
    value, reduce = _valuer(device), _reducer(device)

    def observe(shared, values, rows, lane, record, coefficients, exponents, begins, combinations, sums, at):
        column = 0
        for g in range(begins.shape[0] - 1):
            for process in range(processes):
                where = process * rows_each
                values[process] = value(rows, where, record, begins[g], begins[g + 1], coefficients, exponents)
            for q in range(combinations.shape[0]):
                total = 0.0
                for process in range(processes):
                    weight = combinations[q, process]
                    if weight != 0.0:
                        total += weight * values[process]
                shared[column, lane] = total
                shared[column + 1, lane] = total * total
                column += 2
                if column == COLUMNS:
                    reduce(shared, lane, column, sums, at)
                    at += column
                    column = 0
        if column > 0:
            reduce(shared, lane, column, sums, at)

    return device(observe)
