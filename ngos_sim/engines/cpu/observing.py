"""What the CPU's kernels record: features of the state, test functions as sums of terms, their sums over the lanes.

`engines.cpu.kernels` calls `features` and `observe` at a record, and `reduce` at the end of a block.
"""

import math

import numpy as np

from ngos_sim.arithmetic import fma
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT, KERNEL, PRIMITIVES, keep_apart, prefer_wide
from ngos_sim.engines.cpu.data import add_mean, survey
from ngos_sim.engines.cpu.joint_field import add_whole, couple
from ngos_sim.engines.cpu.lanes import Feature, enter_feature
from ngos_sim.engines.cpu.product import product
from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_fma, _merged = PRIMITIVES[fma], njit(**JIT)(merged)


@njit(**JIT)
def at_coordinate(place, out, state, pulls, constants, j, d):
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
def _feature(library, scope, out, place, work, constants, d):
    """Write one feature of one process."""
    keep_apart()
    prefer_wide()
    state, pulls = work.state, work.pulls
    for lane in range(_L):
        state[out + lane] = 0.0
    if scope.whole:
        add_whole(library, scope, out, place, state, constants, d)
    for j in range(scope.first, scope.end):
        enter_feature(scope.loop, at_coordinate(place, pointer(state, out), state, pulls, constants, j, d))
    add_mean(library, work.data, scope, out, place, state, d)
    if scope.root:
        for lane in range(_L):
            state[out + lane] = math.sqrt(state[out + lane])


@njit(**KERNEL)
def features(library, scopes, work, places, numbers, d):
    """Write every feature of every process."""
    keep_apart()
    state, pulls = work.state, work.pulls
    for process in range(len(places)):
        place = places[process]
        if len(numbers.hessian):
            begin, gap = np.uint64(place.at) * _L, np.uint64(place.slots) * _L
            product(library, pulls.pull, numbers.hessian, state, begin, gap, np.uint64(d))
        survey(library, work.data, place, process, state, pulls, work.noise, d)
        couple(library, place, numbers.constants, state, pulls, d)
        for which in range(len(scopes)):
            out = np.uint64(place.at + d * place.slots + which) * _L
            _feature(library, scopes[which], out, place, work, numbers.constants, d)


@njit(**KERNEL)
def observe(library, out, record, state, places, terms, combinations, value, term):
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


@njit(**KERNEL)
def reduce(library, out, sums, before, places, d, trajectory, nonfinite, work):
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
