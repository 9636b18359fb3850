"""All coordinates of a study at once: what couples them, and what an SDE's functions are affine in at one of them.

`joint_equation` probes an SDE's functions and `gaussian_law` a companion's step at each coordinate alone, where the
Hessian is a matrix with the gradient and (H grad f)_i as free numbers; the embedding says what these are.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ngos_sim.processes.rule import Oracle, Rule, oracle_of
from ngos_sim.processes.sde import SDE

_Told = oracle_of("gradient", "variance", "hessian_gradient")  # what is known where the Hessian is a matrix
_FREE = ("o.gradient", "o.hessian_gradient")


@dataclass(frozen=True)
class JointProblem:
    """Coordinates of a study at once.

    Parameters
    ----------
    hessian : ndarray, shape (d, d) where it is a matrix, else (d,)
    slope : ndarray, shape (d,)
    covariance : ndarray, shape (d, d)
    start : ndarray, shape (slots, d)
    t0, end : float
    constants : dict of str to float
        The optimizer's.
    h : float
        The time of one step of the optimizer, which coefficients may read.
    clock : str
        The optimizer's.
    """

    hessian: np.ndarray
    slope: np.ndarray
    covariance: np.ndarray
    start: np.ndarray
    t0: float
    end: float
    constants: dict[str, float]
    h: float
    clock: str = "eta2"

    @property
    def dimension(self):
        """The number of coordinates."""
        return len(self.slope)

    @property
    def is_matrix(self):
        """Whether the gradient of one coordinate depends on others."""
        return self.hessian.ndim == 2

    def oracle(self, j, theta, *free):
        """Return the Oracle of coordinate j at theta; where the Hessian is a matrix at these free numbers."""
        variance = float(self.covariance[j, j])
        if free:
            gradient, hessian_gradient = free
            return _Told(gradient, variance, hessian_gradient)
        hessian = float(self.hessian[j])
        gradient = hessian * theta + float(self.slope[j])
        return Oracle(gradient, variance, hessian, hessian * gradient)

    @cached_property
    def key(self):
        """What tells it from another problem of the same study, the step aside."""
        numbers = (self.hessian, self.slope, self.covariance, self.start)
        return (*(each.tobytes() for each in numbers), self.is_matrix, *self.constants.values())

    @cached_property
    def free(self):
        """What gradient and (H grad f)_i are of all theta and 1, shape (d, 2, d + 1)."""
        gradient = np.column_stack([self.hessian, self.slope])
        return np.stack([gradient, self.hessian @ gradient], axis=1)


def embedding(problem, linear):
    """Return what the numbers that a coordinate's functions are affine in are of all linear slots and 1.

    linear : tuple of int
        The linear slots, theta first.

    Returns
    -------
    ndarray, shape (d, numbers, len(linear) d + 1)
        Numbers: the own linear slots, then, where the Hessian is a matrix, those of `JointProblem.free`.
    """
    d, count = problem.dimension, len(linear)
    free = len(_FREE) if problem.is_matrix else 0
    found = np.zeros((d, count + free, count * d + 1))
    for j in range(d):
        found[j, np.arange(count), np.arange(count) * d + j] = 1.0
    if free:
        theta = linear.index(0)
        found[:, count:, theta * d : (theta + 1) * d] = problem.free[:, :, :-1]
        found[:, count:, -1] = problem.free[:, :, -1]
    return found


def rule_with_free_gradient(rule):
    """Return a rule whose gradient and (H grad f)_i are two more slots, which stay."""

    def step(x, o, z, c, p):
        return (*rule.step(x[:-2], _Told(x[-2], o.variance, x[-1]), z, c, p), *x[-2:])

    return Rule(rule.name, step, (*rule.slots, *_FREE), rule.schedule, rule.clock, **rule.parameters)


def with_free_gradient(sde):
    """Return an SDE whose gradient and (H grad f)_i are two more slots; as they have noise, none is autonomous."""

    def told(x, o):
        return x[:-2], _Told(x[-2], o.variance, x[-1])

    def drift(x, o, c, p):
        own, known = told(x, o)
        return (*sde.drift(own, known, c, p), 0.0, 0.0)

    def diffusion(x, o, c, p):
        own, known = told(x, o)
        rows = sde.diffusion(own, known, c, p)
        if isinstance(rows[0], tuple):
            return tuple((*row, 1.0, 1.0) for row in rows)
        return (*rows, 1.0, 1.0)

    return SDE(sde.name, drift, diffusion, (*sde.slots, *_FREE), sde.schedule, **sde.parameters)
