"""What moment flows, Gaussian laws and predicted constants are told of a study with an affine gradient."""

import numpy as np

from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.gaussian_law import JointProblem
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
    end = max(study.horizon, study.t0 + max(point.spacing for point in study.points))
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


def joint_problem(study, state):
    """Return the JointProblem of all coordinates of a study, which a matrix couples."""
    d, oracle = study.dimension, study.oracle
    affine = affine_gradient(oracle.loss, d)
    sigma = np.diag(np.broadcast_to(oracle.covariance, d)) if oracle.root is None else np.array(oracle.covariance)
    numbers = (affine.matrix, affine.slope, np.diag(sigma), tuple(state.T), study.t0, dict(study.rule.parameters))
    return JointProblem(*numbers, sigma)


def laws(study, state, terms, law):
    """Return law(JointProblem) of all coordinates; where they are independent {coordinate: that of it alone}.

    terms : list of (factor, {coordinate: ..}), which hold the coordinates whose laws are needed
    """
    if study.oracle.is_dense:
        return law(joint_problem(study, state))
    needed = problems(study, state, {j for _, by in terms for j in by})
    return of_each(needed, lambda problem: law(_alone(problem)))


def of_each(problems, find):
    """Return {coordinate: find(its Coordinate)}, found once for coordinates that are alike."""
    made = {id(problem): problem for problem in problems.values()}
    made = {key: find(problem) for key, problem in made.items()}
    return {j: made[id(problem)] for j, problem in problems.items()}


def _alone(problem):
    """Return a Coordinate as a JointProblem."""
    one = np.ones((1, 1))
    numbers = (problem.hessian * one, problem.slope * one[0], problem.variance * one[0])
    start = tuple(np.array([slot]) for slot in problem.start)
    return JointProblem(*numbers, start, problem.t0, problem.constants, problem.variance * one)
