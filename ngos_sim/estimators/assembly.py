"""From rules, an oracle and test functions to the Program and Inputs that an engine runs.

`problem.Problem.job` is the way here; what is returned goes to `engines.devices`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import data_features
from ngos_sim.engines.features import Feature, oracle_feature, state_feature
from ngos_sim.engines.fields import data_field, data_of, joint_field
from ngos_sim.engines.program import (
    Errors,
    Inputs,
    Process,
    ProcessInputs,
    Program,
    cost,
    mixes,
    move,
    no_law,
    padded,
    slope_of,
    zeta,
)
from ngos_sim.estimators.test_functions import WORDS, TestFunction, parse
from ngos_sim.oracles.noises import Noise
from ngos_sim.processes.calling import rows
from ngos_sim.processes.rule import Rule, parameters


@dataclass(frozen=True)
class Part:
    """One process of a program: `steps` steps of a rule between two matched times.

    h is the time of one optimizer step, which p.h shows it; sigma the noise scale at which its noise law is taken;
    table, shape (steps, 1 or d, columns), takes the place of what the schedule returns; errors are what the process
    needs to carry errors along; matrix : how many of the columns, the last ones, are a matrix (`program.Process`).
    """

    rule: Rule
    noise: Noise
    steps: int
    h: float
    sigma: float
    table: np.ndarray | None = None
    errors: Errors | None = None
    matrix: int = 0


class LocalPart(NamedTuple):
    """A rule's local Part, E psi(X_t) at its steps, and whether its own step carries the errors, or the SDE's flow."""

    part: Part
    means: np.ndarray
    own: bool


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
class Observables:
    """Test functions as sums of terms, each a factor times powers of a state's rows (slots, features, errors).

    owner : (terms,) int64, which test function; factor : (records, terms); exponents : (terms, rows) int64
    """

    features: tuple[Feature, ...]
    functions: int
    owner: np.ndarray
    factor: np.ndarray
    exponents: np.ndarray


def assemble(oracle, parts, combinations, observables, start, spacing, t0, records, key, finest=1):
    """Return the Program and Inputs of several processes on one stream of random numbers.

    Parameters
    ----------
    oracle : NGOS
    parts : sequence of Part
    combinations : ndarray, shape (observables, parts)
    observables : Observables
    start : ndarray, shape (d, slots)
    spacing : float
        The time between two matched steps.
    t0 : float
        The time of the start, a multiple of `spacing`.
    records : ndarray of int64
        Steps of the first part after which is recorded, counted from the start.
    key : int
        Of the random numbers.
    finest : int
        Gaussians between two matched steps, at least: a common multiple of it and the parts' steps is drawn.
    """
    dimension, slots = start.shape
    substeps = math.lcm(finest, *(part.steps for part in parts))
    fine = records * (substeps // parts[0].steps)
    matched = -(-int(fine[-1]) // substeps)
    loss = oracle.loss.parameters
    if oracle.data is not None:
        loss = data_features.numbers(oracle.data, observables.features)
    processes, numbers = [], []
    for part in parts:
        held = parameters(part.rule, part.h)
        h = spacing / part.steps
        entries = part.table
        if entries is None:
            entries = rows(part.rule, round(t0 / h), matched * part.steps, h, held)[:, None, :]
        law = zeta(part.noise) if mixes(oracle) and oracle.data is None else no_law
        field = data_field(part.rule, oracle, part.noise, part.sigma) if oracle.data else joint_field(oracle)
        stepped, stride = move(part.rule, oracle, part.noise), substeps // part.steps
        bent = slope_of(part.rule, oracle)
        channels = 0 if oracle.data and field.batch else part.rule.channels
        processes.append(Process(stepped, slots, stride, law, bent, channels, part.matrix, field))
        numbers.append(
            ProcessInputs(
                parameters=tuple(held.values()),
                noise=padded(part.noise.numbers(part.sigma).values()),
                loss=_by_coordinate(loss, dimension),
                variance=_by_coordinate(oracle.variance_parameters, dimension),
                table=entries,
                start=start,
                errors=part.errors,
            )
        )
    gaussians = max(part.noise.gaussians for part in parts)
    program = Program(tuple(processes), observables.features, dimension, substeps, gaussians)
    terms = (observables.owner, observables.factor, observables.exponents)
    matrices = (
        np.zeros((0, 0)) if matrix is None else np.array(matrix) for matrix in (oracle.loss.matrix, oracle.root)
    )
    return program, Inputs(
        key, tuple(numbers), fine, observables.functions, *terms, combinations, *matrices, data_of(oracle)
    )


def _by_coordinate(parameters, dimension):
    """Return one array of shape (d,) a parameter (one filler where there are none)."""
    return tuple(
        np.ascontiguousarray(np.broadcast_to(value, (dimension,)), dtype=np.float64)
        for value in padded(parameters.values())
    )


def observables(oracle, functions, slots, dimension, records):
    """Return the Observables of test functions (str or TestFunction) of a state with these slots."""
    parsed = [
        [(1.0, {function: 1})] if isinstance(function, TestFunction) else parse(function, slots, dimension)
        for function in functions
    ]
    variables = {variable for terms in parsed for _, powers in terms for variable in powers}
    words = [word for word in WORDS if word in variables]
    own = [function for function in functions if isinstance(function, TestFunction)]
    features: list[Feature] = [_feature(word, oracle) for word in words]
    features += [state_feature(function.g, function.coordinate) for function in own]
    place = {variable: len(slots) * dimension + i for i, variable in enumerate([*words, *own])}
    terms = []
    for owner, expansion in enumerate(parsed):
        for coefficient, powers in expansion:
            exponents = np.zeros(len(slots) * dimension + len(features), dtype=np.int64)
            for variable, power in powers.items():
                row = place[variable] if variable in place else variable[1] * len(slots) + variable[0]
                exponents[row] += power
            terms.append((owner, coefficient, exponents))
    owner, factor, powers = (np.array(column) for column in zip(*terms, strict=True))
    return Observables(tuple(features), len(functions), owner, np.tile(factor, (len(records), 1)), powers)


def _feature(word, oracle):
    return oracle_feature(word, oracle) if oracle.data is None else data_features.data_feature(word, oracle.data)
