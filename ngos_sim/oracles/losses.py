"""Losses: sums over coordinates, f(theta) = 1/2 theta^T H theta + sum_i f_i(theta_i), and joint ones, f(theta).

Of the former a Loss has gradient, value and curvature of one coordinate, of the latter functions of all of theta.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.identity import built_in
from ngos_sim.oracles import joint as whole
from ngos_sim.oracles.derivatives import check_derivative, check_gradient
from ngos_sim.oracles.objective import Objective, each_of
from ngos_sim.validation import (
    checked_function,
    checked_name,
    coordinate_parameters,
    described,
    dimension_of,
    keep,
    known_keywords,
    named_numbers,
    switch,
    symmetric_matrix,
)


def diagonal_of(matrix):
    """Return the diagonal of a matrix that is diagonal, or None."""
    diagonal = np.diag(matrix)
    return diagonal if np.array_equal(np.diag(diagonal), matrix) else None


@known_keywords()
@dataclass(frozen=True, init=False, eq=False)
class Loss(Objective):
    """A loss: a sum over coordinates, f(theta) = sum_i f_i(theta_i), perhaps with a quadratic form; or a joint one.

    Parameters
    ----------
    name : str
        What tables and study files call it.
    gradient, value, curvature : function (theta, p) -> float
        f_i', f_i and f_i'' of one coordinate; p holds the parameters of this coordinate by name.
        Each is held to be the derivative that it should be, on short intervals of many scales.
        Without `curvature` no rule may read `o.curvature` or `o.hessian_gradient`.
    matrix : sequence of sequence of float, shape (d, d), optional
        H, symmetric, of a quadratic form 1/2 theta^T H theta that is added to the sum.
    joint : bool
        Whether theta is all coordinates: a tuple of `dimension` floats, of which `gradient` makes a tuple of as many
        and `value` a float. There are no curvature and no matrix then, and `local` and `control_variate` do not serve.
    dimension : int, optional
        The number of coordinates of a joint loss, 2 to 16.
    **parameters : float or sequence of float
        The loss's own numbers: one, or one a coordinate. Of a joint loss each is one number.

    Raises
    ------
    ValueError, TypeError
        A parameter is not a finite number or vector, two lengths differ, the matrix is not symmetric, the gradient
        is not the derivative of the value, or the curvature not that of the gradient.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> bowl = ns.Loss(
    ...     "bowl",
    ...     gradient=lambda theta, p: theta / math.sqrt(p.width**2 + theta**2),
    ...     value=lambda theta, p: math.sqrt(p.width**2 + theta**2),
    ...     width=[1.0, 2.0],
    ... )
    >>> bowl.dimension
    2
    >>> product = ns.Loss(
    ...     "product",
    ...     gradient=lambda theta, p: (p.factor * theta[1], p.factor * theta[0]),
    ...     value=lambda theta, p: p.factor * theta[0] * theta[1],
    ...     joint=True,
    ...     dimension=2,
    ...     factor=3.0,
    ... )
    >>> product.gradient_at([1.0, 2.0])
    array([6., 3.])
    """

    name: str
    gradient: Callable
    value: Callable
    curvature: Callable | None
    matrix: tuple[tuple[float, ...], ...] | None
    joint: bool
    dimension: int | None
    parameters: Mapping[str, float | tuple[float, ...]]

    def __init__(
        self,
        name: str,
        gradient: Callable,
        value: Callable,
        curvature: Callable | None = None,
        matrix: Sequence[Sequence[float]] | np.ndarray | None = None,
        joint: bool = False,
        dimension: int | None = None,
        **parameters: ArrayLike,
    ) -> None:
        owner = f"loss {checked_name('Loss', name)!r}"
        functions = {"value": value, "gradient": gradient, "curvature": curvature}
        if joint := switch(f"{owner}: joint", joint):
            dimension = whole.checked_dimension(owner, dimension)
            held = _of_joint(owner, functions, matrix, dimension, parameters)
        elif dimension not in (None, *(len(one) for one in (matrix, *parameters.values()) if np.iterable(one))):
            raise ValueError(f"{owner}: dimension={dimension!r} is that of a joint loss; give joint=True, or vectors")
        else:
            matrix, held = _of_coordinates(owner, functions, matrix, parameters)
            dimension = dimension_of(held) if matrix is None else len(matrix)
        keep(self, name=name, gradient=gradient, value=value, curvature=curvature)
        keep(self, matrix=matrix, joint=joint, dimension=dimension, parameters=held)

    @property
    def coupling(self) -> str:  # type: ignore[override]
        """Why no moments are known of it, as a clause; "" where it is a sum over coordinates, perhaps with a matrix."""
        return f"loss {self.name!r} couples its coordinates" if self.joint else ""

    def value_at(self, theta: ArrayLike) -> float:
        """Return f(theta), a float; theta : a number a coordinate."""
        x = whole.at(theta, self.dimension)
        if self.joint:
            return whole.number(f"loss {self.name!r}", "value", self.value, x, self.parameters)
        quadratic = 0.0 if self.matrix is None else 0.5 * float(np.array(x) @ np.array(self.matrix) @ x)
        return quadratic + sum(map(self.value, x, each_of(self.parameters, len(x))))

    def gradient_at(self, theta: ArrayLike) -> np.ndarray:
        """Return grad f(theta), shape (d,); theta : a number a coordinate."""
        x = whole.at(theta, self.dimension)
        if self.joint:
            return whole.vector(f"loss {self.name!r}", "gradient", self.gradient, x, self.parameters)
        own = np.array(list(map(self.gradient, x, each_of(self.parameters, len(x)))), dtype=np.float64)
        return own if self.matrix is None else np.array(self.matrix) @ x + own


def _of_joint(owner, functions, matrix, dimension, parameters):
    """Return the parameters of a joint loss, checked with its functions."""
    for key, given in {"curvature": functions["curvature"], "matrix": matrix}.items():
        if given is not None:
            raise ValueError(f"{owner}: a joint loss has no {key}; allowed: gradient and value alone")
    held = named_numbers(owner, parameters)
    value, gradient = (checked_function(owner, key, functions[key]) for key in ("value", "gradient"))
    check_gradient(owner, value, gradient, held, dimension)
    return held


def _of_coordinates(owner, functions, matrix, parameters):
    """Return matrix and parameters of a sum over coordinates, checked with its functions."""
    others = {}
    if matrix is not None:
        square = symmetric_matrix("matrix", matrix)
        if square is None:
            raise ValueError(f"{owner}: matrix={described(matrix)} is not a matrix of numbers")
        matrix = tuple(map(tuple, square.tolist()))
        others["matrix"] = len(matrix)
    held = coordinate_parameters(owner, parameters, **others)
    known = {key: function for key, function in functions.items() if (key, function) != ("curvature", None)}
    named = [(key, checked_function(owner, key, function)) for key, function in known.items()]
    for function, derivative in itertools.pairwise(named):
        check_derivative(owner, function, derivative, held)
    return matrix, held


def _quadratic_gradient(theta, p):
    return p.hessian * theta


def _quadratic_value(theta, p):
    return 0.5 * p.hessian * theta * theta


def _quadratic_curvature(theta, p):
    return p.hessian


@built_in
def quadratic(hessian: ArrayLike) -> Loss:
    """Quadratic loss.

    f(theta) = 1/2 theta^T H theta, the convex test problem of arXiv 1811.01558, section 4.

    Parameters
    ----------
    hessian : float, sequence of float, shape (d,), or matrix, shape (d, d)
        The Hessian H: one number on its diagonal, its diagonal, or all of it, symmetric.

    Raises
    ------
    ValueError
        `hessian` is not finite, or a matrix that is not symmetric.

    Examples
    --------
    >>> quadratic([0.9, 2.0]).dimension
    2
    >>> quadratic([[1.0, 0.3], [0.3, 2.0]]).matrix
    ((1.0, 0.3), (0.3, 2.0))
    """
    matrix = symmetric_matrix("hessian", hessian)
    if matrix is not None:
        hessian = diagonal_of(matrix)
        if hessian is None:
            return Loss("quadratic", _nothing, _nothing, _nothing, matrix=matrix)
    return Loss("quadratic", _quadratic_gradient, _quadratic_value, _quadratic_curvature, hessian=hessian)


def _nothing(theta, p):
    return 0.0


@dataclass(frozen=True)
class AffineGradient:
    """The gradient H theta + slope of a loss.

    hessian : ndarray, shape (d,), the diagonal of H; or (d, d) where the loss has a matrix
    slope : ndarray, shape (d,)
    """

    hessian: np.ndarray
    slope: np.ndarray

    @property
    def diagonal(self):
        """The diagonal of H, shape (d,)."""
        return self.hessian if self.hessian.ndim == 1 else np.diag(self.hessian)

    @property
    def matrix(self):
        """H, shape (d, d)."""
        return np.diag(self.hessian) if self.hessian.ndim == 1 else self.hessian


def affine_gradient(loss, dimension):
    """Return the AffineGradient of a loss made of the built-in functions and perhaps a matrix, or None for any other.

    H is the matrix and what the coordinates' own functions add to its diagonal, whatever the loss's other parameters.
    """
    if loss.joint:
        return None
    own = {
        (_nothing, _nothing): ((), ()),
        (_quadratic_gradient, _quadratic_value): (("hessian",), ()),
        (_linear_gradient, _linear_value): ((), ("slope",)),
    }.get((loss.gradient, loss.value))
    if own is None:
        return None
    hessian, slope = (sum((np.asarray(loss.parameters[name]) for name in names), np.zeros(dimension)) for names in own)
    return AffineGradient(hessian if loss.matrix is None else np.array(loss.matrix) + np.diag(hessian), slope)


def _linear_gradient(theta, p):
    return p.slope


def _linear_value(theta, p):
    return p.slope * theta


def _linear_curvature(theta, p):
    return 0.0


@built_in
def linear(slope: ArrayLike) -> Loss:
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
