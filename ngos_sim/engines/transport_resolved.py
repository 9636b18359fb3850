"""How well the nodes that carry a law interpolate a function of one slot: what is finer than they are is not seen.

Means of a function are means of its interpolant, in theta between nodes of a lattice, in a slot of moments between the
nodes of a Gauss-Hermite rule. Sizes that all are too coarse may agree on a wrong mean, so what their differences say is
no uncertainty then. `estimators.transport_law` asks here before any law is carried.
"""

import math

import numpy as np

from ngos_sim.engines import transport_hermite
from ngos_sim.engines.transport_lattice import POINTS

_HALF = POINTS // 2
_OFFSETS = range(-_HALF, _HALF + 1)
_BETWEEN = (0.2, 0.35, 0.5)  # of a spacing: where a lattice's interpolant is looked at
_CENTRES = 65
_WIDE = np.linspace(-3.0, 3.0, 25)  # deviations over which a Gauss-Hermite rule's interpolant is looked at


def missed_by_lattice(function, low, high, spacing, rounding=0.0):
    """Return by how much the interpolant over 7 nodes of a lattice misses a function at most, over its range.

    Parameters
    ----------
    function : callable
        Of an array of the slot's values.
    low, high : float
    spacing : float
    rounding : float
        A range below it is one of rounding, and nothing is missed.

    Examples
    --------
    >>> missed_by_lattice(lambda x: x**6, -1.0, 1.0, 0.5) < 1e-12, missed_by_lattice(np.sin, 0.0, 50.0, 6.0) > 0.3
    (True, True)
    """
    nodes = low + spacing * np.arange(-_HALF, math.ceil((high - low) / spacing) + POINTS)
    values = function(nodes)
    windows = np.lib.stride_tricks.sliding_window_view(values, POINTS)
    middle = nodes[_HALF : len(nodes) - _HALF]
    missed, seen = 0.0, [values]
    for place in _BETWEEN:
        shares = [math.prod((place - j) / (i - j) for j in _OFFSETS if j != i) for i in _OFFSETS]
        exact = function(middle + place * spacing)
        missed = max(missed, float(np.max(np.abs(windows @ np.array(shares) - exact))))
        seen.append(exact)
    return _relative(missed, rounding, *seen)


def missed_by_moments(function, low, high, spread, polynomials, rounding=0.0):
    """Return by how much a Gauss-Hermite rule's interpolant misses a function at most, over its range.

    The root mean square under a normal of this spread, wherever between low and high that has its mean.

    Parameters
    ----------
    function : callable
        Of an array of the slot's values, a logarithm where the slot is held as one.
    low, high, spread : float
    polynomials : int
    rounding : float

    Examples
    --------
    >>> missed_by_moments(np.exp, -1.0, 1.0, 0.2, 7) < 1e-6, missed_by_moments(np.sin, 0.0, 1.0, 9.0, 7) > 0.3
    (True, True)
    """
    rule = transport_hermite.hermite(polynomials)
    onto = transport_hermite.values(_WIDE, polynomials).T @ rule.to_nodes
    density = np.exp(-0.5 * _WIDE * _WIDE)
    centres = np.linspace(low, high, _CENTRES)[:, None]
    at_nodes = function((centres + spread * rule.nodes).ravel()).reshape(_CENTRES, -1)
    exact = function((centres + spread * _WIDE).ravel()).reshape(_CENTRES, -1)
    squares = (at_nodes @ onto.T - exact) ** 2 @ (density / density.sum())
    return _relative(math.sqrt(float(np.max(squares))), rounding, exact)


def _relative(missed, rounding, *values):
    """Return what is missed over the range of values; 0 where that is rounding."""
    highest, lowest = (float(which([which(each) for each in values])) for which in (np.max, np.min))
    if not math.isfinite(highest - lowest):
        return math.inf
    rounding = max(rounding, 1e-12 * max(abs(highest), abs(lowest)))
    return missed / (highest - lowest) if highest - lowest > rounding else 0.0
