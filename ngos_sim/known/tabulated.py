"""A smooth function of the clock 0 <= s <= 1 as polynomials between equally spaced times.

Interpolation at Chebyshev's nodes; where the last coefficients of the series are of the size of rounding it is as
accurate as the values are (Trefethen 2013, Approximation Theory and Approximation Practice, chapter 3). A solver then
asks for an SDE's coefficients without a call of its Python functions. `joint_equation` makes them.
"""

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from ngos_sim.known.probing import NoMoments

_NODES = 20
_INTERVALS = tuple(2**k for k in range(1, 8))
_TAIL = 3  # coefficients that must have died out
_ROUNDING = 4e-14  # of the largest value in a row


class Tabulated:
    """The coefficients of an SDE, known at some times and accurate between them.

    Parameters
    ----------
    of : function (s) -> ndarray, shapes (n,) -> (n, rows, columns)
        s ascends. A row's values have one size.
    made : function of ndarray, shapes (n, rows, columns) -> (n, m)
        Linear: what is made of the coefficients at each time.
    name : str
        The SDE's.

    Raises
    ------
    NoMoments
        They are not smooth in time, or not finite.
    """

    def __init__(self, of, made, name):
        nodes = np.cos(np.pi * (np.arange(_NODES)[::-1] + 0.5) / _NODES)
        fit = np.linalg.inv(chebvander(nodes, _NODES - 1))
        for count in _INTERVALS:
            s = (np.arange(count)[:, None] + 0.5 * (1.0 + nodes)) / count
            values = of(s.ravel())
            values = values.reshape(count, _NODES, *values.shape[1:])
            if not np.all(np.isfinite(values)):
                continue
            series = np.einsum("kn,cnij->ckij", fit, values)
            size = np.abs(values).max(axis=(0, 1, 3))
            if np.all(np.abs(series[:, -_TAIL:]).max(axis=(0, 1, 3)) <= _ROUNDING * size):
                break
        else:
            raise NoMoments(f"the drift and diffusion of sde {name!r} are not smooth in time, or not finite")
        self._series = made(series.reshape(-1, *series.shape[2:])).reshape(count, _NODES, -1)

    def at(self, s):
        """Return what is made of them at a clock value, shape (m,), or at many, (n,) -> (n, m)."""
        s = np.asarray(s, dtype=np.float64)
        count = len(self._series)
        which = np.minimum((s * count).astype(int), count - 1)
        angle = np.arccos(np.clip(2.0 * (s * count - which) - 1.0, -1.0, 1.0))
        weights = np.cos(angle[..., None] * np.arange(_NODES))
        return (weights[..., None, :] @ self._series[which])[..., 0, :]
