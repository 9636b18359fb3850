"""The local estimator: each trajectory carries its own error along, near an SDE of known moments (`near`, `pivots`)."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import local_span, paired, pivots, rounding
from ngos_sim.estimators.estimator import Checked, Estimator, Plan, Quantity, Reading, Refused, Served
from ngos_sim.estimators.near import growth, nearest, rough_start
from ngos_sim.estimators.polynomials import too_heavy
from ngos_sim.estimators.schedules import jump
from ngos_sim.known import linear_flow
from ngos_sim.known.probing import NoMoments
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.integrators import euler_maruyama

_MOMENTS = round(linear_flow.ACCURACY * 2.0**52 / 3.0)  # steps whose roundings are as much as the moments' accuracy
_TOLERANCE = 0.2  # of the standard error of so many trajectories: how much fewer nodes may change an error
_MANY = 1e6
_OWN, _SDE = "the optimizer's own step carries the errors", "the SDE's flow carries the errors"
_RELATIVE = 1e-3  # of the error itself, as the first step has no standard error


class _Made(NamedTuple):
    """Jobs, what is known of the means at their records, and whether the optimizer's own step carries all errors."""

    jobs: tuple
    known: Any
    own: bool


class Local(Estimator):
    """Talay and Tubaro's expansion, used as an estimator."""

    name = "local"
    merit = "its standard deviation is of the size of the error"

    def serves(self, problems, opponent, function):
        """Serve polynomials in the span of a basis near an SDE whose moments are known."""
        problem, sde = problems[0], opponent.sde
        if reason := jump(problems, sde) or jump(problems, sde and sde.pivot):
            return Refused(reason)
        try:
            near, why = nearest(problem, opponent)
        except NoMoments as error:
            return Refused(str(error))
        if reason := rough_start(problems, opponent):
            return Refused(reason)
        terms = local_span.spanned(problem, function, near)
        if isinstance(terms, str):
            return Refused(terms)
        heavy = too_heavy(problem.oracle.noise, 2 * local_span.degree(terms, growth(problem), near.autonomous))
        if reason := heavy or pivots.unsettled(problems, near, terms):
            return Refused(reason)
        through = "" if opponent.sde is None else near.words(opponent.sde)
        return Served(terms, integrates=bool(through), how=f"{through}, as {why}" if through and why else through)

    def plan(self, problem, wanted):
        """Plan a job or two an opponent; against the scaling rule's reference one of either batch size.

        Where an SDE is integrated every opponent's job draws as many Gaussians a step: the optimizer's path, which they
        have in common, falls out of the difference of two errors.
        """
        together = list(_together(problem, wanted))
        finest = math.lcm(*(_against(problem, *each).finest for each in together))
        return tuple(_against(replace(problem, finest=finest), *each).plan() for each in together)

    def precision(self, asked):
        """Run in f64 where "mix" is asked for; a basis in float32 loses the error that it carries."""
        if asked == "f32":
            raise ValueError(
                "precision='f32' is 3 % wrong in the local estimator; allowed: mix, f64, estimator='coupled'"
            )
        return "f64"

    def check(self, problem, wanted, look):
        """Bar what moves with the number of nodes.

        With fewer no error may move by more than 0.2 of the standard error of a million trajectories and a thousandth
        of itself. (For RMSprop with v_{k+1} each pair of nodes brings about a decimal.) What the run's own nodes may
        leave is less than by how much fewer moved an error.
        """
        barred, remainders = {}, {}
        for each in _together(problem, wanted):
            measured = _against(problem, *each)
            if measured.fewer is None:
                continue
            plan = measured.plan()
            found, other = (plan.read(look(jobs, 1)) for jobs in (plan.jobs, measured.made(measured.fewer).jobs))
            for quantity, reading in found.items():
                moved = np.abs(reading.error - other[quantity].error)
                allowed = _TOLERANCE * reading.std_error * math.sqrt(CHUNK / _MANY) + _RELATIVE * np.abs(reading.error)
                remainders[quantity] = moved
                if np.any(np.isfinite(reading.error) & np.logical_not(moved <= allowed)):
                    barred[quantity] = "its quadrature moves with the nodes"
        return Checked(barred, remainders)


def _together(problem, wanted):
    """Yield each opponent with the test functions that are measured together.

    Those whose basis was too large to hold all that the own step needs (`known.basis.covering`) are apart: in their
    basis Adam's E theta would have five times its standard error.
    """
    for opponent, mine in wanted.items():
        near, _ = nearest(problem, opponent)
        groups: dict = {}
        for g, served in mine.items():
            basis = near.basis(pivots.monomials([served.terms]))
            groups.setdefault(basis.alone > 0, {})[g] = served
        for each in groups.values():
            yield opponent, each


def _against(problem, opponent, wanted):
    """Return how an opponent is measured at a point."""
    kind = _AgainstReference if opponent.sde is None else _AgainstSDE
    return kind(problem, opponent, wanted)


class _AgainstSDE:
    """The local estimator of an optimizer against an SDE at a point.

    Where it is measured near another, error(optimizer, SDE) = error(optimizer, other) - error(SDE, other), the
    latter by Euler-Maruyama at paired.levels, extrapolated, on the same random numbers.

    through : whether it is measured near another SDE
    nodes : of the quadrature; fewer : those of its check, None where it needs none
    """

    def __init__(self, problem, opponent, wanted):
        self.problem, self.opponent, self.functions = problem, opponent, list(wanted)
        near, _ = nearest(problem, opponent)
        self.pivot = pivots.pivot_at(problem, near, {g: served.terms for g, served in wanted.items()})
        self.through = opponent.sde is not None and not near.is_itself(opponent.sde)
        self.nodes, *fewer = self.pivot.nodes
        self.fewer = fewer[0] if fewer else None

    @property
    def _finer(self):
        """How many steps of its coarsest level an SDE that is integrated takes to one of the optimizer; else 1."""
        return self.opponent.sde.refinement if self.through else 1

    @property
    def finest(self):
        """How many steps to one of the optimizer an SDE that is integrated takes at its finest level; else 1."""
        return max(paired.levels(self.opponent.sde)) if self.through else 1

    def plan(self):
        """Return the Plan."""
        jobs, known, own = self.made(self.nodes)
        said = dict.fromkeys((Quantity(self.opponent.name, g) for g in self.functions), _OWN if own else _SDE)
        return Plan(jobs, lambda measured: self._read(measured, known), said=said)

    def made(self, nodes):
        """Return what is run with so many nodes."""
        problem, pivot, sde = self.problem, self.pivot, self.opponent.sde
        h, count = problem.h, problem.steps
        first = pivot.part(problem.rule, problem.law, problem.sigma, nodes, self.nodes, h, h, count)
        parts, rows = [first.part], np.eye(1)
        if self.through:
            base, exact = euler_maruyama(sde, problem.rule), pivot.nodes_of(sde)
            for level in paired.levels(sde):
                numbers = (exact, exact, h / level, h, count * level, level)
                parts.append(pivot.part(base, gaussian(), math.nan, *numbers).part)
            rows = paired.coupled(1)
        job, known = pivot.job(parts, rows, first.means, problem.records, h)
        return _Made((job,), known, first.own)

    def _read(self, measured, known):
        ((mean, std_error),) = measured
        found = {}
        for at, g in enumerate(self.functions):
            if not self.through:
                error = mean[:, at, 0]
                reading = Reading(known[:, at] + error, known[:, at], error, std_error[:, at, 0])
            else:
                steps = self.problem.steps * self._finer
                off = paired.read_together(measured[0], at, steps=steps)  # each by its error
                means = {"optimizer": known[:, at] + off.optimizer, "reference": known[:, at] + off.reference}
                reading = replace(off, **means)
            found[Quantity(self.opponent.name, g)] = self._with_what_is_left(g, reading)
        return found

    def _with_what_is_left(self, g, reading):
        """Return a Reading whose standard error holds what rounding and the moments' accuracy may leave.

        Of the size of psi, which each step cancels to O(h^2), it holds a few roundings a step.
        """
        problem = self.problem
        begin = rounding.at_start(problem.test_functions[g], problem.rule.slots, problem.state)
        steps = problem.records * self._finer + _MOMENTS
        left = rounding.bound(begin, reading.optimizer, steps, problem.precision)
        return reading.with_rounding(left)


class _AgainstReference(_AgainstSDE):
    """The local estimator of an optimizer at batch size B against itself at kappa B (Theorem 5.3), at a point.

    Both are measured against the SDE X: with K = floor(k / kappa), E g(x_k) - E g(x'_K) is
    error(B at k) - error(kappa B at K) + E g(X_{k eta^2}) - E g(X_{K kappa eta^2}), the last two exact.
    """

    def made(self, nodes):
        """Return what is run with so many nodes; known are E g(X) at the times of either's records."""
        problem, pivot = self.problem, self.pivot
        rule, h, spacing, matched = problem.rule, problem.h, problem.spacing, self._matched
        own, batch = np.unique(np.maximum(matched, 1)), problem.larger_batch()
        small = pivot.part(rule, problem.law, problem.sigma, nodes, self.nodes, h, h, problem.steps)
        steps = (spacing, spacing, int(own[-1]))
        large = pivot.part(batch.rule, problem.law, batch.sigma, nodes, self.nodes, *steps)
        first, exact = pivot.job([small.part], np.eye(1), small.means, problem.records, h, role=" small batch")
        second, _ = pivot.job([large.part], np.eye(1), large.means, own, spacing, role=" large batch")
        _, before = pivot.span(problem.t0 + spacing * matched, small.means[problem.kappa * matched])
        return _Made((first, second), (exact, before), small.own and large.own)

    @property
    def _matched(self):
        """The last step of the larger batch before each record, shape (records,)."""
        return self.problem.records // self.problem.kappa

    def _read(self, measured, known):
        exact, before = known
        _, at_own = np.unique(np.maximum(self._matched, 1), return_inverse=True)
        moved = (self._matched > 0)[:, None]
        (small, small_spread), (large, large_spread) = (tuple(each[:, :, 0] for each in pair) for pair in measured)
        large, large_spread = (np.where(moved, each[at_own], 0.0) for each in (large, large_spread))
        error, spread = small - large + (exact - before), np.hypot(small_spread, large_spread)
        found = {}
        for at, g in enumerate(self.functions):
            means = (exact[:, at] + small[:, at], before[:, at] + large[:, at])
            reading = Reading(*means, error[:, at], spread[:, at])
            found[Quantity(self.opponent.name, g)] = self._with_what_is_left(g, reading)
        return found
