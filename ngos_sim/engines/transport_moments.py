"""The law of a coordinate of two or three slots, by moments (docs/theory.md, "Laws carried forward").

The slots, as logarithms where they are positive, are s = mean + L xi, L lower triangular: the reference of a step. The
law is M[a, b, c] = E psi_a(xi_1) psi_b(xi_2) psi_c(xi_3), psi the orthonormal Hermite polynomials. A step makes of M
the signed weights of the tensor of Gauss-Hermite nodes, throws them, takes the mean and the Cholesky factor of what
was thrown under the rule's own, positive, weights as the next reference, and sums the moments about it. Of two slots
the third rule has the one node 0.
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport, transport_hermite
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.program import BLOCK
from ngos_sim.engines.transport import Law
from ngos_sim.engines.transport_hermite import Hermite, fill, hermite
from ngos_sim.engines.transport_split import advance_divided

SLOTS = 3  # of a reference, some of which may be filled up
_REACH = 9.0  # deviations to which a kinked function is integrated against the density of theta
_POINTS = 1801


class Sizes(NamedTuple):
    """How a law is held: a Hermite rule a slot, which are logarithms, and the least diagonal of L."""

    first: Hermite
    second: Hermite
    third: Hermite
    logs: np.ndarray
    least: np.ndarray


class Room(NamedTuple):
    """Weights of the nodes, two arrays on the way to them, the polynomials of one thrown point; the rule's weights."""

    weights: np.ndarray
    once: np.ndarray
    twice: np.ndarray
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    both: np.ndarray
    positive: np.ndarray


@njit(**KERNEL)
def _weigh(tags, sizes, law, room):
    """Write the weights of the nodes, slot by slot; return the sum of their moduli."""
    keep_apart()
    one, two, three = sizes.first.to_nodes, sizes.second.to_nodes, sizes.third.to_nodes
    n1, n2, n3 = len(one), len(two), len(three)
    once, twice, mass = room.once, room.twice, 0.0
    once[:] = 0.0
    twice[:] = 0.0
    room.weights[:] = 0.0
    for i in range(n1):
        for a in range(n1):
            for bc in range(n2 * n3):
                once[i, bc] += one[a, i] * law[a, bc]
        for j in range(n2):
            for b in range(n2):
                for c in range(n3):
                    twice[i, j * n3 + c] += two[b, j] * once[i, b * n3 + c]
            for c in range(n3):
                for k in range(n3):
                    room.weights[i, j * n3 + k] += twice[i, j * n3 + c] * three[c, k]
        for bc in range(n2 * n3):
            mass += abs(room.weights[i, bc])
    return mass


@njit(**KERNEL)
def _nodes(tags, sizes, ref, room, base, slots):
    """Write the states that are thrown and their weights; return how many."""
    keep_apart()
    x, y, z, states = sizes.first.nodes, sizes.second.nodes, sizes.third.nodes, base.states
    count = 0
    for i in range(len(x)):
        first = ref[0, 0] + ref[1, 0] * x[i]
        if sizes.logs[0]:
            first = call(tags.exp, first)
        for j in range(len(y)):
            second = ref[0, 1] + ref[2, 0] * x[i] + ref[2, 1] * y[j]
            if sizes.logs[1]:
                second = call(tags.exp, second)
            for k in range(len(z)):
                third = ref[0, 2] + ref[3, 0] * x[i] + ref[3, 1] * y[j] + ref[3, 2] * z[k]
                if sizes.logs[2]:
                    third = call(tags.exp, third)
                at = (count // BLOCK) * slots * BLOCK + count % BLOCK
                states[at], states[at + BLOCK] = first, second
                if slots == SLOTS:
                    states[at + 2 * BLOCK] = third
                base.weights[count] = room.weights[i, j * len(z) + k]
                count += 1
    return count


@njit(**KERNEL)
def _logarithms(tags, sizes, thrown, count, slots):
    keep_apart()
    for slot in range(slots):
        if sizes.logs[slot]:
            for n in range(count):
                at = ((n // BLOCK) * slots + slot) * BLOCK + n % BLOCK
                thrown.states[at] = call(tags.log, max(thrown.states[at], 1e-300))


@njit(**KERNEL)
def _follow(tags, sizes, before, ref, draw, positive, thrown, slots):
    """Write the mean and the Cholesky factor of what was thrown, by the positive weights; before : the last one."""
    keep_apart()
    nodes, many = draw.weights.shape[1], draw.weights.shape[0] > 1
    first0, first1, first2, n = 0.0, 0.0, 0.0, 0
    s00, s10, s11, s20, s21, s22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(positive)):
        for q in range(nodes):
            at = (n // BLOCK) * slots * BLOCK + n % BLOCK
            w = positive[i] * draw.weights[i if many else 0, q]
            a = thrown.states[at] - before[0, 0]
            b = thrown.states[at + BLOCK] - before[0, 1]
            c = thrown.states[at + 2 * BLOCK] - before[0, 2] if slots == SLOTS else 0.0
            first0, first1, first2 = first0 + w * a, first1 + w * b, first2 + w * c
            s00, s10, s11 = s00 + w * a * a, s10 + w * b * a, s11 + w * b * b
            s20, s21, s22 = s20 + w * c * a, s21 + w * c * b, s22 + w * c * c
            n += 1
    s00, s10, s11 = s00 - first0 * first0, s10 - first1 * first0, s11 - first1 * first1
    s20, s21, s22 = s20 - first2 * first0, s21 - first2 * first1, s22 - first2 * first2
    ref[0, 0], ref[0, 1], ref[0, 2] = before[0, 0] + first0, before[0, 1] + first1, before[0, 2] + first2
    ref[1, 0] = max(math.sqrt(max(s00, 0.0)), sizes.least[0])
    ref[2, 0], ref[3, 0] = s10 / ref[1, 0], s20 / ref[1, 0]
    ref[2, 1] = max(math.sqrt(max(s11 - ref[2, 0] ** 2, 0.0)), sizes.least[1])
    ref[3, 1] = (s21 - ref[3, 0] * ref[2, 0]) / ref[2, 1]
    ref[3, 2] = max(math.sqrt(max(s22 - ref[3, 0] ** 2 - ref[3, 1] ** 2, 0.0)), sizes.least[2])


@njit(**KERNEL)
def _gather(tags, sizes, ref, thrown, count, room, law, slots):
    """Write the moments of what was thrown about a reference; return whether all of it is finite."""
    keep_apart()
    n1, n2, n3 = len(sizes.first.nodes), len(sizes.second.nodes), len(sizes.third.nodes)
    law[:] = 0.0
    for n in range(count):
        at = (n // BLOCK) * slots * BLOCK + n % BLOCK
        x = (thrown.states[at] - ref[0, 0]) / ref[1, 0]
        y = (thrown.states[at + BLOCK] - ref[0, 1] - ref[2, 0] * x) / ref[2, 1]
        z = 0.0
        if slots == SLOTS:
            z = (thrown.states[at + 2 * BLOCK] - ref[0, 2] - ref[3, 0] * x - ref[3, 1] * y) / ref[3, 2]
        if not math.isfinite(x + y + z):
            return False
        fill(room.first, 0, x, sizes.first)
        fill(room.second, 0, y, sizes.second)
        fill(room.third, 0, z, sizes.third)
        for b in range(n2):
            share = thrown.weights[n] * room.second[b]
            for c in range(n3):
                room.both[b * n3 + c] = share * room.third[c]
        for a in range(n1):
            own = room.first[a]
            for bc in range(n2 * n3):
                law[a, bc] += own * room.both[bc]
    return True


@njit(**KERNEL)
def _lay(tags, sizes, ref, law, room, base, slots):
    """Write the states that are thrown and their weights; return how many, and the sum of the weights' moduli."""
    mass = _weigh(tags, sizes, law, room)
    return _nodes(tags, sizes, ref, room, base, slots), mass


@njit(**KERNEL)
def _step(tags, sizes, move, step, count, path, follows, draw, base, thrown, law, room):
    """Throw the states of the base and gather the law; return whether all of it is finite."""
    keep_apart()
    count = transport.fan(move, base, count, draw, thrown)
    transport.throw(tags, move, step, thrown, count)
    _logarithms(tags, sizes, thrown, count, move.slots)
    if follows:
        _follow(tags, sizes, path[step], path[step + 1], draw, room.positive, thrown, move.slots)
    return _gather(tags, sizes, path[step + 1], thrown, count, room, law, move.slots)


@njit(**KERNEL)
def _steps(tags, sizes, move, first, last, path, follows, draw, base, thrown, law, room):
    """Carry a law through steps first .. last - 1; return the greatest sum of moduli, infinite where it was lost."""
    greatest = 0.0
    for step in range(first, last):
        count, mass = _lay(tags, sizes, path[step], law, room, base, move.slots)
        greatest = max(greatest, mass)
        if not mass < math.inf or not _step(
            tags, sizes, move, step, count, path, follows, draw, base, thrown, law, room
        ):
            return math.inf
    return greatest


class Moments:
    """A law of two or three slots by moments.

    Parameters
    ----------
    polynomials : tuple of int
        One a slot.
    logs : tuple of bool
        Which slots are held as their logarithms.
    least : tuple of float
        Of the diagonal of L.
    reach : float
        Where every xi is held.
    """

    def __init__(self, polynomials, logs, least, reach):
        filled = SLOTS - len(polynomials)
        polynomials, logs, least = (*polynomials, *[1] * filled), (*logs, *[0] * filled), (*least, *[1.0] * filled)
        rules = [hermite(n, reach) for n in polynomials]
        self.sizes = Sizes(*rules, np.array(logs, dtype=np.int64), np.array(least))
        self._tags = transport.functions()
        n1, n2, n3 = polynomials
        weights, once, twice = (np.zeros((n1, n2 * n3)) for _ in range(3))
        positive = np.multiply.outer(np.multiply.outer(rules[0].weights, rules[1].weights), rules[2].weights).ravel()
        polynomials = (np.zeros(n) for n in (n1, n2, n3, n2 * n3))
        self._room = Room(weights, once, twice, *polynomials, positive)

    def path(self, steps):
        """Return room for the references of so many steps: of each its mean, then the rows of L."""
        return np.zeros((steps + 1, 1 + SLOTS, SLOTS))

    def refined(self, path, finer):
        """Return the references for `finer` steps to each: that of a step's end, all through it."""
        return np.ascontiguousarray(path[-(-np.arange((len(path) - 1) * finer + 1) // finer)])

    def start(self, state, path, follows):
        """Return the law of one state; where the path follows the law, with its first reference written."""
        slots = len(state)
        own = [math.log(x) if log else x for x, log in zip(state, self.sizes.logs, strict=False)]
        if follows:
            path[0, 0, :slots], path[0, 1:] = own, np.diag(self.sizes.least)
        thrown, law = transport.room(1, slots), np.zeros_like(self._room.weights)
        thrown.states[::BLOCK], thrown.weights[0] = own, 1.0
        _gather(self._tags, self.sizes, path[0], thrown, 1, self._room, law, slots)
        return law

    @property
    def nodes(self):
        """How many states are thrown in a step."""
        return self._room.weights.size

    def advance(self, move, first, last, law, path, follows, fan):
        """Carry a law through steps first .. last - 1 in place; return the greatest sum of its weights' moduli."""
        own = self._tags, self.sizes
        numbers = path, follows, fan.draw, fan.base, fan.thrown, law, self._room
        if fan.split is None:
            return _steps(*own, move, first, last, *numbers)

        def lay(step):
            return _lay(*own, path[step], law, self._room, fan.base, move.slots)

        def finish(step, count):
            return _step(*own, move, step, count, *numbers)

        return advance_divided(move, first, last, fan, lay, finish)

    def law(self, law, ref, slots):
        """Return the Law: its nodes and their weights."""
        _weigh(self._tags, self.sizes, law, self._room)
        mesh = np.meshgrid(*(rule.nodes for rule in self.sizes[:SLOTS]), indexing="ij")
        xi = np.stack([each.ravel() for each in mesh])
        states = ref[0][:, None] + sum(ref[1:, slot, None] * xi[slot] for slot in range(SLOTS))
        return Law(self._in_slots(states)[:slots], self._room.weights.ravel().copy())

    def smeared(self, law, ref, slots):
        """Return the Law of theta alone on a fine grid, from its Hermite coefficients; the other slots at their means.

        A kinked function of theta is integrated against this density.
        """
        n1 = len(self.sizes.first.nodes)
        t = np.linspace(-_REACH, _REACH, _POINTS)
        density = np.exp(-0.5 * t * t) * (t[1] - t[0]) / math.sqrt(2.0 * math.pi)
        weights = (law[:, :1] * transport_hermite.values(t, n1)).sum(axis=0) * density
        states = np.repeat(ref[0][:, None], len(t), axis=1)
        states[0] += ref[1, 0] * t
        return Law(self._in_slots(states)[:slots], weights)

    def _in_slots(self, states):
        """Return states without the logarithms."""
        logs = self.sizes.logs == 1
        states[logs] = np.exp(states[logs])
        return states
