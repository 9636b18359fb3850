"""Errors that are computed, with what they are uncertain by: sizes of what carries the laws, two steps of the SDE.

`estimators.transport` asks, once a point; `studies.means` asks for one process alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ngos_sim.estimators import transport_means
from ngos_sim.estimators.test_functions import TestFunction, slots_read
from ngos_sim.estimators.transport_law import FINER, Carrier
from ngos_sim.estimators.transport_means import Unserved
from ngos_sim.estimators.transport_resolution import is_finer, is_of_the_tail, steps_finer

LEVELS = (0, 1, 2, 3)
LEAST = 3  # of them are carried: two that agree by chance would say nothing
_ENOUGH = 3e-3  # of the greatest error over the records: no finer size is tried where all uncertainties are below it
_SAFETY, _BEFORE, _ELSEWHERE = 3.0, 0.25, 0.5
UNSTABLE = "its law cannot be carried forward stably: the sum of the moduli of its weights grows without bound"
FINE = "changes with the state within less than its law's nodes resolve, and their sizes might agree on what is wrong"
TAIL = "its mean hangs on states further out than the nodes of any law reach"
CONSTANT = "it does not change where the laws are"
JUMPING = "it jumps, and an error of the order of the spacing is left where a lattice meets a jump"
KINKED_BY_JUMPS = "it has a kink, and the optimizer's step jumps: laws with atoms of their own lie on the kink"
KINKED = "it has a kink, and the noise is discrete: no lattice resolves a kink among atoms"


@dataclass(frozen=True)
class Answer:
    """What is computed of a test function at the records, shape (records,) each.

    optimizer, sde : means
    error : optimizer - sde
    of_optimizer, of_sde, of_error : by how much each is uncertain, numerically
    is_kinked : whether the test function has a kink, at which what grids leave falls slowly
    """

    optimizer: np.ndarray
    sde: np.ndarray
    error: np.ndarray
    of_optimizer: np.ndarray
    of_sde: np.ndarray
    of_error: np.ndarray
    is_kinked: bool


def answers(problem, sdes: Sequence, functions: Sequence[int]) -> Mapping[tuple[str, int], Answer | str]:
    """Return {(SDE's name, test function): its Answer, or why there is none} at a Problem."""
    terms, refused = _expanded(problem, functions)
    found: dict = {(sde.name, g): why for sde in sdes for g, why in refused.items()}
    try:
        ladder = _Ladder(problem, sdes, terms)
    except Unserved as why:
        found |= {(sde.name, g): str(why) for sde in sdes for g in terms}
    else:
        found |= {(sde.name, g): why for sde in sdes for g, why in ladder.refused.items()} | ladder.climb()
    return {(sde.name, g): found[sde.name, g] for sde in sdes for g in functions}


def _expanded(problem, functions):
    """Return {test function: its terms}, and {test function: why it has none}."""
    terms, refused = {}, {}
    for g in functions:
        try:
            terms[g] = transport_means.expanded(problem, g)
        except Unserved as why:
            refused[g] = str(why)
    return terms, refused


class _Ladder:
    """Sizes of growing fineness, at each of which all laws of a Problem are carried.

    refused : {test function: why it is not served} of those that are not, after a look at the pilots
    """

    def __init__(self, problem, sdes, terms):
        self.problem, self.sdes = problem, sdes
        self._carriers = {each: Carrier(problem, each, sdes) for each in _factors(terms)}
        self._divided = {each for each, carrier in self._carriers.items() if carrier.places}
        for each in self._carriers.values():
            if name := steps_finer(each):
                raise Unserved(f"the step of {name!r} {FINE}")
        self.refused, self._kinked = self._look(terms)
        self.terms = {g: each for g, each in terms.items() if g not in self.refused}

    def _look(self, terms):
        """Return why test functions are not served, and which factors have a kink in theta."""
        refused, kinked = {}, set()
        for coordinate, factors in _factors(terms).items():
            for factor in (each for each in factors if each.others):
                found = self._carriers[coordinate].kinks(factor)
                why = self._why_not(factor, found)
                if found.theta == "kink":
                    kinked.add(factor)
                if why:
                    refused |= {g: why for g, each in terms.items() if any(factor in powers for _, powers in each)}
        return refused, frozenset(kinked)

    def _why_not(self, factor, found):
        """Return why a factor with Kinks is not served, or an empty string."""
        carrier = self._carriers[factor.coordinate]
        if found.theta == found.others == "constant":
            return CONSTANT
        if found.others in ("kink", "jump"):
            return f"it is not smooth in another slot than {self.problem.rule.slots[0]}"
        if found.theta == "jump":
            return JUMPING
        if found.theta == "kink" and carrier.is_discrete:
            return KINKED
        if found.theta == "kink" and factor.coordinate in self._divided:
            return KINKED_BY_JUMPS
        if found.theta == "kink" and carrier.is_by_moments and self._reads_others(factor):
            return f"it has a kink, which only the law of {self.problem.rule.slots[0]} alone resolves"
        (function,) = carrier.valued([factor])
        if is_finer(carrier, function, is_discrete=carrier.is_discrete):
            return f"it {FINE}"
        if is_of_the_tail(carrier, function):
            return TAIL
        return ""

    def _reads_others(self, factor):
        """Return whether a factor depends on another slot than theta."""
        slots = self.problem.rule.slots
        own = [each for each, _ in factor.others if isinstance(each, TestFunction)]
        read = {slot for each in own for slot in slots_read(each, slots, self.problem.state)}
        return any(factor.powers[1:]) or bool(read - {slots[0]})

    def climb(self):
        """Return {(SDE's name, test function): Answer, or why there is none}.

        Where the last size is not stable, the answer of those before it stands.
        """
        found: dict = {}
        carried: list[dict] = []
        for level in LEVELS if self.terms else ():
            carried.append(self._at(level))
            if len(carried) < LEAST:
                continue
            for key in carried[0]:
                three = [each[key] for each in carried[-3:]]
                if all(each is not None for each in three):
                    found[key] = _answer(*three, self._is_kinked(key[1]))
                else:
                    found.setdefault(key, UNSTABLE)
            if all(_is_enough(each) for each in found.values()):
                break
        return found

    def _is_kinked(self, g):
        return any(factor in self._kinked for _, powers in self.terms[g] for factor in powers)

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


def _is_enough(answer):
    """Return whether no finer size is worth its time."""
    if isinstance(answer, str):
        return True
    return bool(np.all(answer.of_error <= _ENOUGH * np.max(np.abs(answer.error))))


def _factors(terms):
    """Return {Coordinate: its Factors} of test functions."""
    found: dict = {}
    for each in terms.values():
        for _, powers in each:
            for factor in powers:
                found.setdefault(factor.coordinate, {})[factor] = None
    return {coordinate: list(factors) for coordinate, factors in found.items()}


def _answer(coarse, middle, fine, is_kinked):
    """Return the Answer of means (optimizer, SDE at FINER) at three sizes, shape (3, records) each."""
    each = [_extrapolated(means) for means in (coarse, middle, fine)]
    (optimizer, sde, steps), nothing = each[-1], 0.0
    kinds = ([a for a, _, _ in each], nothing), ([b for _, b, _ in each], steps), ([a - b for a, b, _ in each], steps)
    uncertain = (_uncertainty(*values, left) for values, left in kinds)
    return Answer(optimizer, sde, optimizer - sde, *uncertain, is_kinked)


def _uncertainty(coarse, middle, fine, steps):
    """Return three times by how much a value may be off at each record, by its values at three sizes.

    By how much the last step to a finer size moved it, or a quarter of the step before, and at no record less than half
    of the most at any: two sizes may agree by chance. And what the SDE's steps may leave.
    """
    moved = np.maximum(np.abs(fine - middle), _BEFORE * np.abs(middle - coarse))
    return _SAFETY * (np.maximum(moved, _ELSEWHERE * np.max(moved)) + steps)


def _extrapolated(means):
    """Return the optimizer's mean, the SDE's without its steps' error of order 2, and what of that may be left.

    (4 S_2m - S_m) / 3, and a quarter of by how much this moved.
    """
    optimizer, coarse, fine = means
    return optimizer, (4.0 * fine - coarse) / 3.0, np.abs(fine - coarse) / 12.0
