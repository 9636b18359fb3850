"""What runs at a point of a study, by estimator, and how errors are read from its means."""

import math
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ngos_sim.engines.rng import point_key
from ngos_sim.estimators import moment_flow, paired, quadrature
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.oracles.noises import gaussian
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.integrators import euler_maruyama, table
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.optimizers import POLYNOMIAL_STEPS
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import start
from ngos_sim.studies.assemble import Observables, Part, assemble, observables

Reading = namedtuple("Reading", "optimizer reference error std_error bias")  # each of shape (times,)

NODES_EXACT, NODES, NODES_FEWER = 3, 13, 9


@dataclass(frozen=True)
class Run:
    """Programs of one estimator at a point.

    jobs : (program, inputs, parts) of each program
    read : function ([(mean, std_error) of each job]) -> {(sde name, index of a test function): Reading}
    sde : name of the SDE of a local run
    check : a job with fewer nodes that must agree with the first, or None
    """

    estimator: str
    jobs: tuple
    read: Callable
    sde: str = ""
    check: tuple | None = None


def runs(study, index, seed, local, records=None):
    """Return the Runs of a point.

    Parameters
    ----------
    study : ConvergenceStudy
    index : int
        Of the point.
    seed : int
    local : dict of (sde name, index of a test function) to terms
        What the local estimator serves: `choose.local_terms`.
    records : ndarray, optional
        Instead of the point's own.
    """
    point = study.points[index]
    if records is None:
        elapsed = study.record_times[index] - study.t0
        records = np.round(elapsed / point.spacing).astype(np.int64)
    settings = _Settings(study, point, seed, records)
    found = []
    for sde in study.sdes:
        mine = {g: terms for (name, g), terms in local.items() if name == sde.name}
        if mine:
            found.append(_local(settings, sde, mine))
    rest = [sde for sde in study.sdes if any((sde.name, g) not in local for g in range(len(study.test_functions)))]
    if rest or study.reference is not None:
        found.append(_paired(settings, rest, local))
    return found


@dataclass(frozen=True)
class _Settings:
    study: object
    point: object
    seed: int
    records: np.ndarray

    def law(self):
        """Return the optimizer's noise law, SVAG's included."""
        noise = self.study.oracle.noise
        return svag_law(noise, self.point.ell) if isinstance(self.study.optimizer, SVAG) else noise

    def state(self):
        return start.state(self.study.initial, self.study.rule.slots, self.study.dimension, self.point.eta2)

    def job(self, parts, combinations, observed, state, role=""):
        """Return (program, inputs, parts)."""
        point = self.point
        key = point_key(self.seed, point.eta2, point.ell, point.kappa, role)
        where = (point.spacing, self.study.t0, self.records, key)
        return (*assemble(self.study.oracle, parts, combinations, observed, state, *where), parts)


def _paired(settings, sdes, local):
    """Return the coupled or independent Run of an optimizer and its references."""
    study, point = settings.study, settings.point
    rule, noise, sigma = study.rule, settings.law(), study.noise_scale(point)
    optimizer = Part(rule, noise, point.kappa, point.eta_e, sigma)
    if study.reference is not None:
        names, extrapolated = [f"batch x {point.kappa}"], False
        references = [Part(rule, noise, 1, point.spacing, sigma / math.sqrt(point.kappa))]
        together, apart = paired.coupled_pair(), np.eye(1)
    else:
        names, extrapolated = [sde.name for sde in sdes], True
        references = [
            Part(euler_maruyama(sde, rule.parameters), gaussian(), level, point.eta_e, math.nan)
            for sde in sdes
            for level in paired.LEVELS
        ]
        together, apart = paired.coupled(len(sdes)), paired.independent(len(sdes))
    wanted = [g for g in range(len(study.test_functions)) if any((name, g) not in local for name in names)]
    functions = [study.test_functions[g] for g in wanted]
    state = settings.state()
    observed = observables(study.oracle, functions, rule.slots, study.dimension, settings.records)
    groups = [([optimizer, *references], together, "")]
    if study.estimator == "independent":
        groups = [([optimizer], np.eye(1), " optimizer"), (references, apart, " reference")]
    jobs = tuple(settings.job(parts, rows, observed, state, role) for parts, rows, role in groups)

    def read(measured):
        return {
            (name, g): Reading(*_difference(measured, at, which, extrapolated))
            for which, name in enumerate(names)
            for at, g in enumerate(wanted)
            if (name, g) not in local
        }

    return Run("coupled" if len(jobs) == 1 else "independent", jobs, read)


def _difference(measured, at, which, extrapolated):
    """Return optimizer, reference, error, standard error and integrator bias of one test function."""
    nothing = np.full(len(measured[0][0]), math.nan)
    if len(measured) == 1:
        ((mean, std_error),) = measured
        first = 1 + (3 if extrapolated else 2) * which
        bias = mean[:, at, first + 2] if extrapolated else nothing
        return mean[:, at, 0], mean[:, at, first], mean[:, at, first + 1], std_error[:, at, first + 1], bias
    (mean, std_error), (other, other_error) = measured
    first = (2 if extrapolated else 1) * which
    bias = other[:, at, first + 1] if extrapolated else nothing
    spread = np.hypot(std_error[:, at, 0], other_error[:, at, first])
    return mean[:, at, 0], other[:, at, first], mean[:, at, 0] - other[:, at, first], spread, bias


def _local(settings, sde, wanted):
    """Return the local Run of an optimizer against an SDE for {index of a test function: terms}.

    An SDE with a pivot is measured too: error(optimizer, SDE) = error(optimizer, pivot) - error(SDE, pivot),
    the latter by Euler-Maruyama at paired.LEVELS, extrapolated, on the same random numbers.
    """
    study, point, rule = settings.study, settings.point, settings.study.rule
    noise, sigma, state = settings.law(), study.noise_scale(point), settings.state()
    pivot, basis = sde.pivot or sde, moment_flow.basis_of(sde.pivot or sde)
    problems = _problems(study, state)
    polynomial = rule.step in POLYNOMIAL_STEPS
    size = NODES_EXACT if polynomial else NODES

    def part(base, law, steps, nodes, nodes_size, scale):
        """Return a rule's local Part and its E psi(X_t) at the records, shape (records, d, n)."""
        h = point.eta_e / steps
        parameters = {**base.parameters, "eta2": point.eta_e}
        own = len(table(base, round(study.t0 / h), 1, h, parameters)[0])
        rule_nodes = quadrature.law_rule(law, scale, nodes, nodes_size)
        count = int(settings.records[-1]) * steps
        made = [moment_flow.columns(pivot, problem, h, count, *rule_nodes) for problem in problems]
        columns, moments = (np.stack(each, axis=1) for each in zip(*made, strict=True))
        local = local_error(base, basis, own, nodes_size)
        return Part(local, law, steps, point.eta_e, scale, columns), moments[settings.records * steps]

    def job(nodes):
        first, moments = part(rule, noise, 1, nodes, size, sigma)
        parts, rows = [first], np.eye(1)
        if sde.pivot is not None:
            base = euler_maruyama(sde, rule.parameters)
            parts += [part(base, gaussian(), level, NODES_EXACT, NODES_EXACT, math.nan)[0] for level in paired.LEVELS]
            rows = paired.coupled(1)
        times = study.t0 + point.eta_e * settings.records
        observed, exact = _span(pivot, wanted.values(), problems, times, moments, state.shape[1])
        carried = np.concatenate([state, np.zeros((len(state), len(basis.exponents)))], axis=1)
        return settings.job(parts, rows, observed, carried), exact

    main, exact = job(size)
    few_atoms = len(quadrature.law_rule(noise, sigma, NODES)[0]) < NODES
    check = None if polynomial or few_atoms else job(NODES_FEWER)[0]

    def read(measured):
        found = {}
        for at, g in enumerate(wanted):
            if sde.pivot is not None:
                optimizer, reference, error, std_error, bias = _difference(measured, at, 0, True)
            else:
                ((mean, spread),) = measured
                optimizer = error = mean[:, at, 0]
                reference, std_error, bias = 0.0 * error, spread[:, at, 0], np.full(len(error), math.nan)
            found[sde.name, g] = Reading(exact[:, at] + optimizer, exact[:, at] + reference, error, std_error, bias)
        return found

    return Run("local", (main,), read, sde.name, check)


def _problems(study, state):
    """Return the moment flow's Problem of each coordinate."""
    d, constants = study.dimension, dict(study.rule.parameters)
    hessian, slope = (np.broadcast_to(each, d).tolist() for each in affine_gradient(study.oracle.loss))
    variance = np.broadcast_to(study.oracle.covariance, d).tolist()
    rows = zip(hessian, slope, variance, state.tolist(), strict=True)
    return [moment_flow.Problem(a, b, v, tuple(x), study.t0, constants) for a, b, v, x in rows]


def _span(sde, functions, problems, times, moments, slots):
    """Return the Observables that read test functions off the error slots, and their exact SDE means.

    functions : terms (factor, coordinate, powers) of each test function
    moments : (records, d, n), E psi(X_t) of each coordinate; slots : of the optimizer
    """
    _, d, size = moments.shape
    means = np.zeros((len(times), len(functions)))
    owners, factors, exponents = [], [], []
    for at, terms in enumerate(functions):
        for factor, j, powers in terms:
            for index, by in moment_flow.expand(sde, powers, problems[j].second_moment(times)).items():
                means[:, at] += factor * by * (moments[:, j, index] if index >= 0 else 1.0)
                row = np.zeros((d, slots + size), dtype=np.int64)
                row[j, slots + index] = index >= 0
                owners.append(at)
                factors.append(factor * by * (index >= 0))
                exponents.append(row.ravel())
    return Observables((), len(functions), np.array(owners), np.stack(factors, axis=1), np.array(exponents)), means
