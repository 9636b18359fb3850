"""Random problems whose errors are known exactly: affine recursions of moments against their flows, NumPy and SciPy.

Shares no code with the package. Steps are h = 1 / n, and the time is 1. `calibration.py` and tests of the order fit
draw from them.
"""

import math

import numpy as np
from scipy.linalg import expm

ROUNDING = 1e-13  # of an error


def errors(name, rng, steps):
    """Return the errors, shape (points,), of one random problem at 1 / h of `steps`, and their order.

    Problems whose leading term is less than half or more than twice the error at the finest step are drawn anew: no
    fit can tell their order.
    """
    order = float(rng.integers(1, 3)) if name == "SGD" else 1.0
    while True:
        error = PROBLEMS[name](rng, min(steps), order)
        coarse, middle, fine = (error(1.0 / n) * n**order for n in (max(steps) * np.array([2, 4, 8])).tolist())
        constant = (coarse - 6.0 * middle + 8.0 * fine) / 3.0
        found = np.array([error(1.0 / n) for n in np.asarray(steps).tolist()])
        if 0.5 < constant * max(steps) ** -order / found[-1] < 2.0:
            return found, order


def _augmented(matrix, shift):
    """Return the matrix of m' = matrix m + shift on (m, 1)."""
    return np.block([[np.asarray(matrix, dtype=float), np.asarray(shift, dtype=float)[:, None]]])


def _chain(matrix, shift, start, steps):
    """Return the moments after so many steps of m' = matrix m + shift."""
    square = np.vstack([_augmented(matrix, shift), np.eye(len(shift) + 1)[-1]])
    return (np.linalg.matrix_power(square, steps) @ np.append(start, 1.0))[:-1]


def _flow(matrix, shift, start):
    """Return the moments after a time 1 of dm = (matrix m + shift) dt."""
    square = np.vstack([_augmented(matrix, shift), np.zeros(len(shift) + 1)])
    return (expm(square) @ np.append(start, 1.0))[:-1]


def _rate(rng, steps):
    """Return a rate between .3 and 8 of which the coarsest step leaves a factor above 0."""
    return math.exp(rng.uniform(math.log(0.3), math.log(min(0.95 * steps, 8.0))))


def _sgd(rng, steps, order):
    """E theta, E theta^2 or the loss of SGD on a theta^2 / 2 + f theta, against its SDE of order 1 or 2."""
    a, start, f, s, weights = _rate(rng, steps), rng.uniform(-2.0, 2.0), rng.normal(), 0.5, rng.integers(0, 3)

    def error(h):
        keep, more = 1.0 - a * h, 1.0 + (0.5 * a * h if order == 2.0 else 0.0)
        step = [[keep, 0.0], [-2.0 * keep * h * f, keep**2]], [-h * f, (h * f) ** 2 + (h * s) ** 2]
        drift = [[-a * more, 0.0], [-2.0 * f * more, -2.0 * a * more]], [-f * more, h * s**2]
        m = (start, start**2)
        gap = _chain(*step, m, round(1.0 / h)) - _flow(*drift, m)
        return float(np.array([(1.0, 0.0), (0.0, 1.0), (f, 0.5 * a)])[weights] @ gap)

    return error


def _heavy_ball(rng, steps, order):
    """E theta or E v of SGD with momentum on a quadratic loss, against its SDE of order 1."""
    mu, hessian, start, slot = _rate(rng, steps), math.exp(rng.uniform(-1.6, 1.4)), rng.normal(size=2), rng.integers(2)

    def error(h):
        v = np.array([-h * hessian, 1.0 - mu * h])
        gap = _chain([np.array([1.0, 0.0]) + h * v, v], [0.0, 0.0], start, round(1.0 / h))
        return float((gap - _flow([[0.0, 1.0], [-hessian, -mu]], [0.0, 0.0], start))[slot])

    return error


def _rmsprop(rng, steps, order):
    """E u, E u^2 or E u^2 - 2 E u of RMSprop on a linear loss, Gaussian noise."""
    c, start, f2, weights = _rate(rng, steps), rng.uniform(0.3, 2.5), rng.uniform(0.0, 2.0), rng.integers(0, 3)

    def error(h):
        keep, g = 1.0 - c * h, h * f2  # E (zeta + f)^2 = 1 + g, and of its square 3 + 6 g + g^2
        square = (c * h) ** 2 * (3.0 + 6.0 * g + g * g)
        step = [[keep, 0.0], [2.0 * c * h * keep * (1.0 + g), keep**2]], [c * h * (1.0 + g), square]
        m = (start, start**2)
        gap = _chain(*step, m, round(1.0 / h)) - _flow([[-c, 0.0], [2.0 * c, -2.0 * c]], [c, 0.0], m)
        return float(np.array([(1.0, 0.0), (0.0, 1.0), (-2.0, 1.0)])[weights] @ gap)

    return error


def _adam(rng, steps, order):
    """E theta of Adam's moment on a linear loss, its preconditioner 1: by the old or by the new m."""
    c, f, start, new = _rate(rng, steps), rng.normal(), rng.normal(), rng.integers(2)

    def error(h):
        keep = 1.0 - c * h
        step = [[1.0, -h * (keep if new else 1.0)], [0.0, keep]], [-h * c * h * f * new, c * h * f]
        m = (0.0, start)
        return float((_chain(*step, m, round(1.0 / h)) - _flow([[0.0, -1.0], [0.0, -c]], [0.0, c * f], m))[0])

    return error


PROBLEMS = {"SGD": _sgd, "heavy ball": _heavy_ball, "RMSprop": _rmsprop, "Adam": _adam}
