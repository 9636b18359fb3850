"""The GPU kernel of a program: one thread a trajectory, 128 threads a block.

At a record the test functions of every thread are summed over the block by the CPU's tree, in float64, and so are
their squared deviations from the block's mean.
This file is the only one that says `cuda.` inside kernels, since the simulator puts its own there by module.
"""

import functools

import numpy as np
from numba import float32, float64

from ngos_sim.engines.cuda.access import porter, types_of
from ngos_sim.engines.cuda.bundles import Counter, Data, Draws, Numbers, Rows
from ngos_sim.engines.cuda.data import PARTS, TILE
from ngos_sim.engines.cuda.joint import room
from ngos_sim.engines.cuda.package import cuda
from ngos_sim.engines.cuda.steps import width
from ngos_sim.engines.cuda.thread import advancer, checker, writer
from ngos_sim.engines.program import BLOCK

COLUMNS = 8  # sums that a block makes between two rounds of barriers: of 4 observables and their deviations
_REGISTERS = 64  # rows of state that may live in registers; more of them are in local memory anyway


def make(shape, draw, multiply_add, functions, features, matrices, device):
    """Return the kernel of a program, a plain function.

    shape : Shape; draw, multiply_add, functions, features : the bound scalar functions, of random numbers (Source), of
    a b + c, of each process (Functions) and of each feature (Observed); matrices : Hessian and root as constants, or
    None where the kernel's arguments hold them; device : makes a plain function callable from the kernel.
    """
    d, processes, size = shape.d, len(shape.places), shape.rows * len(shape.places)
    real, noise = (float32 if kind is np.float32 else float64 for kind in types_of(shape.precision))
    together, groups = shape.together, np.uint64(shape.groups)
    held, summed = (1, 1) if shape.of_data else (width(together), max(1, len(shape.strides) * together))
    shown = size if size <= _REGISTERS and groups == 1 else 1
    moved = 1 if groups == 1 else processes * shape.places[0].slots * together
    extra_held, carried = width(together) if shape.gaussians == 2 else together, room(shape)
    chi_held = width(together) if shape.channels == 2 else 1
    chi_summed = max(1, len(shape.strides) * together) if shape.channels == 2 else 1
    bent = d if any(place.bent for place in shape.places) else 1
    spread = d if any(each.spread for each in (*shape.places, *shape.scopes)) else 1
    of_data, parts, tile = (d, PARTS, TILE) if shape.of_data else (1, 1, 1)
    advance = advancer(shape, draw, multiply_add, functions, device)
    write, constant = writer(shape, draw, multiply_add, functions, features, device), _chooser(matrices, device)
    choose, take, give = porter(shape, device)
    show, observe = _shower(shown, size, device), _observer(processes, shape.rows, multiply_add, device)
    finite = checker(shape, device)

    def kernel(
        key,
        trajectory,
        constants,
        table,
        begins,
        starts,
        hessian,
        root,
        errors,
        features,
        targets,
        factors,
        counts,
        records,
        terms,
        exponents,
        owned,
        combinations,
        sums,
        bad,
    ):
        shared = cuda.shared.array((COLUMNS, BLOCK), float64)
        state, extra = cuda.local.array(size, real), cuda.local.array(extra_held, noise)
        xi, xi_sums = cuda.local.array(held, noise), cuda.local.array(summed, noise)
        chi, chi_sums = cuda.local.array(chi_held, noise), cuda.local.array(chi_summed, noise)
        values, copied = cuda.local.array(processes, float64), cuda.local.array(shown, real)
        pull, zeta, mixed = cuda.local.array(d, real), cuda.local.array(d, noise), cuda.local.array(d, noise)
        slopes, bend = cuda.local.array(bent, real), cuda.local.array(bent, real)
        h, r = constant(hessian, root)
        totals, of_noise = cuda.local.array(of_data, real), cuda.local.array(of_data, real)
        squares, of_margin = cuda.local.array(of_data, real), cuda.local.array(parts, real)
        normals, work = cuda.local.array(tile, noise), cuda.local.array(carried, real)
        data = Data(features, targets, factors, counts, totals, of_noise, squares, of_margin, normals)
        diagonal = cuda.local.array(spread, real)
        rows = Rows(pull, slopes, bend, zeta, mixed, h, r, errors, work, diagonal, data)
        lane, block = cuda.threadIdx.x, cuda.blockIdx.x
        index = np.uint64(trajectory + block * BLOCK + lane)
        low, high = index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)
        counter = Counter(low, high, key & np.uint64(0xFFFFFFFF), key >> np.uint64(32))
        draws, part = Draws(xi, xi_sums, chi, chi_sums, extra, counter), choose(state, cuda.local.array(moved, real))
        for row in range(size):
            state[row] = starts[row]
        for j in range(together):
            extra[j] = 0.0
        at, fine = np.int64(0), np.uint32(0)  # 32 bits: `program.STEPS`
        for record in range(records.shape[0]):
            to = np.uint32(records[record])
            for group in range(groups):
                take(part, state, group)
                advance(rows, part, draws, fine, to, Numbers(constants, table, begins, group))
                give(state, part, group)
            fine = to
            write(rows, state, draws, constants)
            seen = show(copied, state)
            observe(shared, values, seen, lane, record, terms, exponents, owned, combinations, sums[block], at)
            at += 2 * (owned.shape[0] - 1) * combinations.shape[0]
        bad[block, lane] = 0 if finite(state) else 1

    return kernel


def _chooser(matrices, device):
    """Return constant(hessian, root): the matrices as compile-time constants where they are given, else as they are."""
    if matrices is None:

        def constant(hessian, root):
            return hessian, root
    else:
        own_hessian, own_root = matrices

        def constant(hessian, root):
            return cuda.const.array_like(own_hessian), cuda.const.array_like(own_root)

    return device(constant)


def _shower(shown, size, device):
    """Return show(copied, state): the rows to observe; a copy keeps a small state itself in registers.

    shown : how many rows are copied: all, or else the state is what is observed
    """
    if shown < size:

        def show(copied, state):
            return state
    else:

        def show(copied, state):
            for row in range(size):
                copied[row] = state[row]
            return copied

    return device(show)


@functools.cache
def _reducer(multiply_add, device):
    """Return reduce(shared, lane, columns, sums, at): the tree's sums over the lanes, sums[at + i] of column i.

    An even column holds values, the one behind it their squared deviations so far: zeros.
    """

    def reduce(shared, lane, columns, sums, at):
        cuda.syncthreads()
        half = BLOCK // 2
        while half > 0:
            if lane < half:
                weight = half / BLOCK  # 1 / 2 n of values that are sums of n
                for pair in range(columns // 2):  # (stepping by 2 takes half an instruction more a step)
                    column = 2 * pair
                    gap = shared[column, lane] - shared[column, lane + half]
                    spread = shared[column + 1, lane] + shared[column + 1, lane + half]
                    shared[column + 1, lane] = multiply_add(gap * weight, gap, spread)
                    shared[column, lane] += shared[column, lane + half]
            cuda.syncthreads()
            half //= 2
        if lane < columns:
            sums[at + lane] = shared[lane, 0]
        cuda.syncthreads()

    return device(reduce)


@functools.cache
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


@functools.cache
def _observer(processes, rows_each, multiply_add, device):
    """Return observe(shared, values, rows, lane, record, coefficients, exponents, owned, combinations, sums, at).

    rows : the state's rows of every process, `rows_each` of them; owned : where the terms of each test function begin;
    values : room for a number a process.
    """
    value, reduce = _valuer(device), _reducer(multiply_add, device)

    def observe(shared, values, rows, lane, record, coefficients, exponents, owned, combinations, sums, at):
        column = np.int64(0)  # a plain 0 has a type of its own, for which all that takes it would be compiled too
        for g in range(owned.shape[0] - 1):
            for process in range(processes):
                where = process * rows_each
                values[process] = value(rows, where, record, owned[g], owned[g + 1], coefficients, exponents)
            for q in range(combinations.shape[0]):
                total = 0.0
                for process in range(processes):
                    weight = combinations[q, process]
                    if weight != 0.0:
                        total += weight * values[process]
                shared[column, lane] = total
                shared[column + 1, lane] = 0.0
                column += 2
                if column == COLUMNS:
                    reduce(shared, lane, column, sums, at)
                    at += column
                    column = np.int64(0)
        if column > 0:
            reduce(shared, lane, column, sums, at)

    return device(observe)
