"""What moment flows and predicted constants are told of a study with an affine gradient."""

import numpy as np

from ngos_sim.known.coordinate import Coordinate
from ngos_sim.oracles.losses import affine_gradient


def problems(study, state, coordinates=None, h=0.0):
    """Return {coordinate: its Coordinate} of independent coordinates, by default of all.

    Coordinates that are alike have the same one: what is found for it need be found once.

    Parameters
    ----------
    study : ConvergenceStudy
    state : ndarray, shape (d, slots)
        The start.
    coordinates : iterable of int, optional
    h : float
        The step that the SDE reads.
    """
    end = last_time(study)
    d, constants = study.dimension, dict(study.rule.parameters)
    affine, variance = affine_gradient(study.oracle.loss, d), np.broadcast_to(study.oracle.covariance, d)
    numbers = np.column_stack([affine.diagonal, affine.slope, variance, state])
    made: dict = {}
    found = {}
    for j in range(d) if coordinates is None else sorted(coordinates):
        key = tuple(numbers[j].tolist())
        if key not in made:
            hessian, slope, sigma, *start = key
            made[key] = Coordinate(hessian, slope, sigma, tuple(start), study.t0, end, constants, h)
        found[j] = made[key]
    return found


def last_time(study):
    """Return when the last step of any point is done."""
    return max(study.horizon, study.t0 + max(point.spacing for point in study.points))


def of_each(problems, find):
    """Return {coordinate: find(its Coordinate)}, found once for coordinates that are alike."""
    made = {id(problem): problem for problem in problems.values()}
    made = {key: find(problem) for key, problem in made.items()}
    return {j: made[id(problem)] for j, problem in problems.items()}
