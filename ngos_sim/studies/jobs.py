"""What an estimator runs at a point of a study, and how its errors are read: Job, Run, Reading and Settings."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ngos_sim.engines.program import Inputs, Program, cost
from ngos_sim.engines.rng import point_key
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import start
from ngos_sim.studies.assemble import Part, assemble

# Each of shape (times,). std_error holds the rounding; bias, residual and rounding are NaN where there is none.
Reading = namedtuple("Reading", "optimizer reference error std_error bias residual rounding", defaults=(np.nan, np.nan))


@dataclass(frozen=True)
class Job:
    """What an engine is given: a program, its numbers, and the Part that each of its processes was made of."""

    program: Program
    inputs: Inputs
    parts: tuple[Part, ...]

    @property
    def cost(self):
        """How many process steps, over coordinates and trajectories, a chunk of it takes."""
        return cost(self.program, self.inputs)


@dataclass(frozen=True)
class Run:
    """Jobs of one estimator at a point.

    jobs : of each program the Job
    read : function ([(mean, std_error) of each job]) -> {(name, index of a test function): Reading}
    name : the SDE's or the reference's, of a local run
    checks : function () -> for each job one with fewer nodes, which must agree with it; or nothing
    unresolved : indices of test functions whose known means quadrature does not find
    contradicted : function ([(mean, std_error) of each job], trajectories) -> indices of test functions whose
        known means those sampled show to be wrong; None where no mean is found by quadrature
    """

    estimator: str
    jobs: tuple[Job, ...]
    read: Callable
    name: str = ""
    checks: Callable = tuple
    unresolved: tuple = ()
    contradicted: Callable | None = None


@dataclass(frozen=True)
class Settings:
    """A point of a study with what every estimator needs there.

    records : ndarray of int64, steps of the optimizer after which is recorded, counted from t0
    precision : "mix", "f64" or "f32", of what is not local
    remainders : {(name, index of a test function): what the quadrature of a local run may leave, shape (times,)}
    """

    study: object
    point: object
    seed: int
    records: np.ndarray
    precision: str = "f64"
    remainders: Mapping = field(default_factory=dict)

    @property
    def law(self):
        """The optimizer's noise law, SVAG's included."""
        noise = self.study.oracle.noise
        return svag_law(noise, self.point.ell) if isinstance(self.study.optimizer, SVAG) else noise

    @property
    def sigma(self):
        """The oracle's noise scale."""
        return self.study.noise_scale(self.point)

    @property
    def state(self):
        """The start, shape (d, slots)."""
        return start.state(self.study.initial, self.study.rule.slots, self.study.dimension, self.point.eta2)

    def job(self, parts, combinations, observed, state, *, spacing, records, role=""):
        """Return the Job of these parts; role keeps the random numbers of two jobs apart."""
        point = self.point
        key = point_key(self.seed, point.eta2, point.ell, point.kappa, role)
        where = (spacing, self.study.t0, records, key)
        return Job(*assemble(self.study.oracle, parts, combinations, observed, state, *where), tuple(parts))


def with_rounding(reading, rounding):
    """Return a Reading whose standard error holds what rounding may leave, shape (times,)."""
    return reading._replace(std_error=np.hypot(reading.std_error, rounding), rounding=rounding)


def reference_name(point):
    """Return what tables call the reference of the scaling rule."""
    return f"batch x {point.kappa}"
