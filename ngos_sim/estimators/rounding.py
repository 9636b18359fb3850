"""What rounding may leave in the difference of an optimizer and its references.

The mean over trajectories averages roundings that differ between them, and the standard error holds these. Where the
trajectories (nearly) agree, all round alike, and n steps of theta += tiny leave up to n roundings of theta. The bound
here is for such: in floating-point arithmetic of 64 bits it is out of sight of an ordinary run's standard error
(docs/theory.md, "Rounding").
"""

import math

import numpy as np

from ngos_sim.estimators.test_functions import TestFunction, parse

_STEP = 2.0**-17  # relative, of a central difference
_LEVELS = (
    3.0  # roundings a step, of the optimizer and of 1, 2 and 4 Euler-Maruyama steps times 1/3, -2 and 8/3: their rms
)
_RECORD = 2.0  # roundings of g itself, times the same weights
_NARROW = 2.0**-23  # of increments whose preconditioner is a float32: half of it is one rounding
_UNIT = {"f64": 2.0**-52, "mix": 2.0**-52, "f32": 2.0**-23}  # of a state


def at_start(function, slots, state):
    """Return g and the sum of |x dg/dx| over slots and coordinates at a state, shape (d, slots).

    NaN where g holds a word (loss, ..) or is not defined there.
    """
    if isinstance(function, TestFunction):
        return _of_function(function.g, state[function.coordinate].tolist())
    value = change = 0.0
    for coefficient, powers in parse(function, slots, len(state)):
        if any(isinstance(variable, str) for variable in powers):
            return math.nan, math.nan
        term = coefficient * math.prod(float(state[j, slot]) ** power for (slot, j), power in powers.items())
        value, change = value + term, change + abs(term) * sum(powers.values())
    return value, change


def _of_function(g, x):
    """Return g(x) and the sum of |x dg/dx| by central differences."""
    change = 0.0
    try:
        for i, one in enumerate(x):
            up, down = (g((*x[:i], one * (1.0 + sign * _STEP), *x[i + 1 :])) for sign in (1.0, -1.0))
            change += abs(up - down) / (2.0 * _STEP)
        return float(g(tuple(x))), float(change)
    except (ArithmeticError, ValueError):
        return math.nan, math.nan


def bound(start, mean, steps, precision, relative=0.0):
    """Return what rounding may leave in a difference of means of g, as a standard error.

    A state of n steps is off by n roundings of the start and of its movement; its relative size is that of g's
    argument: |x dg/dx|. In float32 steps are few and their increments change by more than a rounding from one to the
    next, so that n roundings are a random walk. Where the preconditioner is a float32, in "mix" and "f32", every
    increment is off by a part of itself, and so is the movement.

    Parameters
    ----------
    start : (float, float)
        As `at_start` returns it; NaN: the means stand for both.
    mean : ndarray, shape (times,)
        Of g of the optimizer.
    steps : ndarray of int, shape (times,)
        Of the optimizer up to each time.
    precision : "f64", "mix" or "f32"
    relative : float
        Accuracy of a known mean that takes the place of a sampled one, a part of the movement.

    Returns
    -------
    bound : ndarray, shape (times,)
    """
    value, change = start
    if math.isnan(change):
        value, change = 0.0, float(np.abs(mean).max())
    many = np.sqrt(steps) if precision == "f32" else steps
    relative += 0.0 if precision == "f64" else _NARROW
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        moved = np.maximum.accumulate(np.abs(mean - value))
        return _UNIT[precision] * (_LEVELS * many * (change + moved) + _RECORD * np.abs(mean)) + relative * moved
