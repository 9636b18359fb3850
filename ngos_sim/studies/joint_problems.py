"""The JointEquations of a study with an affine gradient: of all coordinates, or of single ones that are independent.

The control variate and, where matrices couple coordinates, the local estimator take from here what probing finds.
"""

import numpy as np

from ngos_sim.known import gaussian_law, joint_flow
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.studies import start
from ngos_sim.studies.problems import last_time


def joint_problem(study, state, h):
    """Return the JointProblem of all coordinates of a study.

    Parameters
    ----------
    study : ConvergenceStudy
    state : ndarray, shape (d, slots)
        The start.
    h : float
        The step that the SDE reads.
    """
    d, oracle = study.dimension, study.oracle
    affine = affine_gradient(oracle.loss, d)
    hessian = affine.diagonal if oracle.loss.matrix is None else affine.matrix
    sigma = np.diag(np.broadcast_to(oracle.covariance, d)) if oracle.root is None else np.array(oracle.covariance)
    return JointProblem(
        hessian, affine.slope, sigma, state.T, study.t0, last_time(study), dict(study.rule.parameters), h
    )


class Equations:
    """The JointEquations of a study: an SDE is probed once for all points at which its functions are the same."""

    def __init__(self, study):
        self._study = study
        self._found: dict = {}
        self._served: set = set()

    def at(self, sde, at_zero_step, point):
        """Return the JointEquation of all coordinates at a point, or raise NoMoments."""
        study = self._study
        state = start.state(study.initial, study.rule.slots, study.dimension, point.eta2)
        return self.of(sde, joint_problem(study, state, 0.0 if at_zero_step else point.eta_e))

    def require_law(self, equation):
        """Raise NoMoments where the local estimator cannot carry errors along near a JointEquation's SDE.

        It has more autonomous slots than one, its means are not found, or it is not affine as far out as its law.
        """
        if equation not in self._served:
            joint_flow.require_one(equation)
            end = np.array([equation.problem.end])
            joint_flow.means(equation, end - equation.problem.t0)
            gaussian_law.sde_law(equation, end)
            self._served.add(equation)

    def of(self, sde, problem):
        """Return the JointEquation of an SDE, or raise NoMoments."""
        found = self._found.setdefault((id(sde), problem.key), [])
        for each in found:
            if each.problem.h == problem.h or not each.reads_step:
                return each
        found.append(JointEquation(sde, problem))
        return found[-1]


def laws(study, sde, point, state, terms, law):
    """Return law(JointEquation) of all coordinates; where they are independent {coordinate: that of it alone}.

    It is found once for coordinates that are alike.

    Parameters
    ----------
    study : ConvergenceStudy
    sde : SDE
    point : Point
    state : ndarray, shape (d, slots)
        The start.
    terms : list of (factor, {coordinate: ..})
        They hold the coordinates whose laws are needed.
    law : function (JointEquation) -> object
    """
    h, equations = point.eta_e, study.known.equations
    if study.oracle.is_dense:
        return law(equations.of(sde, joint_problem(study, state, h)))
    d, constants, end = study.dimension, dict(study.rule.parameters), last_time(study)
    affine, variance = affine_gradient(study.oracle.loss, d), np.broadcast_to(study.oracle.covariance, d)
    numbers = np.column_stack([affine.diagonal, affine.slope, variance, state])
    made: dict = {}
    found = {}
    for j in sorted({j for _, by in terms for j in by}):
        key = tuple(numbers[j].tolist())
        if key not in made:
            hessian, slope, sigma, start = numbers[[j], 0], numbers[[j], 1], numbers[[j], 2:3], numbers[[j], 3:].T
            problem = JointProblem(hessian, slope, sigma, start, study.t0, end, constants, h)
            made[key] = law(equations.of(sde, problem))
        found[j] = made[key]
    return found
