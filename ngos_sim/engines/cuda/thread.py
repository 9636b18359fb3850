"""What a GPU thread does with a whole program between records: all steps of all processes, their features, a check.

Factories as in `engines.cuda.steps`: sizes are constants of the closure.
"""

import math

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.cuda.access import idler
from ngos_sim.engines.cuda.features import feature
from ngos_sim.engines.cuda.joint import carrier
from ngos_sim.engines.cuda.steps import adder, fetcher, stepper


def _in_turn(functions, device):
    """Return a function of four arguments that calls each of these, or none of them."""
    if not functions:
        return idler(device)
    *rest, last = functions
    before = _in_turn(rest, device)

    def both(rows, state, draws, constants):
        before(rows, state, draws, constants)
        last(rows, state, draws, constants)

    return device(both)


def _all_steps(steps, device):
    """Return a function that takes the arguments of a step and calls each of these."""
    *rest, last = steps
    if not rest:
        return last
    before = _all_steps(rest, device)

    def both(rows, state, draws, fine, numbers):
        before(rows, state, draws, fine, numbers)
        last(rows, state, draws, fine, numbers)

    return device(both)


def advancer(shape, draw, multiply_add, functions, device):
    """Return advance(rows, state, draws, fine, to, numbers): all processes from fine step `fine` to `to`.

    state : of the coordinates that are advanced at once; which, `numbers` says
    """
    d, groups = shape.together, shape.groups
    random, double, substeps = shape.gaussians == 2, shape.channels == 2, np.uint32(shape.substeps)
    fetch, fetch_extra, fetch_second = (
        fetcher(d, groups, draw.normals, stream, device) for stream in (rng.BROWNIAN, rng.EXTRA, rng.SECOND_BROWNIAN)
    )
    own = not shape.of_data  # else `engines.cuda.data` draws the Gaussians of W, one a sample
    add = adder(d, shape.strides, device)
    carriers = [carrier(shape, i, each.move, multiply_add, device) for i, each in enumerate(functions)]
    steps = [stepper(shape, i, each, carriers[i], draw, multiply_add, device) for i, each in enumerate(functions)]
    step = _all_steps(steps, device)

    def advance(rows, state, draws, fine, to, numbers):
        counter = draws.counter
        while fine < to:
            if own:
                fetch(draws.xi, fine, counter, numbers.group)
            if random and fine % substeps == np.uint32(0):
                fetch_extra(draws.extra, fine // substeps, counter, numbers.group)
            if own:
                add(draws.xi_sums, draws.xi, fine)
            if double:
                fetch_second(draws.chi, fine, counter, numbers.group)
                add(draws.chi_sums, draws.chi, fine)
            step(rows, state, draws, fine, numbers)
            fine = np.uint32(fine + np.uint32(1))
        return fine

    return device(advance)


def writer(shape, draw, multiply_add, functions, features, device):
    """Return write(rows, state, draws, constants): every feature of every process."""
    written = [
        feature(shape, which, row, observed, own, draw, multiply_add, device)
        for row, observed in enumerate(features)
        for which, own in enumerate(functions)
    ]
    return _in_turn(written, device)


def checker(shape, device):
    """Return finite(state): whether every slot of every process is."""
    rows, processes, slot_rows = shape.rows, len(shape.places), shape.places[0].slots * shape.d

    def finite(state):
        every = True
        for process in range(processes):
            for row in range(slot_rows):
                every = every and math.isfinite(state[process * rows + row])
        return every

    return device(finite)
