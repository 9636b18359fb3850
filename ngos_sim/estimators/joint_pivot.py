"""What the local estimator carries along where the Hessian or the covariance is a matrix: see `known.joint_flow`."""

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from ngos_sim.engines.program import Errors
from ngos_sim.estimators.assembly import LocalPart, Observables, Part
from ngos_sim.estimators.polynomials import Term
from ngos_sim.estimators.probed import Known, Near
from ngos_sim.estimators.problem import Problem
from ngos_sim.known import joint_flow
from ngos_sim.known.step_nodes import MOST_DEGREE

_MANY_NODES = (17, 13)


@dataclass(frozen=True)
class JointPivot:
    """An SDE at a point whose coordinates are coupled: Gaussian noise, and test functions that are sums of slots."""

    problem: Problem
    near: Near
    wanted: dict[int, list[Term]]

    @cached_property
    def equation(self):
        """The JointEquation of all coordinates."""
        return self.problem.shared.once(Known).equation(self.near, self.problem)

    @cached_property
    def _degrees(self):
        """The highest degree in the noise of a linear slot after a step, and that of the autonomous one, or 0."""
        degrees, equation = self.problem.shared.once(Known).degrees(self.near), self.equation
        return max(degrees[i] for i in equation.linear), max((degrees[i] for i in equation.autonomous), default=0)

    @property
    def nodes(self):
        """The nodes of the run and, where they are not exact, the fewer ones of the check.

        A coefficient of order n of a slot of degree e is exact by (e + n) / 2 + 1 nodes, n up to the lower degree of
        two slots. The engine's loop over nodes is not unrolled: more of them only take their time.
        """
        linear, autonomous = self._degrees
        return _MANY_NODES if max(linear, autonomous) > MOST_DEGREE else ((linear + autonomous) // 2 + 1,)

    def nodes_of(self, sde):
        """Return the nodes that are exact for Euler-Maruyama of an SDE, linear in the noise."""
        return 2

    def part(self, rule, law, sigma, nodes, size, h, optimizer_h, count, steps=1):
        """Return what `Pivot.part` does, with means of the linear slots; the SDE's flow carries the errors."""
        equation, oracle = self.equation, self.problem.oracle
        covariance = equation.problem.covariance
        orders = min(nodes, min(self._degrees) + 1) if rule is self.problem.rule else nodes
        scale = np.ones(len(covariance)) if oracle.root is None else np.sqrt(np.diag(covariance))
        found = joint_flow.carried(equation, h, count)
        rules = asdict(joint_flow.mehler(covariance, nodes, orders, scale))
        centred = equation.autonomous[0] if equation.autonomous else None
        errors = Errors(centred=centred, flow=found.flow, centre=found.centre, **rules)
        part = Part(rule, law, steps, optimizer_h, sigma, errors=errors)
        return LocalPart(part, found.means, False)

    def span(self, times, moments):
        """Return the Observables that read sums of slots off the errors, and their exact SDE means.

        moments : (records, n), of the linear slots
        """
        equation, (d, slots), n = self.equation, self.problem.state.shape, moments.shape[1]
        known, rows = {}, {}  # by slot and coordinate: exact means, and the place among the errors
        path = equation.path(equation.clock(times))
        for j in range(d):
            for at, slot in enumerate(equation.linear):
                known[slot, j], rows[slot, j] = moments[:, at * d + j], at * d + j
            for at, slot in enumerate(equation.autonomous):
                known[slot, j], rows[slot, j] = path[:, at, j], (j + 1) * (n + 1) + n  # that of y_j
        means, factors = np.zeros((len(times), len(self.wanted))), Counter()
        for owner, terms in enumerate(self.wanted.values()):
            factors[owner, -1] = 0.0
            for factor, by in terms:
                found = [(slot, j) for j, powers in by.items() for slot, power in enumerate(powers) if power]
                means[:, owner] += factor * (known[found[0]] if found else 1.0)
                for which in found:
                    factors[owner, rows[which]] += factor
        owners, places = np.array(list(factors)).T
        blocks = d * len(equation.autonomous) + 1
        exponents = np.zeros((len(places), d * slots + blocks * (n + 1)), dtype=np.int64)
        exponents[np.flatnonzero(places >= 0), d * slots + places[places >= 0]] = 1
        numbers = (np.tile(list(factors.values()), (len(times), 1)), exponents)
        return Observables((), len(self.wanted), owners, *numbers), means

    def job(self, parts, combinations, moments, records, h, role=""):
        """Return a Job that records the test functions' errors, and their exact SDE means at the records of steps h."""
        problem = self.problem
        observed, exact = self.span(problem.t0 + h * records, moments[records])
        where = {"records": records, "role": role, "state": problem.state, "spacing": h}
        return problem.job(parts, combinations, observed, **where), exact
