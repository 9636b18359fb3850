"""Covariances that are diagonal and depend on the state: Sigma_ii = S(theta_i), a scalar function with its numbers.

`oracles.ngos.NGOS` takes one as its covariance. The built-in ones satisfy Definition 2.5 of arXiv 2205.10287 in
Sigma^(1/2), which is bounded, Lipschitz and smooth (docs/theory.md, "Losses and covariances").
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ngos_sim.identity import Value, built_in
from ngos_sim.oracles.derivatives import coordinates, value_at
from ngos_sim.oracles.growth import POINTS
from ngos_sim.validation import (
    checked_function,
    checked_name,
    coordinate_parameters,
    dimension_of,
    greater,
    keep,
    known_keywords,
)


@known_keywords()
@dataclass(frozen=True, init=False, eq=False)
class Variance(Value):
    """A covariance that is diagonal and depends on the state, Sigma_ii = S(theta_i; numbers of coordinate i).

    Definition 2.5 of arXiv 2205.10287 asks that its root be bounded, Lipschitz and smooth.

    Parameters
    ----------
    name : str
        What study files and `study.json` call it.
    function : function (theta, p) -> float
        Sigma_ii of one coordinate; p holds the parameters of this coordinate by name. Held not to be negative, at
        theta = 0 and at points of every decade from 1e-8 to 1e8.
    **parameters : float or sequence of float
        Its own numbers: one, or one a coordinate.

    Raises
    ------
    ValueError, TypeError
        A parameter is not a finite number or vector, two lengths differ, or the function is negative somewhere or
        gives no number.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> ns.Variance("tanh", lambda theta, p: 1.0 + p.slope * math.tanh(theta), slope=[0.5, 0.2]).dimension
    2
    >>> ns.Variance("linear", lambda theta, p: 1.0 + p.slope * theta, slope=0.5)
    Traceback (most recent call last):
    ...
    ValueError: covariance 'linear' is -0.21963 at theta=-2.4393; a variance must not be negative
    """

    name: str
    function: Callable
    parameters: Mapping[str, float | tuple[float, ...]]

    def __init__(self, name: str, function: Callable, **parameters: ArrayLike) -> None:
        owner = f"covariance {checked_name('Variance', name)!r}"
        held = coordinate_parameters(owner, parameters)
        checked_function(owner, "function", function)
        for p in coordinates(held).values():
            _check(owner, function, p)
        keep(self, name=name, function=function, parameters=held)

    @property
    def dimension(self) -> int | None:
        """Number of coordinates that the parameters fix; None if all are scalars."""
        return dimension_of(self.parameters)


def _check(owner, function, p):
    """Raise an error of one line where a function is negative or gives no number; where it is not defined, none."""
    with np.errstate(all="ignore"):
        values = np.array([value_at(owner, "function", function, theta, p) for theta in POINTS.tolist()])
    if np.any(values < 0.0):
        at = int(np.argmax(values < 0.0))
        raise ValueError(f"{owner} is {values[at]:.5g} at theta={POINTS[at]:.5g}; a variance must not be negative")


def _sine(theta, p):
    wave = math.sin(p.frequency * theta)
    return p.scale * p.scale * (1.0 + p.amplitude * wave * wave)


@built_in
def sine_variance(scale: ArrayLike, amplitude: ArrayLike, frequency: ArrayLike) -> Variance:
    """Noise that waves with theta, s^2 (1 + a sin^2(b theta_i)) (docs/theory.md, "Losses and covariances").

    Sigma_ii, within Definition 2.5 of arXiv 2205.10287: between s^2 and s^2 (1 + a), and a > -1 keeps the root smooth.

    Parameters
    ----------
    scale, amplitude, frequency : float or sequence of float, shape (d,)
        s, a and b; a is greater than -1.

    Raises
    ------
    ValueError
        `amplitude` is -1 or less, one is not finite, or two lengths differ.

    Examples
    --------
    >>> sine_variance(scale=1.0, amplitude=0.5, frequency=2.0).parameters
    {'scale': 1.0, 'amplitude': 0.5, 'frequency': 2.0}
    """
    amplitude = greater("amplitude", amplitude, -1.0)
    return Variance("sine", _sine, scale=scale, amplitude=amplitude, frequency=frequency)


def _lorentz(theta, p):
    return p.scale * p.scale / (1.0 + theta * theta) + p.floor * p.floor


@built_in
def lorentz_variance(scale: ArrayLike, floor: ArrayLike) -> Variance:
    """Noise that is largest at 0, s^2 / (1 + theta_i^2) + s1^2 (docs/theory.md, "Losses and covariances").

    Sigma_ii, within Definition 2.5 of arXiv 2205.10287: between s1^2 and s^2 + s1^2, its root Lipschitz and smooth.

    Parameters
    ----------
    scale, floor : float or sequence of float, shape (d,)
        s and s1.

    Raises
    ------
    ValueError
        One is not finite, or two lengths differ.

    Examples
    --------
    >>> lorentz_variance(scale=[1.0, 0.5], floor=0.2).dimension
    2
    """
    return Variance("lorentz", _lorentz, scale=scale, floor=floor)
