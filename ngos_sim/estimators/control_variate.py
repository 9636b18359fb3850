"""The control-variate estimator: an optimizer beside a linear companion whose mean is known (`known_means`)."""

import numpy as np

from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import paired, rounding
from ngos_sim.estimators.assembly import Part
from ngos_sim.estimators.equations import laws
from ngos_sim.estimators.estimator import Checked, Estimator, Plan, Quantity, Reading, Refused, Served
from ngos_sim.estimators.known_means import Means, contradicts
from ngos_sim.estimators.near import two_channels, unsuited
from ngos_sim.estimators.polynomials import Term
from ngos_sim.estimators.schedules import jump
from ngos_sim.estimators.starts import singular
from ngos_sim.estimators.test_functions import TestFunction
from ngos_sim.known import gaussian_law
from ngos_sim.known.probing import NoMoments
from ngos_sim.processes.integrators import euler_maruyama

_LOOK = 4  # chunks: a bump of probability 0.01 is seen
_ROUGH = "its Gaussian mean does not converge"
_OTHER = "trajectories show another mean"
_CONTRADICTED = "has another mean by its trajectories than by quadrature (estimator='coupled' needs none)"


class ControlVariate(Estimator):
    """The error of the optimizer's companion is known; that of the optimizer less the companion is measured."""

    name = "control_variate"
    merit = "the mean of a linear companion is known"

    def serves(self, problems, opponent, function):
        """Serve an SDE of known moments where the test function's mean is known: a polynomial, or smooth."""
        sde, problem = opponent.sde, problems[0]
        if sde is None:
            return Refused("there is no companion of known moments")
        if reason := two_channels(sde) or unsuited(problem) or singular(problem, sde) or jump(problems, sde):
            return Refused(reason)
        try:
            terms = _terms(problem, function, problem.shared.once(_LastLaws).linear(sde))
            if terms is None:
                gaussian, other = "a polynomial", "of degree 2 under noise that is not Gaussian"
                known = gaussian if problem.oracle.noise.is_gaussian else other
                return Refused(f"it is not {known}, so that its mean is not known")
            means = Means(problem.shared.once(_LastLaws).of(sde, terms))
        except NoMoments as error:
            return Refused(str(error))
        return Served(terms) if means.are_resolved(terms) else Refused(_ROUGH)

    def plan(self, problem, wanted):
        """Plan one job an opponent."""
        return tuple(_Companion(problem, opponent, mine).plan() for opponent, mine in wanted.items())

    def check(self, problem, wanted, look):
        """Bar test functions whose quadrature does not converge at some time, or of which trajectories show others."""
        barred = {}
        for opponent, mine in wanted.items():
            companion = _Companion(problem, opponent, mine)
            barred |= {Quantity(opponent.name, g): _ROUGH for g in companion.unresolved}
            plan = companion.plan()
            if companion.smooth and not companion.unresolved:
                found = plan.disproved(look(plan.jobs, _LOOK), _LOOK * CHUNK)
                barred |= dict.fromkeys(found, _OTHER)
        return Checked(barred)


def _terms(problem, function, linear):
    """Return a test function as Terms whose monomials may also be functions g of one coordinate, or None.

    The means that are known are those of sums of products over coordinates: of monomials up to degree 2 in the linear
    slots, and for Gaussian noise of any.
    """
    own, gaussian = problem.test_functions[function], problem.oracle.noise.is_gaussian
    if isinstance(own, TestFunction):
        return [Term(1.0, {own.coordinate: own.g})] if gaussian else None
    terms = problem.polynomial(function)
    if terms is None or gaussian:
        return terms
    degrees = [[sum(powers[i] for i in linear) for powers in by.values()] for _, by in terms]
    if problem.oracle.is_dense:  # else coordinates are independent
        degrees = [[sum(each)] for each in degrees]
    return terms if all(degree <= 2 for each in degrees for degree in each) else None


class _LastLaws:
    """The laws of the SDEs of a study at its last time, each found once."""

    def __init__(self, problems):
        self._problem, self._found = problems[0], {}

    def linear(self, sde):
        """Return the linear slots of an SDE."""
        found = self.of(sde, [Term(1.0, {0: ()})])
        return (found if self._problem.oracle.is_dense else found[0]).linear

    def of(self, sde, terms):
        """Return the Law of all coordinates, or {coordinate: its Law} of those in the terms, or raise NoMoments."""
        return laws(self._problem, sde, terms, self._law)

    def _law(self, equation):
        if equation not in self._found:
            self._found[equation] = gaussian_law.sde_law(equation, self._problem.times[-1:])
        return self._found[equation]


class _Companion:
    """The companion of an optimizer near an SDE at a point, and what is known of the wanted test functions.

    unresolved : indices of test functions whose known means quadrature does not find
    smooth : {index of a test function: mean and standard deviation of g of the companion}, by quadrature
    """

    def __init__(self, problem, opponent, wanted):
        self.problem, self.opponent, self.functions = problem, opponent, list(wanted)
        self.rule = euler_maruyama(opponent.sde, problem.rule)
        terms = [term for served in wanted.values() for term in served.terms]
        found = laws(problem, opponent.sde, terms, self._both)
        is_joint = problem.oracle.is_dense
        own, exact = (Means(found[i] if is_joint else {j: pair[i] for j, pair in found.items()}) for i in (0, 1))
        self.unresolved = tuple(
            g for g, served in wanted.items() if not all(each.are_resolved(served.terms) for each in (own, exact))
        )
        resolved = {g: served.terms for g, served in wanted.items() if g not in self.unresolved}
        shape = problem.times.shape
        self._own = {g: np.broadcast_to(own.of(mine), shape) for g, mine in resolved.items()}
        self._exact = {g: np.broadcast_to(exact.of(mine), shape) for g, mine in resolved.items()}
        self.smooth = {
            g: (self._own[g], own.spread(mine))
            for g, mine in resolved.items()
            if any(callable(function) for _, by in mine for function in by.values())
        }
        self._starts = [
            rounding.at_start(problem.test_functions[g], problem.rule.slots, problem.state) for g in self.functions
        ]

    def _both(self, equation):
        """Return the Laws of the companion and of the SDE at the records."""
        problem = self.problem
        known = (equation.problem, equation.linear, problem.h, problem.records)
        return gaussian_law.companion_law(self.rule, *known), gaussian_law.sde_law(equation, problem.times)

    def plan(self):
        """Return the Plan: of each test function optimizer less companion, and the companion, are recorded."""
        problem = self.problem
        companion = Part(self.rule, problem.law, 1, problem.h, problem.sigma)
        difference_and_companion = paired.coupled_pair()[[2, 1]]
        job = problem.job(
            [problem.optimizer(), companion],
            difference_and_companion,
            problem.observables(self.functions),
            role=" companion",
        )
        return Plan((job,), self._read, self._disproved)

    def _rounding(self, at, mean):
        """Return what rounding may leave in a mean of the test function at a place among those wanted."""
        problem = self.problem
        return rounding.bound(self._starts[at], mean, problem.records, problem.precision, gaussian_law.ACCURACY)

    def _read(self, measured):
        ((mean, std_error),) = measured
        found = {}
        for at, g in enumerate(self.functions):
            error = mean[:, at, 0] + self._own[g] - self._exact[g]
            seen = np.any(std_error[:, at] > 0.0, axis=-1)  # a companion that is the optimizer has no difference
            reading = Reading(self._exact[g] + error, self._exact[g], error, std_error[:, at, 0], seen=seen)
            left = self._rounding(at, reading.optimizer)
            found[Quantity(self.opponent.name, g)] = reading.with_rounding(left)
        return found

    def _disproved(self, measured, trajectories):
        ((mean, std_error),) = measured
        found = {}
        for at, g in enumerate(self.functions):
            sampled = mean[:, at, 1], std_error[:, at, 1]
            if g in self.smooth and contradicts(
                *sampled, *self.smooth[g], trajectories, self._rounding(at, mean[:, at, 1])
            ):
                found[Quantity(self.opponent.name, g)] = _CONTRADICTED
        return found
