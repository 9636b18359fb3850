"""What moment flows, Gaussian laws and predicted constants are told of a problem with an affine gradient.

The local estimator, the control variate and `studies.prediction` ask; `known` answers.
"""

import numpy as np

from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.gaussian_law import JointProblem
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
    end = max(problem.horizon, problem.t0 + max(each.spacing for each in problem.shared.problems))
    d, constants = problem.dimension, dict(problem.rule.parameters)
    affine, variance = affine_gradient(problem.oracle.loss, d), np.broadcast_to(problem.oracle.covariance, d)
    rows = np.column_stack([affine.diagonal, affine.slope, variance, problem.state])
    made: dict = {}
    found = {}
    for j in range(d) if wanted is None else sorted(wanted):
        key = tuple(rows[j].tolist())
        if key not in made:
            hessian, slope, sigma, *start = key
            numbers = (hessian, slope, sigma, tuple(start), problem.t0, end, constants)
            made[key] = Coordinate(*numbers, h, problem.rule.clock)
        found[j] = made[key]
    return found


def joint(problem):
    """Return the JointProblem of all coordinates of a problem, which a matrix couples."""
    d, oracle = problem.dimension, problem.oracle
    affine = affine_gradient(oracle.loss, d)
    sigma = np.diag(np.broadcast_to(oracle.covariance, d)) if oracle.root is None else np.array(oracle.covariance)
    numbers = (affine.matrix, affine.slope, np.diag(sigma), tuple(problem.state.T))
    return JointProblem(*numbers, problem.t0, dict(problem.rule.parameters), sigma)


def laws(problem, terms, law):
    """Return law(JointProblem) of all coordinates; where they are independent {coordinate: that of it alone}.

    terms : list of Term, which hold the coordinates whose laws are needed
    """
    if problem.oracle.is_dense:
        return law(joint(problem))
    needed = coordinates(problem, {j for _, by in terms for j in by})
    return of_each(needed, lambda one: law(_alone(one)))


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
