"""Built-in losses that are neither linear nor quadratic: log-cosh, a quadratic with a sine, a double well.

Each satisfies Definition 2.5 of arXiv 2205.10287 in f: the gradient is Lipschitz and smooth, and every derivative is of
polynomial growth (docs/theory.md, "Losses and covariances"). They are made by the same `Loss` that a user has, of
arithmetic, exp, log, tanh, sin and cos alone, so that they vectorise and have the same bits on every engine.
"""

import math

from numpy.typing import ArrayLike

from ngos_sim.identity import built_in
from ngos_sim.oracles.losses import Loss
from ngos_sim.validation import greater

_LOG2 = math.log(2.0)


def _log_cosh_gradient(theta, p):
    return math.tanh(theta / p.width)


def _log_cosh_value(theta, p):
    x = abs(theta / p.width)
    return p.width * (x - _LOG2 + math.log(1.0 + math.exp(-2.0 * x)))


def _log_cosh_curvature(theta, p):
    slope = math.tanh(theta / p.width)
    return (1.0 - slope * slope) / p.width


@built_in
def log_cosh(width: ArrayLike) -> Loss:
    """Log-cosh loss, f(theta) = sum_i width_i log cosh(theta_i / width_i) (docs/theory.md, "Losses and covariances").

    The gradient tanh(theta / width) is bounded, and Lipschitz with the constant 1 / width: quadratic within the width
    of the one minimum, theta = 0, and linear beyond it. Within Definition 2.5 of arXiv 2205.10287.

    Parameters
    ----------
    width : float or sequence of float, shape (d,)
        Positive.

    Raises
    ------
    ValueError
        `width` is not positive, or not finite.

    Examples
    --------
    >>> log_cosh(width=[1.0, 2.0]).dimension
    2
    """
    return Loss(
        "log-cosh", _log_cosh_gradient, _log_cosh_value, _log_cosh_curvature, width=greater("width", width, 0.0)
    )


def _sine_gradient(theta, p):
    return p.hessian * theta + p.amplitude * p.frequency * math.cos(p.frequency * theta)


def _sine_value(theta, p):
    return 0.5 * p.hessian * theta * theta + p.amplitude * math.sin(p.frequency * theta)


def _sine_curvature(theta, p):
    return p.hessian - p.amplitude * p.frequency * p.frequency * math.sin(p.frequency * theta)


@built_in
def sine_quadratic(hessian: ArrayLike, amplitude: ArrayLike, frequency: ArrayLike) -> Loss:
    """Quadratic loss with a wave, sum_i H theta_i^2 / 2 + a sin(b theta_i) (docs/theory.md, "Losses and covariances").

    The gradient is Lipschitz with the constant |H| + |a| b^2. The loss is convex where |a| b^2 <= H, and may have
    several minima beyond. Within Definition 2.5 of arXiv 2205.10287. The library's sine reaches to |b theta| = 1e12.

    Parameters
    ----------
    hessian, amplitude, frequency : float or sequence of float, shape (d,)
        H, a and b.

    Raises
    ------
    ValueError
        One is not finite, or two lengths differ.

    Examples
    --------
    >>> sine_quadratic(hessian=1.0, amplitude=0.5, frequency=[2.0, 3.0]).dimension
    2
    """
    functions = (_sine_gradient, _sine_value, _sine_curvature)
    return Loss("sine-quadratic", *functions, hessian=hessian, amplitude=amplitude, frequency=frequency)


def _well_gradient(theta, p):
    square, width2 = theta * theta, p.width * p.width
    return p.hessian * theta * (square - p.minimum * p.minimum) / (square + width2)


def _well_value(theta, p):
    square, width2 = theta * theta, p.width * p.width
    return 0.5 * p.hessian * (square - (p.minimum * p.minimum + width2) * math.log(1.0 + square / width2))


def _well_curvature(theta, p):
    square, width2 = theta * theta, p.width * p.width
    both = square + width2
    return p.hessian * (1.0 - (p.minimum * p.minimum + width2) * (width2 - square) / (both * both))


@built_in
def double_well(hessian: ArrayLike, minimum: ArrayLike, width: ArrayLike) -> Loss:
    """Double well of quadratic growth, minima at +-minimum (derived in docs/theory.md, "Losses and covariances").

    With H the curvature far out, m the minimum and w the width of the barrier

        f(theta) = sum_i H/2 (theta_i^2 - (m^2 + w^2) log(1 + theta_i^2 / w^2))
        f' = H theta (theta^2 - m^2) / (theta^2 + w^2)

    The maximum at 0 has the curvature -H m^2 / w^2, each minimum 2 H m^2 / (m^2 + w^2), and the barrier between them
    is H/2 ((m^2 + w^2) log(1 + m^2 / w^2) - m^2). The gradient is Lipschitz with the constant
    H max(m^2 / w^2, 1 + (m^2 + w^2) / (8 w^2)): within Definition 2.5 of arXiv 2205.10287, as the polynomial well
    (theta^2 - 1)^2 is not.

    Parameters
    ----------
    hessian, minimum, width : float or sequence of float, shape (d,)
        H, m and w, positive.

    Raises
    ------
    ValueError
        One is not positive, or not finite, or two lengths differ.

    Examples
    --------
    >>> double_well(hessian=1.0, minimum=[1.0, 2.0], width=0.5).dimension
    2
    """
    numbers = dict(hessian=hessian, minimum=minimum, width=width)
    positive = {name: greater(name, value, 0.0) for name, value in numbers.items()}
    return Loss("double-well", _well_gradient, _well_value, _well_curvature, **positive)
