"""Compiled kernels of the CPU engine: 128 trajectories side by side, the lane loop innermost.

LLVM vectorises over trajectories only if the loop over lanes is innermost and its indices unsigned.
A process's state is a run of rows of 128 lanes: the slots of coordinate 0, of coordinate 1, .., then
the features. Kernels get tags and flat arrays: tuples of arrays took ten seconds to compile.
"""

import math

import numpy as np
from numba import literal_unroll, njit
from numba.extending import overload

from ngos_sim.engines import rng
from ngos_sim.engines.bind import call
from ngos_sim.engines.joint import carry
from ngos_sim.engines.layout import AT, COLUMNS, LOSS, NOISE, PARAMETERS, ROWS, SLOTS, STRIDE, TABLE, VARIANCE
from ngos_sim.engines.primitives import KERNEL, keep_apart, prefer_wide
from ngos_sim.engines.product import product
from ngos_sim.engines.program import BLOCK, BLOCKS
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


@njit(**KERNEL)
def _fill(draw, out, blocks, key, stream, trajectory, counter):
    """Write the normals of Philox blocks counter .. counter + blocks - 1, one row of lanes a draw."""
    keep_apart()
    prefer_wide()
    k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    for b in range(blocks):
        at = np.uint64(4 * b) * _L
        c0 = np.uint64(counter + b)
        for lane in range(_L):
            index = trajectory + lane
            four = call(draw, c0, stream, index & np.uint64(0xFFFFFFFF), index >> np.uint64(32), k0, k1)
            out[at + lane] = four[0]
            out[at + _L + lane] = four[1]
            out[at + np.uint64(2) * _L + lane] = four[2]
            out[at + np.uint64(3) * _L + lane] = four[3]


@njit(**KERNEL)
def _combine(library, out, normals, at, d, stride, scale):
    """Write d rows, each the sum of `stride` rows of normals times scale."""
    keep_apart()
    prefer_wide()
    gap = np.uint64(d) * _L
    for lane in range(gap):
        out[lane] = normals[at + lane] + normals[at + gap + lane]
    for r in range(2, stride):
        row = at + np.uint64(r) * gap
        for lane in range(gap):
            out[lane] += normals[row + lane]
    for lane in range(gap):
        out[lane] *= scale


@njit(**KERNEL)
def _draw(law, out, xi, xi_at, extra, extra_at, constants, d, place):
    """Write d rows of zeta, the noise law's draws."""
    keep_apart()
    prefer_wide()
    n = take_noise(law, constants, np.uint64(place[NOISE]), np.uint64(1))
    for lane in range(np.uint64(d) * _L):
        out[lane] = call(law, float(xi[xi_at + lane]), float(extra[extra_at + lane]), n)


@njit(**KERNEL)
def _row(move, state, at, xi, xi_at, extra, extra_at, pull, pull_at, constants, j, d, place, c):
    """Step coordinate j of 128 trajectories."""
    keep_apart()
    prefer_wide()
    a = take_loss(move, constants, np.uint64(place[LOSS] + j), d)
    s = take_variance(move, constants, np.uint64(place[VARIANCE] + j), d)
    n = take_noise(move, constants, np.uint64(place[NOISE]), np.uint64(1))
    p = take_parameters(move, constants, np.uint64(place[PARAMETERS]), np.uint64(1))
    for lane in range(_L):
        x = take_slots(move, state, at + lane, _L)
        drawn = float(xi[xi_at + lane]), float(extra[extra_at + lane])
        y = call(move, x, drawn[0], drawn[1], pull[pull_at + lane], a, s, n, c, p)
        store_slots(state, at + lane, _L, y)


@njit(**KERNEL, inline="always")
def _advance(library, pair, place, numbers, state, pull, step, d, noise, at, extra_at):
    """Take one process's step number `step`; its rows of noise begin at `at` and `extra_at`."""
    constants, table, hessian, root = numbers
    xi, extra, combined, zeta, mixed = noise
    move, law = pair
    if place[STRIDE] > 1:
        scale = table.dtype.type(1.0 / math.sqrt(float(place[STRIDE])))
        _combine(library, combined, xi, at, d, place[STRIDE], scale)
        xi, at = combined, np.uint64(0)
    if len(root):
        _draw(law, zeta, xi, at, extra, extra_at, constants, d, place)
        product(library, mixed, root, zeta, np.uint64(0), _L, np.uint64(d))
        xi, at = mixed, np.uint64(0)
    if len(hessian):
        begin, gap = np.uint64(place[AT]) * _L, np.uint64(place[SLOTS]) * _L
        product(library, pull, hessian, state, begin, gap, np.uint64(d))
    for j in range(d):
        entry = step * place[ROWS] + min(j, place[ROWS] - 1)
        c = take_table(move, table, np.uint64(place[TABLE] + entry * place[COLUMNS]), np.uint64(1))
        row, noise_row = np.uint64(place[AT] + j * place[SLOTS]) * _L, np.uint64(j) * _L
        drawn = (xi, at + noise_row, extra, extra_at + noise_row)
        _row(move, state, row, *drawn, pull, noise_row, constants, j, np.uint64(d), place, c)


@njit(**KERNEL)
def _feature(feature, state, pull, place, scope, which, constants, d):
    """Write feature `which` of one process; scope: first and last + 1 coordinate to sum, take the root."""
    prefer_wide()
    row = np.uint64(place[AT] + d * place[SLOTS] + which) * _L
    for lane in range(_L):
        state[row + lane] = 0.0
    for j in range(scope[0], scope[1]):
        start = np.uint64(place[AT] + j * place[SLOTS]) * _L
        a = take_loss(feature, constants, np.uint64(place[LOSS] + j), np.uint64(d))
        s = take_variance(feature, constants, np.uint64(place[VARIANCE] + j), np.uint64(d))
        for lane in range(_L):
            x = take_slots(feature, state, start + lane, _L)
            state[row + lane] += call(feature, x, pull[np.uint64(j) * _L + lane], a, s)
    if scope[2]:
        for lane in range(_L):
            state[row + lane] = math.sqrt(state[row + lane])


def _features(library, features, state, pull, layout, scope, numbers, d):
    raise NotImplementedError  # compiled only


@overload(_features, jit_options={"error_model": "numpy"})
def _features_compiled(library, features, state, pull, layout, scope, numbers, d):
    """Write every feature of every process."""
    if len(features) == 0:  # literal_unroll takes no empty tuple
        return lambda library, features, state, pull, layout, scope, numbers, d: None

    def write(library, features, state, pull, layout, scope, numbers, d):
        for process in range(len(layout)):
            place = layout[process]
            if len(numbers[2]):
                begin, gap = np.uint64(place[AT]) * _L, np.uint64(place[SLOTS]) * _L
                product(library, pull, numbers[2], state, begin, gap, np.uint64(d))
            which = 0
            for feature in literal_unroll(features):
                _feature(feature, state, pull, place, scope[which], np.int64(which), numbers[0], d)
                which += 1

    return write


@njit(**KERNEL)
def _observe(library, out, record, state, layout, terms, combinations, value, term):
    """Add up the terms of the test functions of every process; out (test functions, observables, lanes)."""
    keep_apart()
    prefer_wide()
    owner, coefficient, exponents = terms
    out[:] = 0.0
    for process in range(len(layout)):
        for t in range(len(owner)):
            for lane in range(_L):
                term[lane] = coefficient[record, t]
            for r in range(exponents.shape[1]):
                row = np.uint64(layout[process, AT] + r) * _L
                for _ in range(exponents[t, r]):
                    for lane in range(_L):
                        term[lane] *= state[row + lane]
            if t == 0 or owner[t] != owner[t - 1]:
                value[:] = 0.0
            for lane in range(_L):
                value[lane] += term[lane]
            if t + 1 == len(owner) or owner[t + 1] != owner[t]:
                for q in range(combinations.shape[0]):
                    weight = combinations[q, process]
                    if weight != 0.0:
                        target = out[owner[t], q]
                        for lane in range(_L):
                            target[lane] += weight * value[lane]


@njit(**KERNEL)
def _tree(library, lanes, power, term):
    """Return the sum of 128 values, or of their squares, by halving: the same order on every engine."""
    keep_apart()
    prefer_wide()
    for lane in range(_L):
        term[lane] = lanes[lane] if power == 0 else lanes[lane] * lanes[lane]
    half = _L
    while half > np.uint64(1):
        half = half >> np.uint64(1)
        for lane in range(half):
            term[lane] += term[lane + half]
    return term[0]


@njit(**KERNEL, inline="always")
def block(tags, sizes, key, trajectory, layout, scope, numbers, starts, records, terms, combinations, work, out):
    """Run one block of 128 trajectories; out (records, test functions, observables, lanes)."""
    draw, moves, features = tags
    d, substeps, gaussians = sizes
    noise, state, pull, value, term, joint = work
    normals, extra = noise[0], noise[1]
    for row in range(len(starts)):
        for lane in range(_L):
            state[np.uint64(row) * _L + lane] = starts[row]
    width = substeps * d  # draws a macro step
    period, extra_period = len(normals) // (width * BLOCK), len(extra) // (d * BLOCK)  # macro steps a fill
    record = 0
    for k in range(-(-records[-1] // substeps)):
        phase, extra_phase = k % period, k % extra_period
        if phase == 0:
            _fill(draw, normals, period * width // 4, key, np.uint64(rng.BROWNIAN), trajectory, k * width // 4)
        if gaussians == 2 and extra_phase == 0:
            _fill(draw, extra, extra_period * d // 4, key, np.uint64(rng.EXTRA), trajectory, k * d // 4)
        at, extra_at = np.uint64(phase * width) * _L, np.uint64(extra_phase * d) * _L
        for fine in range(k * substeps + 1, (k + 1) * substeps + 1):
            which = 0
            for move in literal_unroll(moves):
                step, rest = divmod(fine, layout[which, STRIDE])
                if rest == 0:
                    before = (step - 1) * layout[which, STRIDE] - k * substeps
                    first = at + np.uint64(before * d) * _L
                    carry(draw, move[0], joint, layout[which], which, numbers, state, pull, step - 1, d)
                    _advance(draw, move, layout[which], numbers, state, pull, step - 1, d, noise, first, extra_at)
                which += 1
            if record < len(records) and fine == records[record]:
                _features(draw, features, state, pull, layout, scope, numbers, d)
                _observe(draw, out[record], record, state, layout, terms, combinations, value, term)
                record += 1


@njit(**KERNEL)
def _reduce(library, out, sums, state, layout, d, trajectory, nonfinite, term):
    """Add a block's observables and their squares to its chunk's sums; count its non-finite states."""
    keep_apart()
    for i in range(out.shape[0]):
        for g in range(out.shape[1]):
            for q in range(out.shape[2]):
                for power in range(2):
                    sums[i, g, q, power] += _tree(library, out[i, g, q], power, term)
    for lane in range(BLOCK):
        finite = True
        for process in range(len(layout)):
            first = layout[process, AT]
            for row in range(first, first + d * layout[process, SLOTS]):
                finite = finite and math.isfinite(state[row * BLOCK + lane])
        if not finite:
            if nonfinite[0] == 0:
                nonfinite[1] = np.int64(trajectory) + lane
            nonfinite[0] += 1


@njit(**KERNEL)
def chunks(
    tags, sizes, key, layout, scope, numbers, starts, records, terms, combinations, work, out, first, sums, nonfinite
):
    """Run whole chunks; sums (chunks, records, test functions, observables, 2)."""
    state, term = work[1], work[4]
    for chunk in range(len(sums)):
        sums[chunk] = 0.0
        nonfinite[chunk, 0], nonfinite[chunk, 1] = 0, -1
        for b in range(BLOCKS):
            trajectory = np.uint64((first + chunk) * BLOCKS + b) * _L
            block(tags, sizes, key, trajectory, layout, scope, numbers, starts, records, terms, combinations, work, out)
            _reduce(tags[0], out, sums[chunk], state, layout, sizes[0], trajectory, nonfinite[chunk], term)
