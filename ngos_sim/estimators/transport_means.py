"""Means of test functions from laws of single coordinates: a test function as sums of products over coordinates.

Coordinates are independent, so the mean of a product is the product of the means of its factors, each a function of
one coordinate. `estimators.transport_law` takes their means under the laws that it carries.
"""

import itertools
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ngos_sim.engines import transport
from ngos_sim.engines.features import oracle_feature, state_feature
from ngos_sim.engines.program import padded
from ngos_sim.estimators.test_functions import TestFunction, parse
from ngos_sim.oracles.objective import each_of

_SUMS = ("loss", "trace(Sigma)")  # words that are sums over coordinates
_MOST = 4096  # products of factors of a test function


class Unserved(Exception):
    """Why a test function, a process or a point is not served, as a clause."""


@dataclass(frozen=True)
class Coordinate:
    """All that the law of a coordinate depends on, at a point: its numbers and its start."""

    loss: tuple[float, ...]
    variance: tuple[float, ...]
    state: tuple[float, ...]


@dataclass(frozen=True)
class Factor:
    """A function of one coordinate: powers of its slots times powers of other functions of it.

    others : (a word or a TestFunction, its power) each
    """

    coordinate: Coordinate
    powers: tuple[int, ...]
    others: tuple[tuple[str | TestFunction, int], ...]


def coordinates(problem):
    """Return the Coordinate of every coordinate of a Problem; those that are alike are equal."""
    oracle, d = problem.oracle, problem.dimension
    loss, variance = (list(each_of(given, d)) for given in (oracle.loss.parameters, oracle.variance_parameters))
    return [
        Coordinate(padded(vars(a).values()), padded(vars(s).values()), tuple(x))
        for a, s, x in zip(loss, variance, problem.state.tolist(), strict=True)
    ]


def expanded(problem, function):
    """Return a test function, given its index, as terms (coefficient, {Factor: power}).

    Raises
    ------
    Unserved
        It is no sum of products over coordinates.
    """
    test, slots = problem.test_functions[function], problem.rule.slots
    alike = coordinates(problem)
    if isinstance(test, TestFunction):
        factor = Factor(alike[test.coordinate], (0,) * len(slots), ((test, 1),))
        return [(1.0, Counter([factor]))]
    found = []
    for coefficient, powers in parse(test, slots, problem.dimension):
        words = [word for word, power in powers.items() if isinstance(word, str) for _ in range(power)]
        for word in words:
            if word not in _SUMS:
                raise Unserved(f"{word} is no sum of functions of one coordinate each")
        places = itertools.product(range(problem.dimension), repeat=len(words))
        if len(found) + problem.dimension ** len(words) > _MOST:
            raise Unserved(f"it has over {_MOST} products of functions of one coordinate each")
        own = {where: power for where, power in powers.items() if not isinstance(where, str)}
        found += [(coefficient, _product(own, words, each, alike, len(slots))) for each in places]
    return found


def _product(own, words, places, alike, slots):
    """Return {Factor: power} of powers of slots, {(slot, coordinate): power}, and of words at coordinates."""
    at = {j for _, j in own} | set(places)
    factors = []
    for j in sorted(at):
        powers = tuple(own.get((slot, j), 0) for slot in range(slots))
        others = Counter(word for word, place in zip(words, places, strict=True) if place == j)
        factors.append(Factor(alike[j], powers, tuple(sorted(others.items()))))
    return Counter(factors)


def combined(terms, means):
    """Return the mean of a test function; means : {Factor: array}, all of one shape."""
    return sum(
        coefficient * math.prod((means[factor] ** power for factor, power in factors.items()), start=1.0)
        for coefficient, factors in terms
    )


def valued(factor, oracle):
    """Return a Factor as a function of states, shape (slots, nodes), compiled where it is not powers of slots alone."""
    others = [(_of(function, factor, oracle), power) for function, power in factor.others]

    def value(states):
        found = np.ones(states.shape[1])
        for slot, power in zip(states, factor.powers, strict=True):
            for _ in range(power):
                found = found * slot
        for function, power in others:
            found = found * function(states) ** power
        return found

    return value


def _of(function, factor, oracle):
    """Return a word or a TestFunction as a function of states."""
    if isinstance(function, TestFunction):
        feature = state_feature(function.g, function.coordinate)
    else:
        feature = oracle_feature(function, oracle)
    numbers = transport.Numbers(factor.coordinate.loss, factor.coordinate.variance, ())
    return transport.valued(feature, numbers, len(factor.powers))
