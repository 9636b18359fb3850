"""Quantiles of an average of normal laws: what is known where shapes of the further terms share the likelihood.

`interval` takes the ends of an order's interval from it, `theorem` those of a constant's.
"""

import numpy as np
from scipy import special

_HALVINGS = 60
_BEYOND = 9.0  # standard deviations from every centre, within which all quantiles that are asked for lie


def quantiles(wanted, centre, below, above, weight, ends=(-np.inf, np.inf)):
    """Return where the share of the average of laws is each of `wanted`, by bisection.

    Parameters
    ----------
    wanted : sequence of float
    centre, below, above : ndarray, shape (laws,)
        Each law's median and its standard deviations on either side.
    weight : ndarray, shape (laws,)
    ends : (float, float)
        Between which the quantiles are looked for.

    Returns
    -------
    ndarray, shape (wanted,)
    """
    wanted = np.asarray(wanted)
    low = np.full(len(wanted), max(ends[0], (centre - _BEYOND * below).min()))
    high = np.full(len(wanted), min(ends[1], (centre + _BEYOND * above).max()))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        away = middle[:, None] - centre
        share = special.ndtr(away / np.where(away < 0.0, below, above)) @ weight / weight.sum()
        low, high = np.where(share < wanted, middle, low), np.where(share < wanted, high, middle)
    return 0.5 * (low + high)
