"""What the local estimator carries along at a point of a study: the errors of a basis near an SDE of known flow."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ngos_sim.known import joint_flow, moment_flow, quadrature
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.rmsprop_adam import is_built_in
from ngos_sim.studies import first_step, start
from ngos_sim.studies.assemble import Observables, Part
from ngos_sim.studies.problems import joint_problem, of_each, problems

_MOST_BYTES = 4 * 2**30  # of a point's table


def pivot_at(settings, sde, wanted):
    """Return the Pivot of a point, a JointPivot where its oracle couples coordinates."""
    kind = JointPivot if settings.study.oracle.is_dense else Pivot
    return kind(settings, sde, wanted)


def unsettled(study, sde, terms):
    """Return why what the local estimator needs for a test function's terms cannot be made, or an empty string.

    Of many different coordinates those are tried in which some number is the least or the largest.

    Parameters
    ----------
    study : ConvergenceStudy
    sde : SDE
        Of known flow.
    terms : list of (factor, {coordinate: powers of the slots})
    """
    duration = study.horizon - study.t0
    basis = moment_flow.basis_of(sde, {powers for _, by in terms for powers in by.values()})
    states = [start.state(study.initial, study.rule.slots, study.dimension, point.eta2) for point in study.points]
    steps = max(
        (times[-1] - study.t0) / point.eta_e for times, point in zip(study.record_times, study.points, strict=True)
    )
    for state in {each.tobytes(): each for each in states}.values():
        known = None if study.oracle.is_dense else _carried(study, state, [terms])
        size = 8.0 * steps * (joint_flow.width_of(*state.shape) if known is None else _rows(known) * sum(basis.widths))
        if size > _MOST_BYTES:
            return f"its tables of {steps:.3g} steps would take {size / 2**30:.3g} GiB; {_MOST_BYTES >> 30} are allowed"
        try:
            if known is None:
                joint_flow.moments(joint_problem(study, state), duration)
            else:
                of_each(_extremes(known), lambda problem: moment_flow.moments(sde, basis, problem, duration))
        except ValueError as error:
            return str(error)
    return ""


def _carried(study, state, wanted):
    """Return {coordinate: its Problem} of all coordinates, the same one for coordinates that are alike.

    One that no test function reads carries errors that nobody reads: it takes the Problem of one that is read.
    wanted : iterable of the test functions' terms
    """
    own = problems(study, state, {j for terms in wanted for _, by in terms for j in by} or {0})
    some = next(iter(own.values()))
    return {j: own.get(j, some) for j in range(len(state))}


def _extremes(problems):
    """Return of {coordinate: Problem} those in which some number is the least or the largest: the hard ones."""
    numbers = np.array([(each.hessian, each.slope, each.variance, *each.start) for each in problems.values()])
    hard = {*numbers.argmin(axis=0).tolist(), *numbers.argmax(axis=0).tolist()}
    return {j: problem for at, (j, problem) in enumerate(problems.items()) if at in hard}


def _rows(problems):
    """Return how many rows a step's table has: one where all coordinates are alike."""
    return len(problems) if len({id(problem) for problem in problems.values()}) > 1 else 1


@dataclass(frozen=True)
class Pivot:
    """An SDE of known flow at a point, and the basis whose errors are carried along.

    wanted : {index of a test function: terms (factor, {coordinate: powers of the slots})}
    """

    settings: object
    sde: object
    wanted: dict

    many_nodes = (13, 9)  # where a step is not a polynomial in the noise; of the check

    @property
    def basis(self):
        monomials = {powers for terms in self.wanted.values() for _, by in terms for powers in by.values()}
        return moment_flow.basis_of(self.sde, monomials)

    @property
    def problems(self):
        """The moment flow's Problem of each coordinate: `_carried`."""
        return _carried(self.settings.study, self.settings.state, self.wanted.values())

    @property
    def nodes(self):
        """How many nodes are exact where a step is linear in the noise, and quadratic in u."""
        return self.basis.nodes

    @property
    def start(self):
        """The start of every coordinate's slots and of their errors."""
        state = self.settings.state
        return np.concatenate([state, np.zeros((len(state), len(self.basis.exponents)))], axis=1)

    def part(self, rule, law, sigma, nodes, size, h, eta2, count, steps=1):
        """Return a rule's local Part of `count` steps of size h, and E psi(X_t) there, shape (count + 1, d, n)."""
        basis, t0, problems = self.basis, self.settings.study.t0, self.problems
        own = first_step.rows(rule, round(t0 / h), count, h, {**rule.parameters, "eta2": eta2})
        rows = _rows(problems)
        found = np.empty((count, rows, own.shape[1] + moment_flow.width_of(basis, size)))
        found[:, :, : own.shape[1]] = own[:, None]
        rest, law_rule = found[:, :, own.shape[1] :], quadrature.law_rule(law, sigma, nodes, size)
        made: dict = {}
        for j, problem in problems.items():
            if id(problem) not in made:
                made[id(problem)] = j, moment_flow.columns(rest[:, j], self.sde, basis, problem, h, *law_rule)
            elif rows > 1:
                rest[:, j] = rest[:, made[id(problem)][0]]
        moments = np.stack([made[id(problem)][1] for problem in problems.values()], axis=1)
        return Part(local_error(rule, basis, own.shape[1], size), law, steps, eta2, sigma, found), moments

    def span(self, times, moments):
        """Return the Observables that read test functions off the error slots, and their exact SDE means.

        moments : (records, d, n). Coordinates are independent: an error of a product of their functions
        is that of prod_j (A_j + error_j) - prod_j A_j, A_j the exact means.
        """
        d, slots, problems = moments.shape[1], self.settings.state.shape[1], self.problems
        means, factors = np.zeros((len(times), len(self.wanted))), Counter()
        for at, terms in enumerate(self.wanted.values()):
            factors[at, ()] = np.zeros(len(times))
            for factor, by in terms:
                exact, *errors = self._products(factor, by, problems, times, moments, slots)
                means[:, at] += exact[0]
                for coefficient, rows in errors:
                    factors[at, rows] += coefficient
        owners, products = zip(*factors, strict=True)
        exponents = np.zeros((len(products), d * (slots + moments.shape[2])), dtype=np.int64)
        for term, rows in enumerate(products):
            exponents[term, list(rows)] = 1
        numbers = (np.stack(list(factors.values()), axis=1), exponents)
        return Observables((), len(self.wanted), np.array(owners), *numbers), means

    def _products(self, factor, by, problems, times, moments, slots):
        """Return (coefficient, rows of the errors in it) of every term of factor prod_j (A_j + error_j).

        prod_j A_j, without rows, comes first.
        """
        size = moments.shape[2]
        found: list = [(np.full(len(times), factor), ())]
        for j, powers in by.items():
            expansion = moment_flow.expand(self.basis, powers, problems[j].second_moment(times))
            mean = sum(f * (moments[:, j, index] if index >= 0 else 1.0) for index, f in expansion.items())
            errors = []
            for index, f in expansion.items():
                if index >= 0:
                    row = j * (slots + size) + slots + index
                    errors += [(c * f, (*rows, row)) for c, rows in found]
            found = [(c * mean, rows) for c, rows in found] + errors
        return found

    def job(self, parts, combinations, moments, records, **where):
        """Return a job that records the test functions' errors, and their exact SDE means at the records."""
        h = self.settings.point.eta_e
        times = self.settings.study.t0 + where.pop("h", h) * records
        observed, exact = self.span(times, moments[records])
        return self.settings.job(parts, combinations, observed, self.start, records=records, **where), exact


class JointPivot(Pivot):
    """A Pivot whose coordinates are coupled by the Hessian or the covariance: Gaussian noise, linear test functions."""

    nodes = 2
    many_nodes = (17, 13)  # the engine's loop over nodes is not unrolled: more of them only take their time

    @property
    def problems(self):
        """The JointProblem of all coordinates."""
        return [joint_problem(self.settings.study, self.settings.state)]

    @property
    def start(self):
        """The start of every coordinate's slots; the engine knows those of the errors."""
        return self.settings.state

    def part(self, rule, law, sigma, nodes, size, h, eta2, count, steps=1):
        """Return a rule with its errors as a Part of `count` steps of size h, and E of the linear slots there."""
        (problem,), oracle = self.problems, self.settings.study.oracle
        orders = min(nodes, 3) if is_built_in(rule) else nodes
        scale = np.ones(len(problem.slope)) if oracle.root is None else np.sqrt(problem.variance)
        errors, means = joint_flow.errors(problem, h, count, nodes, orders, scale)
        return Part(rule, law, steps, eta2, sigma, errors=errors), means

    def span(self, times, moments):
        """Return the Observables that read sums of slots off the errors, and their exact SDE means.

        moments : (records, n), of the linear slots
        """
        ((problem,), (d, slots)), n = (self.problems, self.settings.state.shape), moments.shape[1]
        known = np.concatenate([moments, problem.second_moment(times[:, None])], axis=1)
        places = np.append(np.arange(n), np.arange(1, d + 1) * (n + 1) + n)  # of the slots' errors, of u that of y
        means, factors = np.zeros((len(times), len(self.wanted))), Counter()
        for at, terms in enumerate(self.wanted.values()):
            factors[at, -1] = 0.0
            for factor, by in terms:
                found = [a * d + j for j, powers in by.items() for a, power in enumerate(powers) if power]
                means[:, at] += factor * (known[:, found[0]] if found else 1.0)
                for which in found:
                    factors[at, int(places[which])] += factor
        owners, rows = np.array(list(factors)).T
        exponents = np.zeros((len(rows), d * slots + (d + 1) * (n + 1)), dtype=np.int64)
        exponents[np.flatnonzero(rows >= 0), d * slots + rows[rows >= 0]] = 1
        numbers = (np.tile(list(factors.values()), (len(times), 1)), exponents)
        return Observables((), len(self.wanted), owners, *numbers), means
