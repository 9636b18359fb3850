"""What probing finds of the SDEs of a study, once for all its points: Near which its moments are known, and Known.

`near` asks which SDE serves, `pivots` for its moments and for the nodes of the quadrature.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ngos_sim.estimators import affine
from ngos_sim.estimators.equations import Equations
from ngos_sim.known.basis import covering
from ngos_sim.known.joint_problem import rule_with_free_gradient
from ngos_sim.known.moments import Moments
from ngos_sim.known.probing import NoMoments, Probe
from ngos_sim.known.step_growth import growth as growth_in
from ngos_sim.known.step_nodes import Step, exact_nodes
from ngos_sim.processes import calling
from ngos_sim.processes.rule import parameters
from ngos_sim.processes.sde import SDE

_MOST_HELD = 4096  # Moments, of some 30 KB each; more of them are found anew at every point
_MOST_PROJECTED = 8  # different coordinates: .02 s each and point of RMSprop, .1 s of Adam


@dataclass(frozen=True)
class Near:
    """An SDE whose moments probing finds.

    sde : SDE
    at_zero_step : bool
        Whether it is shown the step 0: the limit of an SDE that reads it.
    autonomous : tuple of int
        The slots A, the same ones in every coordinate.
    own_flow : bool
        Whether errors are carried by the optimizer's own step, projected (`own_flow`), not by the SDE's flow.
    """

    sde: SDE
    at_zero_step: bool
    autonomous: tuple[int, ...]
    own_flow: bool = False

    def basis(self, monomials):
        """Return the smallest Basis whose span holds monomials in one coordinate's slots, or None."""
        linear = tuple(i for i in range(len(self.sde.slots)) if i not in self.autonomous)
        return covering(linear, self.autonomous, monomials, self.own_flow)

    def is_itself(self, sde):
        """Return whether this is an SDE itself, so that nothing is left to measure between them."""
        return self.sde is sde and not self.at_zero_step

    def words(self, sde):
        """Return through which limit an SDE is measured, "" where it is itself known."""
        if self.is_itself(sde):
            return ""
        return "through its limit at step 0" if self.at_zero_step else f"through its pivot {self.sde.name!r}"


class Known:
    """What probing has found of the SDEs of a study with an affine gradient.

    Coordinates that are alike share a Probe and Moments, and so do all points, for an SDE that does not read the step.

    Parameters
    ----------
    problems : sequence of Problem
        The points of the study.
    """

    def __init__(self, problems):
        self._problems = problems
        self._near: dict = {}
        self._reads: dict = {}
        self._some: dict = {}
        self._probes: dict = {}
        self._moments: dict = {}
        self._degrees: dict = {}
        self._nodes: dict = {}

    def near(self, sde):
        """Return what an SDE is measured near, and why it is not itself known, "" where it is.

        Raises
        ------
        NoMoments
            Probing serves neither it, nor its limit at step 0, nor its pivot.
        """
        if id(sde) not in self._near:
            self._near[id(sde)] = self._first_served(sde)
        found, why = self._near[id(sde)]
        if found is None:
            raise NoMoments(why)
        return found, why

    def _first_served(self, sde):
        """Return the first Near that is served, or None, and why the SDE itself is not."""
        reasons = []
        for candidate, at_zero_step in ((sde, False), (sde, True), (sde.pivot, False)):
            if candidate is None:
                continue
            try:
                if candidate.slots != tuple(self._problems[0].rule.slots):
                    raise NoMoments(f"its pivot has slots {candidate.slots}")
                return self._served(candidate, at_zero_step), reasons[0] if reasons else ""
            except NoMoments as error:
                reasons.append(str(error))
        return None, reasons[0] if sde.pivot is None else f"{reasons[0]}; of its pivot, {reasons[-1]}"

    def _served(self, sde, at_zero_step):
        """Return an SDE as Near, or raise NoMoments: A is what any hard coordinate needs."""
        if self._problems[0].oracle.is_dense:
            found = [self.equations.at(sde, at_zero_step, problem) for problem in self._problems]
            for equation in found:
                self.equations.require_law(equation)
            return Near(sde, at_zero_step, found[0].autonomous)
        probes = [self._probe(sde, each) for each in self._hard(sde, at_zero_step)]
        autonomous = tuple(sorted({a for probe in probes for a in probe.autonomous}))
        return Near(sde, at_zero_step, autonomous, self._pays())

    def _pays(self):
        """Return whether to project the own step: the host does it for every different coordinate, to high moments."""
        first = self._problems[0]
        different = {id(each) for each in affine.coordinates(first).values()}
        return len(different) <= _MOST_PROJECTED and first.law.moments == math.inf

    @property
    def equations(self):
        """The study's Equations."""
        return self._problems[0].shared.once(Equations)

    def equation(self, near, problem):
        """Return the JointEquation of all coordinates at a point."""
        return self.equations.at(near.sde, near.at_zero_step, problem)

    def _hard(self, sde, at_zero_step):
        """Return the Coordinates, of all points, in which some number is the least or the largest."""
        found = {}
        for problem in self._problems:
            h = 0.0 if at_zero_step else self._step(sde, problem)
            for each in extremes(affine.coordinates(problem, None, h)).values():
                found[_key(sde, each)] = each
        return found.values()

    def _step(self, sde, problem):
        """Return the step that stands for a point's: the first one's, where the SDE does not read it."""
        first = self._problems[0]
        if id(sde) not in self._reads:
            hard = extremes(affine.coordinates(first, None, first.h)).values()
            try:
                self._reads[id(sde)] = any(self._probe(sde, each).reads_step for each in hard)
            except NoMoments:
                self._reads[id(sde)] = True
        return problem.h if self._reads[id(sde)] else first.h

    def _probe(self, sde, coordinate):
        """Return a coordinate's Probe, or raise NoMoments."""
        key = _key(sde, coordinate)
        if key not in self._probes:
            try:
                self._probes[key] = Probe(sde, coordinate)
            except NoMoments as error:
                self._probes[key] = error
        if isinstance(self._probes[key], NoMoments):
            raise self._probes[key]
        self._some[id(sde)] = self._probes[key]
        return self._probes[key]

    def coordinates(self, near, problem, read=()):
        """Return {coordinate: its Coordinate} of all coordinates, the same one for coordinates that are alike.

        One that no test function reads carries errors that nobody reads: it takes that of one that is read.
        read : iterable of int
        """
        h = 0.0 if near.at_zero_step else self._step(near.sde, problem)
        own = affine.coordinates(problem, {*read} or {0}, h)
        some = next(iter(own.values()))
        return {j: own.get(j, some) for j in range(problem.dimension)}

    def moments(self, near, basis, coordinate):
        """Return a coordinate's Moments on a basis, or raise NoMoments."""
        key = (*_key(near.sde, coordinate), basis)
        if key not in self._moments:
            probe = self._probes.get(_key(near.sde, coordinate), self._some[id(near.sde)])
            found = Moments(probe.at(coordinate, near.autonomous), basis)
            if len(self._moments) >= _MOST_HELD:
                return found
            self._moments[key] = found
        return self._moments[key]

    def degrees(self, near):
        """Return the degree in the noise of each slot after an optimizer's step, the highest of any hard coordinate."""
        key = id(near.sde), near.at_zero_step
        if key not in self._degrees:
            self._degrees[key] = np.max([step.degrees() for step in self._steps(near)], axis=0).tolist()
        return self._degrees[key]

    @cached_property
    def growth(self):
        """By which power of a noise number each slot grows, in any hard coordinate: `step_growth.growth`."""
        problem = self._coarsest
        hard = extremes(affine.coordinates(problem)).values()
        rows = self._rows(1, len(problem.rule.slots) + 1)  # with bias correction the step 0 need not move theta
        return np.max([growth_in(problem.rule, each, problem.spacing, rows) for each in hard], axis=0).tolist()

    @property
    def _coarsest(self):
        """The point whose steps are the longest."""
        return max(self._problems, key=lambda each: each.spacing)

    def _rows(self, number, count):
        """Return the optimizer's schedule from a step on, of the longest steps."""
        problem = self._coarsest
        rule, h = problem.rule, problem.spacing
        first = round(problem.t0 / h) + number
        return list(map(tuple, calling.rows(rule, first, count, h, parameters(rule, h)).tolist()))

    def is_under_a_root(self, near, slot):
        """Return whether derivatives in a slot of A grow towards 0, in any hard coordinate of a point."""
        if slot not in near.autonomous:
            return False
        first = self._problems[0]
        hard = extremes(self.coordinates(near, first, range(first.dimension))).values()
        return any(self._probe(near.sde, each).at(each, near.autonomous).grows_near_zero(slot) for each in hard)

    def nodes(self, near, basis):
        """Return the nodes that the optimizer's step needs at every point, and where they are not exact fewer ones.

        What fewer nodes move is more than the run's own miss; see `step_nodes.Step.fewest`. NoMoments where none serve.
        """
        key = id(near.sde), near.at_zero_step, basis
        if key not in self._nodes:
            exact = exact_nodes(basis, self.degrees(near))
            if exact is None or max(self.degrees(near)) > 2:
                steps = self._steps(near)
                few = max(step.fewest(self.moments(near, basis, step.probe.coordinate)) for step in steps)
                self._nodes[key] = few if exact is None or exact > few[0] else (exact,)
            else:
                self._nodes[key] = (exact,)
        return self._nodes[key]

    def _steps(self, near):
        """Yield the optimizer's Step of every hard coordinate at the point whose steps are the longest."""
        problem = self._coarsest
        number = max(1, round((problem.horizon - problem.t0) / problem.spacing)) // 2
        (row,) = self._rows(number, 1)
        rule, rest = problem.rule, (problem.spacing, problem.law, problem.sigma, number, row)
        if problem.oracle.is_dense:
            equation = self.equation(near, problem)
            told = rule_with_free_gradient(rule) if equation.problem.is_matrix else rule
            yield from (Step(told, probe, *rest) for probe in equation.probes)
            return
        for coordinate in extremes(self.coordinates(near, problem, range(problem.dimension))).values():
            yield Step(rule, self._probe(near.sde, coordinate), *rest)


def extremes(coordinates):
    """Return of {coordinate: Coordinate} those in which some number is the least or the largest: the hard ones."""
    numbers = np.array([(each.hessian, each.slope, each.variance, *each.start) for each in coordinates.values()])
    hard = {*numbers.argmin(axis=0).tolist(), *numbers.argmax(axis=0).tolist()}
    return {j: each for at, (j, each) in enumerate(coordinates.items()) if at in hard}


def _key(sde, coordinate):
    """Return what a Probe of a study depends on; the SDE is held by the study."""
    each = coordinate
    return id(sde), each.hessian, each.slope, each.variance, each.start, each.h, *each.constants.values()
