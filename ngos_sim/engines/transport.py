"""Steps of one coordinate from many states at once: what carries a law forward, instead of trajectories.

`engines.transport_lattice` and `engines.transport_moments` hold the law of one coordinate as signed weights of nodes.
A step throws every node through the process's own step, once for each node of the noise law, in rows of 128 lanes:
the loop around the user's functions is the one that trajectories take (`engines.cpu.lanes`), and all else here is
compiled once and for all. `estimators.transport_law` says which laws are carried, and how finely.
"""

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import types

from ngos_sim.engines.compiling import elementary
from ngos_sim.engines.compiling.address import pointer
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.compiling.numba_internals import njit, without_collection
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.cpu import lanes
from ngos_sim.engines.cpu.lanes import Feature, Row, enter_feature, enter_row
from ngos_sim.engines.program import BLOCK

_L = np.uint64(BLOCK)
_TYPES = (types.float64, types.float64)


class Numbers(NamedTuple):
    """The numbers of one coordinate: of its loss, its covariance and its noise law, and of the process."""

    loss: tuple[float, ...]
    variance: tuple[float, ...]
    noise: tuple[float, ...] = (0.0,)
    parameters: tuple[float, ...] = ()


class Move(NamedTuple):
    """A process's step in one coordinate, as kernels take it: the address of its loop, and its numbers as arrays."""

    address: int
    slots: int
    columns: int
    channels: int
    table: np.ndarray
    loss: np.ndarray
    variance: np.ndarray
    noise: np.ndarray
    parameters: np.ndarray


class Law(NamedTuple):
    """A law as signed weights of nodes: states, shape (slots, nodes), and weights, shape (nodes,)."""

    states: np.ndarray
    weights: np.ndarray


class Thrown(NamedTuple):
    """What is thrown in a step: its states, 128 lanes a slot, the noise and the weight of each; and 128 zeros.

    second, third : of two channels the second one's noise, and what a step of weak order 2 needs besides
    """

    states: np.ndarray
    noise: np.ndarray
    second: np.ndarray
    third: np.ndarray
    weights: np.ndarray
    nothing: np.ndarray


class Draw(NamedTuple):
    """Nodes and weights in place of the noise of a step.

    values, weights : shape (1, nodes), or (states, nodes) where each state has its own (`engines.transport_split`)
    second, third : shape (nodes,), of Thrown
    """

    values: np.ndarray
    weights: np.ndarray
    second: np.ndarray
    third: np.ndarray


class Functions(NamedTuple):
    """exp and log of `compiling.elementary`, with the same bits on every machine, as Tags."""

    exp: Any
    log: Any


@functools.cache
def functions():
    """Return Functions."""
    return Functions(bind(elementary.exp, "f64"), bind(elementary.log, "f64"))


def draw(values, weights):
    """Return the Draw of one rule for all states, of a process with one channel."""
    return Draw(values[None].copy(), weights[None].copy(), np.zeros(len(values)), np.zeros(len(values)))


def moved(move, numbers, slots, table, channels=1):
    """Return the Move of a scalar function `program.move`; of the Gaussian law its xi is zeta itself.

    Parameters
    ----------
    move : scalar function (x, xi, chi, extra, pull, bend, spread, a, s, n, c, p) -> x
    numbers : Numbers
    slots : int
    table : ndarray, shape (steps, columns)
    channels : 1 or 2
        How many Brownian motions drive it.
    """
    lengths = {"loss": len(numbers.loss), "variance": len(numbers.variance), "noise": len(numbers.noise)}
    columns = table.shape[1]
    with without_collection():
        tag = bind(move, "f64", **lengths, slots=slots, parameters=len(numbers.parameters), table=columns, matrix=0)
        address = lanes.row.address(tag, *_TYPES)
    flat = np.append(np.ravel(table), 0.0)  # never empty: kernels take its address
    return Move(address, slots, columns, channels, flat, *map(np.array, numbers))


def room(count, slots, channels=1):
    """Return Thrown for up to `count` states."""
    lanes_ = -(-count // BLOCK) * BLOCK
    second, third = (np.zeros(lanes_ if channels == 2 else BLOCK) for _ in range(2))
    return Thrown(np.zeros(lanes_ * slots), np.zeros(lanes_), second, third, np.zeros(count), np.zeros(BLOCK))


def lay(thrown, states):
    """Write states, shape (slots, count), to Thrown, and again from the first one on until its last block is full."""
    slots = len(states)
    lanes_ = thrown.states.reshape(-1, slots, BLOCK).swapaxes(0, 1)
    again = np.arange(lanes_[0].size) % states.shape[1]
    for slot, row in enumerate(states):
        lanes_[slot] = row[again].reshape(-1, BLOCK)


def laid(thrown, slots):
    """Return the states of Thrown, shape (slots, as many as there is room for)."""
    return thrown.states.reshape(-1, slots, BLOCK).swapaxes(0, 1).reshape(slots, -1)


@njit(**KERNEL)
def throw(library, move, step, thrown, count):
    """Take a step from the first `count` states that are thrown, in place."""
    keep_apart()
    states, first = thrown.states, np.uint64(0)
    nothing = pointer(thrown.nothing, first)
    for block in range((count + BLOCK - 1) // BLOCK):
        other = np.uint64(block * (move.channels - 1)) * _L
        row = Row(
            state=pointer(states, np.uint64(block * move.slots) * _L),
            xi=pointer(thrown.noise, np.uint64(block) * _L),
            chi=pointer(thrown.second, other),
            extra=pointer(thrown.third, other),
            pull=nothing,
            bend=nothing,
            spread=nothing,
            loss=pointer(move.loss, first),
            variance=pointer(move.variance, first),
            noise=pointer(move.noise, first),
            parameters=pointer(move.parameters, first),
            table=pointer(move.table, np.uint64(step * move.columns)),
            d=1,
        )
        enter_row(move.address, row)


@njit(**KERNEL)
def fan(move, base, count, draw, thrown):
    """Write what is thrown from the first `count` states of a base, a node of the noise each; return how many."""
    keep_apart()
    slots, nodes, many = move.slots, draw.values.shape[1], draw.values.shape[0] > 1
    n = 0
    for i in range(count):
        source, row = (i // BLOCK) * slots * BLOCK + i % BLOCK, i if many else 0
        for q in range(nodes):
            at = (n // BLOCK) * slots * BLOCK + n % BLOCK
            for slot in range(slots):
                thrown.states[at + slot * BLOCK] = base.states[source + slot * BLOCK]
            thrown.noise[n], thrown.weights[n] = draw.values[row, q], base.weights[i] * draw.weights[row, q]
            if move.channels == 2:
                thrown.second[n], thrown.third[n] = draw.second[q], draw.third[q]
            n += 1
    return n


def after(move, step, states, noise):
    """Return where states are after a step with noise numbers, one for each.

    Parameters
    ----------
    states : array_like, shape (slots,) or (slots, count)
    noise : float or ndarray, shape (count,)

    Returns
    -------
    states : ndarray, shape (slots, count)
    """
    states = np.reshape(np.asarray(states, dtype=np.float64), (move.slots, -1))
    count = max(np.size(noise), states.shape[1])
    thrown = room(count, move.slots, move.channels)
    lay(thrown, states)
    thrown.noise[:count] = noise
    throw(functions(), move, step, thrown, count)
    return laid(thrown, move.slots)[:, :count]


@njit(**KERNEL)
def _evaluate(library, address, out, states, slots, loss, variance, nothing):
    keep_apart()
    for block in range(len(out) // BLOCK):
        at = np.uint64(block) * _L
        scope = Feature(
            out=pointer(out, at),
            state=pointer(states, at * np.uint64(slots)),
            pull=pointer(nothing, np.uint64(0)),
            spread=pointer(nothing, np.uint64(0)),
            loss=pointer(loss, np.uint64(0)),
            variance=pointer(variance, np.uint64(0)),
            d=1,
        )
        enter_feature(address, scope)


def valued(feature, numbers, slots):
    """Return a Feature's function of one coordinate, of Numbers, as a function of states, shape (slots, nodes).

    It is compiled as that of a test function on trajectories is.
    """
    lengths = {"loss": len(numbers.loss), "variance": len(numbers.variance), "noise": 1, "slots": slots}
    with without_collection():
        address = lanes.feature.address(bind(feature.function, "f64", **lengths), *_TYPES)
    loss, variance, nothing = np.array(numbers.loss), np.array(numbers.variance), np.zeros(BLOCK)

    def values(states):
        count = states.shape[1]
        blocks = -(-count // BLOCK)
        held = np.empty((blocks, slots, BLOCK))
        for slot, row in enumerate(states):
            held[: count // BLOCK, slot] = row[: count // BLOCK * BLOCK].reshape(-1, BLOCK)
            held[-1, slot], held[-1, slot, : count - (blocks - 1) * BLOCK] = row[0], row[(blocks - 1) * BLOCK :]
        out = np.zeros(blocks * BLOCK)
        _evaluate(functions(), address, out, held.ravel(), slots, loss, variance, nothing)
        return out[:count]

    return values
