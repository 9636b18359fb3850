"""Which test functions the local estimator's basis spans, and what moments of the noise their errors need."""

import math

import numpy as np

from ngos_sim.estimators.polynomials import MOST_TERMS
from ngos_sim.known.basis import MOST_CARRIED

_MAX_JOINT = 8  # coordinates: a step's work grows with their square, its rows of state too
_OUTSIDE = "it lies outside the span of its basis"
_MATRIX = "the Hessian or the covariance is a matrix"


def spanned(problem, function, near):
    """Return the terms of a test function if they lie in the local estimator's span, or why it cannot serve, a str.

    The span holds products over coordinates of monomials that one basis of `near` spans, and sums of such;
    where matrices couple coordinates, sums of slots.

    near : Near
    """
    terms = problem.polynomial(function)
    if problem.oracle.is_dense:
        return _joint(problem, terms)
    if terms is None:
        return _OUTSIDE
    basis = near.basis({powers for _, by in terms for powers in by.values()})
    sizes = (math.prod(1 + _linear_and_path(powers, near.autonomous) for powers in by.values()) for _, by in terms)
    fits = basis is not None and len(basis.exponents) <= MOST_CARRIED and sum(sizes) <= MOST_TERMS
    return terms if fits else _OUTSIDE


def _linear_and_path(powers, autonomous):
    """Return in how many monomials of a basis a monomial in the slots is expanded about the path of A."""
    return math.prod(powers[a] + 1 for a in autonomous)


def _joint(problem, terms):
    """Return terms, or why the local estimator cannot serve where the Hessian or the covariance is a matrix."""
    if problem.dimension > _MAX_JOINT:
        return f"{_MATRIX} of more than {_MAX_JOINT} coordinates"
    if not problem.oracle.noise.is_gaussian:
        return f"{_MATRIX} and the noise is not Gaussian"
    if terms is None or any(sum(map(sum, by.values())) > 1 for _, by in terms):
        return f"{_MATRIX} and it is not linear in the slots"
    return terms


def degree(terms, growth, autonomous):
    """Return the order of the moment of zeta that the means of the carried errors need; see `noise_degree`.

    Beside A alone each holds a factor of L times a coefficient, 1 / (sigma0 sqrt(u) + eps0), less its tangent, which
    grows like a slot of A.

    autonomous : the slots A
    """
    steepest = max((growth[a] for a in autonomous), default=0.0)

    def of(powers):
        holds_linear = any(n for i, n in enumerate(powers) if i not in autonomous)
        return float(np.dot(growth, powers)) + steepest * holds_linear

    return max((of(powers) for _, by in terms for powers in by.values()), default=0.0)
