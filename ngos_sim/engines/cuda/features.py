"""What a GPU thread writes of a state at a record: functions of it beside the slots, into rows behind these.

Factories as in `engines.cuda.steps`; `engines.cuda.thread` calls `feature`.
"""

import functools
import math

import numpy as np

from ngos_sim.engines.cuda.access import ONE, idler, taker, types_of
from ngos_sim.engines.cuda.data import averager, full_batch
from ngos_sim.engines.cuda.fields import coupler, spreader, whole_feature


def _surveyor(shape, place, scope, functions, draw, multiply_add, device):
    """Return fill(rows, state, step, draws, constants): the rows that a feature reads."""
    if not shape.of_data:
        return coupler(shape, place, functions, multiply_add, device)
    if not (scope.pull or scope.spread):
        return idler(device)
    wanted = (False, scope.spread)  # noise, the diagonal of Sigma
    return full_batch(shape, place, functions.sample, draw, *wanted, multiply_add, device)


def _summer(shape, place, scope, function, device):
    """Return total(rows, state, constants): a feature's function, summed over its coordinates."""
    d, (real, _) = shape.d, types_of(shape.precision)
    if scope.whole:
        value = whole_feature(shape, place, function, device)
        return device(lambda rows, state, constants: real(value(state, constants)))
    take_x = taker(place.slots, device)
    take_a, take_s = taker(place.loss, device), taker(place.variance, device)
    slots, begin, a_at, s_at = place.slots, place.state_at, place.constants_at, place.constants_at + place.loss * d
    gap, spread = np.uint64(d), spreader(place.spread or scope.spread, shape.precision, device)

    def total(rows, state, constants):
        found = real(0.0)
        for j in range(scope.first, scope.end):
            a, s = take_a(constants, np.uint64(a_at + j), gap), take_s(constants, np.uint64(s_at + j), gap)
            x = take_x(state, np.uint64(begin + j * slots), ONE)
            found = real(found + function(x, rows.pull[j], spread(rows, j), a, s))
        return found

    return device(total)


@functools.cache
def _sum_alone(device):
    """Return mean(rows, state, start): start, of a feature that has no mean over samples beside its sum."""

    def mean(rows, state, start):
        return start

    return device(mean)


def feature(shape, which, row, observed, functions, draw, multiply_add, device):
    """Return write(rows, state, draws, constants): feature `row` of process `which` into its row of the state.

    observed : its Observed; functions : the process's
    """
    place, scope, (real, _) = shape.places[which], shape.scopes[row], types_of(shape.precision)
    at = place.state_at + place.slots * shape.d + row
    survey = _surveyor(shape, place, scope, functions, draw, multiply_add, device)
    summed, mean = _summer(shape, place, scope, observed.function, device), _sum_alone(device)
    if observed.sample is not None:
        mean = averager(shape, place, observed.sample, multiply_add, device)

    def write(rows, state, draws, constants):
        survey(rows, state, np.uint32(0), draws, constants)
        total = mean(rows, state, summed(rows, state, constants))
        state[at] = real(math.sqrt(total)) if scope.root else total

    return device(write)
