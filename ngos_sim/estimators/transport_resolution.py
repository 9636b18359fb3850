"""What changes faster than the nodes that would carry a law: a test function, or a step itself (docs/theory.md, "Laws
carried forward").

`estimators.transport_answer` asks before laws are carried: sizes that are all too coarse may agree on what is wrong.
"""

import math
from functools import partial

import numpy as np

from ngos_sim.engines import transport, transport_pilot
from ngos_sim.engines.transport_resolved import missed_by_lattice, missed_by_moments
from ngos_sim.engines.transport_split import mean_after
from ngos_sim.estimators.transport_law import LEAST
from ngos_sim.oracles.noises import gauss_hermite

_NOISES = tuple(gauss_hermite(2)[0].tolist())
_SIZES = (1, 2)  # levels: the last is carried always
_MISSED = 0.1  # of a test function's range, at the last of these sizes: smooth ones are below .01, others above .2
_MISSED_BY_STEP = 0.02  # of how far a step moves: it is taken many times
_ROUNDING = 1e-13  # of a slot: what is left of it where a short step is the difference of two states
_SMALL = 1e-6  # of its range: what is missed of a function that no finer size misses less of, where atoms show it
_FALLS = 1.0 / 3.0  # by which a finer size misses less of a smooth function, at least; 1/17 where nodes are close
_BEYOND = 2.0  # deviations of theta beyond what the pilots have seen
_SEEN, _REACHED, _SHARE, _POINTS = 3.0, 4.0, 0.5, 1025  # deviations that pilots see, that lattices reach beyond these


def is_finer(carrier, function, most=_MISSED, is_discrete=False, rounding=0.0):
    """Return whether a function of states, shape (slots, nodes), is finer than the nodes of a Carrier.

    most : of its range, of what may be missed
    is_discrete : of a law of atoms, which average nothing, a lattice in theta must resolve small parts of it as well
    rounding : a range of the function below it is one of rounding
    """
    for slot in range(len(carrier.logs)):
        before, last = (_missed(carrier, function, slot, level, rounding) for level in _SIZES)
        is_seen = is_discrete and slot == 0 and not carrier.is_by_moments
        if last > most or (is_seen and last > _SMALL and last > _FALLS * before):
            return True
    return False


def is_of_the_tail(carrier, function):
    """Return whether a mean of a function of states hangs on where no node is: it grows faster than a normal falls.

    Of the function times a normal density beyond what the pilots have seen, at deviations that the nodes hardly reach.
    """
    for slot in range(len(carrier.logs)):
        along, low, high, width = _line(carrier, function, slot)
        reach = _REACHED if slot == 0 and not carrier.is_by_moments else _REACHED - _SEEN
        x = np.linspace(low - (reach + 1.0) * width, high + (reach + 1.0) * width, _POINTS)
        beyond = np.maximum(0.0, np.maximum(low - x, x - high)) / width
        sizes = np.abs(along(x) - along(np.array([0.5 * (low + high)])))
        if not np.all(np.isfinite(sizes)):
            return True
        if not np.any(sizes):
            continue
        with np.errstate(divide="ignore"):
            shares = np.log(sizes) - 0.5 * (_SEEN + beyond) ** 2
        if np.max(shares[beyond >= reach]) > np.max(shares) + math.log(_SHARE):
            return True
    return False


def steps_finer(carrier):
    """Return which steps, of the optimizer or of an SDE, are finer than the nodes: its name, or an empty string."""
    problem, places, scales = carrier.problem, carrier.places, carrier.scales
    sizes = np.where(carrier.logs, 1.0, np.maximum(np.abs(scales.low), np.abs(scales.high)))
    moves = [(problem.rule.name, carrier.optimizer, problem.steps, places)]
    for sde in carrier.sdes:
        finer = carrier.steps_of(sde)
        moves.append((sde.name, carrier.integrated(sde, finer), finer * problem.steps, 0))
    for name, move, steps, divided in moves:
        ends = [partial(mean_after, places=places)] if divided else [partial(transport.after, noise=z) for z in _NOISES]
        for step in {0, steps - 1}:
            for after in ends:
                for slot in range(len(carrier.logs)):
                    moved = partial(_moved, carrier.logs, partial(after, move, step), slot)
                    if is_finer(carrier, moved, _MISSED_BY_STEP, rounding=_ROUNDING * sizes[slot]):
                        return name
    return ""


def _moved(logs, after, slot, states):
    """Return by how much a step, or the mean of one that jumps, moves a slot, in its logarithm where it is held so."""
    moved = after(states)[slot]
    with np.errstate(all="ignore"):
        return np.log(moved / states[slot]) if logs[slot] else moved - states[slot]


def _line(carrier, function, slot):
    """Return a function along one slot, the others in the middle of the pilots', its range there, and its spread."""
    scales, logs = carrier.scales, carrier.logs
    middle = 0.5 * (scales.low + scales.high)
    width = max(scales.deviation[slot], transport_pilot.least(scales, logs)[slot], LEAST * logs[slot])

    def along(x):
        states = np.repeat(middle[:, None], len(x), axis=1)
        states[slot] = x
        with np.errstate(all="ignore"):
            return function(np.stack([np.exp(row) if log else row for row, log in zip(states, logs, strict=True)]))

    return along, float(scales.low[slot]), float(scales.high[slot]), float(width)


def _missed(carrier, function, slot, level, rounding):
    """Return by how much a level's nodes miss a function along one slot."""
    grid, (along, low, high, width) = carrier.grid(level), _line(carrier, function, slot)
    if slot == 0 and not carrier.is_by_moments:
        return missed_by_lattice(along, low - _BEYOND * width, high + _BEYOND * width, grid.sizes.spacing, rounding)
    rule = grid.sizes[slot] if carrier.is_by_moments else grid.sizes.rule
    return missed_by_moments(along, low, high, width, len(rule.nodes), rounding)
