"""Predicted Expansions on the constants of P1 to P4 (docs/theory.md, "Reference problems")."""

import math

from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate

RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)
ADAM = dict(RMSPROP, c1=2.0)


def rmsprop(hessian, slope, start, variance=1.0, t0=0.0, eps0=0.0, times=(1.0,), bias_correction=0.0, **law):
    """Return the Expansions of RMSprop on the constants of P1 and P2."""
    numbers = dict(RMSPROP, eps0=eps0, bias_correction=bias_correction)
    problem = Coordinate(hessian, slope, variance, start, t0, math.nan, numbers, 0.0)
    return constants.leading(problem, momentum=False, times=times, **law)


def adam(hessian, slope, start, variance=1.0, t0=0.5, eps0=0.0, times=(1.5,), **law):
    """Return the Expansions of Adam on the constants of P3 and P4."""
    problem = Coordinate(hessian, slope, variance, start, t0, math.nan, dict(ADAM, eps0=eps0, bias_correction=1.0), 0.0)
    return constants.leading(problem, momentum=True, times=times, **law)
