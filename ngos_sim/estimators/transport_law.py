"""Laws of an optimizer and of SDEs in one coordinate, side by side (docs/theory.md, "Laws carried forward").

An SDE takes steps of weak order 2 on the references that the optimizer's law has made, so that most of what the nodes
leave is the same in both means and falls out of their difference. `estimators.transport_answer` climbs the sizes.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport, transport_pilot, transport_split
from ngos_sim.engines.program import move, padded
from ngos_sim.engines.transport_lattice import Lattice
from ngos_sim.engines.transport_moments import Moments
from ngos_sim.engines.transport_platen import nodes as platen_nodes
from ngos_sim.engines.transport_platen import platen, table
from ngos_sim.engines.transport_probe import Kinks, kinks
from ngos_sim.estimators.problem import Problem
from ngos_sim.estimators.schedules import variation
from ngos_sim.estimators.transport_means import Coordinate, Factor, Unserved, valued
from ngos_sim.estimators.transport_places import PILOT, expected, places
from ngos_sim.known.quadrature import law_rule
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.calling import rows
from ngos_sim.processes.rule import parameters

FINER = (1, 2)  # of the SDE's steps: what they give is extrapolated
_STEPS, _OF_TURNS = 64, 32.0  # of the SDE from the start to the horizon, at least; for each unit its schedule varies
LEAST = 0.2  # spread of a logarithm about its reference: a slot counts as smooth on a scale of 20 %
_NARROWEST = (0.005, 0.05)  # of theta's way, alone and beside u: no long lattices, nor less than u moves theta by
_MARGIN = 5.0  # deviations of theta beyond what the pilots have seen
_FEW, _MANY = 40, 200  # steps: fewer are large, more are small
_SLICE = 200_000  # throws between two calls of `Problem.watch`: a tenth of a second or so
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

    def _moved(self, function, numbers, held, entries, channels=1):
        numbers = transport.Numbers(self.coordinate.loss, self.coordinate.variance, numbers, tuple(held.values()))
        return transport.moved(function, numbers, len(self.problem.rule.slots), entries, channels)

    def chain(self, law):
        """Return the optimizer's Move, whose noise is the Gaussian behind a law: zeta itself of the Gaussian law."""
        problem, rule = self.problem, self.problem.rule
        held = parameters(rule, problem.h)
        entries = rows(rule, round(problem.t0 / problem.h), problem.steps, problem.h, held)
        numbers = padded(law.numbers(problem.sigma).values())
        return self._moved(move(rule, problem.oracle, law), numbers, held, entries)

    @cached_property
    def by_zeta(self):
        """The optimizer's Move with zeta for its noise."""
        return self.chain(gaussian())

    @cached_property
    def optimizer(self):
        """The optimizer's Move: its noise is zeta, or where the rule of the noise is split the xi behind it."""
        return self.chain(self.problem.law) if self.places else self.by_zeta

    def integrated(self, sde, finer):
        """Return an SDE's Move with so many steps to one of the optimizer."""
        problem = self.problem
        held = parameters(problem.rule, problem.h, sde)
        p = SimpleNamespace(**held)
        entries = table(sde, p, problem.t0, problem.h / finer, problem.steps * finer)
        columns = (entries.shape[1] - 2) // 2
        step = platen(sde, problem.rule, problem.oracle, columns)
        return self._moved(step, padded(()), held, entries, sde.channels)

    def steps_of(self, sde):
        """Return how many steps an SDE takes at least to one of the optimizer."""
        least = max(_STEPS, _OF_TURNS * variation(self.problem, sde))
        return sde.refinement * max(1, round(least / self.problem.steps))

    def noise(self, nodes):
        """Return the Draw of the noise law: its atoms, or so many nodes."""
        return transport.draw(*law_rule(self.problem.law, self.problem.sigma, nodes))

    @cached_property
    def is_discrete(self):
        """Whether the noise law is one of atoms: its rule does not depend on how many nodes are asked for."""
        few, many = (self.problem.law.rule(self.problem.sigma, nodes)[0] for nodes in (16, 32))
        return len(few) == len(many)

    @cached_property
    def scales(self):
        """The Scales of the optimizer and of the SDEs together."""
        problem, state = self.problem, self.coordinate.state
        walk = partial(transport_pilot.walk, watch=problem.watch)
        walks = [walk(self.by_zeta, state, self.logs, self.noise(PILOT), problem.steps)]
        for sde in self.sdes:
            finer = self.steps_of(sde)
            draw = platen_nodes(sde.channels, PILOT)
            walks.append(walk(self.integrated(sde, finer), state, self.logs, draw, problem.steps * finer))
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

    @cached_property
    def places(self):
        """At how many places the rule of the noise is split: `transport_places.places`."""
        return places(self)

    def grid(self, level):
        """Return the Lattice or the Moments of a level: each is finer than the one before in everything."""
        scales, logs, reach = self.scales, self.logs, 5.5 + 0.75 * level
        least = transport_pilot.least(scales, logs)
        floors = np.maximum(0.4 / 1.3**level * scales.deviation, LEAST * np.array(logs))
        if self.is_by_moments:
            deviation, sizes = np.maximum(floors, least), (8 + 2 * level, 8 + 2 * level, 5 + level)
            return Moments(sizes[: len(logs)], logs, tuple(deviation.tolist()), reach)
        way = _NARROWEST[len(logs) - 1] * (scales.high[0] - scales.low[0])
        width = float(max(scales.deviation[0], least[0], way))
        spacing = 0.3 / 1.5**level * width
        low, high = scales.low[0] - _MARGIN * width, scales.high[0] + _MARGIN * width
        polynomials = 5 + level if len(logs) > 1 else 1
        spread = float(max(floors[-1], least[-1])) if len(logs) > 1 else 1.0
        return Lattice(float(low), float(high), spacing, logs[-1], polynomials, spread, reach)

    def _nodes(self, places, level):
        """Return how many nodes the rule of the noise has, or a piece of it: fewer where steps are many, and small."""
        steps = self.problem.steps
        first, second, third = (5, 4, 3) if places else (8, 6, 4)
        return (first if steps < _FEW else second if steps < _MANY else third) + level

    def _fan(self, grid, level):
        """Return the Fan of the optimizer's steps."""
        nodes = self._nodes(self.places, level)
        if self.places:
            return transport_split.divided(grid.nodes, self.optimizer, self.places, nodes, level)
        return transport_split.shared(grid.nodes, self.optimizer, self.noise(nodes))

    def work(self, level):
        """Return the work of `carried`: steps times nodes of the noise, and twice as much a node at a finer size."""
        taken = sum(sum(FINER) * self.steps_of(sde) * platen_nodes(sde.channels).values.size for sde in self.sdes)
        places = expected(self)
        return 2.0**level * self.problem.steps * (transport_split.work(places, self._nodes(places, level)) + taken)

    def carried(self, level, factors: Sequence[Factor], kinked) -> Means:
        """Return the Means of factors of this coordinate; kinked : those that are averaged over their kinks."""
        problem, grid, records = self.problem, self.grid(level), self.problem.records
        found = np.full((1 + len(FINER) * len(self.sdes), len(records), len(factors)), math.nan)
        path, largest = grid.path(problem.steps), _LARGEST[type(grid)]
        watch = lambda steps, nodes: problem.watch(2.0**level * steps * nodes)  # noqa: E731
        observed = _Observed(self.valued(factors), [each in kinked for each in factors], watch)
        fan = self._fan(grid, level)
        mass = self._carry(grid, self.optimizer, path, True, fan, records, found[0], observed)
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
            taken = self.integrated(sde, steps)
            fan = transport_split.shared(grid.nodes, taken, platen_nodes(sde.channels))
            masses.append(self._carry(grid, taken, own, follows, fan, self.problem.records * steps, means, observed))
        return max(masses)

    def _carry(self, grid, taken, path, follows, fan, records, out, observed):
        """Carry one process's law, write means to out (records, factors), and return its greatest sum of moduli."""
        slots = len(self.problem.rule.slots)
        law = grid.start(self.coordinate.state, path, follows)
        step, greatest = 0, 0.0
        most = max(1, _SLICE // (grid.nodes * fan.work))
        observed.watch(0, 0)
        for place, record in enumerate(records.tolist()):
            while step < record:
                before, step = step, min(step + most, record) if step else 1  # the first of all loads kernels
                mass = grid.advance(taken, before, step, law, path, follows, fan)
                greatest = max(greatest, mass)
                if not math.isfinite(greatest):
                    return math.inf
                observed.watch(step - before, fan.work)
            out[place] = observed.means(grid, law, path[record], slots)
        return greatest


class _Observed(NamedTuple):
    """Functions of states whose means are taken under a law, and which of them have kinks in theta.

    watch : function (steps, nodes of the noise), told of the steps that a law has been carried
    """

    functions: Sequence
    kinked: Sequence
    watch: Callable

    def means(self, grid, law, ref, slots):
        """Return the mean of every function under a law that a grid holds."""
        smooth = grid.law(law, ref, slots)
        smeared = grid.smeared(law, ref, slots) if any(self.kinked) else smooth
        nodes = [smeared if kinked else smooth for kinked in self.kinked]
        return [float(np.sum(n.weights * g(n.states))) for g, n in zip(self.functions, nodes, strict=True)]
