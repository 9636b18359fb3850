"""What moments, Gaussian laws and predicted constants are told of a problem with an affine gradient.

The local estimator, the control variate and `studies.prediction` ask; `known` answers.
"""

import numpy as np

from ngos_sim.known.coordinate import Coordinate
from ngos_sim.oracles.losses import affine_gradient


def coordinates(problem, wanted=None, h=0.0):
    """Return {coordinate: its Coordinate} of independent coordinates, by default of all.

    Coordinates that are alike have the same one: what is found for it need be found once.

    Parameters
    ----------
    problem : Problem
    wanted : iterable of int, optional
    h : float
        The step that an SDE reads.
    """
    d, constants = problem.dimension, dict(problem.rule.parameters)
    affine, variance = affine_gradient(problem.oracle.loss, d), np.broadcast_to(problem.oracle.covariance, d)
    rows = np.column_stack([affine.diagonal, affine.slope, variance, problem.state])
    made: dict = {}
    found = {}
    for j in range(d) if wanted is None else sorted(wanted):
        key = tuple(rows[j].tolist())
        if key not in made:
            hessian, slope, sigma, *start = key
            numbers = (hessian, slope, sigma, tuple(start), problem.t0, last_time(problem), constants)
            made[key] = Coordinate(*numbers, h, problem.rule.clock)
        found[j] = made[key]
    return found


def last_time(problem):
    """Return the last time of a study's points, a step after the start at least."""
    return max(problem.horizon, problem.t0 + max(each.spacing for each in problem.shared.problems))
