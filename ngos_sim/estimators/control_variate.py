"""The linear companion of a chain: what it takes off the variance has a mean that is known.

The companion is Euler-Maruyama of the SDE with the optimizer's steps and its very noise. For an affine
gradient and constant Sigma its u is deterministic and its other slots are an affine recursion in the
noise, so their mean and covariance are exact; it stays within O(eta) of the optimizer, path by path.

    E g(x_k) - E g(X_t) = E[g(x_k) - g(companion)] + (E g(companion) - E g(X_t)),

the last two Gaussian where the noise is, and of the same form for any noise where g is of degree 2.
"""

import math
from types import SimpleNamespace

import numpy as np

from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import Oracle

NODES, NODES_FEWER = 32, 24  # a coordinate's slot: for smooth g they agree to rounding
_AGREE = 1e-9


def companion_moments(rule, problem, h, steps, parameters):
    """Return mean, covariance and u of an affine rule at every step.

    Parameters
    ----------
    rule : Rule
        Affine in all slots but u, the last, which is deterministic.
    problem : moment_flow.Problem
    h : float
    steps : int
    parameters : dict of str to float
        What the rule's p holds.

    Returns
    -------
    mean : ndarray, shape (steps + 1, n)
        Of the slots but u.
    covariance : ndarray, shape (steps + 1, n, n)
    u : ndarray, shape (steps + 1,)
    """
    p, n = SimpleNamespace(**parameters), len(problem.start) - 1
    mean, covariance, u = [np.array(problem.start[:-1])], [np.zeros((n, n))], [problem.start[-1]]

    def moved(x, z, c):
        gradient = problem.hessian * x[0] + problem.slope
        return rule.step((*map(float, x), u[-1]), Oracle(gradient, problem.variance, problem.hessian), z, c, p)

    for c in table(rule, round(problem.t0 / h), steps, h, parameters):
        *at_zero, following = moved(np.zeros(n), 0.0, c)
        kick = np.array(moved(np.zeros(n), 1.0, c)[:-1]) - at_zero
        matrix = np.array([moved(unit, 0.0, c)[:-1] for unit in np.eye(n)]).T - np.array(at_zero)[:, None]
        mean.append(matrix @ mean[-1] + at_zero)
        covariance.append(matrix @ covariance[-1] @ matrix.T + problem.variance * np.outer(kick, kick))
        u.append(following)
    return np.array(mean), np.array(covariance), np.array(u)


def gaussian_mean(g, mean, covariance, u, nodes=NODES):
    """Return E g of Gaussian slots and a given u, by Gauss-Hermite quadrature.

    Parameters
    ----------
    g : function (x) -> float, or tuple of int
        Of the tuple of slots; or the powers of a monomial.
    mean, covariance, u : ndarray, shapes (times, n), (times, n, n) and (times,)

    Returns
    -------
    ndarray, shape (times,)
    """
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    n = mean.shape[1]
    grid = np.stack(np.meshgrid(*[points] * n, indexing="ij"), axis=-1).reshape(-1, n)
    weight = math.prod(np.ix_(*[weights / weights.sum()] * n)).ravel()
    found = np.empty(len(mean))
    for at, (centre, spread, second) in enumerate(zip(mean, covariance, u, strict=True)):
        values, vectors = np.linalg.eigh(spread)
        slots = centre + grid @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        if isinstance(g, tuple):
            sampled = np.prod(slots ** np.array(g[:-1]), axis=1) * second ** g[-1]
        else:
            sampled = np.array([g((*row, float(second))) for row in slots.tolist()], dtype=np.float64)
        found[at] = weight @ sampled
    return found


def is_resolved(g, mean, covariance, u):
    """Return whether the quadrature of E g has converged: it has not where g is not smooth, or not defined."""
    if isinstance(g, tuple):
        return sum(g[:-1]) < 2 * NODES_FEWER  # then it is exact
    try:
        many, few = (gaussian_mean(g, mean, covariance, u, nodes) for nodes in (NODES, NODES_FEWER))
    except (ArithmeticError, TypeError, ValueError):
        return False
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(many - few) <= _AGREE * (1.0 + np.abs(many))))
