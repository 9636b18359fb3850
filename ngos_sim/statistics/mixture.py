"""Quantiles of an average of normal laws: what is known where shapes of the further terms share the likelihood.

`interval` takes the ends of an order's interval from it, `theorem` those of a constant's.
"""

import math

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL

_HALVINGS, _ROOT_HALF = 60, math.sqrt(0.5)
_NOTHING = 1e-18  # of the greatest weight
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
    counts = weight > _NOTHING * weight.max()
    centre, below, above, weight = centre[counts], below[counts], above[counts], weight[counts] / weight[counts].sum()
    low, high = max(ends[0], (centre - _BEYOND * below).min()), min(ends[1], (centre + _BEYOND * above).max())
    found = np.array(wanted, dtype=np.float64)
    _bisect(found, low, high, centre, below, above, weight)
    return found


@njit(**KERNEL)
def _bisect(wanted, low, high, centre, below, above, weight):
    """Put the quantile in place of every share that is wanted."""
    for i in range(len(wanted)):
        left, right, middle = low, high, 0.5 * (low + high)
        for _ in range(_HALVINGS):
            share = 0.0
            for j in range(len(centre)):
                away = (middle - centre[j]) / (below[j] if middle < centre[j] else above[j])
                share += weight[j] * 0.5 * math.erfc(-away * _ROOT_HALF)
            if share < wanted[i]:
                left = middle
            else:
                right = middle
            before, middle = middle, 0.5 * (left + right)
            if middle == before:
                break
        wanted[i] = middle
