"""Independent and coupled differences, and the removal of the integrator's own bias.

With EM_m the Euler-Maruyama mean at m steps per step of the optimizer, (EM_1 - 6 EM_2 + 8 EM_4) / 3 has
no bias of order h or h^2 (Talay and Tubaro 1990; Richardson's weights). EM_1 alone shares half of the
optimizer's own discretisation error: it is not the SDE. With EM_m = E g(X) + a / m + b / m^2 + c / m^3 + ..,
a = O(h), b = O(h^2), c = O(h^3), what is left is c / 8; the same three levels give a and b, whose sum is the bias
of EM_1, and from these `residual` says how large c may be.

h is here the time of an optimizer's step over the SDE's `refinement` R: the levels are R, 2 R and 4 R steps of
Euler-Maruyama to one of the optimizer, EM_1 is the first of them, and what is left is R^3 times smaller.

The coupled and the independent estimator record these combinations, the local one does of an SDE near its pivot.
"""

import math
from dataclasses import replace

import numpy as np

from ngos_sim.estimators.estimator import Reading

LEVELS = (1, 2, 4)
EXTRAPOLATION = np.array([1.0, -6.0, 8.0]) / 3.0
FIRST, SECOND = np.array([-2.0, 10.0, -8.0]), np.array([8.0, -24.0, 16.0]) / 3.0  # a and b
_SAFETY, _STEEPER, _BESIDE, _ELSEWHERE = 2.0, 1.5, 0.05, 0.1  # tests/estimators/test_paired.py counts what they hold


def levels(sde):
    """Return how many steps of Euler-Maruyama go to one of the optimizer at each level."""
    return tuple(sde.refinement * level for level in LEVELS)


def coupled(references):
    """Return what to record when everything runs on one stream.

    Processes: the optimizer, then each SDE at each of its `levels`. Observables: the optimizer's g; then for
    each SDE the extrapolated g, the difference optimizer - SDE, and a and b of EM_1.

    Returns
    -------
    combinations : ndarray, shape (1 + 4 references, 1 + 3 references)
    """
    sdes = np.pad(independent(references), ((0, 0), (1, 0)))
    rows = [np.eye(1, sdes.shape[1])]
    for mean, first, second in zip(sdes[0::3], sdes[1::3], sdes[2::3], strict=True):
        rows += [[mean], rows[0] - mean, [first], [second]]
    return np.concatenate(rows)


def coupled_pair():
    """Return what to record of an optimizer and one exact reference: both g, and their difference."""
    return np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])


def independent(references):
    """Return what to record of the SDEs alone: for each the extrapolated g, and a and b of EM_1.

    Returns
    -------
    combinations : ndarray, shape (3 references, 3 references)
    """
    return np.kron(np.eye(references), np.stack([EXTRAPOLATION, FIRST, SECOND]))


def residual(first, second, steps):
    """Return how much the extrapolation may leave at each time.

    A series a + b + c + .. of ratio r has |c| = r max(|b|, r |a|). r is 1.5 times the greatest |b| over the greatest
    |a| of all times, or |b| / |a| of this one, a twentieth of the greatest |a| being added to it, where that is more;
    |b|, which passes through 0, counts as a tenth of its greatest at least. r is taken to be at least 1 / steps =
    h / T, as if nothing moved less than once over the horizon T, and at most 1. Twice c / 8 is returned.

    Parameters
    ----------
    first, second : ndarray, shape (times,)
        a and b; some times more than are asked for make r safer.
    steps : int
        Of EM_1 up to the last time.

    Returns
    -------
    residual : ndarray, shape (times,)
    """
    first, second = np.abs(first), np.abs(second)
    largest = first.max()
    ratio = np.maximum(second.max() / largest, second / (first + _BESIDE * largest)) if largest > 0.0 else 1.0
    ratio = np.clip(_STEEPER * ratio, 1.0 / steps, 1.0)
    return _SAFETY / 8.0 * ratio * np.maximum(np.maximum(second, _ELSEWHERE * second.max()), ratio * first)


def read_together(measured, function, opponent=0, steps=None):
    """Return the Reading of a test function against an opponent, rounding apart, from what `coupled` records.

    Parameters
    ----------
    measured : Measured
        Of the one job.
    function, opponent : int
        Places among the job's test functions and among its opponents.
    steps : int, optional
        Of EM_1 up to the last time; None where the reference is exact, as `coupled_pair` records it.
    """
    mean, std_error = (each[:, function].T for each in measured)
    each = 2 if steps is None else 4
    own = slice(1 + each * opponent, 1 + each * (opponent + 1))
    reference, error, *bias = mean[own]
    _, spread, *_ = std_error[own]
    found = _reading(mean[0], reference, error, spread, bias, steps)
    return replace(found, seen=(std_error[0] > 0.0) | (spread > 0.0))


def read_apart(optimizer, references, function, opponent=0, steps=None):
    """Return what `read_together` does from two jobs: the optimizer's own, and that of what `independent` records."""
    each = 1 if steps is None else 3
    alone, alone_error = (part[:, function, 0] for part in optimizer)
    mean, std_error = (part[:, function].T for part in references)
    reference, *bias = mean[each * opponent : each * (opponent + 1)]
    spread = np.hypot(alone_error, std_error[each * opponent])
    found = _reading(alone, reference, alone - reference, spread, bias, steps)
    return replace(found, seen=spread > 0.0)


def _reading(optimizer, reference, error, spread, bias, steps):
    """Return a Reading; bias : a and b, or nothing where `steps` is None."""
    if steps is None:
        return Reading(optimizer, reference, error, spread, np.full(len(error), math.nan))
    first, second = bias
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        return Reading(optimizer, reference, error, spread, first + second, residual(first, second, steps))
