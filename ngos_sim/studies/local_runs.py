"""The local estimator at a point of a study: against an SDE, and against the scaling rule's reference."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ngos_sim.estimators import moment_flow, paired, quadrature
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.integrators import euler_maruyama, table
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.optimizers import POLYNOMIAL_STEPS
from ngos_sim.studies.assemble import Observables, Part
from ngos_sim.studies.jobs import Reading, Run
from ngos_sim.studies.paired_runs import difference

NODES, NODES_FEWER = 13, 9  # where a step is not a polynomial in the noise


def problems(study, state):
    """Return the moment flow's Problem of each coordinate of a study with an affine gradient."""
    d, constants = study.dimension, dict(study.rule.parameters)
    hessian, slope = affine_gradient(study.oracle.loss, d)
    variance = np.broadcast_to(study.oracle.covariance, d).tolist()
    rows = zip(np.diag(hessian).tolist(), slope.tolist(), variance, state.tolist(), strict=True)
    return [moment_flow.Problem(a, b, v, tuple(x), study.t0, constants) for a, b, v, x in rows]


@dataclass(frozen=True)
class _Pivot:
    """An SDE of known flow at a point, and the basis whose errors are carried along.

    wanted : {index of a test function: terms (factor, {coordinate: powers of the slots})}
    """

    settings: object
    sde: object
    wanted: dict

    @property
    def basis(self):
        monomials = {powers for terms in self.wanted.values() for _, by in terms for powers in by.values()}
        return moment_flow.basis_of(self.sde, monomials)

    @property
    def problems(self):
        """The moment flow's Problem of each coordinate."""
        return problems(self.settings.study, self.settings.state)

    def part(self, rule, law, sigma, nodes, size, h, eta2, count, steps=1):
        """Return a rule's local Part of `count` steps of size h, and E psi(X_t) there, shape (count + 1, d, n)."""
        basis, t0 = self.basis, self.settings.study.t0
        own = len(table(rule, round(t0 / h), 1, h, {**rule.parameters, "eta2": eta2})[0])
        where = (h, count, *quadrature.law_rule(law, sigma, nodes, size))
        made = [moment_flow.columns(self.sde, basis, problem, *where) for problem in self.problems]
        columns, moments = (np.stack(each, axis=1) for each in zip(*made, strict=True))
        return Part(local_error(rule, basis, own, size), law, steps, eta2, sigma, columns), moments

    def span(self, times, moments):
        """Return the Observables that read test functions off the error slots, and their exact SDE means.

        moments : (records, d, n). Coordinates are independent: an error of a product of their functions
        is that of prod_j (A_j + error_j) - prod_j A_j, A_j the exact means.
        """
        d, slots, problems = moments.shape[1], self.settings.state.shape[1], self.problems
        means, factors = np.zeros((len(times), len(self.wanted))), Counter()
        for at, terms in enumerate(self.wanted.values()):
            factors[at, (0,) * (d * (slots + moments.shape[2]))] = np.zeros(len(times))
            for factor, by in terms:
                exact, *errors = self._products(factor, by, problems, times, moments, slots)
                means[:, at] += exact[0]
                for coefficient, exponents in errors:
                    factors[at, tuple(exponents.ravel())] += coefficient
        owners, rows = zip(*factors, strict=True)
        numbers = (np.stack(list(factors.values()), axis=1), np.array(rows, dtype=np.int64))
        return Observables((), len(self.wanted), np.array(owners), *numbers), means

    def _products(self, factor, by, problems, times, moments, slots):
        """Return (coefficient, exponents) of every term of factor prod_j (A_j + error_j), prod_j A_j first."""
        d, size = moments.shape[1:]
        found = [(np.full(len(times), factor), np.zeros((d, slots + size), dtype=np.int64))]
        for j, powers in by.items():
            expansion = moment_flow.expand(self.basis, powers, problems[j].second_moment(times))
            mean = sum(f * (moments[:, j, index] if index >= 0 else 1.0) for index, f in expansion.items())
            errors = []
            for index, f in expansion.items():
                if index >= 0:
                    unit = np.zeros((d, slots + size), dtype=np.int64)
                    unit[j, slots + index] = 1
                    errors += [(c * f, exponents + unit) for c, exponents in found]
            found = [(c * mean, exponents) for c, exponents in found] + errors
        return found

    def job(self, parts, combinations, moments, records, **where):
        """Return a job that records the test functions' errors, and their exact SDE means at the records."""
        h, state = self.settings.point.eta_e, self.settings.state
        times = self.settings.study.t0 + where.pop("h", h) * records
        observed, exact = self.span(times, moments[records])
        carried = np.concatenate([state, np.zeros((len(state), len(self.basis.exponents)))], axis=1)
        return self.settings.job(parts, combinations, observed, carried, records=records, **where), exact


def _sizes(settings, basis):
    """Return the nodes of the run and, where a check is needed, the fewer nodes of the check."""
    if settings.study.rule.step in POLYNOMIAL_STEPS:
        return (basis.nodes,)
    few_atoms = len(quadrature.law_rule(settings.study.oracle.noise, settings.sigma, NODES)[0]) < NODES
    return (NODES,) if few_atoms else (NODES, NODES_FEWER)


def against_sde(settings, sde, wanted):
    """Return the local Run of an optimizer against an SDE.

    An SDE with a pivot is measured too: error(optimizer, SDE) = error(optimizer, pivot) - error(SDE, pivot),
    the latter by Euler-Maruyama at paired.LEVELS, extrapolated, on the same random numbers.
    """
    study, point, records = settings.study, settings.point, settings.records
    pivot = _Pivot(settings, sde.pivot or sde, wanted)
    size, *fewer = _sizes(settings, pivot.basis)
    count = int(records[-1])

    def job(nodes):
        first, moments = pivot.part(
            study.rule, settings.law, settings.sigma, nodes, size, point.eta_e, point.eta_e, count
        )
        parts, rows = [first], np.eye(1)
        if sde.pivot is not None:
            base, exact = euler_maruyama(sde, study.rule.parameters), pivot.basis.nodes
            for level in paired.LEVELS:
                numbers = (exact, exact, point.eta_e / level, point.eta_e, count * level, level)
                parts.append(pivot.part(base, gaussian(), math.nan, *numbers)[0])
            rows = paired.coupled(1)
        return pivot.job(parts, rows, moments, records, spacing=point.eta_e)

    main, exact = job(size)

    def read(measured):
        found = {}
        for at, g in enumerate(wanted):
            if sde.pivot is not None:
                optimizer, reference, error, std_error, bias = difference(measured, at, 0, True)
            else:
                ((mean, spread),) = measured
                optimizer = error = mean[:, at, 0]
                reference, std_error, bias = 0.0 * error, spread[:, at, 0], np.full(len(error), math.nan)
            found[sde.name, g] = Reading(exact[:, at] + optimizer, exact[:, at] + reference, error, std_error, bias)
        return found

    return Run("local", (main,), read, sde.name, tuple(job(nodes)[0] for nodes in fewer))


def against_reference(settings, name, wanted):
    """Return the local Run of an optimizer at batch size B against itself at kappa B (Theorem 5.3).

    Both are measured against the SDE X: with K = floor(k / kappa), E g(x_k) - E g(x'_K) is
    error(B at k) - error(kappa B at K) + E g(X_{k eta^2}) - E g(X_{K kappa eta^2}), the last two exact.
    """
    study, point, records = settings.study, settings.point, settings.records
    rule, kappa = study.rule, point.kappa
    pivot = _Pivot(settings, moment_flow.pivot_of(rule), wanted)
    size, *fewer = _sizes(settings, pivot.basis)
    matched = records // kappa
    own, at_own = np.unique(np.maximum(matched, 1), return_inverse=True)
    moved = (matched > 0)[:, None]

    def jobs(nodes):
        numbers = (nodes, size, point.eta_e, point.eta_e, int(records[-1]))
        small, moments = pivot.part(rule, settings.law, settings.sigma, *numbers)
        numbers = (nodes, size, point.spacing, point.spacing, int(own[-1]))
        large, others = pivot.part(rule, settings.law, settings.sigma / math.sqrt(kappa), *numbers)
        first, exact = pivot.job([small], np.eye(1), moments, records, spacing=point.eta_e, role=" small batch")
        second, _ = pivot.job(
            [large], np.eye(1), others, own, h=point.spacing, spacing=point.spacing, role=" large batch"
        )
        _, before = pivot.span(study.t0 + point.spacing * matched, moments[kappa * matched])
        return (first, second), exact, before

    main, exact, before = jobs(size)

    def read(measured):
        (small, small_spread), (large, large_spread) = (tuple(each[:, :, 0] for each in pair) for pair in measured)
        large, large_spread = (np.where(moved, each[at_own], 0.0) for each in (large, large_spread))
        error, spread = small - large + (exact - before), np.hypot(small_spread, large_spread)
        found = {}
        for at, g in enumerate(wanted):
            means = (exact[:, at] + small[:, at], before[:, at] + large[:, at])
            found[name, g] = Reading(*means, error[:, at], spread[:, at], np.full(len(error), math.nan))
        return found

    return Run("local", main, read, name, tuple(each for nodes in fewer for each in jobs(nodes)[0]))
