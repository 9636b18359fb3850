"""The law of a coordinate of one or two slots, carried on a lattice in theta (docs/theory.md, "Laws carried forward").

theta sits on a uniform lattice. The other slot, as its logarithm where it is positive, is
s = mean_s + slope (theta - mean_theta) + spread xi: these, the law's own, are the reference of a step. The law is
R[i, c] = sum of the weights at theta_i times psi_c(xi), psi the orthonormal Hermite polynomials; of one slot c = 0.
A step makes of R the weights of nodes, throws them, takes the mean and covariance of what was thrown as the next
reference, and splits every point over the 7 nearest nodes of the lattice (Lagrange) times psi_c(xi).
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.program import BLOCK
from ngos_sim.engines.transport import Law
from ngos_sim.engines.transport_hermite import Hermite, fill, hermite
from ngos_sim.engines.transport_split import advance_divided

POINTS = 7  # over which a thrown point is split: odd, so that it is smooth about every node
_HALF = POINTS // 2
_SKIP = 1e-14  # rows of the lattice below it are not thrown
_SMOOTH = 1.5  # spacings: theta's deviation counts as so much more where the other slot's slope is found
_FINE, _REACH = 12, 8  # the kernel of a kinked function: nodes a spacing, spacings on either side
_DENOMINATORS = np.array([1.0 / math.prod(i - j for j in range(POINTS) if j != i) for i in range(POINTS)])


_THETA, _OTHER, _SLOPE, _SPREAD = range(4)  # where the numbers of a reference stand in a row of a path


class Sizes(NamedTuple):
    """How a law is held: the lattice, the Hermite rule of the other slot, whether that is its logarithm, and the least
    spread; split : the denominators of Lagrange's weights."""

    low: float
    spacing: float
    points: int
    rule: Hermite
    log: bool
    least: float
    split: np.ndarray


@njit(**KERNEL)
def _nodes(tags, sizes, ref, law, base, slots):
    """Write the states that are thrown and their weights, and return how many, and the sum of the weights' moduli."""
    keep_apart()
    x, table, states = sizes.rule.nodes, sizes.rule.to_nodes, base.states
    count, mass = 0, 0.0
    for i in range(sizes.points):
        largest = 0.0
        for c in range(len(x)):
            largest = max(largest, abs(law[i, c]))
        if not largest > _SKIP:
            continue
        theta = sizes.low + sizes.spacing * i
        for j in range(len(x)):
            own = 0.0
            for c in range(len(x)):
                own += law[i, c] * table[c, j]
            mass += abs(own)
            at = (count // BLOCK) * slots * BLOCK + count % BLOCK
            states[at], base.weights[count] = theta, own
            if slots > 1:
                other = ref[_OTHER] + ref[_SLOPE] * (theta - ref[_THETA]) + ref[_SPREAD] * x[j]
                states[at + BLOCK] = call(tags.exp, other) if sizes.log else other
            count += 1
    return count, mass


@njit(**KERNEL)
def _follow(tags, sizes, before, ref, thrown, count):
    """Write the reference of what was thrown; before : that of the step before."""
    keep_apart()
    states, begin_theta, begin_other = thrown.states, before[_THETA], before[_OTHER]
    theta, other, squares, mixed, others = 0.0, 0.0, 0.0, 0.0, 0.0
    for n in range(count):
        at = (n // BLOCK) * 2 * BLOCK + n % BLOCK
        w, x, y = thrown.weights[n], states[at] - begin_theta, states[at + BLOCK] - begin_other
        theta += w * x
        other += w * y
        squares += w * x * x
        mixed += w * x * y
        others += w * y * y
    squares, mixed, others = squares - theta * theta, mixed - theta * other, others - other * other
    slope = mixed / (squares + (_SMOOTH * sizes.spacing) ** 2)
    ref[_THETA], ref[_OTHER] = begin_theta + theta, begin_other + other
    ref[_SLOPE] = slope
    ref[_SPREAD] = max(math.sqrt(max(others - slope * mixed, 0.0)), sizes.least)


@njit(**KERNEL)
def _logarithms(tags, thrown, count):
    keep_apart()
    for n in range(count):
        at = (n // BLOCK) * 2 * BLOCK + n % BLOCK + BLOCK
        thrown.states[at] = call(tags.log, max(thrown.states[at], 1e-300))


@njit(**KERNEL)
def _gather(tags, sizes, ref, thrown, count, slots, law, shares, psi):
    """Write the law of what was thrown; return whether all of it is finite."""
    keep_apart()
    polynomials = len(sizes.rule.nodes)
    for i in range(sizes.points):
        for c in range(polynomials):
            law[i, c] = 0.0
    for n in range(count):
        at = (n // BLOCK) * slots * BLOCK + n % BLOCK
        theta, xi = thrown.states[at], 0.0
        if slots > 1:
            centre = ref[_OTHER] + ref[_SLOPE] * (theta - ref[_THETA])
            xi = (thrown.states[at + BLOCK] - centre) / ref[_SPREAD]
        if not math.isfinite(theta) or not math.isfinite(xi):
            return False
        place = (theta - sizes.low) / sizes.spacing
        place = min(max(place, float(_HALF)), sizes.points - 1.0 - _HALF)
        nearest = int(place + 0.5)
        left, right = 1.0, 1.0
        for i in range(POINTS):
            shares[i] = left * sizes.split[i]
            left *= place - nearest - (i - _HALF)
        for i in range(POINTS - 1, -1, -1):
            shares[i] *= right
            right *= place - nearest - (i - _HALF)
        fill(psi, 0, xi, sizes.rule)
        for i in range(POINTS):
            share = thrown.weights[n] * shares[i]
            for c in range(polynomials):
                law[nearest - _HALF + i, c] += share * psi[c]
    return True


@njit(**KERNEL)
def _step(tags, sizes, move, step, count, path, follows, draw, base, thrown, law, shares, psi):
    """Throw the first `count` states of the base and gather the law; return whether all of it is finite."""
    keep_apart()
    count = transport.fan(move, base, count, draw, thrown)
    transport.throw(tags, move, step, thrown, count)
    if sizes.log:
        _logarithms(tags, thrown, count)
    if follows and move.slots > 1:
        _follow(tags, sizes, path[step], path[step + 1], thrown, count)
    return _gather(tags, sizes, path[step + 1], thrown, count, move.slots, law, shares, psi)


@njit(**KERNEL)
def _steps(tags, sizes, move, first, last, path, follows, draw, base, thrown, law, shares, psi):
    """Carry a law through steps first .. last - 1; return the greatest sum of moduli, infinite where it was lost."""
    greatest = 0.0
    for step in range(first, last):
        count, mass = _nodes(tags, sizes, path[step], law, base, move.slots)
        greatest = max(greatest, mass)
        if count == 0 or not mass < math.inf:
            return math.inf
        if not _step(tags, sizes, move, step, count, path, follows, draw, base, thrown, law, shares, psi):
            return math.inf
    return greatest


class Lattice:
    """A law of one or two slots on a lattice.

    Parameters
    ----------
    low, high, spacing : float
        Of theta; what is thrown further is held at the ends.
    log : bool
        Whether the other slot is held as its logarithm.
    polynomials : int
        Of the other slot; 1 where there is none.
    least : float
        Of its spread.
    reach : float
        Where its xi is held.
    """

    def __init__(self, low, high, spacing, log, polynomials, least, reach):
        count = math.ceil((high - low) / spacing) + 1 + 2 * _HALF
        rule = hermite(polynomials, reach)
        self.sizes = Sizes(low - _HALF * spacing, spacing, count, rule, log, least, _DENOMINATORS)
        self._tags = transport.functions()
        self._shares, self._psi = np.zeros(POINTS), np.zeros(polynomials)

    def path(self, steps):
        """Return room for the references of so many steps."""
        return np.zeros((steps + 1, 1 + _SPREAD))

    def refined(self, path, finer):
        """Return the references for `finer` steps to each, between those of a path."""
        fine, k = np.arange((len(path) - 1) * finer + 1) / finer, np.arange(len(path))
        return np.ascontiguousarray(np.stack([np.interp(fine, k, column) for column in path.T], axis=1))

    def start(self, state, path, follows):
        """Return the law of one state; where the path follows the law, with its first reference written."""
        own = list(state)
        if self.sizes.log:
            own[1] = math.log(own[1])
        if follows:
            path[0] = own[0], own[-1], 0.0, self.sizes.least
        thrown, law = transport.room(1, len(own)), np.zeros((self.sizes.points, len(self._psi)))
        thrown.states[: len(own) * BLOCK : BLOCK], thrown.weights[0] = own, 1.0
        _gather(self._tags, self.sizes, path[0], thrown, 1, len(own), law, self._shares, self._psi)
        return law

    @property
    def nodes(self):
        """How many states are thrown in a step, at most."""
        return self.sizes.points * len(self._psi)

    def advance(self, move, first, last, law, path, follows, fan):
        """Carry a law through steps first .. last - 1 in place; return the greatest sum of its weights' moduli."""
        own, numbers = (
            (self._tags, self.sizes),
            (path, follows, fan.draw, fan.base, fan.thrown, law, self._shares, self._psi),
        )
        if fan.split is None:
            return _steps(*own, move, first, last, *numbers)

        def lay(step):
            return _nodes(*own, path[step], law, fan.base, move.slots)

        def finish(step, count):
            return _step(*own, move, step, count, *numbers)

        return advance_divided(move, first, last, fan, lay, finish)

    def law(self, law, ref, slots):
        """Return the Law: its nodes and their weights."""
        rule = self.sizes.rule
        rows = np.flatnonzero(np.abs(law).max(axis=1) > _SKIP)
        weights = (law[rows][:, :, None] * rule.to_nodes).sum(axis=1)
        theta = (self.sizes.low + self.sizes.spacing * rows)[:, None]
        other = ref[_OTHER] + ref[_SLOPE] * (theta - ref[_THETA]) + ref[_SPREAD] * rule.nodes
        other = np.exp(other) if self.sizes.log else other
        states = np.stack([np.broadcast_to(theta, other.shape).ravel(), other.ravel()][:slots])
        return Law(states, weights.ravel())

    def smeared(self, law, ref, slots):
        """Return the Law averaged in theta with a kernel of order 8 as wide as the spacing.

        Nothing to a smooth function, and a kink counts as much wherever it lies between two nodes.
        """
        nodes = self.law(law, ref, slots)
        t = np.arange(-_REACH * _FINE, _REACH * _FINE + 1) / _FINE
        s = t * t
        kernel = np.exp(-0.5 * s) * (
            1.0 - (s - 1.0) / 2.0 + (s * s - 6.0 * s + 3.0) / 8.0 - (s**3 - 15.0 * s * s + 45.0 * s - 15.0) / 48.0
        )
        kernel /= kernel.sum()
        states = np.repeat(nodes.states[:, None, :], len(t), axis=1)
        states[0] += (self.sizes.spacing * t)[:, None]
        return Law(states.reshape(slots, -1), (kernel[:, None] * nodes.weights).ravel())
