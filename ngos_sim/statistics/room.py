"""What the compiled `likelihood` reads, and where it works; `expansion` makes both."""

from typing import NamedTuple

import numpy as np


class Errors(NamedTuple):
    """What a likelihood reads of an Expansion.

    s, error, sigma : ndarray, shape (points,)
    kernels : ndarray, shape (all shapes, points, points); scale^2 sum_j (t t')^j
    spacing : float
    by_largest : whether the further terms are measured by the greatest |e| / s^p, what leaves C free to be 0, or by C,
        as those of a series whose leading term leads: what tells an order from the one below
    column : shape (points,), a further term with a free coefficient; or of length 0, none
    """

    s: np.ndarray
    error: np.ndarray
    sigma: np.ndarray
    kernels: np.ndarray
    spacing: float
    by_largest: bool
    column: np.ndarray


class Room(NamedTuple):
    """Where a likelihood is computed.

    power, own, scaled : shape (points,); of an exponent p, by `_prepare`: s^p, standard errors, the size of the leading
        term over these
    columns, whitened : shape (3, points); the further term, the leading one and the errors over standard errors, and
        these times the inverse of the factor
    factor : shape (points, points), of the covariance over standard errors, lower triangle
    """

    power: np.ndarray
    own: np.ndarray
    scaled: np.ndarray
    columns: np.ndarray
    whitened: np.ndarray
    factor: np.ndarray


def room(points):
    """Return the Room of so many points."""
    return Room(*np.empty((3, points)), *np.empty((2, 3, points)), np.empty((points, points)))
