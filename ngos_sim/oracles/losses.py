"""Losses f(theta) = sum_i f_i(theta_i): gradient, value and curvature of one coordinate."""

import math
import numbers
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


def is_number(value):
    """Return whether a value is a finite int or float, and no bool."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return False
    return abs(value) <= sys.float_info.max  # also of an int too large to convert


def coordinate_values(name, value):
    """Return a number or a vector as a tuple of finite floats; raise ValueError by `name`."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iuf" and array.size:
        raise TypeError(f"{name}={value!r} is not a number or a vector of numbers")
    if array.ndim > 1:
        shape = "x".join(str(n) for n in array.shape)
        raise ValueError(
            f"{name}={value!r} is a {shape} array; "
            "a scalar or a vector (a diagonal) is allowed, full matrices are not built yet"
        )
    array = array.astype(np.float64)
    if array.size == 0 or not np.all(np.isfinite(array)):
        raise ValueError(f"{name}={value!r} must hold finite numbers")
    return tuple(float(v) for v in np.atleast_1d(array))


@dataclass(frozen=True, init=False)
class Loss:
    """A loss that is a sum over coordinates, f(theta) = sum_i f_i(theta_i).

    Parameters
    ----------
    name : str
        What tables and study files call it.
    gradient, value, curvature : function (theta, p) -> float
        f_i', f_i and f_i'' of one coordinate; p holds the parameters of this coordinate by name.
        Without `curvature`, `o.curvature` is NaN.
    **parameters : float or sequence of float
        The loss's own numbers: one, or one a coordinate.

    Raises
    ------
    ValueError, TypeError
        A parameter is not a finite number or vector, or two vectors differ in length.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> log_cosh = ns.Loss(
    ...     "log_cosh",
    ...     gradient=lambda theta, p: math.tanh(theta / p.width),
    ...     value=lambda theta, p: p.width * math.log(math.cosh(theta / p.width)),
    ...     width=[1.0, 2.0],
    ... )
    >>> log_cosh.dimension
    2
    """

    name: str
    gradient: Callable
    value: Callable
    curvature: Callable
    parameters: Mapping[str, tuple[float, ...]]

    def __init__(self, name, gradient, value, curvature=None, **parameters):
        held = {key: coordinate_values(key, v) for key, v in parameters.items()}
        lengths = {key: len(v) for key, v in held.items() if len(v) > 1}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"loss {name!r}: parameters differ in length: {lengths}")
        for field, content in (
            ("name", name),
            ("gradient", gradient),
            ("value", value),
            ("curvature", curvature or _unknown),
            ("parameters", held),
        ):
            object.__setattr__(self, field, content)

    @property
    def dimension(self):
        """Number of coordinates that the parameters fix; None if all are scalars."""
        return max((len(v) for v in self.parameters.values() if len(v) > 1), default=None)


def _unknown(theta, p):
    return math.nan


def _quadratic_gradient(theta, p):
    return p.hessian * theta


def _quadratic_value(theta, p):
    return 0.5 * p.hessian * theta * theta


def _quadratic_curvature(theta, p):
    return p.hessian


def quadratic(hessian):
    """Diagonal quadratic loss.

    f(theta) = 1/2 sum_i hessian_i theta_i^2, the convex test problem of arXiv 1811.01558, section 4.

    Parameters
    ----------
    hessian : float or sequence of float, shape (d,)
        The diagonal of the Hessian H.

    Raises
    ------
    ValueError
        `hessian` is a matrix or not finite.

    Examples
    --------
    >>> quadratic([0.9, 2.0]).dimension
    2
    """
    return Loss("quadratic", _quadratic_gradient, _quadratic_value, _quadratic_curvature, hessian=hessian)


def affine_gradient(loss):
    """Return (hessian, slope), tuples, of a loss with gradient hessian theta + slope, or None: built-ins only."""
    if (loss.gradient, loss.value) == (_quadratic_gradient, _quadratic_value):
        return loss.parameters["hessian"], (0.0,)
    if (loss.gradient, loss.value) == (_linear_gradient, _linear_value):
        return (0.0,), loss.parameters["slope"]
    return None


def _linear_gradient(theta, p):
    return p.slope


def _linear_value(theta, p):
    return p.slope * theta


def _linear_curvature(theta, p):
    return 0.0


def linear(slope):
    """Linear loss.

    f(theta) = sum_i slope_i theta_i: the constant-gradient problem of arXiv 2205.10287, section 4.1.

    Parameters
    ----------
    slope : float or sequence of float, shape (d,)
        The gradient.

    Raises
    ------
    ValueError
        `slope` is a matrix or not finite.

    Examples
    --------
    >>> linear([0.7, -0.2]).parameters
    {'slope': (0.7, -0.2)}
    """
    return Loss("linear", _linear_gradient, _linear_value, _linear_curvature, slope=slope)
