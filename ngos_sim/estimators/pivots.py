"""What the local estimator carries along at a point: the errors of a basis near an SDE of known moments."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ngos_sim.estimators import own_flow
from ngos_sim.estimators.assembly import LocalPart, Observables, Part
from ngos_sim.estimators.joint_pivot import JointPivot
from ngos_sim.estimators.own_flow import OwnStep
from ngos_sim.estimators.polynomials import Term
from ngos_sim.estimators.probed import Known, Near, extremes
from ngos_sim.estimators.problem import Problem
from ngos_sim.known import joint_flow, local_table, quadrature
from ngos_sim.known.probing import NoMoments
from ngos_sim.known.step_nodes import exact_nodes
from ngos_sim.processes import calling
from ngos_sim.processes.local_error import local_error
from ngos_sim.processes.rule import parameters

_MOST_BYTES = 4 * 2**30  # of a point's table


def pivot_at(problem, near, wanted):
    """Return the Pivot of a point, a JointPivot where its oracle couples coordinates.

    near : Near
    wanted : {index of a test function: its Terms}
    """
    kind = JointPivot if problem.oracle.is_dense else Pivot
    return kind(problem, near, wanted)


def unsettled(problems, near, terms):
    """Return why what the local estimator needs for a test function's terms cannot be made, or an empty string.

    Of many different coordinates those are tried in which some number is the least or the largest.

    Parameters
    ----------
    problems : sequence of Problem
        The points of a study.
    near : Near
    terms : list of Term
    """
    known = problems[0].shared.once(Known)
    steps = max((problem.times[-1] - problem.t0) / problem.h for problem in problems)
    if problems[0].oracle.is_dense:
        return _unsettled_joint(problems, near, steps)
    basis = near.basis(monomials([terms]))
    size = local_table.matrix_size(basis)
    for problem in problems:
        coordinates = known.coordinates(near, problem, {j for _, by in terms for j in by})
        if refused := _too_large(steps, _rows(coordinates) * size):
            return refused
        try:
            for coordinate in extremes(coordinates).values():
                known.moments(near, basis, coordinate)
        except NoMoments as error:
            return str(error)
    try:
        known.nodes(near, basis)
    except NoMoments as error:
        return str(error)
    return ""


def _unsettled_joint(problems, near, steps):
    """Return what `unsettled` does where matrices couple coordinates."""
    known = problems[0].shared.once(Known)
    for problem in problems:
        equation = known.equation(near, problem)
        if refused := _too_large(steps, joint_flow.width_of(equation)):
            return refused
        try:
            known.equations.require_law(equation)
        except NoMoments as error:
            return str(error)
    return ""


def _too_large(steps, width):
    """Return why a table of so many steps and numbers a step is not made, or an empty string."""
    size = 8.0 * steps * width
    if size <= _MOST_BYTES:
        return ""
    return f"its tables of {steps:.3g} steps would take {size / 2**30:.3g} GiB; {_MOST_BYTES >> 30} are allowed"


def monomials(wanted):
    """Return the powers of the slots in one coordinate that the terms of some test functions hold."""
    return {powers for terms in wanted for _, by in terms for powers in by.values()}


def _rows(coordinates):
    """Return how many rows a step's table has: one where all coordinates are alike."""
    return len(coordinates) if len({id(each) for each in coordinates.values()}) > 1 else 1


@dataclass(frozen=True)
class Pivot:
    """An SDE of known moments at a point, and the basis whose errors are carried along."""

    problem: Problem
    near: Near
    wanted: dict[int, list[Term]]

    @cached_property
    def basis(self):
        """The Basis that all test functions lie in."""
        return self.near.basis(monomials(self.wanted.values()))

    @cached_property
    def coordinates(self):
        """{coordinate: its Coordinate}: `Known.coordinates`."""
        read = {j for terms in self.wanted.values() for _, by in terms for j in by}
        return self._known.coordinates(self.near, self.problem, read)

    @property
    def _known(self):
        return self.problem.shared.once(Known)

    def moments(self, coordinate):
        """Return the Moments of a Coordinate."""
        return self._known.moments(self.near, self.basis, coordinate)

    @property
    def nodes(self):
        """The nodes of the run and, where they are not exact, the fewer ones of the check."""
        size, *fewer = self._known.nodes(self.near, self.basis)
        atoms = len(quadrature.law_rule(self.problem.law, self.problem.sigma, size)[0])
        return (size, *fewer) if atoms == size else (atoms,)

    def nodes_of(self, sde):
        """Return the nodes that are exact for Euler-Maruyama of an SDE, linear in the noise."""
        return exact_nodes(self.basis, [1] * len(sde.slots))

    @property
    def start(self):
        """The start of every coordinate's slots and of their errors."""
        state = self.problem.state
        return np.concatenate([state, np.zeros((len(state), len(self.basis.exponents)))], axis=1)

    def part(self, rule, law, sigma, nodes, size, h, optimizer_h, count, steps=1):
        """Return a rule as LocalPart of `count` steps of size h, with means of shape (count + 1, d, n).

        optimizer_h : the time of one optimizer step, which p.h shows the rule
        """
        basis, held = self.basis, parameters(rule, optimizer_h)
        own = calling.rows(rule, round(self.problem.t0 / h), count, h, held)
        rows = _rows(self.coordinates)
        found = np.empty((count, rows, own.shape[1] + local_table.width_of(basis, size)))
        found[:, :, : own.shape[1]] = own[:, None]
        rest, law_rule = found[:, :, own.shape[1] :], quadrature.law_rule(law, sigma, nodes, size)
        made: dict = {}
        flows = []
        for j, coordinate in self.coordinates.items():
            if id(coordinate) not in made:
                known = self.moments(coordinate)
                step = OwnStep(rule, coordinate, h, held, own, *law_rule)
                flows.append(own_flow.flows(step, known) if self.near.own_flow else None)
                matrices = flows[-1] or local_table.sde_flow(known, h, count)
                made[id(coordinate)] = j, local_table.columns(rest[:, j], known, matrices, h, *law_rule)
            elif rows > 1:
                rest[:, j] = rest[:, made[id(coordinate)][0]]
        means = np.stack([made[id(coordinate)][1] for coordinate in self.coordinates.values()], axis=1)
        local, matrix = local_error(rule, basis, own.shape[1], size), local_table.matrix_size(basis)
        part = Part(local, law, steps, optimizer_h, sigma, found, matrix=matrix)
        return LocalPart(part, means, all(flows))

    def span(self, times, moments):
        """Return the Observables that read test functions off the error slots, and their exact SDE means.

        moments : (records, d, n). Coordinates are independent: an error of a product of their functions
        is that of prod_j (A_j + error_j) - prod_j A_j, A_j the exact means.
        """
        d, slots = moments.shape[1], self.problem.state.shape[1]
        means, factors = np.zeros((len(times), len(self.wanted))), Counter()
        for at, terms in enumerate(self.wanted.values()):
            factors[at, ()] = np.zeros(len(times))
            for factor, by in terms:
                exact, *errors = self._products(factor, by, times, moments, slots)
                means[:, at] += exact[0]
                for coefficient, rows in errors:
                    factors[at, rows] += coefficient
        owners, products = zip(*factors, strict=True)
        exponents = np.zeros((len(products), d * (slots + moments.shape[2])), dtype=np.int64)
        for term, rows in enumerate(products):
            exponents[term, list(rows)] = 1
        numbers = (np.stack(list(factors.values()), axis=1), exponents)
        return Observables((), len(self.wanted), np.array(owners), *numbers), means

    def _products(self, factor, by, times, moments, slots):
        """Return (coefficient, rows of the errors in it) of every term of factor prod_j (A_j + error_j).

        prod_j A_j, without rows, comes first.
        """
        size = moments.shape[2]
        found: list = [(np.full(len(times), factor), ())]
        for j, powers in by.items():
            known = self.moments(self.coordinates[j])
            path = known.path.at(known.clock(times - self.problem.t0))
            expansion = self.basis.expand(powers, path)
            mean = sum(f * (moments[:, j, place - 1] if place else 1.0) for place, f in expansion.items())
            errors = []
            for place, f in expansion.items():
                if place:
                    row = j * (slots + size) + slots + place - 1
                    errors += [(c * f, (*rows, row)) for c, rows in found]
            found = [(c * mean, rows) for c, rows in found] + errors
        return found

    def job(self, parts, combinations, moments, records, h, role=""):
        """Return a Job that records the test functions' errors, and their exact SDE means at the records of steps h."""
        problem = self.problem
        observed, exact = self.span(problem.t0 + h * records, moments[records])
        where = {"records": records, "role": role, "state": self.start, "spacing": h}
        return problem.job(parts, combinations, observed, **where), exact
