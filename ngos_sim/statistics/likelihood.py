"""The integrated likelihood of one exponent with one shape of the further terms, compiled.

A fit asks for it some thousand times, and each time takes less than a call of NumPy. The formulas are derived in
`expansion`, whose class Expansion asks for single exponents; `search` looks for the best one.
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL

INNER = {**KERNEL, "cache": False, "no_cpython_wrapper": True}  # called by what is cached, with which it is kept

LEAST = 1e-6  # of an error: a standard error below this part of it counts as this part
_LARGE = 1e100  # of a determinant, which goes on as its logarithm: the largest double is near
_RESOLVED = 9.0  # z^2 at which half of an error counts as its size


class Errors(NamedTuple):
    """What a likelihood reads of an Expansion.

    s, error, sigma : ndarray, shape (points,)
    kernels : ndarray, shape (all shapes, points, points); scale^2 sum_j (t t')^j
    spacing : float
    by_largest : whether the further terms are measured by the greatest |e| / s^p, what leaves C free to be 0, or by C,
        as those of a series whose leading term leads: what tells an order from the one below
    column : shape (points,), a further term with a free coefficient; or of length 0, none
    """

    s: np.ndarray
    error: np.ndarray
    sigma: np.ndarray
    kernels: np.ndarray
    spacing: float
    by_largest: bool
    column: np.ndarray


class Room(NamedTuple):
    """Where a likelihood is computed.

    power, own, scaled : shape (points,); of an exponent p, by `prepare`: s^p, standard errors, the size of the leading
        term over these
    columns, whitened : shape (3, points); the further term, the leading one and the errors over standard errors, and
        these times the inverse of the factor
    factor : shape (points, points), of the covariance over standard errors, lower triangle
    """

    power: np.ndarray
    own: np.ndarray
    scaled: np.ndarray
    columns: np.ndarray
    whitened: np.ndarray
    factor: np.ndarray


def room(points):
    """Return the Room of so many points."""
    return Room(*np.empty((3, points)), *np.empty((2, 3, points)), np.empty((points, points)))


@njit(**INNER)
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


@njit(**INNER)
def prepare(errors, work, p):
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


@njit(**INNER)
def deviance(errors, work, shape):
    """Return -2 log likelihood less what `prepare` returned, chi2, the first coefficient, its spread, that of s^p."""
    logs = _whiten(work, errors.kernels[shape])
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


@njit(**INNER)
def _whiten(work, kernel):
    """Whiten the columns by the Cholesky factor of 1 + scaled scaled' kernel; return the logarithm of its determinant.

    In plain loops: LAPACK, whose last bit is another on every processor, has no part in what is decided.
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
        factor[i, i] = length = np.sqrt(value)
        further[i], leading[i], target[i] = more / length, lead / length, aim / length
        determinant *= value
        if determinant > _LARGE:
            logs, determinant = logs + math.log(determinant), 1.0
    return logs + math.log(determinant)


@njit(**INNER)
def _dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@njit(**KERNEL)
def fits(errors, work, p, shapes, found):
    """Write what `deviance` returns with every shape, the whole of the first, into found, shape (5, shapes)."""
    common = prepare(errors, work, p)
    for i in range(len(shapes)):
        one = deviance(errors, work, shapes[i])
        found[0, i], found[1, i], found[2, i], found[3, i], found[4, i] = one
        found[0, i] += common
