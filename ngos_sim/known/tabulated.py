"""An SDE's coefficients over the clock 0 <= s <= 1 as polynomials on intervals, halved until they are accurate.

Interpolation at Chebyshev's nodes; where the last coefficients of the series are of the size of rounding it is as
accurate as the values are (Trefethen 2013, Approximation Theory and Approximation Practice, chapter 3). A solver then
asks for an SDE's coefficients without a call of its Python functions. `joint_equation` makes them.
"""

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from ngos_sim.known.probing import NoMoments

_NODES = 20
_TAIL = 3  # coefficients that must have died out
_ROUNDING = 4e-14  # of the largest value in a row
_OVER_TIME = 1e-15  # of it times the clock: what an interval about a root near 0 may leave in an integral
_GAP = 100.0  # tails by which neighbours may differ
_MOST, _NARROWEST = 500, 2.0**-30  # intervals, and their width: a jump has none that is narrow enough


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
        refused = f"the drift and diffusion of sde {name!r} are not smooth in time, or not finite"
        left, width = np.array([0.0, 0.5]), 0.5
        done, size = [], 0.0
        while len(left):
            s = left[:, None] + 0.5 * width * (1.0 + nodes)
            values = of(s.ravel())
            values = values.reshape(len(left), _NODES, *values.shape[1:])
            if len(done) + len(left) > _MOST or width < _NARROWEST or not np.all(np.isfinite(values)):
                raise NoMoments(refused)
            series = np.einsum("kn,cnij->ckij", fit, values)
            size = np.maximum(size, np.abs(values).max(axis=(0, 1, 3)))
            tails = np.abs(series[:, -_TAIL:]).max(axis=(1, 3))
            fine = np.all((tails <= _ROUNDING * size) | (tails * width <= _OVER_TIME * size), axis=1)
            done += zip(left[fine].tolist(), [width] * int(fine.sum()), series[fine], tails[fine], strict=True)
            width *= 0.5
            left = (left[~fine, None] + np.array([0.0, width])).ravel()
        columns = zip(*sorted(done, key=lambda each: each[0]), strict=True)
        self._left, self._width, found, tails = map(np.array, columns)
        begins = np.einsum("k,ckij->cij", (-1.0) ** np.arange(_NODES), found[1:])
        ends, begins = found.sum(axis=1), np.concatenate([begins, of(np.array([1.0]))])
        allowed = _GAP * (_ROUNDING * size + tails + np.concatenate([tails[1:], tails[-1:]]))
        if np.any(np.abs(ends - begins).max(axis=2) > allowed):  # a jump where an interval ends, outside its nodes
            raise NoMoments(refused)
        self._series = made(found.reshape(-1, *found.shape[2:])).reshape(len(found), _NODES, -1)

    def at(self, s):
        """Return what is made of them at clock values of any shape (..), shape (.., m)."""
        s = np.asarray(s, dtype=np.float64)
        which = np.maximum(np.searchsorted(self._left, s, "right") - 1, 0)
        angle = np.arccos(np.clip(2.0 * (s - self._left[which]) / self._width[which] - 1.0, -1.0, 1.0))
        weights = np.cos(angle[..., None] * np.arange(_NODES))
        return (weights[..., None, :] @ self._series[which])[..., 0, :]
