"""How fast the slots of an optimizer grow in one noise number: which moments of the noise law their powers need.

`studies.selection` asks, before a standard error is trusted.
"""

import math
from types import SimpleNamespace

import numpy as np

_LARGE = (1e6, 1e9)  # of the noise number: between them growth is read off
_LEFT = 0.05  # of the exponent: what lower powers leave there
_OTHERS = 0.7  # the noise of the other steps


def growth(rule, coordinate, h, rows):
    """Return by which power of a noise number each slot grows over some steps, shape (slots,); 1 at least.

    A step after another, as many as there are slots and more: u has the square of what theta had.

    Parameters
    ----------
    rule : Rule
    coordinate : Coordinate
    h : float
        Of a step.
    rows : list of tuple of float
        What the rule's schedule returns for each step.

    Returns
    -------
    list of float
        inf where a slot leaves the floats.
    """
    p = SimpleNamespace(**rule.parameters, eta2=h)

    def after(z):
        x, found = coordinate.start, []
        for row in rows:
            try:
                x = tuple(map(float, rule.step(x, coordinate.oracle(x[0]), z, row, p)))
            except (ArithmeticError, ValueError, TypeError):  # outside the domain
                x = (math.inf,) * len(x)
            found.append(x)
            z = _OTHERS
        return np.array(found)

    at_zero = after(0.0)
    with np.errstate(all="ignore"):
        small, large = (np.max([np.abs(after(sign * z) - at_zero) for sign in (1.0, -1.0)], axis=0) for z in _LARGE)
        powers = np.log(large / small) / math.log(_LARGE[1] / _LARGE[0])
    powers = np.where(np.isfinite(large) & np.isfinite(small), powers, np.inf)
    powers = np.where(large > 0.0, powers, 0.0)
    return np.maximum(1.0, np.ceil(powers - _LEFT).max(axis=0)).tolist()
