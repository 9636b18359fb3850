"""Rows that all of theta makes on the GPU: grad f of a joint loss, R(theta) zeta and Sigma_ii of a joint covariance.

Factories as in `engines.cuda.steps`, which calls these. A thread holds theta as a tuple of all coordinates, in
registers. (`engines.fields.JointField`; of processes on data the rows are `engines.cuda.data`'s.)
"""

import functools

import numpy as np

from ngos_sim.engines.cuda.access import ONE, ZERO, idler, putter, taker, types_of, zeros
from ngos_sim.engines.cuda.products import puller


def _evaluator(shape, place, function, count, at, device):
    """Return evaluate(state, constants): a function of theta and of `count` numbers, the first at `at`."""
    take_theta, take_numbers = taker(shape.d, device), taker(count, device)
    begin, slots, first, gap = (np.uint64(each) for each in (place.state_at, place.slots, at, shape.d))

    def evaluate(state, constants):
        return function(take_theta(state, begin, slots), take_numbers(constants, first, gap))

    return device(evaluate)


@functools.cache
def coupler(shape, place, functions, multiply_add, device):
    """Return fill(rows, state, step, draws, constants): pull and spread of a process into rows, where it has them."""
    if not shape.dense_loss and functions.gradient is functions.variance is None:
        return idler(device)
    a_at, s_at, put = place.constants_at, place.constants_at + place.loss * shape.d, putter(shape.d, device)
    write_pull, write_spread = puller(shape, place, multiply_add, device), idler(device)
    if functions.gradient is not None:
        gradient = _evaluator(shape, place, functions.gradient, place.loss, a_at, device)

        def of_loss(rows, state, constants):
            put(rows.pull, ZERO, gradient(state, constants))

        write_pull = device(of_loss)
    if functions.variance is not None:
        variance = _evaluator(shape, place, functions.variance, place.variance, s_at, device)

        def of_covariance(rows, state, constants):
            put(rows.spread, ZERO, variance(state, constants))

        write_spread = device(of_covariance)

    def fill(rows, state, step, draws, constants):
        write_pull(rows, state, constants)
        write_spread(rows, state, constants)

    return device(fill)


def mixer(shape, place, function, device):
    """Return mix(rows, state, constants): R(theta) zeta into rows.mixed, zeta from rows.zeta."""
    take_theta, take_zeta, put = taker(shape.d, device), taker(shape.d, device), putter(shape.d, device)
    take_numbers, gap = taker(place.variance, device), np.uint64(shape.d)
    begin, slots = np.uint64(place.state_at), np.uint64(place.slots)
    first = np.uint64(place.constants_at + place.loss * shape.d)

    def mix(rows, state, constants):
        zeta, numbers = take_zeta(rows.zeta, ZERO, ONE), take_numbers(constants, first, gap)
        put(rows.mixed, ZERO, function(take_theta(state, begin, slots), zeta, numbers))

    return device(mix)


def spreader(made, precision, device):
    """Return spread(rows, j): Sigma_jj where it was made, else zero."""

    def spread(rows, j):
        return rows.spread[j]

    return device(spread) if made else zeros(types_of(precision)[0], device)


def whole_feature(shape, place, function, device):
    """Return value(state, constants): a feature that is a function of all of theta."""
    return _evaluator(shape, place, function, place.loss, place.constants_at, device)


def of_field(field):
    """Return the functions of a process's field, as the last of `bundles.Functions`."""
    return tuple(getattr(field, name, None) for name in ("gradient", "mixed", "variance", "slope"))


def spreads(field):
    """Return whether a step reads Sigma_ii that a field makes."""
    return bool(getattr(field, "variance", None) or getattr(field, "spread", False))
