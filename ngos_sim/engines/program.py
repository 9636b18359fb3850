"""What an engine runs: a Program (functions and sizes, compiled) and Inputs (numbers, passed).

A change of a number never recompiles. Every process of a program reads the same random numbers: each
macro step has `substeps` fine steps, and a process with stride s takes one step on every s of them, on
the normalised sum of their Gaussians. A process of two channels has those of a second Brownian motion as well.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ngos_sim.engines.features import Feature
from ngos_sim.engines.fields import Data, DataField, JointField
from ngos_sim.engines.observation import DATA_NUMBERS, check_known, is_bent, named, observed, slope
from ngos_sim.oracles.minibatches import Minibatches
from ngos_sim.processes.rule import parameters

BLOCK = 128  # trajectories: the lanes of a kernel and one summation tree
CHUNK = 1024  # trajectories: a task, and a row of sums
BLOCKS = CHUNK // BLOCK
STEPS = 2**32  # a fine step's number is below it: the GPU's has 32 bits
_SAMPLE = 0.3  # of a step of a coordinate: what a sample of data costs (benchmarks/data.py)


@dataclass(frozen=True)
class Process:
    """One process: its move (a scalar function, see `move`), its slots, its stride and its `zeta`, or `no_law`.

    channels : how many Brownian motions drive it, 1 or 2; 0 where its noise is that of minibatches
    slope : (grad f)_i as a scalar function (x, pull, spread, a, s) where its step reads (H grad f)_i of a matrix H,
        or None
    matrix : how many numbers at the end of a row of its table are a matrix: c is then (the others, these), the latter
        for `arithmetic.matvec` alone. A tuple of hundreds of numbers would take seconds to compile
    field : what makes its rows before a step where the oracle couples coordinates, or None
    """

    move: Callable
    slots: int
    stride: int
    law: Callable
    slope: Callable | None = None
    channels: int = 1
    matrix: int = 0
    field: JointField | DataField | None = None


@dataclass(frozen=True)
class Program:
    """Functions and sizes.

    gaussians is the largest number of Gaussians that a noise law takes a step (1 or 2).
    """

    processes: tuple[Process, ...]
    features: tuple[Feature, ...]
    dimension: int
    substeps: int
    gaussians: int

    @property
    def channels(self):
        """The largest number of Brownian motions that drive a process (0, 1 or 2)."""
        return max(process.channels for process in self.processes)

    def draws(self, inputs):
        """Return how many Gaussians of W a fine step has: d, or one a sample where an SDE is of data."""
        fields = [process.field for process in self.processes]
        everything = any(isinstance(field, DataField) and not field.batch for field in fields)
        return len(inputs.data.targets) if everything else self.dimension


@dataclass(frozen=True)
class Errors:
    """Numbers by which a process carries errors of products a b along, rows of its state: see `engines.cpu.joint`.

    a is one of (linear slots, slot by slot, and 1), b one of (1, the centred slot less its centre in every coordinate),
    or 1 alone; e the errors. Each step is e' = M (e - a b) + E[a' b' | x].

    centred : the place of the centred slot, or None; all other slots are linear

    nodes : (d, nodes), what `move` gets for its normal at the nodes of a rule
    weights : (orders, nodes), of the rule for the coefficients of a coordinate's step in a basis of functions
    powers : (orders, d, d), E[a' b'] = sum of these times the coefficients of a' and of b'
    flow : (steps, ..), the rows of M for all errors into those of b = 1, then for those of any other b
    centre : (steps + 1, d), without a centred slot (steps + 1, 0)
    """

    centred: int | None
    nodes: np.ndarray
    weights: np.ndarray
    powers: np.ndarray
    flow: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True)
class ProcessInputs:
    """Numbers of one process.

    parameters, noise : tuple of float
    loss, variance : tuple of ndarray, each of shape (d,): one array a parameter
    table : ndarray, shape (steps, 1 or d, columns): c of each step, for all coordinates or for each
    start : ndarray, shape (d, slots)
    errors : what a process needs to carry errors of products along; in all of a program's processes or in none
    """

    parameters: tuple[float, ...]
    noise: tuple[float, ...]
    loss: tuple[np.ndarray, ...]
    variance: tuple[np.ndarray, ...]
    table: np.ndarray
    start: np.ndarray
    errors: Errors | None = None

    @property
    def error_rows(self):
        """How many rows the errors take: of (1, y of every coordinate) those of (linear slots, 1) each."""
        if self.errors is None:
            return 0
        d, slots = self.start.shape
        centred = 0 if self.errors.centred is None else 1
        return (d * centred + 1) * (d * (slots - centred) + 1)


@dataclass(frozen=True)
class Inputs:
    """Numbers of a program.

    key : of the random numbers alone. Two jobs of one key need not compute the same: what a chunk depends on is the
        program's functions, all of the Inputs, the precision and the version
    records : ndarray of int64, fine steps after which test functions are recorded: ascending, from 1 on
    term_owner, term_coefficient, term_exponents : the terms of the test functions: which one (terms,);
        the factor at each record (records, terms); the powers of a state's rows (terms, rows): slots, features, errors
    combinations : ndarray, shape (observables, processes): what is recorded is combinations @ g
    hessian, root : ndarray, shape (d, d): H and Sigma^(1/2) where they are matrices; else shape (0, 0)
    data : what the fields of data read, or None
    """

    key: int
    processes: tuple[ProcessInputs, ...]
    records: np.ndarray
    test_functions: int
    term_owner: np.ndarray
    term_coefficient: np.ndarray
    term_exponents: np.ndarray
    combinations: np.ndarray
    hessian: np.ndarray
    root: np.ndarray
    data: Data | None = None

    def __post_init__(self):
        steps = np.concatenate([[0], self.records])
        wrong = np.flatnonzero(np.diff(steps) < 1)
        if len(steps) < 2 or len(wrong):
            pair = (
                f"record {wrong[0]} is {steps[wrong[0] + 1]}, after {steps[wrong[0]]}" if len(wrong) else "none given"
            )
            raise ValueError(f"steps to record must ascend strictly, the first at least 1: {pair}")
        if steps[-1] >= STEPS:
            raise ValueError(f"{steps[-1]} steps, those of integrators counted, are too many; {STEPS - 1} are allowed")

    @property
    def nbytes(self):
        """Of what grows with the steps: the tables and the flows of errors."""
        flows = [each.errors.flow.nbytes for each in self.processes if each.errors is not None]
        return sum(each.table.nbytes for each in self.processes) + sum(flows)


@dataclass(frozen=True)
class ChunkSums:
    """What a run returns, a row a chunk.

    sums : (chunks, records, test functions, observables, 2) float64, sums, and sums of squared deviations from the
        chunk's mean
    nonfinite : (chunks, 2) int64, trajectories that left the finite numbers, and the first (-1: none)
    """

    sums: np.ndarray
    nonfinite: np.ndarray


def cost(program, inputs):
    """Return how many process steps, over coordinates and trajectories, a chunk takes; see `_SAMPLE`."""
    steps = sum((1.0 + _SAMPLE * _samples(process, inputs)) / process.stride for process in program.processes)
    return float(inputs.records[-1]) * steps * program.dimension * CHUNK


def _samples(process, inputs):
    """Return of how many samples a step of a process takes the gradients."""
    field = process.field
    if not isinstance(field, DataField):
        return 0
    return field.batch * len(field.weights) or len(inputs.data.targets)


def padded(values):
    """Return the values, or the filler of `observation.named` where there are none."""
    return tuple(values) or (0.0,)


def no_law(xi, extra, n):
    """Take the place of `zeta` where `move` draws from the noise law itself."""
    return xi


def zeta(noise):
    """Return the scalar function (xi, extra, n) of a noise law: one coordinate's zeta."""
    sample, numbers = noise.sample, named("Noise", noise.parameters)
    if noise.gaussians == 1:
        return lambda xi, extra, n: sample(xi, numbers(*n))
    return lambda xi, extra, n: sample(xi, extra, numbers(*n))


def move(rule, oracle, noise):
    """Return the scalar function that engines step: oracle, noise and rule of one process.

    move(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p) -> x, with a, s, n, p the numbers of loss, variance,
    noise and rule, pull = (H theta)_i and bend = (H grad f)_i where the Hessian is a matrix (bend where `slope` says
    so), or what a field makes of all of theta, pull = (grad f)_i and spread = Sigma_ii (`engines.fields`), and three
    independent standard normals: xi, the increment of W over the root of the step (where the covariance couples
    coordinates (Sigma^(1/2) zeta)_i); chi, that of the second Brownian motion B, which only a rule of two channels
    reads; extra, a noise law's second Gaussian, one a macro step and no Brownian motion.
    """
    check_known(rule, oracle)
    step, law = rule.step, zeta(noise)
    told, variance = observed(rule, oracle), oracle.variance
    loss_numbers = named("Loss", oracle.loss.parameters if oracle.data is None else DATA_NUMBERS)
    variance_numbers = named("Covariance", oracle.variance_parameters)
    rule_numbers = named("Parameters", parameters(rule, 0.0))
    if isinstance(noise, Minibatches):

        def component(sigma, xi, chi, extra, n):
            return 0.0  # the gradient that it is told has the noise in it
    elif not mixes(oracle):

        def component(sigma, xi, chi, extra, n):
            return math.sqrt(sigma) * law(xi, extra, n)
    else:

        def component(sigma, xi, chi, extra, n):
            return xi

    def channels(sigma, xi, chi, extra, n):
        return component(sigma, xi, chi, extra, n), chi

    driven = channels if rule.channels == 2 else component  # a function more would cost every rule's compilation
    if variance is None:

        def told_all(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
            o = told(x[0], pull, bend, loss_numbers(*a), spread)
            return step(x, o, driven(spread, xi, chi, extra, n), c, rule_numbers(*p))

        return told_all

    def moved(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
        theta = x[0]
        sigma = variance(theta, variance_numbers(*s))
        o = told(theta, pull, bend, loss_numbers(*a), sigma)
        return step(x, o, driven(sigma, xi, chi, extra, n), c, rule_numbers(*p))

    return moved


def mixes(oracle):
    """Return whether the noise of a coordinate is made of the zeta of all."""
    return oracle.root is not None or oracle.variance is None


def slope_of(rule, oracle):
    """Return what `Process.slope` is for a rule."""
    if not is_bent(rule, oracle):
        return None
    gradient, loss_numbers = slope(oracle), named("Loss", oracle.loss.parameters)
    return lambda x, pull, spread, a, s: gradient(x[0], pull, loss_numbers(*a))
