"""The rule of the noise, split where a step jumps or has a kink (docs/theory.md, "Laws carried forward").

A sign or a clip of the noisy gradient jumps at a xi that moves with the state, and no few nodes of a Gauss rule see it.
`divide` finds the places by probing, from every state by itself, and puts a Gauss rule of the normal on each piece
between. `engines.transport_lattice` and `transport_moments` throw its nodes; `breaks` says how many places there are.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport, transport_piece
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.program import BLOCK
from ngos_sim.engines.transport import Draw, Thrown
from ngos_sim.engines.transport_piece import Piece
from ngos_sim.engines.transport_probe import smoothness

RANGE = 6.8  # of xi: the generator's
MOST = 4  # places
_INTERVALS = 64  # in which places are looked for; more at a finer level
_HALVINGS = 28  # of the interval that a place is in
_WIDER = 1.25  # spacings: a place on a xi that was looked at is inside
_PROBING = 40  # throws of a smooth step that the places and the rule of a piece are worth
_MEAN_NODES = 4  # of a piece, where the mean of a step is looked at
_BESIDE = 1e-5  # of a place: a piece is looked at from there


class Split(NamedTuple):
    """Room and constants of splitting.

    places : how many places each state's rule is split at
    scratch : Thrown, those that are probed
    spacing : of the xi at which places are looked for
    seen : (intervals + 1, slots, states) the slots after a step from each state, at each xi
    near : (5, slots, states) the same at five xi about a place
    at : (places, states) the places
    scales : (slots, states) by how much a step may move them
    rough : (intervals + 1,) second differences, of one state
    edges : (places + 2,) of its pieces
    piece : Piece
    """

    places: int
    scratch: Thrown
    spacing: float
    seen: np.ndarray
    near: np.ndarray
    at: np.ndarray
    scales: np.ndarray
    rough: np.ndarray
    edges: np.ndarray
    piece: Piece


class Fan(NamedTuple):
    """What a step throws its nodes with.

    draw : Draw
    base : Thrown, the states before the noise
    thrown : Thrown, a state and a node of the noise each
    split : Split, which writes the Draw; None where all states share one
    """

    draw: Draw
    base: Thrown
    thrown: Thrown
    split: Split | None = None

    @property
    def work(self):
        """How many throws a state costs in a step: `work`."""
        places = self.split.places if self.split else 0
        return work(places, self.draw.values.shape[1] // (places + 1))


def work(places, nodes):
    """Return about how many throws a state costs in a step: nodes a piece, and where it is split what finds them."""
    return (places + 1) * nodes + (_PROBING * (places + 1) if places else 0)


def shared(states, move, draw):
    """Return the Fan of up to `states` states of a Move that share one Draw."""
    nodes = draw.values.shape[1]
    return Fan(draw, transport.room(states, move.slots), transport.room(states * nodes, move.slots, move.channels))


def divided(states, move, places, nodes, level=0):
    """Return the Fan of up to `states` states of a Move, each with its own Draw: places + 1 pieces of `nodes` nodes.

    level : a finer one looks at more xi
    """
    intervals, all_nodes = _INTERVALS + 32 * level, (places + 1) * nodes
    split = Split(
        places,
        transport.room(states, move.slots),
        2.0 * RANGE / intervals,
        np.zeros((intervals + 1, move.slots, states)),
        np.zeros((5, move.slots, states)),
        np.zeros((places, states)),
        np.zeros((move.slots, states)),
        np.zeros(intervals + 1),
        np.zeros(places + 2),
        transport_piece.room(nodes),
    )
    draw = Draw(*np.zeros((2, states, all_nodes)), np.zeros(all_nodes), np.zeros(all_nodes))
    return shared(states, move, draw)._replace(split=split)


@njit(**KERNEL)
def _probe(tags, move, step, base, split, count, xi, out):
    """Write the slots after a step from each state at xi; where that is nan, at the scratch's own."""
    keep_apart()
    scratch, slots = split.scratch, move.slots
    for n in range((count + BLOCK - 1) // BLOCK * slots * BLOCK):
        scratch.states[n] = base.states[n]
    if xi == xi:
        for n in range(count):
            scratch.noise[n] = xi
    transport.throw(tags, move, step, scratch, count)
    for slot in range(slots):
        for n in range(count):
            out[slot, n] = scratch.states[((n // BLOCK) * slots + slot) * BLOCK + n % BLOCK]


@njit(**KERNEL)
def _roughness(before, here, after, scale):
    """Return a second difference over the scale, 0 of a slot that does not move."""
    return abs(before - 2.0 * here + after) / scale if scale > 0.0 else 0.0


@njit(**KERNEL)
def _look(tags, move, step, base, split, count):
    """Write at which of the xi the step from each state is roughest."""
    keep_apart()
    seen, rough, last, slots = split.seen, split.rough, len(split.seen) - 1, move.slots
    for k in range(last + 1):
        _probe(tags, move, step, base, split, count, split.spacing * k - RANGE, seen[k])
    for n in range(count):
        rough[:] = 0.0
        for slot in range(slots):
            scale = 0.0
            for k in range(1, last + 1):
                scale = max(scale, abs(seen[k, slot, n] - seen[0, slot, n]))
            split.scales[slot, n] = scale
            for k in range(1, last):
                rough[k] += _roughness(seen[k - 1, slot, n], seen[k, slot, n], seen[k + 1, slot, n], scale)
        for place in range(split.places):
            worst = 1
            for k in range(2, last):
                if rough[k] > rough[worst]:
                    worst = k
            for k in range(max(worst - 1, 0), min(worst + 2, last + 1)):
                rough[k] = -1.0
            split.at[place, n] = split.spacing * worst - RANGE


@njit(**KERNEL)
def _narrow(tags, move, step, base, split, count):
    """Close in on every place: of three overlapping halves of an interval about it the roughest is kept."""
    keep_apart()
    near, slots = split.near, move.slots
    for place in range(split.places):
        width, at, noise = _WIDER * split.spacing, split.at[place], split.scratch.noise
        for k in range(0, 5, 2):
            for n in range(count):
                noise[n] = at[n] + (0.5 * k - 1.0) * width
            _probe(tags, move, step, base, split, count, math.nan, near[k])
        for _ in range(_HALVINGS):
            for k in range(1, 5, 2):
                for n in range(count):
                    noise[n] = at[n] + (0.5 * k - 1.0) * width
                _probe(tags, move, step, base, split, count, math.nan, near[k])
            width *= 0.5
            for n in range(count):
                left, middle, right = 0.0, 0.0, 0.0
                for slot in range(slots):
                    a, b, c, d, e = (
                        near[0, slot, n],
                        near[1, slot, n],
                        near[2, slot, n],
                        near[3, slot, n],
                        near[4, slot, n],
                    )
                    scale = split.scales[slot, n]
                    left += _roughness(a, b, c, scale)
                    middle += _roughness(b, c, d, scale)
                    right += _roughness(c, d, e, scale)
                first = 1
                if left > middle and left >= right:
                    first, at[n] = 0, at[n] - width
                elif right > middle:
                    first, at[n] = 2, at[n] + width
                for slot in range(slots):
                    a, b, c = near[first, slot, n], near[first + 1, slot, n], near[first + 2, slot, n]
                    near[0, slot, n], near[2, slot, n], near[4, slot, n] = a, b, c


@njit(**KERNEL)
def divide(tags, move, step, base, split, count, draw):
    """Write the Draw of the first `count` states of the base, each state's own."""
    keep_apart()
    edges, piece = split.edges, split.piece
    nodes = len(piece.values)
    _look(tags, move, step, base, split, count)
    _narrow(tags, move, step, base, split, count)
    edges[0], edges[split.places + 1] = -RANGE, RANGE
    for n in range(count):
        for place in range(split.places):
            at, k = split.at[place, n], place
            while k > 0 and edges[k] > at:
                edges[k + 1] = edges[k]
                k -= 1
            edges[k + 1] = at
        total = 0.0
        for k in range(split.places + 1):
            transport_piece.gauss(tags, edges[k], edges[k + 1], piece)
            for q in range(nodes):
                draw.values[n, k * nodes + q], draw.weights[n, k * nodes + q] = piece.values[q], piece.weights[q]
                total += piece.weights[q]
        for q in range(draw.weights.shape[1]):
            draw.weights[n, q] /= total


def advance_divided(move, first, last, fan, lay, finish):
    """Carry a law through steps first .. last - 1, each state's rule split; return the greatest sum of moduli.

    A loop of its own, as what splits need not be compiled where nothing is split.

    Parameters
    ----------
    lay : function of a step -> (count, sum of moduli)
        Writes the states that are thrown to the base.
    finish : function of a step and a count -> bool
        Throws them and gathers the law.
    """
    tags, greatest = transport.functions(), 0.0
    for step in range(first, last):
        count, mass = lay(step)
        greatest = max(greatest, mass)
        if not count or not mass < math.inf:
            return math.inf
        divide(tags, move, step, fan.base, fan.split, count, fan.draw)
        if not finish(step, count):
            return math.inf
    return greatest


def places(move, step, state, count):
    """Return where a step from a state jumps or has a kink, ascending: the roughest `count` places, in xi."""
    fan = divided(1, move, count, 1)
    transport.lay(fan.base, np.asarray(state)[:, None])
    divide(transport.functions(), move, step, fan.base, fan.split, 1, fan.draw)
    return np.sort(fan.split.at[:, 0])


def mean_after(move, step, states, places):
    """Return the mean over the noise of where states, shape (slots, count), are after a step that jumps."""
    slots, count = states.shape
    fan, tags = divided(count, move, places, _MEAN_NODES), transport.functions()
    transport.lay(fan.base, states)
    divide(tags, move, step, fan.base, fan.split, count, fan.draw)
    fan.base.weights[:] = 1.0
    thrown = transport.fan(move, fan.base, count, fan.draw, fan.thrown)
    transport.throw(tags, move, step, fan.thrown, thrown)
    moved = transport.laid(fan.thrown, slots)[:, :thrown] * fan.thrown.weights[:thrown]
    return moved.reshape(slots, count, -1).sum(axis=2)


def breaks(move, step, state):
    """Return how many places leave smooth pieces between them, or None where more than MOST are needed."""
    for count in range(MOST + 1):
        edges = [-RANGE, *(places(move, step, state, count) if count else ()), RANGE]
        if all(_is_smooth(move, step, state, *piece) for piece in itertools.pairwise(edges)):
            return count
    return None


def _is_smooth(move, step, state, low, high):
    """Return whether a step is smooth in xi between two places."""
    low, high = low + _BESIDE, high - _BESIDE
    if not low < high:
        return True
    return all(
        smoothness(lambda xi, slot=slot: transport.after(move, step, state, xi)[slot], low, high)
        in ("constant", "smooth")
        for slot in range(len(state))
    )
