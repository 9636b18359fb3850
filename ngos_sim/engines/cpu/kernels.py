"""Compiled kernels of the CPU engine: 128 trajectories side by side, as `engines.cpu.lanes` steps them.

A process's state is a run of rows of 128 lanes: the slots of coordinate 0, of coordinate 1, .., then
the features. The bundles that functions take are `engines.layout`'s. Nothing here depends on a rule or a loss:
compiled once, the kernels serve every study.
"""

import math

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT, KERNEL, keep_apart, prefer_wide
from ngos_sim.engines.cpu.data import feed
from ngos_sim.engines.cpu.joint import carry
from ngos_sim.engines.cpu.joint_field import couple, mix
from ngos_sim.engines.cpu.lanes import Row, enter_feature, enter_row
from ngos_sim.engines.cpu.observing import at_coordinate, features, observe, reduce
from ngos_sim.engines.cpu.product import product
from ngos_sim.engines.layout import Now
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_second_word = njit(**JIT)(rng.second_word)


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
            enter_feature(place.slope_loop, at_coordinate(place, out, state, pulls, constants, j, d))
        product(library, pulls.bend, hessian, slopes, np.uint64(0), _L, np.uint64(d))


@njit(**KERNEL, inline="always")
def _advance(source, place, which, numbers, work, sizes, now, again):
    """Take one step of one process.

    work : its pulls as `_multiply` left them; again : whether its rows have been combined for another process.
    """
    d, constants = sizes.d, numbers.constants
    noise, state, pulls = work.noise, work.state, work.pulls
    xi, chi, at, chi_at, extra_at = noise.xi, noise.chi, now.xi, now.chi, now.extra
    if place.stride > 1 and place.channels > 0:
        if not again:
            scale = numbers.table.dtype.type(1.0 / math.sqrt(float(place.stride)))
            _combine(source, noise.xi_sums, xi, at, sizes.draws, place.stride, scale)
            if sizes.channels == 2:
                _combine(source, noise.chi_sums, chi, chi_at, d, place.stride, scale)
        xi, chi, at, chi_at = noise.xi_sums, noise.chi_sums, np.uint64(0), np.uint64(0)
    feed(source, work.data, place, which, state, pulls, noise.mixed, xi, at, now, d)
    if len(work.data):
        xi, at = noise.mixed, np.uint64(0)
    if place.law_loop:
        mix(source, place, numbers, state, noise, xi, at, extra_at, d)
        xi, at = noise.mixed, np.uint64(0)
    for j in range(d):
        lanes, entry = np.uint64(j) * _L, now.step * place.rows + min(j, place.rows - 1)
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
            noise=pointer(constants, place.noise),
            parameters=pointer(constants, place.parameters),
            table=pointer(numbers.table, place.table + entry * place.columns),
            d=d,
        )
        enter_row(place.step_loop, row)


@njit(**KERNEL, inline="always")
def _block(source, sizes, key, trajectory, given, work, out):
    """Run one block of 128 trajectories; out (records, test functions, observables, lanes)."""
    d, substeps, starts, records = sizes.d, sizes.substeps, given.starts, given.records
    noise, state, pulls = work.noise, work.state, work.pulls
    for row in range(len(starts)):
        for lane in range(_L):
            state[np.uint64(row) * _L + lane] = starts[row]
    width, second = substeps * sizes.draws, substeps * d  # draws of W and of B a macro step
    period, chi_period = len(noise.xi) // (width * BLOCK), len(noise.chi) // (second * BLOCK)  # macro steps a fill
    extra_period = len(noise.extra) // (d * BLOCK)
    record = np.int64(0)  # not a literal: the kernels would be compiled for 0 and for all others
    last = -(-records[-1] // substeps)
    for k in range(last):
        phase, chi_phase, extra_phase = k % period, k % chi_period, k % extra_period
        if sizes.channels > 0 and phase == 0:
            blocks = (min(period, last - k) * width + 3) // 4
            _fill(source, noise.xi, noise.words, blocks, key, np.uint64(rng.BROWNIAN), trajectory, k * width // 4)
        if sizes.channels == 2 and chi_phase == 0:
            blocks, stream = (min(chi_period, last - k) * second + 3) // 4, np.uint64(rng.SECOND_BROWNIAN)
            _fill(source, noise.chi, noise.words, blocks, key, stream, trajectory, k * second // 4)
        if sizes.gaussians == 2 and extra_phase == 0:
            blocks = (min(extra_period, last - k) * d + 3) // 4
            _fill(source, noise.extra, noise.words, blocks, key, np.uint64(rng.EXTRA), trajectory, k * d // 4)
        at, chi_at, extra_at = phase * width, chi_phase * second, np.uint64(extra_phase * d) * _L
        for fine in range(k * substeps + 1, (k + 1) * substeps + 1):
            combined = 0  # the stride whose rows have been combined last
            for which in range(len(given.places)):
                place = given.places[which]
                step, rest = divmod(fine, place.stride)
                if rest == 0:
                    before = (step - 1) * place.stride - k * substeps
                    of_w, of_b = np.uint64(at + before * sizes.draws) * _L, np.uint64(chi_at + before * d) * _L
                    now, again = Now(step - 1, of_w, of_b, extra_at, key, trajectory), combined == place.stride
                    if len(given.numbers.hessian):
                        _multiply(source, place, given.numbers, state, pulls, d)
                    couple(source, place, given.numbers.constants, state, pulls, d)
                    carry(source, work.errors, place, which, given.numbers, state, pulls, step - 1, d)
                    _advance(source, place, which, given.numbers, work, sizes, now, again)
                    if place.stride > 1 and place.channels > 0:
                        combined = place.stride
            if record < len(records) and fine == records[record]:
                if len(given.scopes):
                    features(source, given.scopes, work, given.places, given.numbers, d)
                sums = given.terms, given.combinations, work.value, work.term
                observe(source, out[record], record, state, given.places, *sums)
                record += 1


@njit(**KERNEL)
def chunks(source, sizes, key, given, work, out, first, blocks, sums, nonfinite):
    """Run chunks of `blocks` blocks each from block `first` on; sums (chunks, records, test functions, observables, 2).

    out : holds the last block's observables in the end; a block alone is a chunk of one, of the same compiled code.
    """
    for chunk in range(len(sums)):
        nonfinite[chunk, 0], nonfinite[chunk, 1] = 0, -1
        for b in range(blocks):
            trajectory = np.uint64(first + chunk * blocks + b) * _L
            _block(source, sizes, key, trajectory, given, work, out)
            mine, before = sums[chunk], b * BLOCK
            reduce(source, out, mine, before, given.places, sizes.d, trajectory, nonfinite[chunk], work)
