"""Fields: what makes rows of a process, a number a coordinate, where the oracle couples coordinates.

Before each step of a process its field writes the rows pull, xi and spread that `program.move` reads: (grad f)_i,
(Sigma^(1/2) zeta)_i and Sigma_ii. `estimators.assembly` gives a Process its field; engines evaluate it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ngos_sim.arithmetic import matvec, row_squares
from ngos_sim.engines.observation import named, reads_attribute
from ngos_sim.oracles.minibatches import Minibatches


@dataclass(frozen=True)
class JointField:
    """Functions of all of theta, a tuple of d numbers; None for what does not couple coordinates.

    gradient(theta, a) -> grad f, a tuple of d numbers; a : the loss's numbers, a tuple
    mixed(theta, zeta, s) -> R(theta) zeta, a tuple of d numbers, Sigma = R R^T; s : the covariance's numbers
    variance(theta, s) -> the diagonal of Sigma, a tuple of d numbers
    """

    gradient: Callable | None = None
    mixed: Callable | None = None
    variance: Callable | None = None


def joint_field(oracle):
    """Return the JointField of an oracle whose loss or covariance is a function of all of theta; None of any other."""
    gradient = _gradient(oracle.loss) if oracle.loss.joint else None
    mixed, variance = _of_root(oracle.covariance) if oracle.variance is None else (None, None)
    return JointField(gradient, mixed, variance) if gradient or mixed else None


def _gradient(loss):
    gradient, numbers = loss.gradient, named("Loss", loss.parameters)
    return lambda theta, a: gradient(theta, numbers(*a))


def _of_root(covariance):
    """Return R zeta and the diagonal of R R^T as functions."""
    root, numbers = covariance.root, named("Covariance", covariance.parameters)
    zeros = (0.0,) * covariance.dimension
    return (
        lambda theta, zeta, s: matvec(root(theta, numbers(*s)), zeta, zeros),
        lambda theta, s: row_squares(root(theta, numbers(*s))),
    )


@dataclass(frozen=True)
class DataField:
    """Gradients of data.

    slope(margin, y) : phi', the derivative of a sample's loss phi(x . theta, y) in its margin x . theta
    weights : of the minibatches of a step, (1.0,), or of SVAG two
    batch : samples of a minibatch; 0 where all samples are taken, with their noise Sigma^(1/2) dW: an SDE
    spread : whether its step reads Sigma_ii
    """

    slope: Callable
    weights: tuple[float, ...] = (1.0,)
    batch: int = 0
    spread: bool = False


@dataclass(frozen=True)
class Data:
    """features : (n, d), targets : (n,), float64; l2 : of the term l2/2 |theta|^2."""

    features: np.ndarray
    targets: np.ndarray
    l2: float


def data_field(rule, oracle, noise, sigma):
    """Return the DataField of a process on an oracle of data; None of any other oracle.

    noise : that of its steps: Minibatches of an optimizer, at the noise scale sigma = 1 / sqrt(batch size)
    """
    if oracle.data is None:
        return None
    if isinstance(noise, Minibatches):
        return DataField(oracle.data.slope, noise.weights, round(1.0 / (sigma * sigma)))
    return DataField(oracle.data.slope, spread=reads_attribute(rule.step, "variance"))


def data_of(oracle):
    """Return the Data of an oracle, or None."""
    risk = oracle.data
    return None if risk is None else Data(risk.features, risk.targets, risk.l2)
