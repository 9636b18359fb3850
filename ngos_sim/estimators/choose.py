"""Which estimator serves which test function under which SDE, and why."""

import math
from collections import Counter

import numpy as np

from ngos_sim.estimators.test_functions import TestFunction, parse
from ngos_sim.oracles.losses import affine_gradient

_MAX_TERMS = 4096
_MAX_BASIS = 32  # monomials whose errors are carried along: compile time
_MAX_JOINT = 8  # coordinates: a step's work grows with their square, its rows of state too
_NEAR = 0.01  # of the covariance
_OUTSIDE = "it lies outside the span of its basis"
_MATRIX = "the Hessian or the covariance is a matrix"


def against_local(oracle, dimension):
    """Return why the local estimator cannot measure any optimizer on an oracle, or an empty string if it can."""
    if affine_gradient(oracle.loss, dimension) is None:
        return f"loss {oracle.loss.name!r} is neither linear nor quadratic"
    if callable(oracle.covariance):
        return "the covariance depends on the state"
    return ""


def near_root(oracle, slots, start):
    """Return where u starts if that is too near the singularity of its root for expansions in y = u - U_t, or "".

    start : ndarray, shape (points, d, slots)
    """
    if "u" not in slots or callable(oracle.covariance):
        return ""
    variance = oracle.covariance if oracle.root is None else np.diag(oracle.covariance)
    u, variance = np.broadcast_arrays(start[..., slots.index("u")], variance)
    near = (u < _NEAR * variance) | (u <= 0.0)
    if not np.any(near):
        return ""
    least = float(np.min(u[near] / np.where(variance[near] > 0.0, variance[near], 1.0)))
    return f"u starts at {least:.3g} of the covariance, below {_NEAR:g} of it, too near the root's singularity"


def monomials(function, oracle, slots, dimension):
    """Return a polynomial test function as [(factor, {coordinate: powers of the slots})], or None.

    `loss` is written out where the gradient is affine. None for what is no polynomial in the slots, or
    one of more than 4096 terms.
    """
    if isinstance(function, TestFunction):
        return None
    parsed = parse(function, slots, dimension)
    loss = _written_out(oracle, dimension) if any(powers["loss"] for _, powers in parsed) else []
    if sum(len(loss) ** powers["loss"] for _, powers in parsed) > _MAX_TERMS:
        return None
    terms = []
    for factor, powers in _without_loss(parsed, loss):
        if any(isinstance(variable, str) for variable in powers):
            return None
        coordinates = sorted({j for _, j in powers})
        terms.append((factor, {j: tuple(powers[slot, j] for slot in range(len(slots))) for j in coordinates}))
    return terms


def local_terms(function, oracle, near, dimension):
    """Return what `monomials` does if it lies in the local estimator's span, or why it cannot serve, a str.

    The span holds products over coordinates of monomials that one basis of `near` spans, and sums of such;
    where matrices couple coordinates, sums of slots.

    near : an SDE of known moments, with its autonomous slots and its `basis`
    """
    terms = monomials(function, oracle, near.sde.slots, dimension)
    if oracle.is_dense:
        return _joint_terms(terms, oracle, dimension)
    if terms is None:
        return _OUTSIDE
    basis = near.basis({powers for _, by in terms for powers in by.values()})
    sizes = (math.prod(1 + _linear_and_path(powers, near.autonomous) for powers in by.values()) for _, by in terms)
    fits = basis is not None and len(basis.exponents) <= _MAX_BASIS and sum(sizes) <= _MAX_TERMS
    return terms if fits else _OUTSIDE


def _linear_and_path(powers, autonomous):
    """Return in how many monomials of a basis a monomial in the slots is expanded about the path of A."""
    return math.prod(powers[a] + 1 for a in autonomous)


def _joint_terms(terms, oracle, dimension):
    """Return terms, or why the local estimator cannot serve where the Hessian or the covariance is a matrix."""
    if dimension > _MAX_JOINT:
        return f"{_MATRIX} of more than {_MAX_JOINT} coordinates"
    if not oracle.noise.is_gaussian:
        return f"{_MATRIX} and the noise is not Gaussian"
    if terms is None or any(sum(map(sum, by.values())) > 1 for _, by in terms):
        return f"{_MATRIX} and it is not linear in the slots"
    return terms


def too_heavy(noise, needed):
    """Return why a standard error that needs E |zeta|^needed says nothing under a noise law, or None if it does."""
    if needed <= noise.moments:
        return None
    known = f"noise {noise.name!r} has finite moments up to {noise.moments:g}"
    return f"its standard error needs E zeta^{needed:g}, and {known}"


def by_name(slots):
    """Return by which power of a noise number each slot grows where it cannot be probed: u by its square."""
    return [2.0 if slot == "u" else 1.0 for slot in slots]


def noise_degree(terms, growth, joint):
    """Return the order of the moment of zeta that the mean of a polynomial needs.

    Coordinates are independent unless `joint`. A standard error needs twice the order.

    growth : by which power of zeta each slot grows
    """
    sizes = [[float(np.dot(growth, powers)) for powers in by.values()] for _, by in terms]
    return max((sum(each) if joint else max(each) for each in sizes if each), default=0)


def local_degree(terms, growth, autonomous):
    """Return what `noise_degree` does of the errors that the local estimator carries along.

    Beside A alone each holds a factor of L times a coefficient, 1 / (sigma0 sqrt(u) + eps0), less its tangent, which
    grows like a slot of A.

    autonomous : the slots A
    """
    steepest = max((growth[a] for a in autonomous), default=0.0)

    def degree(powers):
        holds_linear = any(n for i, n in enumerate(powers) if i not in autonomous)
        return float(np.dot(growth, powers)) + steepest * holds_linear

    return max((degree(powers) for _, by in terms for powers in by.values()), default=0.0)


def companion_terms(function, oracle, slots, dimension):
    """Return a test function as [(factor, {coordinate: monomial's powers, or g})], or None.

    The control-variate estimator knows the means of sums of products over coordinates: of monomials up
    to degree 2 beside u, and for Gaussian noise of any.
    """
    if isinstance(function, TestFunction):
        return [(1.0, {function.coordinate: function.g})] if oracle.noise.is_gaussian else None
    terms = monomials(function, oracle, slots, dimension)
    if terms is None or oracle.noise.is_gaussian:
        return terms
    degrees = [[sum(powers[:-1]) for powers in by.values()] for _, by in terms]
    if oracle.is_dense:  # else coordinates are independent
        degrees = [[sum(each)] for each in degrees]
    return terms if all(degree <= 2 for each in degrees for degree in each) else None


def _written_out(oracle, dimension):
    """Return the loss as terms: theta^T H theta / 2 + slope . theta."""
    affine = affine_gradient(oracle.loss, dimension)
    terms = [(float(affine.slope[j]), Counter([(0, j)])) for j in np.flatnonzero(affine.slope).tolist()]
    diagonal = affine.diagonal
    terms += [(0.5 * float(diagonal[j]), Counter([(0, j), (0, j)])) for j in np.flatnonzero(diagonal).tolist()]
    if affine.hessian.ndim == 1:
        return terms
    above = np.argwhere(np.triu(affine.hessian, 1)).tolist()
    return terms + [(float(affine.hessian[i, j]), Counter([(0, i), (0, j)])) for i, j in above]


def _without_loss(terms, loss):
    """Replace each factor `loss` by its terms."""
    pending, done = list(terms), []
    while pending:
        factor, powers = pending.pop()
        if not powers["loss"]:
            done.append((factor, powers))
            continue
        rest = powers - Counter(["loss"])
        pending += [(factor * value, rest + more) for value, more in loss]
    return done
