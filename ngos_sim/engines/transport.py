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
    """The numbers of one coordinate: of its loss, of its covariance, and of the process; tuples of floats."""

    loss: tuple[float, ...]
    variance: tuple[float, ...]
    parameters: tuple[float, ...]


class Move(NamedTuple):
    """A process's step in one coordinate, as kernels take it: the address of its loop, and its numbers as arrays."""

    address: int
    slots: int
    columns: int
    table: np.ndarray
    loss: np.ndarray
    variance: np.ndarray
    parameters: np.ndarray


class Law(NamedTuple):
    """A law as signed weights of nodes: states, shape (slots, nodes), and weights, shape (nodes,)."""

    states: np.ndarray
    weights: np.ndarray


class Thrown(NamedTuple):
    """What is thrown in a step: its states, 128 lanes a slot, the noise and the weight of each; and 128 zeros."""

    states: np.ndarray
    noise: np.ndarray
    weights: np.ndarray
    nothing: np.ndarray


class Functions(NamedTuple):
    """exp and log of `compiling.elementary`, with the same bits on every machine, as Tags."""

    exp: Any
    log: Any


@functools.cache
def functions():
    """Return Functions."""
    return Functions(bind(elementary.exp, "f64"), bind(elementary.log, "f64"))


def moved(move, numbers, slots, table):
    """Return the Move of a scalar function `program.move`, whose noise law is the Gaussian: xi is then zeta itself.

    Parameters
    ----------
    move : scalar function (x, xi, chi, extra, pull, bend, spread, a, s, n, c, p) -> x
    numbers : Numbers
    slots : int
    table : ndarray, shape (steps, columns)
    """
    lengths = {"loss": len(numbers.loss), "variance": len(numbers.variance), "noise": 1, "slots": slots}
    columns = table.shape[1]
    with without_collection():
        tag = bind(move, "f64", **lengths, parameters=len(numbers.parameters), table=columns, matrix=0)
        address = lanes.row.address(tag, *_TYPES)
    flat = np.append(np.ravel(table), 0.0)  # never empty: kernels take its address
    return Move(address, slots, columns, flat, *map(np.array, numbers))


def room(count, slots):
    """Return Thrown for up to `count` states."""
    blocks = -(-count // BLOCK)
    return Thrown(np.zeros(blocks * slots * BLOCK), np.zeros(blocks * BLOCK), np.zeros(count), np.zeros(BLOCK))


@njit(**KERNEL)
def throw(library, move, step, thrown, count):
    """Take a step from the first `count` states that are thrown, in place."""
    keep_apart()
    states, first = thrown.states, np.uint64(0)
    nothing = pointer(thrown.nothing, first)
    for block in range((count + BLOCK - 1) // BLOCK):
        row = Row(
            state=pointer(states, np.uint64(block * move.slots) * _L),
            xi=pointer(thrown.noise, np.uint64(block) * _L),
            chi=nothing,
            extra=nothing,
            pull=nothing,
            bend=nothing,
            spread=nothing,
            loss=pointer(move.loss, first),
            variance=pointer(move.variance, first),
            noise=nothing,
            parameters=pointer(move.parameters, first),
            table=pointer(move.table, np.uint64(step * move.columns)),
            d=1,
        )
        enter_row(move.address, row)


def after(move, step, state, noise):
    """Return where one state, or as many as there are noise numbers, is after a step with each of these.

    Parameters
    ----------
    move : Move
    step : int
    state : sequence of float, or ndarray, shape (slots, len(noise))
    noise : sequence of float

    Returns
    -------
    states : ndarray, shape (slots, len(noise))
    """
    count, slots = len(noise), move.slots
    thrown = room(count, slots)
    states = np.empty((slots, len(thrown.noise)))
    states[:] = np.reshape(state, (slots, -1))[:, :1]  # what fills the last block is a state, too
    states[:, :count] = np.reshape(state, (slots, -1))
    thrown.states.reshape(-1, slots, BLOCK)[:] = states.reshape(slots, -1, BLOCK).swapaxes(0, 1)
    thrown.noise[:count] = noise
    throw(functions(), move, step, thrown, count)
    return thrown.states.reshape(-1, slots, BLOCK).swapaxes(0, 1).reshape(slots, -1)[:, :count]


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
