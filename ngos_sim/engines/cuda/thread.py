"""What a GPU thread does with a whole program between records: all steps of all processes, their features, a check.

Factories as in `cuda_steps`: sizes are constants of the closure.
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.cuda.joint import carrier
from ngos_sim.engines.cuda.steps import adder, feature, fetcher, roles, stepper


class Shape(NamedTuple):
    """What a kernel is made of besides functions: sizes, scopes of the features (see `feature`), a Place a process.

    dense_loss, dense_noise : whether the Hessian and the covariance are matrices
    """

    precision: str
    d: int
    substeps: int
    gaussians: int
    scopes: tuple
    places: tuple
    dense_loss: bool
    dense_noise: bool

    @property
    def rows(self):
        """How many rows a process's state has: its slots, coordinate by coordinate, the features, the errors."""
        return self.places[0].slots * self.d + len(self.scopes) + self.error_rows

    @property
    def error_rows(self):
        """How many of them are errors: see `program.Errors`."""
        place = self.places[0]
        linear, blocks = roles(place, self.d)
        return (blocks + 1) * (linear * self.d + 1) if place.nodes else 0

    @property
    def strides(self):
        """The strides above 1, ascending: each has a row of running sums a coordinate."""
        return sorted({place.stride for place in self.places if place.stride > 1})


def _in_turn(functions, device):
    """Return a function of three arguments that calls each of these, or none of them."""
    if not functions:

        def nothing(first, second, third):
            return

        return device(nothing)
    *rest, last = functions
    before = _in_turn(rest, device)

    def both(first, second, third):
        before(first, second, third)
        last(first, second, third)

    return device(both)


def _all_steps(steps, device):
    """Return a function that takes the arguments of a step and calls each of these."""
    *rest, last = steps
    if not rest:
        return last
    before = _all_steps(rest, device)

    def both(dense, state, normals, sums, extra, fine, constants, table, places):
        before(dense, state, normals, sums, extra, fine, constants, table, places)
        last(dense, state, normals, sums, extra, fine, constants, table, places)

    return device(both)


def advancer(shape, draw, multiply_add, functions, device):
    """Return advance(dense, state, .., fine, to, ..): takes all processes from fine step `fine` to `to`."""
    d, random, substeps = shape.d, shape.gaussians == 2, np.uint32(shape.substeps)
    fetch, fetch_extra = (fetcher(d, draw, stream, device) for stream in (rng.BROWNIAN, rng.EXTRA))
    add = adder(d, shape.strides, device)
    carriers = [carrier(shape, i, move, multiply_add, device) for i, (move, *_) in enumerate(functions)]
    steps = [stepper(shape, i, each, carriers[i], multiply_add, device) for i, each in enumerate(functions)]
    step = _all_steps(steps, device)

    def advance(dense, state, normals, sums, extra, fine, to, low, high, k0, k1, constants, table, places):
        while fine < to:
            fetch(normals, fine, low, high, k0, k1)
            if random and fine % substeps == np.uint32(0):
                fetch_extra(extra, fine // substeps, low, high, k0, k1)
            add(sums, normals, fine)
            step(dense, state, normals, sums, extra, fine, constants, table, places)
            fine = np.uint32(fine + np.uint32(1))
        return fine

    return device(advance)


def writer(shape, functions, multiply_add, device):
    """Return write(dense, state, constants): every feature of every process."""
    features = [
        feature(shape, place, which, function, multiply_add, device)
        for which, function in enumerate(functions)
        for place in shape.places
    ]
    return _in_turn(features, device)


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
