"""The JointProblems of a study with an affine gradient: of all coordinates, or of single ones that are independent."""

import numpy as np

from ngos_sim.known.joint_equation import JointProblem
from ngos_sim.oracles.losses import affine_gradient


def joint_problem(study, state, h, end):
    """Return the JointProblem of all coordinates of a study.

    Parameters
    ----------
    study : ConvergenceStudy
    state : ndarray, shape (d, slots)
        The start.
    h, end : float
        The time of one step of the optimizer, and when the law ends.
    """
    d, oracle = study.dimension, study.oracle
    affine = affine_gradient(oracle.loss, d)
    hessian = affine.diagonal if oracle.loss.matrix is None else affine.matrix
    sigma = np.diag(np.broadcast_to(oracle.covariance, d)) if oracle.root is None else np.array(oracle.covariance)
    return JointProblem(hessian, affine.slope, sigma, state.T, study.t0, end, dict(study.rule.parameters), h)


def laws(study, state, terms, h, end, law):
    """Return law(JointProblem) of all coordinates; where they are independent {coordinate: that of it alone}.

    It is found once for coordinates that are alike.
    terms : list of (factor, {coordinate: ..}), which hold the coordinates whose laws are needed
    """
    if study.oracle.is_dense:
        return law(joint_problem(study, state, h, end))
    d, constants = study.dimension, dict(study.rule.parameters)
    affine, variance = affine_gradient(study.oracle.loss, d), np.broadcast_to(study.oracle.covariance, d)
    numbers = np.column_stack([affine.diagonal, affine.slope, variance, state])
    made: dict = {}
    found = {}
    for j in sorted({j for _, by in terms for j in by}):
        key = tuple(numbers[j].tolist())
        if key not in made:
            hessian, slope, sigma, start = numbers[[j], 0], numbers[[j], 1], numbers[[j], 2:3], numbers[[j], 3:].T
            made[key] = law(JointProblem(hessian, slope, sigma, start, study.t0, end, constants, h))
        found[j] = made[key]
    return found
