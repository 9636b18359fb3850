"""How a function grows far out, of one coordinate or on a ray, as far as plain Python can evaluate it.

`oracles.variances` asks at these POINTS whether a variance is negative; `studies.outside` whether a gradient
grows faster than theta, or a variance at all.
"""

import math

import numpy as np

_DECADES, _EACH = range(-8, 8), 8
_SIZES = 1.3717 * 10.0 ** np.arange(_DECADES.start, _DECADES.stop, 1.0 / _EACH)  # irregular: no zeros of a wave
POINTS = np.concatenate([[0.0], np.stack([_SIZES, -_SIZES], axis=1).ravel()])
_BETWEEN, _GOLDEN = 8, 0.6180339887  # rays that are no axes, and what spreads their coordinates
_SPAN = 3  # decades at most between the two whose largest values are compared


def sampled(function):
    """Return what a function of theta says at POINTS, ascending in |theta|; NaN where it fails or says no number."""
    with np.errstate(all="ignore"):
        return np.array([_value(function, theta) for theta in POINTS.tolist()])


def _value(function, theta):
    try:
        return float(function(theta))
    except Exception:  # whatever a user's function raises, the study's first step names it if it matters
        return math.nan


def power(function):
    """Return p where the largest |function| over a decade grows like |theta|^p, far out; 0 where nothing is seen.

    Between the last decade below 1e8 in which the function is finite throughout, and one up to three before it: what
    overflows is judged by where it does not.
    """
    values = np.abs(sampled(function)[1:].reshape(len(_DECADES), 2 * _EACH))
    whole = [at for at, row in zip(_DECADES, values, strict=True) if at >= 0 and np.all(np.isfinite(row))]
    if len(whole) < 2:
        return 0.0
    last = whole[-1]
    first = next(at for at in whole if last - at <= _SPAN)
    low, high = (values[at - _DECADES.start].max() for at in (first, last))
    return math.log10(high / low) / (last - first) if low > 0.0 and high > 0.0 else 0.0


def rays(dimension):
    """Return directions, shape (rays, d), of which a function of all of theta is looked at: axes, and between them."""
    spread = 0.4 + 1.2 * np.modf(np.outer(np.arange(1, _BETWEEN + 1), (np.arange(dimension) + 1.0) * _GOLDEN))[0]
    signs = np.where(np.arange(_BETWEEN)[:, None] >> (np.arange(dimension) % 3) & 1, -1.0, 1.0)
    return np.concatenate([np.eye(dimension), signs * spread])
