"""What moment flows and predicted constants are told of a study with an affine gradient."""

import numpy as np

from ngos_sim.known.moment_flow import Problem
from ngos_sim.oracles.losses import affine_gradient


def problems(study, state, coordinates=None):
    """Return {coordinate: its Problem} of independent coordinates, by default of all.

    Coordinates that are alike have the same Problem: what is found for it need be found once.

    Parameters
    ----------
    study : ConvergenceStudy
    state : ndarray, shape (d, slots)
        The start.
    coordinates : iterable of int, optional
    """
    d, constants = study.dimension, dict(study.rule.parameters)
    affine, variance = affine_gradient(study.oracle.loss, d), np.broadcast_to(study.oracle.covariance, d)
    numbers = np.column_stack([affine.diagonal, affine.slope, variance, state])
    made: dict = {}
    found = {}
    for j in range(d) if coordinates is None else sorted(coordinates):
        key = tuple(numbers[j].tolist())
        if key not in made:
            hessian, slope, sigma, *start = key
            made[key] = Problem(hessian, slope, sigma, tuple(start), study.t0, constants)
        found[j] = made[key]
    return found


def of_each(problems, find):
    """Return {coordinate: find(its Problem)}, found once for coordinates that are alike."""
    made = {id(problem): problem for problem in problems.values()}
    made = {key: find(problem) for key, problem in made.items()}
    return {j: made[id(problem)] for j, problem in problems.items()}
