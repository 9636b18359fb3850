"""The integrated likelihood of an exponent with one shape of the further terms, and the search for the best, compiled.

A fit asks for it some thousand times, and each time takes less than a call of NumPy. The formulas are derived in
`expansion`, whose class Expansion asks for single exponents; `interval` has the best one looked for. All stands in one
file, as Numba's cache on disk looks at that of the outermost function alone.
"""

import math

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL

_INNER = {**KERNEL, "cache": False, "no_cpython_wrapper": True}  # called by what is cached, with which it is kept

LEAST = 1e-6  # of an error: a standard error below this part of it counts as this part
_LARGE = 1e20  # of a determinant, which goes on as its logarithm: the next factor may be 1e284
_LEFT = 0.5  # of a variance over its standard error's square, given the others: without rounding 1 or more
_RESOLVED = 9.0  # z^2 at which half of an error counts as its size
_NARROW = 1e-7  # of a needle's spread: how well its least is found
_FINE, _FINEST = 1e-8, 1e-13  # of an order: how well it is found at worst and at best
_TURN = 0.5 * (3.0 - math.sqrt(5.0))  # golden section
_ROUNDS = 100
_HIDDEN = 0.1  # of a needle's spread: nearer to its least no interval ends
_EXACT = 1e-10  # of the distance of an interval's end from the best order


@njit(**_INNER)
def _size(errors, power):
    """Return the size of the leading term |e| / s^p, as far as it is resolved; power : s^p."""
    s, error, sigma = errors.s, errors.error, errors.sigma
    largest, least = 0.0, np.inf
    for i in range(len(s)):
        square = error[i] * error[i]
        seen = square / (square + _RESOLVED * sigma[i] * sigma[i])
        largest = max(largest, abs(error[i]) / power[i] * seen)
        least = min(least, sigma[i] / power[i])
    least *= 1e-3  # where nothing is resolved the size does not matter
    if errors.by_largest:
        return max(largest, least)
    top, base = 0.0, 0.0
    for i in range(len(s)):
        weight = 1.0 / ((sigma[i] / power[i]) ** 2 + (largest * s[i] ** errors.spacing) ** 2)
        top += weight * error[i] / power[i]
        base += weight
    return max(abs(top / base), least)


@njit(**_INNER)
def _prepare(errors, work, p):
    """Fill the room with all that does not hang on a shape; return what of the deviance does not."""
    power, own, column = work.power, work.own, errors.column
    for i in range(len(power)):
        power[i] = errors.s[i] ** p
    size, logs = _size(errors, power), 0.0
    for i in range(len(power)):
        own[i] = max(errors.sigma[i], LEAST * size * power[i])
        work.scaled[i] = size * power[i] / own[i]
        work.columns[0, i] = column[i] / own[i] if len(column) else 0.0
        work.columns[1, i], work.columns[2, i] = power[i] / own[i], errors.error[i] / own[i]
        logs += math.log(own[i])
    return 2.0 * (logs + math.log(size))


@njit(**_INNER)
def _deviance(errors, work, shape):
    """Return -2 log likelihood less what `_prepare` returned, chi2, the first coefficient, its spread, that of s^p."""
    logs = _whiten(work, errors.kernels[shape])
    if not logs < np.inf:
        return np.inf, np.inf, 0.0, 0.0, 0.0
    further, leading, target = work.whitened[0], work.whitened[1], work.whitened[2]
    square, first, spread = _dot(leading, leading), 0.0, 0.0
    if len(errors.column):
        share, top, base = _dot(further, leading) / square, 0.0, 0.0
        for i in range(len(target)):
            apart = further[i] - share * leading[i]
            top += apart * target[i]
            base += apart * apart
        first, spread = top / base, 1.0 / np.sqrt(base)
        for i in range(len(target)):
            target[i] -= first * further[i]
    lead, chi2 = _dot(leading, target) / square, 0.0
    for i in range(len(target)):
        chi2 += (target[i] - lead * leading[i]) ** 2
    if not len(errors.column):
        first, spread = lead, 1.0 / np.sqrt(square)
    return chi2 + logs + math.log(square), chi2, first, spread, lead


@njit(**_INNER)
def _whiten(work, kernel):
    """Whiten the columns by the Cholesky factor of 1 + scaled scaled' kernel; return the log of that determinant.

    Infinity where doubles cannot hold it: over many steps far outside the radius, terms that nobody need believe.
    """
    scaled, columns, factor = work.scaled, work.columns, work.factor
    further, leading, target = work.whitened[0], work.whitened[1], work.whitened[2]
    logs, determinant = 0.0, 1.0
    for i in range(len(scaled)):
        for j in range(i):
            value = scaled[i] * scaled[j] * kernel[i, j]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            factor[i, j] = value / factor[j, j]
        value = 1.0 + scaled[i] * scaled[i] * kernel[i, i]
        more, lead, aim = columns[0, i], columns[1, i], columns[2, i]
        for k in range(i):
            value -= factor[i, k] * factor[i, k]
            more -= factor[i, k] * further[k]
            lead -= factor[i, k] * leading[k]
            aim -= factor[i, k] * target[k]
        if value < _LEFT:
            return np.inf
        factor[i, i] = length = np.sqrt(value)
        further[i], leading[i], target[i] = more / length, lead / length, aim / length
        determinant *= value
        if determinant > _LARGE:
            logs, determinant = logs + math.log(determinant), 1.0
    return logs + math.log(determinant)


@njit(**_INNER)
def _dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(**KERNEL)
def fits(errors, work, p, shapes, found):
    """Write what `_deviance` returns with every shape, the whole of the first, into found, shape (5, shapes)."""
    common = _prepare(errors, work, p)
    for i in range(len(shapes)):
        one = _deviance(errors, work, shapes[i])
        found[0, i], found[1, i], found[2, i], found[3, i], found[4, i] = one
        found[0, i] += common


@njit(**_INNER)
def _at(errors, work, p, shape):
    return _prepare(errors, work, p) + _deviance(errors, work, shape)[0]


@njit(**KERNEL)
def least(errors, work, shapes, grid, each, found):
    """Write for every shape the order of least deviance, next to the least on a grid, into found, shape (3, shapes).

    Beside that deviance, and how far from there it rises by 1, roughly (0: not known). each : shape (shapes, grid)
    """
    for j in range(len(grid)):
        common = _prepare(errors, work, grid[j])
        for i in range(len(shapes)):
            each[i, j] = common + _deviance(errors, work, shapes[i])[0]
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


@njit(**_INNER)
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


@njit(**_INNER)
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
            if distance < _HIDDEN * min(reach, 1.0):
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


@njit(**_INNER)
def _root(errors, work, p, shape, floor):
    return math.sqrt(max(_at(errors, work, p, shape) - floor, 0.0))


@njit(**_INNER)
def _crossing(errors, work, shape, floor, rise, bracket, best):
    """Return where the root of deviance - floor is `rise`: false position (Illinois).

    bracket : two orders, and how far above `rise` the root is there
    """
    low, high, at_low, at_high = bracket
    for _ in range(_ROUNDS):
        apart = at_high - at_low  # infinite where a shape is none at so high an order
        step = at_high * (high - low) / apart if abs(apart) < np.inf else 0.5 * (high - low)
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
