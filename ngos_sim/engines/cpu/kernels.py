"""Compiled kernels of the CPU engine: 128 trajectories side by side, as `engines.cpu.lanes` steps them.

A process's state is a run of rows of 128 lanes: the slots of coordinate 0, of coordinate 1, .., then
the features. The bundles that functions take are `engines.layout`'s. Nothing here depends on a rule or a loss:
compiled once, the kernels serve every study.
"""

import math

import numpy as np

from ngos_sim.arithmetic import fma
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT, KERNEL, PRIMITIVES, keep_apart, prefer_wide
from ngos_sim.engines.cpu.joint import carry
from ngos_sim.engines.cpu.lanes import Feature, Row, Zeta, enter_feature, enter_row, enter_zeta
from ngos_sim.engines.cpu.product import product
from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import BLOCK, BLOCKS

_L = np.uint64(BLOCK)
_fma, _merged, _second_word = PRIMITIVES[fma], njit(**JIT)(merged), njit(**JIT)(rng.second_word)


@njit(**KERNEL)
def _fill(source, out, words, blocks, key, stream, trajectory, counter):
    """Write the normals of Philox blocks counter .. counter + blocks - 1, one row of lanes a draw.

    A block's words first, then their normals: of a loop over both, fewer lanes are in the processor's window at once.
    """
    keep_apart()
    prefer_wide()
    k0, k1 = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    for b in range(blocks):
        c0 = np.uint64(counter + b)
        c1 = _second_word(c0, stream)
        for lane in range(_L):
            index = trajectory + lane
            four = call(source.words, c0, c1, index & np.uint64(0xFFFFFFFF), index >> np.uint64(32), k0, k1)
            words[lane] = four[0]
            words[_L + lane] = four[1]
            words[np.uint64(2) * _L + lane] = four[2]
            words[np.uint64(3) * _L + lane] = four[3]
        for first in range(np.uint64(0), np.uint64(4) * _L, np.uint64(2) * _L):
            at = np.uint64(4 * b) * _L + first
            for lane in range(_L):
                two = call(source.transform, words[first + lane], words[first + _L + lane])
                out[at + lane] = two[0]
                out[at + _L + lane] = two[1]


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


@njit(**JIT)
def _at_coordinate(place, out, state, pulls, constants, j, d):
    """Return what a function of one process's coordinate j is called with: `lanes.Feature`."""
    return Feature(
        out=out,
        state=pointer(state, (place.at + j * place.slots) * _L),
        pull=pointer(pulls.pull, np.uint64(j) * _L),
        spread=pointer(pulls.spread, np.uint64(j) * _L),
        loss=pointer(constants, place.loss + j),
        variance=pointer(constants, place.variance + j),
        d=d,
    )


@njit(**KERNEL)
def _multiply(library, place, numbers, state, pulls, d):
    """Write H theta of one process and, where its step reads it, H grad f."""
    keep_apart()
    prefer_wide()
    constants, hessian, pull, slopes = numbers.constants, numbers.hessian, pulls.pull, pulls.slopes
    begin, gap = np.uint64(place.at) * _L, np.uint64(place.slots) * _L
    product(library, pull, hessian, state, begin, gap, np.uint64(d))
    if place.slope_loop:
        for lane in range(np.uint64(d) * _L):
            slopes[lane] = 0.0
        for j in range(d):
            out = pointer(slopes, np.uint64(j) * _L)
            enter_feature(place.slope_loop, _at_coordinate(place, out, state, pulls, constants, j, d))
        product(library, pulls.bend, hessian, slopes, np.uint64(0), _L, np.uint64(d))


@njit(**KERNEL, inline="always")
def _advance(library, place, numbers, state, pulls, step, sizes, noise, at, extra_at, again):
    """Take one process's step number `step`; its rows of noise begin at `at` and `extra_at`.

    pulls : as `_multiply` left them; again : whether its rows have been combined for another process.
    """
    d, constants, law = sizes.d, numbers.constants, pointer(numbers.constants, place.noise)
    xi, chi = noise.xi, noise.chi
    if place.stride > 1:
        if not again:
            scale = numbers.table.dtype.type(1.0 / math.sqrt(float(place.stride)))
            _combine(library, noise.xi_sums, xi, at, d, place.stride, scale)
            if sizes.channels == 2:
                _combine(library, noise.chi_sums, chi, at, d, place.stride, scale)
        xi, chi, at = noise.xi_sums, noise.chi_sums, np.uint64(0)
    chi_at = at
    if len(numbers.root):
        zeta = Zeta(
            out=pointer(noise.zeta, 0), xi=pointer(xi, at), extra=pointer(noise.extra, extra_at), noise=law, rows=d
        )
        enter_zeta(place.law_loop, zeta)
        product(library, noise.mixed, numbers.root, noise.zeta, np.uint64(0), _L, np.uint64(d))
        xi, at = noise.mixed, np.uint64(0)
    for j in range(d):
        lanes, entry = np.uint64(j) * _L, step * place.rows + min(j, place.rows - 1)
        row = Row(
            state=pointer(state, (place.at + j * place.slots) * _L),
            xi=pointer(xi, at + lanes),
            chi=pointer(chi, chi_at + lanes),
            extra=pointer(noise.extra, extra_at + lanes),
            pull=pointer(pulls.pull, lanes),
            bend=pointer(pulls.bend, lanes),
            spread=pointer(pulls.spread, lanes),
            loss=pointer(constants, place.loss + j),
            variance=pointer(constants, place.variance + j),
            noise=law,
            parameters=pointer(constants, place.parameters),
            table=pointer(numbers.table, place.table + entry * place.columns),
            d=d,
        )
        enter_row(place.step_loop, row)


@njit(**KERNEL)
def _feature(library, scope, out, place, state, pulls, constants, d):
    """Write one feature of one process."""
    keep_apart()
    prefer_wide()
    for lane in range(_L):
        state[out + lane] = 0.0
    for j in range(scope.first, scope.end):
        enter_feature(scope.loop, _at_coordinate(place, pointer(state, out), state, pulls, constants, j, d))
    if scope.root:
        for lane in range(_L):
            state[out + lane] = math.sqrt(state[out + lane])


@njit(**KERNEL)
def _features(library, scopes, state, pulls, places, numbers, d):
    """Write every feature of every process."""
    keep_apart()
    for process in range(len(places)):
        place = places[process]
        if len(numbers.hessian):
            begin, gap = np.uint64(place.at) * _L, np.uint64(place.slots) * _L
            product(library, pulls.pull, numbers.hessian, state, begin, gap, np.uint64(d))
        for which in range(len(scopes)):
            out = np.uint64(place.at + d * place.slots + which) * _L
            _feature(library, scopes[which], out, place, state, pulls, numbers.constants, d)


@njit(**KERNEL)
def _observe(library, out, record, state, places, terms, combinations, value, term):
    """Add up the terms of the test functions of every process; out (test functions, observables, lanes)."""
    keep_apart()
    prefer_wide()
    owner, coefficient, exponents = terms.owner, terms.coefficient, terms.exponents
    out[:] = 0.0
    for process in range(len(places)):
        for t in range(len(owner)):
            for lane in range(_L):
                term[lane] = coefficient[record, t]
            for r in range(exponents.shape[1]):
                row = np.uint64(places[process].at + r) * _L
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
def _tree(library, lanes, term, spread):
    """Return the sum of 128 values and that of their squared deviations, by halving: the same order on every engine."""
    keep_apart()
    prefer_wide()
    half, weight = _L >> np.uint64(1), 0.5
    for lane in range(half):
        gap = lanes[lane] - lanes[lane + half]
        spread[lane] = (gap * weight) * gap
        term[lane] = lanes[lane] + lanes[lane + half]
    while half > np.uint64(1):
        half, weight = half >> np.uint64(1), 0.5 * weight
        for lane in range(half):
            gap = term[lane] - term[lane + half]
            spread[lane] = _fma(gap * weight, gap, spread[lane] + spread[lane + half])
            term[lane] += term[lane + half]
    return term[0], spread[0]


@njit(**KERNEL, inline="always")
def block(source, sizes, key, trajectory, given, work, out):
    """Run one block of 128 trajectories; out (records, test functions, observables, lanes)."""
    d, substeps, starts, records = sizes.d, sizes.substeps, given.starts, given.records
    noise, state, pulls = work.noise, work.state, work.pulls
    for row in range(len(starts)):
        for lane in range(_L):
            state[np.uint64(row) * _L + lane] = starts[row]
    width = substeps * d  # draws a macro step
    period, extra_period = len(noise.xi) // (width * BLOCK), len(noise.extra) // (d * BLOCK)  # macro steps a fill
    record = np.int64(0)  # not a literal: the kernels would be compiled for 0 and for all others
    last = -(-records[-1] // substeps)
    for k in range(last):
        phase, extra_phase = k % period, k % extra_period
        if phase == 0:
            blocks = (min(period, last - k) * width + 3) // 4
            _fill(source, noise.xi, noise.words, blocks, key, np.uint64(rng.BROWNIAN), trajectory, k * width // 4)
            if sizes.channels == 2:
                stream = np.uint64(rng.SECOND_BROWNIAN)
                _fill(source, noise.chi, noise.words, blocks, key, stream, trajectory, k * width // 4)
        if sizes.gaussians == 2 and extra_phase == 0:
            blocks = (min(extra_period, last - k) * d + 3) // 4
            _fill(source, noise.extra, noise.words, blocks, key, np.uint64(rng.EXTRA), trajectory, k * d // 4)
        at, extra_at = np.uint64(phase * width) * _L, np.uint64(extra_phase * d) * _L
        for fine in range(k * substeps + 1, (k + 1) * substeps + 1):
            combined = 0  # the stride whose rows have been combined last
            for which in range(len(given.places)):
                place = given.places[which]
                step, rest = divmod(fine, place.stride)
                if rest == 0:
                    before = (step - 1) * place.stride - k * substeps
                    first, again = at + np.uint64(before * d) * _L, combined == place.stride
                    if len(given.numbers.hessian):
                        _multiply(source, place, given.numbers, state, pulls, d)
                    carry(source, work.errors, place, which, given.numbers, state, pulls, step - 1, d)
                    _advance(source, place, given.numbers, state, pulls, step - 1, sizes, noise, first, extra_at, again)
                    if place.stride > 1:
                        combined = place.stride
            if record < len(records) and fine == records[record]:
                if len(given.scopes):
                    _features(source, given.scopes, state, pulls, given.places, given.numbers, d)
                sums = given.terms, given.combinations, work.value, work.term
                _observe(source, out[record], record, state, given.places, *sums)
                record += 1


@njit(**KERNEL)
def _reduce(library, out, sums, before, places, d, trajectory, nonfinite, work):
    """Add a block's observables to its chunk's sums, of `before` trajectories so far; count its non-finite states."""
    keep_apart()
    for i in range(out.shape[0]):
        for g in range(out.shape[1]):
            for q in range(out.shape[2]):
                total, spread = _tree(library, out[i, g, q], work.value, work.term)
                if before > 0:
                    mine = sums[i, g, q]
                    total, spread = _merged(mine[0], mine[1], float(before), total, spread, float(BLOCK))
                sums[i, g, q, 0], sums[i, g, q, 1] = total, spread
    for lane in range(BLOCK):
        finite = True
        for process in range(len(places)):
            place = places[process]
            for row in range(place.at, place.at + d * place.slots):
                finite = finite and math.isfinite(work.state[row * BLOCK + lane])
        if not finite:
            if nonfinite[0] == 0:
                nonfinite[1] = np.int64(trajectory) + lane
            nonfinite[0] += 1


@njit(**KERNEL)
def chunks(source, sizes, key, given, work, out, first, sums, nonfinite):
    """Run whole chunks; sums (chunks, records, test functions, observables, 2)."""
    for chunk in range(len(sums)):
        nonfinite[chunk, 0], nonfinite[chunk, 1] = 0, -1
        for b in range(BLOCKS):
            trajectory = np.uint64((first + chunk) * BLOCKS + b) * _L
            block(source, sizes, key, trajectory, given, work, out)
            mine, before = sums[chunk], b * BLOCK
            _reduce(source, out, mine, before, given.places, sizes.d, trajectory, nonfinite[chunk], work)
