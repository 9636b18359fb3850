"""The JointEquations of a study with an affine gradient: of all coordinates, or of single ones that are independent.

The control variate and, where matrices couple coordinates, the local estimator take from here what probing finds.
"""

import numpy as np

from ngos_sim.estimators import affine
from ngos_sim.known import gaussian_law, joint_flow
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from ngos_sim.oracles.losses import affine_gradient


def joint_problem(problem, h):
    """Return the JointProblem of all coordinates of a Problem; h : the step that the SDE reads."""
    d, oracle = problem.dimension, problem.oracle
    gradient = affine_gradient(oracle.loss, d)
    hessian = gradient.diagonal if oracle.loss.matrix is None else gradient.matrix
    sigma = np.diag(np.broadcast_to(oracle.covariance, d)) if oracle.root is None else np.array(oracle.covariance)
    numbers = (hessian, gradient.slope, sigma, problem.state.T, problem.t0, affine.last_time(problem))
    return JointProblem(*numbers, dict(problem.rule.parameters), h, problem.rule.clock)


class Equations:
    """The JointEquations of a study: an SDE is probed once for all points at which its functions are the same."""

    def __init__(self, problems):
        self._found: dict = {}
        self._served: set = set()

    def at(self, sde, at_zero_step, problem):
        """Return the JointEquation of all coordinates of a Problem, or raise NoMoments."""
        return self.of(sde, joint_problem(problem, 0.0 if at_zero_step else problem.h))

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


def laws(problem, sde, terms, law):
    """Return law(JointEquation) of all coordinates; where they are independent {coordinate: that of it alone}.

    It is found once for coordinates that are alike.

    Parameters
    ----------
    problem : Problem
    sde : SDE
    terms : list of Term
        They hold the coordinates whose laws are needed.
    law : function (JointEquation) -> object

    Raises
    ------
    NoMoments
        The SDE has no linear equation, or what `law` raises.
    """
    equations = problem.shared.once(Equations)
    if problem.oracle.is_dense:
        return law(equations.of(sde, joint_problem(problem, problem.h)))
    made: dict = {}
    found = {}
    for j, each in affine.coordinates(problem, {j for _, by in terms for j in by}, problem.h).items():
        if id(each) not in made:
            one, start = np.ones(1), np.array(each.start)[:, None]
            numbers = (each.hessian * one, each.slope * one, each.variance * one[:, None], start, each.t0, each.end)
            made[id(each)] = law(equations.of(sde, JointProblem(*numbers, each.constants, each.h, each.clock)))
        found[j] = made[id(each)]
    return found
