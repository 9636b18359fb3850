"""How many quadrature nodes the local estimator needs: by probing an optimizer's own step for its degree in the noise.

Where every slot after a step is a polynomial in z, a Gauss rule with few nodes is exact; else as few serve as miss a
small share of what the estimator's errors move in a step. `estimators.pivots` compiles them in. (docs/theory.md,
"Nodes".)
"""

import itertools
import math
from types import SimpleNamespace

import numpy as np
from numpy.polynomial import chebyshev

from ngos_sim.known import local_table
from ngos_sim.known.probing import ZERO, NoMoments
from ngos_sim.known.quadrature import law_rule
from ngos_sim.processes.rule import parameters

MOST_DEGREE = 8  # in z: above it a step is no polynomial
_WIDE = 4.0  # standard deviations of z out to which it is one
_RANGE = 6.8  # of the Gaussians behind z: the generator's
_MANY = 32  # nodes that serve in place of the exact expectation
_FEW = (2, 3, 4, 5, 7, 9, 11, 13, 17)
_MISSED = 1e-4  # of the root mean square residual
_ROUNDED = 1e-14  # of the monomials in the slots themselves: rounding
_STATES = 24  # about the middle of the time, where the fewest nodes are looked for
_OF_DEGREE = 6  # of them, at which the degree is


class Step:
    """A rule's step of size h in one coordinate, at states that its SDE visits halfway.

    Parameters
    ----------
    rule : Rule
    probe : Probe
    h, sigma : float
        The step, and the noise scale at which the law is taken.
    law : Noise
    number : int
        Of the step, from the start.
    row : tuple of float
        What the rule's schedule returns for it.
    """

    def __init__(self, rule, probe, h, law, sigma, number, row):
        self.rule, self.probe, self.law, self.sigma, self.h = rule, probe, law, sigma, h
        self.number, self._row, self._p = number, row, SimpleNamespace(**parameters(rule, h))
        coordinate = probe.coordinate
        share = math.sqrt(min(1.0, number * h / (coordinate.end - coordinate.t0)))
        first = round(share * max(0, len(probe.seen) - _STATES))
        self.states = probe.seen[first : first + _STATES]

    def moved(self, states, z):
        """Return the slots after the step from each state at each z of unit variance: see `after_step`."""
        return after_step(self.rule.step, self.probe.coordinate, states, z, self._row, self._p)

    def degrees(self):
        """Return the degree in z of each slot after a step; more than MOST_DEGREE where it is no polynomial.

        Out to 4 standard deviations, and to where the law ends: a sign may turn in between, seldom.
        """
        return np.max([self._degrees_within(width) for width in (_WIDE, max(_WIDE, self._farthest()))], axis=0).tolist()

    def _farthest(self):
        p = SimpleNamespace(**self.law.numbers(self.sigma))
        corners = itertools.product((-_RANGE, _RANGE), repeat=self.law.gaussians)
        return max(abs(self.law.sample(*xi, p)) for xi in corners)

    def _degrees_within(self, width):
        count = 2 * MOST_DEGREE + 1
        z = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        found = self.moved(self.states[:: max(1, len(self.states) // _OF_DEGREE)], width * z)
        if not np.all(np.isfinite(found)):
            return [count] * found.shape[2]
        fits = np.abs([chebyshev.chebfit(z, rows, count - 1) for rows in found])
        large = np.any(fits > ZERO * fits.max(axis=1, keepdims=True), axis=0)
        return [max([0, *np.flatnonzero(column).tolist()]) for column in large.T]

    def expected(self, moments, nodes):
        """Return E[(1, psi)(x') | x] at the states by the law's Gauss rule, shape (states, n + 1)."""
        values, weights = law_rule(self.law, self.sigma, nodes)
        moved = self.moved(self.states, values)
        return np.einsum("q,xqe->xe", weights, moments.basis.of(self._centred(moments, moved, self.number + 1)))

    def _centred(self, moments, states, number):
        """Return states with y in the slots of A, after so many steps."""
        found = np.array(states)
        found[..., list(self.probe.autonomous)] -= moments.path.at(moments.clock(np.array([number * self.h])))
        return found

    def fewest(self, moments):
        """Return two numbers of nodes: that of a run, and one below it for the check of what few nodes leave.

        The lower one is the least that serves, where there is one above it. What it misses of the mean over states is
        at most 1e-4 of the root mean square of E[psi(x') | x] - M_k psi(x).

        Raises
        ------
        NoMoments
            None serves.
        """
        exact = self.expected(moments, _MANY)
        matrix = local_table.flow(moments, self.h, np.array([self.number]))[0]
        before = moments.basis.of(self._centred(moments, self.states, self.number))
        size = _MISSED * np.sqrt(np.mean((exact - before @ matrix.T) ** 2, axis=0))
        size += _ROUNDED * moments.basis.of(np.abs(self.states)).max(axis=0)
        for at, nodes in enumerate(_FEW):
            if np.all(np.abs(np.mean(self.expected(moments, nodes) - exact, axis=0)) <= size):
                few = _FEW[max(0, min(at, len(_FEW) - 2))]
                return _FEW[_FEW.index(few) + 1], few
        raise NoMoments(
            f"E[psi(x') | x] of optimizer {self.rule.name!r} does not converge with the nodes, as where a step jumps"
        )


def after_step(step, coordinate, states, z, row, p):
    """Return the slots after a rule's step in a coordinate from each state at each z of unit variance.

    Returns
    -------
    ndarray, shape (states, len(z), slots)
        NaN where the step is not defined.
    """
    found, z = [], (math.sqrt(coordinate.variance) * np.asarray(z)).tolist()
    for x in map(tuple, np.asarray(states).tolist()):
        o = coordinate.oracle(x[0])
        for each in z:
            try:
                found.append(step(x, o, each, row, p))
            except (ArithmeticError, ValueError, TypeError):
                found.append((math.nan,) * len(x))
    return np.array(found, dtype=np.float64).reshape(len(states), len(z), -1)


def exact_nodes(basis, degrees):
    """Return how many nodes are exact on a Basis, 2 n - 1 being the degree that n are exact for; None for none.

    degrees : in z, of each slot after a step
    """
    if max(degrees) > MOST_DEGREE:
        return None
    return max(int(np.dot(powers, degrees)) for powers in basis.exponents) // 2 + 1
