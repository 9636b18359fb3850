"""The order of greatest likelihood with every shape, and where the likelihood has fallen so far from it, compiled.

`interval` calls both; the likelihood is that of `likelihood`.
"""

import math

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL
from ngos_sim.statistics.likelihood import INNER, deviance, prepare

_NARROW = 1e-7  # of a needle's spread: how well its least is found,
_FINE, _FINEST = 1e-8, 1e-13  # not worse, not better
_TURN = 0.5 * (3.0 - math.sqrt(5.0))  # golden section
_ROUNDS = 100
_HIDDEN = 0.1  # of a needle's spread: nearer to its least no interval ends
_EXACT = 1e-10  # of the distance of an interval's end from the best order


@njit(**INNER)
def _at(errors, work, p, shape):
    return prepare(errors, work, p) + deviance(errors, work, shape)[0]


@njit(**KERNEL)
def least(errors, work, shapes, grid, each, found):
    """Write for every shape the order of least deviance, next to the least on a grid, into found, shape (3, shapes).

    Beside that deviance, and how far from there it rises by 1, roughly (0: not known). each : shape (shapes, grid)
    """
    for j in range(len(grid)):
        common = prepare(errors, work, grid[j])
        for i in range(len(shapes)):
            each[i, j] = common + deviance(errors, work, shapes[i])[0]
    for i in range(len(shapes)):
        values = each[i]
        at = values.argmin()
        low, high = max(at - 1, 0), min(at + 1, len(grid) - 1)
        bend, reach = values[low] + values[high] - 2.0 * values[at], 0.0
        if high - low == 2 and bend > 0.0:
            reach = (grid[high] - grid[at]) * math.sqrt(2.0 / bend)
        ends = grid[low], grid[at], grid[high], values[low], values[at], values[high]
        found[0, i], found[1, i] = _lowest(errors, work, shapes[i], ends, reach)
        found[2, i] = reach


@njit(**INNER)
def _lowest(errors, work, shape, ends, reach):
    """Return the order of least deviance, and that deviance: Brent's localmin (1973).

    Of parabolas through the three best orders so far, and golden sections where these do not serve.

    ends : three orders, the best in the middle, and their deviances
    """
    low, best, high, second_at, at_best, third_at = ends
    second, third, at_second, at_third = low, high, second_at, third_at
    if at_third < at_second:
        second, third, at_second, at_third = third, second, at_third, at_second
    enough = min(max(_NARROW * reach, _FINEST), _FINE) if reach > 0.0 else _FINE
    step = before = high - low
    for _ in range(_ROUNDS):
        middle = 0.5 * (low + high)
        if abs(best - middle) <= 2.0 * enough - 0.5 * (high - low):
            break
        last, before = before, step
        step = _to_vertex(best, second, third, at_second - at_best, at_third - at_best)
        if not (abs(last) > enough and abs(step) < 0.5 * abs(last) and low < best + step < high):
            before = (high if best < middle else low) - best
            step = _TURN * before
        elif min(best + step - low, high - best - step) < 2.0 * enough:
            step = math.copysign(enough, middle - best)
        order = best + (step if abs(step) >= enough else math.copysign(enough, step))
        value = _at(errors, work, order, shape)
        if value <= at_best:
            if order < best:
                high = best
            else:
                low = best
            third, at_third, second, at_second, best, at_best = second, at_second, best, at_best, order, value
        else:
            if order < best:
                low = order
            else:
                high = order
            if value <= at_second or second == best:
                third, at_third, second, at_second = second, at_second, order, value
            elif value <= at_third or third in (best, second):
                third, at_third = order, value
    return best, at_best


@njit(**INNER)
def _to_vertex(best, second, third, above_second, above_third):
    """Return how far from `best` the vertex of the parabola through three orders lies; infinity where it has none."""
    a, b = (best - second) * above_third, (best - third) * above_second
    return 0.5 * ((best - third) * b - (best - second) * a) / (a - b) if a != b else np.inf


@njit(**KERNEL)
def edges(errors, work, shapes, found, rises, away, end, ends):
    """Write where the root of deviance - least is each of `rises`, on the side of `end`, into ends.

    found : of `least`, of those shapes
    away : distances from the best order at which the likelihood is looked at, ascending
    ends : shape (shapes, rises); what is beyond `end` is left as it is
    """
    sign = math.copysign(1.0, end)
    for i in range(len(shapes)):
        best, floor, reach, passed = found[0, i], found[1, i], found[2, i], 0  # of the rises, which ascend
        before, at_before = best, 0.0
        for distance in away:
            if distance < _HIDDEN * reach:
                continue
            order = best + sign * distance
            is_last = sign * (end - order) <= 0.0
            order = end if is_last else order
            root = _root(errors, work, order, shapes[i], floor)
            while passed < len(rises) and root > rises[passed]:
                bracket = before, order, at_before - rises[passed], root - rises[passed]
                ends[i, passed] = _crossing(errors, work, shapes[i], floor, rises[passed], bracket, best)
                passed += 1
            if is_last or passed == len(rises):
                break
            before, at_before = order, root


@njit(**INNER)
def _root(errors, work, p, shape, floor):
    return math.sqrt(max(_at(errors, work, p, shape) - floor, 0.0))


@njit(**INNER)
def _crossing(errors, work, shape, floor, rise, bracket, best):
    """Return where the root of deviance - floor is `rise`: false position (Illinois).

    bracket : two orders, and how far above `rise` the root is there
    """
    low, high, at_low, at_high = bracket
    for _ in range(_ROUNDS):
        step = at_high * (high - low) / (at_high - at_low)
        order = high - step
        if abs(step) <= _EXACT * abs(order - best):
            break
        value = _root(errors, work, order, shape, floor) - rise
        if value * at_high < 0.0:
            low, at_low = high, at_high
        else:
            at_low *= 0.5
        high, at_high = order, value
    return high
