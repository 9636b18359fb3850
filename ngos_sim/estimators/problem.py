"""Problem: a study at one of its points, which is all that an estimator may look at.

`studies.problems` makes them, one a point; `estimators.choose` hands them to estimators, which make jobs of them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ngos_sim.engines.rng import point_key
from ngos_sim.estimators.assembly import Job, Observables, Part, assemble, observables
from ngos_sim.estimators.polynomials import Term, polynomial
from ngos_sim.estimators.test_functions import TestFunction, name_of
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.oracles.noises import Noise, gaussian
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.optimizer import Optimizer
from ngos_sim.processes.sde import SDE


@dataclass(frozen=True)
class Opponent:
    """What an optimizer is compared with: an SDE; or, where `sde` is None, itself at a multiple of the batch size.

    A study's opponents have different names.
    """

    name: str
    sde: SDE | None = field(compare=False)


class Unfinished(Exception):
    """What is computed ends before its end: its time is up, or a user has stopped the run."""


def unwatched(*work: float) -> None:
    """Watch nothing, and end nothing."""


class Shared:
    """What the points of a study have in common: each other, and what was found of them once for all.

    problems : the Problem of every point
    found : {class: its instance}, of a study's earlier Problems too
    """

    def __init__(self, found=None):
        self.problems: tuple[Problem, ...] = ()
        self._found: dict = {} if found is None else found

    def once(self, kind):
        """Return kind(problems), made once a study."""
        if kind not in self._found:
            self._found[kind] = kind(self.problems)
        return self._found[kind]


@dataclass(frozen=True, eq=False)
class Problem:
    """A study at one point.

    Parameters
    ----------
    label : str
        What messages call the point.
    oracle : NGOS
    rule : Optimizer
        That of a step of this point: under SVAG its noise, not its law, is changed (`Optimizer.with_steps`).
    law : Noise
        The optimizer's noise law, SVAG's included.
    sigma : float
        The oracle's noise scale; NaN for an optimizer without sigma0.
    state : ndarray, shape (d, slots)
        The start.
    t0, horizon : float
        The time of the start, and the last time of the study.
    h : float
        The time of one step of the optimizer.
    size, ell, kappa : float, float, int
        The point: eta2 or eta as the study was given it, SVAG's ell, and how many steps are one of the reference.
    records : ndarray of int64
        Steps of the optimizer after which is recorded, counted from t0.
    test_functions : tuple of str or TestFunction
    opponents : tuple of Opponent
    shared : Shared
    seed : int
    precision : "mix", "f64" or "f32"
        In which the jobs will be run: rounding is its.
    finest : int
        Gaussians a step, at least, in every job: opponents of different jobs share a stream where these are the same.
    watch : function (work)
        Called every tenth of a second or so by an estimator that computes, with what it has done since it called last,
        of `Estimator.work`; 0 where something begins. It moves the bar, and raises Unfinished where the run ends.
    """

    label: str
    oracle: NGOS
    rule: Optimizer
    law: Noise
    sigma: float
    state: np.ndarray
    t0: float
    horizon: float
    h: float
    size: float
    ell: float
    kappa: int
    records: np.ndarray
    test_functions: tuple[str | TestFunction, ...]
    opponents: tuple[Opponent, ...]
    shared: Shared
    seed: int = 0
    precision: str = "f64"
    finest: int = 1
    watch: Callable[[float], None] = unwatched

    @property
    def dimension(self):
        """The number of coordinates."""
        return len(self.state)

    @property
    def steps(self):
        """How many steps the optimizer takes up to the last record."""
        return int(self.records[-1])

    @property
    def times(self):
        """The times of the records, shape (records,)."""
        return self.t0 + self.h * self.records

    @property
    def spacing(self):
        """The time between two steps that an opponent and the optimizer have in common."""
        return self.kappa * self.h

    def of_one_step(self):
        """Return the Problem with one step of the optimizer alone: what a first look at functions needs."""
        return replace(self, records=np.array([1], dtype=np.int64))

    def name_of(self, function):
        """Return what tables call a test function, given its index."""
        return name_of(self.test_functions[function])

    def polynomial(self, function) -> list[Term] | None:
        """Return the terms of a test function, given its index; None where it is no polynomial in the slots."""
        return polynomial(self.test_functions[function], self.oracle, self.rule.slots, self.dimension)

    def optimizer(self):
        """Return the optimizer as a Part of a job."""
        return Part(self.rule, self.law, self.kappa, self.h, self.sigma)

    def larger_batch(self):
        """Return the scaling rule's reference as a Part: the optimizer at kappa times the batch size."""
        rule = self.rule.with_steps(self.kappa)
        return Part(rule, self.law, 1, self.spacing, self.sigma / math.sqrt(self.kappa))

    def integrated(self, sde, substeps=1):
        """Return an SDE as a Part, by Euler-Maruyama with so many steps to one of the optimizer."""
        return Part(euler_maruyama(sde, self.rule), gaussian(), substeps, self.h, math.nan)

    def observables(self, functions, records=None):
        """Return the Observables of test functions, given their indices."""
        chosen = [self.test_functions[g] for g in functions]
        records = self.records if records is None else records
        return observables(self.oracle, chosen, self.rule.slots, self.dimension, records)

    def job(self, parts, combinations, observed: Observables, *, records=None, role="", state=None, spacing=None):
        """Return a Job of processes on one stream of random numbers.

        Parameters
        ----------
        parts : sequence of Part
            `records` are steps of the first.
        combinations : ndarray, shape (observables, parts)
            What is recorded of each test function: combinations @ (g of each part).
        observed : Observables
        records : ndarray of int64, optional
            Other steps than the problem's.
        role : str
            Keeps the random numbers of two jobs apart.
        state : ndarray, shape (d, rows), optional
            Another start, of more rows.
        spacing : float, optional
            Another time between two matched steps.
        """
        key = point_key(self.seed, self.size, self.ell, self.kappa, role)
        state = self.state if state is None else state
        spacing = self.spacing if spacing is None else spacing
        records = self.records if records is None else records
        where = (spacing, self.t0, records, key, self.finest)
        program, inputs = assemble(self.oracle, parts, combinations, observed, state, *where)
        return Job(program, inputs, tuple(parts))
