"""What an oracle asks of an f and of a Sigma that couples coordinates, whatever they are made of.

`oracles.losses` and `oracles.covariances` have functions of theta, data have samples; `oracles.ngos.NGOS` takes them.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.identity import Value


class Objective(Value):
    """What an oracle's f may be: a Loss, or the empirical risk of data.

    joint : whether f couples coordinates otherwise than by a matrix
    matrix : H of a quadratic form that is added to a sum over coordinates, or None
    curvature : f_i'' of a sum over coordinates where it is known, else None
    parameters : its own numbers by name
    dimension : the number of coordinates that it fixes, or None
    coupling : why no moments are known of it, as a clause; "" where it is a sum, perhaps with a matrix
    """

    name: str
    joint: bool
    matrix: tuple[tuple[float, ...], ...] | None
    curvature: Callable | None
    parameters: Mapping[str, float | tuple[float, ...]]
    dimension: int | None
    coupling: str

    @abstractmethod
    def value_at(self, theta: ArrayLike) -> float:
        """Return f(theta), a float; theta : a number a coordinate."""

    @abstractmethod
    def gradient_at(self, theta: ArrayLike) -> np.ndarray:
        """Return grad f(theta), shape (d,); theta : a number a coordinate."""


class CoupledCovariance(Value):
    """What an oracle's Sigma may be where it couples coordinates and depends on the state.

    parameters : its own numbers by name
    dimension : the number of coordinates
    coupling : why no moments are known under it, as a clause
    """

    name: str
    parameters: Mapping[str, float]
    dimension: int
    coupling: str

    @abstractmethod
    def covariance_at(self, theta: ArrayLike) -> np.ndarray:
        """Return Sigma(theta), an array of d rows of d numbers."""


def each_of(parameters, dimension):
    """Return what p holds in each coordinate, parameters being numbers or tuples of one number a coordinate."""
    columns = [np.broadcast_to(value, dimension).tolist() for value in parameters.values()]
    rows = zip(*columns, strict=True) if columns else [()] * dimension
    return [SimpleNamespace(**dict(zip(parameters, row, strict=True))) for row in rows]
