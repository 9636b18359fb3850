"""Test functions as polynomials in the slots of single coordinates: what means and moments of noise are found from.

Problems hand them to estimators (`problem.Problem.polynomial`); `studies.prediction` reads them too.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from ngos_sim.estimators.test_functions import TestFunction, parse
from ngos_sim.oracles.losses import affine_gradient

MOST_TERMS = 4096


class Term(NamedTuple):
    """A factor times a product over coordinates.

    by : {coordinate: a monomial's powers of the slots}; of the control variate also {coordinate: a user's g}
    """

    factor: float
    by: dict


def polynomial(function, oracle, slots, dimension):
    """Return a polynomial test function as a list of Terms, or None.

    `loss` is written out where the gradient is affine. None for what is no polynomial in the slots, or
    one of more than 4096 terms.
    """
    if isinstance(function, TestFunction):
        return None
    parsed = parse(function, slots, dimension)
    loss: list | None = _written_out(oracle, dimension) if any(powers["loss"] for _, powers in parsed) else []
    if loss is None:
        return None
    if sum(len(loss) ** powers["loss"] for _, powers in parsed) > MOST_TERMS:
        return None
    terms = []
    for factor, powers in _without_loss(parsed, loss):
        if any(isinstance(variable, str) for variable in powers):
            return None
        coordinates = sorted({j for _, j in powers})
        terms.append(Term(factor, {j: tuple(powers[slot, j] for slot in range(len(slots))) for j in coordinates}))
    return terms


def too_heavy(noise, needed):
    """Return why a standard error that needs E |zeta|^needed says nothing under a noise law, or None if it does."""
    needs = f"its standard error needs E zeta^{needed:g}"
    if needed > noise.moments:
        return f"{needs}, and noise {noise.name!r} has finite moments up to {noise.moments:g}"
    if needed > noise.moments_seen:
        return (
            f"{needs}, and in noise {noise.name!r} over 10 % of it lies beyond |xi| = 6, in a tail like a power's, as "
            f"if it were not finite; say how many moments are, such as moments={noise.moments_seen:g}"
        )
    return None


def noise_degree(terms, growth, joint):
    """Return the order of the moment of zeta that the mean of a polynomial needs.

    Coordinates are independent unless `joint`. A standard error needs twice the order.

    growth : by which power of zeta each slot grows
    """
    sizes = [[float(np.dot(growth, powers)) for powers in by.values()] for _, by in terms]
    return max((sum(each) if joint else max(each) for each in sizes if each), default=0)


def _written_out(oracle, dimension):
    """Return the loss as terms, theta^T H theta / 2 + slope . theta; None where its gradient is not affine."""
    affine = affine_gradient(oracle.loss, dimension)
    if affine is None:
        return None
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
