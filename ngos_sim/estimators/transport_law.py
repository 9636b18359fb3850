"""Laws of an optimizer and of SDEs in one coordinate, side by side (docs/theory.md, "Laws carried forward").

An SDE takes steps of weak order 2 on the references that the optimizer's law has made, so that most of what the nodes
leave is the same in both means and falls out of their difference. `estimators.transport_answer` climbs the sizes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport, transport_pilot
from ngos_sim.engines.program import move
from ngos_sim.engines.transport_lattice import Lattice
from ngos_sim.engines.transport_moments import Moments
from ngos_sim.engines.transport_platen import platen, table
from ngos_sim.engines.transport_probe import Kinks, kinks, smoothness
from ngos_sim.estimators.problem import Problem
from ngos_sim.estimators.transport_means import Coordinate, Factor, Unserved, valued
from ngos_sim.known.quadrature import law_rule
from ngos_sim.oracles.noises import gauss_hermite, gaussian
from ngos_sim.processes.calling import rows
from ngos_sim.processes.rule import parameters

FINER = (1, 2)  # of the SDE's steps: what they give is extrapolated
_STEPS = 64  # of the SDE from the start to the horizon, at least
LEAST = 0.2  # spread of a logarithm about its reference: a slot counts as smooth on a scale of 20 %
_NOISE = 6.0  # deviations of the noise over which a step must be smooth
_NARROWEST = 0.05  # of theta's way: a lattice that is narrower than what u moves theta by is not stable, and is long
_MARGIN = 5.0  # deviations of theta beyond what the pilots have seen
_LARGEST = {Lattice: 50.0, Moments: 5.0}  # sum of moduli of the weights: beyond it a law is not stable


class Means(NamedTuple):
    """Means of factors at the records: of the optimizer and of each SDE at FINER steps, (1 + 2 SDEs, records, factors);
    and whether each of the processes (optimizer, SDEs) was carried stably."""

    means: np.ndarray
    stable: np.ndarray


@dataclass(frozen=True, eq=False)
class Carrier:
    """What carries laws of one coordinate of a Problem, for some SDEs.

    sdes : sequence of SDE
    """

    problem: Problem
    coordinate: Coordinate
    sdes: Sequence
    _functions: dict = field(default_factory=dict)

    @property
    def logs(self):
        """Which slots are held as their logarithms: u, which is v / sigma^2 and positive."""
        return tuple(slot == "u" for slot in self.problem.rule.slots)

    @property
    def is_by_moments(self):
        """Whether the law is held by moments alone: of three slots, and of two that both may have any sign."""
        return len(self.logs) > 1 and (len(self.logs) > 2 or not self.logs[-1])

    def _moved(self, function, held, entries):
        numbers = transport.Numbers(self.coordinate.loss, self.coordinate.variance, tuple(held.values()))
        return transport.moved(function, numbers, len(self.problem.rule.slots), entries)

    @cached_property
    def optimizer(self):
        """The optimizer's Move, whose noise is zeta."""
        problem, rule = self.problem, self.problem.rule
        held = parameters(rule, problem.h)
        entries = rows(rule, round(problem.t0 / problem.h), problem.steps, problem.h, held)
        return self._moved(move(rule, problem.oracle, gaussian()), held, entries)

    def integrated(self, sde, finer):
        """Return an SDE's Move with so many steps to one of the optimizer."""
        problem = self.problem
        held = parameters(problem.rule, problem.h, sde)
        p = SimpleNamespace(**held)
        entries = table(sde, p, problem.t0, problem.h / finer, problem.steps * finer)
        columns = (entries.shape[1] - 2) // 2
        return self._moved(platen(sde, problem.rule, problem.oracle, columns), held, entries)

    def steps_of(self, sde):
        """Return how many steps an SDE takes at least to one of the optimizer."""
        return sde.refinement * max(1, round(_STEPS / self.problem.steps))

    def noise(self, nodes):
        """Return the rule of the noise law: its atoms, or so many nodes."""
        return law_rule(self.problem.law, self.problem.sigma, nodes)

    @cached_property
    def scales(self):
        """The Scales of the optimizer and of the SDEs together."""
        problem, state = self.problem, self.coordinate.state
        walks = [transport_pilot.walk(self.optimizer, state, self.logs, self.noise(8), problem.steps)]
        for sde in self.sdes:
            finer = self.steps_of(sde)
            move_ = self.integrated(sde, finer)
            walks.append(transport_pilot.walk(move_, state, self.logs, gauss_hermite(8), problem.steps * finer))
        if None in walks:
            raise Unserved("one of a few hundred trajectories leaves the finite numbers")
        deviation, low, high = (np.stack(each) for each in zip(*walks, strict=True))
        return transport_pilot.Scales(deviation[0], low.min(axis=0), high.max(axis=0))

    def kinks(self, factor) -> Kinks:
        """Return in which slots a Factor is not smooth, over the range that the pilots have seen."""
        return kinks(self.valued([factor])[0], self.scales, self.logs)

    def valued(self, factors):
        """Return Factors as functions of states; each is bound once."""
        for each in factors:
            if each not in self._functions:
                self._functions[each] = valued(each, self.problem.oracle)
        return [self._functions[each] for each in factors]

    @property
    def is_jumping(self):
        """Whether the optimizer's step is not smooth in the noise, at the start or where the pilots have been."""
        scales, last = self.scales, self.problem.steps - 1
        middle = 0.5 * (scales.low + scales.high)
        places = [self.coordinate.state, [math.exp(x) if log else x for x, log in zip(middle, self.logs, strict=True)]]
        for step, state in ((0, places[0]), (last, places[0]), (last, places[1])):
            for slot in range(len(self.logs)):
                after = partial(transport.after, self.optimizer, step, state)
                if smoothness(lambda z: after(z)[slot], -_NOISE, _NOISE) in ("kink", "jump"):  # noqa: B023
                    return True
        return False

    def grid(self, level):
        """Return the Lattice or the Moments of a level: each is finer than the one before in everything."""
        scales, logs, reach = self.scales, self.logs, 5.5 + 0.75 * level
        least = transport_pilot.least(scales, logs)
        floors = np.maximum(0.4 / 1.3**level * scales.deviation, LEAST * np.array(logs))
        if self.is_by_moments:
            deviation, sizes = np.maximum(floors, least), (8 + 2 * level, 8 + 2 * level, 5 + level)
            return Moments(sizes[: len(logs)], logs, tuple(deviation.tolist()), reach)
        way = _NARROWEST * (scales.high[0] - scales.low[0])
        width = float(max(scales.deviation[0], least[0], way))
        spacing = 0.3 / 1.5**level * width
        low, high = scales.low[0] - _MARGIN * width, scales.high[0] + _MARGIN * width
        polynomials = 5 + level if len(logs) > 1 else 1
        spread = float(max(floors[-1], least[-1])) if len(logs) > 1 else 1.0
        return Lattice(float(low), float(high), spacing, logs[-1], polynomials, spread, reach)

    def nodes(self, level):
        """Return how many nodes the rule of the noise law has at a level."""
        steps = self.problem.steps
        return (8 if steps < 40 else 6 if steps < 200 else 4) + level

    def carried(self, level, factors: Sequence[Factor], kinked) -> Means:
        """Return the Means of factors of this coordinate; kinked : those that are averaged over their kinks."""
        problem, grid, records = self.problem, self.grid(level), self.problem.records
        found = np.full((1 + len(FINER) * len(self.sdes), len(records), len(factors)), math.nan)
        path, largest = grid.path(problem.steps), _LARGEST[type(grid)]
        observed = _Observed(self.valued(factors), [each in kinked for each in factors])
        mass = self._carry(grid, self.optimizer, path, True, self.noise(self.nodes(level)), records, found[0], observed)
        stable = [mass <= largest]
        for which, sde in enumerate(self.sdes):
            out = found[1 + which * len(FINER) :][: len(FINER)]
            masses = (self._carry_sde(grid, sde, path, follows, out, observed) for follows in (False, True))
            stable.append(any(each <= largest for each in masses))
        return Means(found, np.array(stable))

    def _carry_sde(self, grid, sde, path, follows, out, observed):
        """Carry an SDE's law, at FINER steps, and write means to out; return the greatest sum of moduli.

        On the optimizer's references; where `follows`, on its own: at a coarse step its law may differ too much.
        """
        masses = []
        for finer, means in zip(FINER, out, strict=True):
            steps = finer * self.steps_of(sde)
            own = grid.path(self.problem.steps * steps) if follows else grid.refined(path, steps)
            numbers = (gauss_hermite(3), self.problem.records * steps, means, observed)
            masses.append(self._carry(grid, self.integrated(sde, steps), own, follows, *numbers))
        return max(masses)

    def _carry(self, grid, taken, path, follows, noise, records, out, observed):
        """Carry one process's law, write means to out (records, factors), and return its greatest sum of moduli."""
        slots = len(self.problem.rule.slots)
        law = grid.start(self.coordinate.state, path, follows)
        thrown, step, greatest = grid.room(slots, len(noise[0])), 0, 0.0
        for place, record in enumerate(records.tolist()):
            mass = grid.advance(taken, step, record, law, path, follows, noise, thrown)
            greatest, step = max(greatest, mass), record
            if not math.isfinite(greatest):
                return math.inf
            out[place] = observed.means(grid, law, path[record], slots)
        return greatest


class _Observed(NamedTuple):
    """Functions of states whose means are taken under a law, and which of them have kinks in theta."""

    functions: Sequence
    kinked: Sequence

    def means(self, grid, law, ref, slots):
        """Return the mean of every function under a law that a grid holds."""
        smooth = grid.law(law, ref, slots)
        smeared = grid.smeared(law, ref, slots) if any(self.kinked) else smooth
        nodes = [smeared if kinked else smooth for kinked in self.kinked]
        return [float(np.sum(n.weights * g(n.states))) for g, n in zip(self.functions, nodes, strict=True)]
