"""Which of two numbers, measured on the same trajectories, is closer to 0: groups of trajectories, Student's t.

`studies.ranking` compares errors with it (docs/theory.md, "Two errors on one stream").
"""

import numpy as np
from scipy import special


def std_error_of_groups(groups, parts):
    """Return the standard error of a mean over all trajectories from its means over independent groups of them.

    The standard deviation of the groups' means over the root of `parts`; what several means have in common on every
    trajectory is in it, so that it serves the difference of two as well. Fewer than two groups tell nothing: NaN.

    Parameters
    ----------
    groups : ndarray, shape (groups, ...) float64
        Means over groups of one size.
    parts : float
        How many such groups all trajectories are: those that belong to no whole group count as well.

    Returns
    -------
    std_error : ndarray, shape (...) float64
    """
    if len(groups) < 2:
        return np.full(groups.shape[1:], np.nan)
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        return groups.std(axis=0, ddof=1) / np.sqrt(parts)


def student_quantile(level, groups):
    """Return t with P(|T| < t) = level, T Student's of groups - 1 degrees of freedom; NaN for fewer than two groups."""
    return float(-special.stdtrit(groups - 1, 0.5 - 0.5 * level)) if groups > 1 else np.nan


def closer(difference, total, quantile):
    """Return which of two numbers a and b is closer to 0: -1 for a, 1 for b, 0 where that is not resolved.

    |a| < |b| where (a - b)(a + b) < 0, and that sign is known where those of both factors are. Each is tested, and one
    that says which is closer errs as often as one of them does at most: an intersection-union test (Berger 1982).

    Parameters
    ----------
    difference, total : (ndarray, ndarray)
        a - b and a + b, each with its standard error.
    quantile : float
        How many standard errors a factor must exceed.
    """
    sign = np.ones_like(difference[0])
    for value, std_error in (difference, total):
        sign = sign * np.where(np.abs(value) > quantile * std_error, np.sign(value), 0.0)
    return sign.astype(int)
