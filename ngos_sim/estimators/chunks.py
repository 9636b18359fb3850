"""Sums of chunks -> means and standard errors."""

from statistics import NormalDist

import numpy as np


def means(sums, trajectories):
    """Return mean and standard error of every observable.

    Parameters
    ----------
    sums : ndarray, shape (chunks, ..., 2) float64
        Sums and sums of squares over the trajectories of each chunk.
    trajectories : int
        How many there are in all.

    Returns
    -------
    mean, std_error : ndarray, shape (...) float64
        std_error is the trajectories' standard deviation over the root of their number; where rounding
        makes a variance of nothing negative it is 0.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        total = sums.sum(axis=0)
        mean = total[..., 0] / trajectories
        variance = (total[..., 1] - trajectories * mean**2) / (trajectories - 1)
        return mean, np.sqrt(np.maximum(variance, 0.0) / trajectories)


def normal_quantile(level):
    """Return z with P(|Z| < z) = level."""
    return NormalDist().inv_cdf(0.5 + 0.5 * level)
