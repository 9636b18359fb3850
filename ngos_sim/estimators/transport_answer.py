"""Errors that are computed, with what they are uncertain by: two sizes of what carries the laws, two steps of the SDE.

`estimators.transport` asks, once a point; `studies.means` asks for one process alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ngos_sim.estimators import transport_means
from ngos_sim.estimators.test_functions import TestFunction, slots_read
from ngos_sim.estimators.transport_law import FINER, Carrier
from ngos_sim.estimators.transport_means import Unserved

LEVELS = (1, 2, 3)
_ENOUGH = 3e-3  # of the greatest error over the records: no finer size is tried where an estimate is below it
_SAFETY = 3.0
_RESOLVED = 0.3  # of the greatest error over the records: an uncertainty beyond it is refused
UNSTABLE = "its law cannot be carried forward stably: the sum of the moduli of its weights grows without bound"
JUMPS = "the optimizer's step jumps or has a kink in the noise, where no few nodes of the noise law are enough"
KINKED = "it has a kink, and the noise is discrete: no lattice resolves a kink among atoms"


@dataclass(frozen=True)
class Answer:
    """What is computed of a test function at the records, shape (records,) each.

    optimizer, sde : means
    error : optimizer - sde
    of_optimizer, of_sde, of_error : by how much each is uncertain, numerically
    """

    optimizer: np.ndarray
    sde: np.ndarray
    error: np.ndarray
    of_optimizer: np.ndarray
    of_sde: np.ndarray
    of_error: np.ndarray


def answers(problem, sdes: Sequence, functions: Sequence[int]) -> Mapping[tuple[str, int], Answer | str]:
    """Return {(SDE's name, test function): its Answer, or why there is none} at a Problem."""
    terms, refused = _expanded(problem, functions)
    found: dict = {(sde.name, g): why for sde in sdes for g, why in refused.items()}
    if not terms:
        return found
    try:
        ladder = _Ladder(problem, sdes, terms)
    except Unserved as why:
        return found | {(sde.name, g): str(why) for sde in sdes for g in terms}
    found |= {(sde.name, g): why for sde in sdes for g, why in ladder.refused.items()}
    return found | ladder.climb()


def _expanded(problem, functions):
    """Return {test function: its terms}, and {test function: why it has none}."""
    terms, refused = {}, {}
    for g in functions:
        try:
            terms[g] = transport_means.expanded(problem, g)
        except Unserved as why:
            refused[g] = str(why)
    return terms, refused


def _is_discrete(problem):
    """Return whether the noise law is one of atoms: its rule does not depend on how many nodes are asked for."""
    few, many = (problem.law.rule(problem.sigma, nodes)[0] for nodes in (31, 32))
    return len(few) == len(many)


class _Ladder:
    """Sizes of growing fineness, at each of which all laws of a Problem are carried.

    refused : {test function: why it is not served} of those that are not, after a look at the pilots
    """

    def __init__(self, problem, sdes, terms):
        self.problem, self.sdes = problem, sdes
        self._carriers = {each: Carrier(problem, each, sdes) for each in _factors(terms)}
        if any(each.is_jumping for each in self._carriers.values()):
            raise Unserved(JUMPS)
        self.refused, self._kinked = self._look(terms)
        self.terms = {g: each for g, each in terms.items() if g not in self.refused}

    def _look(self, terms):
        """Return why test functions are not served, and which factors have a kink in theta."""
        refused, kinked = {}, set()
        for coordinate, factors in _factors(terms).items():
            for factor in (each for each in factors if each.others):
                found = self._carriers[coordinate].kinks(factor)
                why = self._why_not(factor, found)
                if found.theta:
                    kinked.add(factor)
                if why:
                    refused |= {g: why for g, each in terms.items() if any(factor in powers for _, powers in each)}
        return refused, frozenset(kinked)

    def _why_not(self, factor, found):
        """Return why a factor with Kinks is not served, or an empty string."""
        if found.others:
            return f"it is not smooth in another slot than {self.problem.rule.slots[0]}"
        if found.theta and _is_discrete(self.problem):
            return KINKED
        if found.theta and len(self.problem.rule.slots) > 2 and self._reads_others(factor):
            return f"it has a kink, and of three slots the law of {self.problem.rule.slots[0]} alone resolves one"
        return ""

    def _reads_others(self, factor):
        """Return whether a factor depends on another slot than theta."""
        slots = self.problem.rule.slots
        own = [each for each, _ in factor.others if isinstance(each, TestFunction)]
        read = {slot for each in own for slot in slots_read(each, slots, self.problem.state)}
        return any(factor.powers[1:]) or bool(read - {slots[0]})

    def climb(self):
        """Return {(SDE's name, test function): Answer, or why there is none}."""
        found: dict = {}
        before = None
        for level in LEVELS:
            now = self._at(level)
            if before is not None:
                found = {key: self._judged(key, before, now) for key in before}
                if all(self._is_enough(each) for each in found.values()):
                    break
            before = now
        return found

    def _at(self, level):
        """Return {(SDE's name, test function): means (optimizer, SDE at FINER), (3, records)}; None: not stable."""
        means, stable = {}, np.ones(1 + len(self.sdes), dtype=bool)
        for coordinate, factors in _factors(self.terms).items():
            carried = self._carriers[coordinate].carried(level, factors, self._kinked)
            means |= {factor: carried.means[:, :, at] for at, factor in enumerate(factors)}
            stable &= carried.stable
        found = {}
        for g, terms in self.terms.items():
            values = transport_means.combined(terms, means)
            for which, sde in enumerate(self.sdes):
                own = np.concatenate([values[:1], values[1 + which * len(FINER) :][: len(FINER)]])
                found[sde.name, g] = own if stable[0] and stable[1 + which] else None
        return found

    def _judged(self, key, before, now):
        """Return the Answer of two levels, or why there is none."""
        if before[key] is None or now[key] is None:
            return UNSTABLE
        return _answer(before[key], now[key])

    @staticmethod
    def _is_enough(answer):
        if isinstance(answer, str):
            return False
        return np.all(answer.of_error <= _SAFETY * _ENOUGH * np.max(np.abs(answer.error)))


def _factors(terms):
    """Return {Coordinate: its Factors} of test functions."""
    found: dict = {}
    for each in terms.values():
        for _, powers in each:
            for factor in powers:
                found.setdefault(factor.coordinate, {})[factor] = None
    return {coordinate: list(factors) for coordinate, factors in found.items()}


def _answer(before, now):
    """Return the Answer of means (optimizer, SDE at FINER) at two sizes, shape (3, records) each."""
    (old, old_sde, _), (optimizer, sde, steps) = _extrapolated(before), _extrapolated(now)
    moved = [np.abs(a - b) for a, b in ((optimizer, old), (sde, old_sde), (optimizer - sde, old - old_sde))]
    of_optimizer, of_sde, of_error = (_SAFETY * each for each in (moved[0], moved[1] + steps, moved[2] + steps))
    return Answer(optimizer, sde, optimizer - sde, of_optimizer, of_sde, of_error)


def _extrapolated(means):
    """Return the optimizer's mean, the SDE's without its steps' error of order 2, and what of that may be left.

    (4 S_2m - S_m) / 3, and a quarter of by how much this moved.
    """
    optimizer, coarse, fine = means
    return optimizer, (4.0 * fine - coarse) / 3.0, np.abs(fine - coarse) / 12.0
