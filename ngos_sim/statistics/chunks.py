"""Sums of chunks (`statistics.sums`) -> means, standard errors, simultaneous bands over times."""

from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

_DRAWS = 4000


class Measured(NamedTuple):
    """Means over trajectories and their standard errors, each of shape (records, test functions, observables)."""

    mean: np.ndarray
    std_error: np.ndarray


def means(total, trajectories):
    """Return mean and standard error of every observable: what was Measured.

    Parameters
    ----------
    total : ndarray, shape (..., 2) float64
        Sums over all trajectories, and sums of squared deviations from their mean.
    trajectories : int
        How many there are.

    Returns
    -------
    mean, std_error : ndarray, shape (...) float64
        std_error is the trajectories' standard deviation over the root of their number.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        return Measured(total[..., 0] / trajectories, np.sqrt(total[..., 1] / (trajectories - 1) / trajectories))


def relative_error_of_std_error(std_errors):
    """Return how well a standard error is known, as a part of itself: its own standard error, shape (times,).

    By the spread of its square over independent groups of trajectories: half of sd / (mean sqrt(groups)).
    N trajectories of kurtosis k give sqrt((k - 1) / N) / 2; where the fourth moment is not finite, few carry it.

    Parameters
    ----------
    std_errors : ndarray, shape (groups, times) float64
    """
    squares = std_errors * std_errors
    mean = squares.mean(axis=0)
    spread = squares.std(axis=0, ddof=1) / np.sqrt(len(squares))
    return 0.5 * np.divide(spread, mean, out=np.zeros_like(mean), where=mean > 0.0)


def normal_quantile(level):
    """Return z with P(|Z| < z) = level."""
    return NormalDist().inv_cdf(0.5 + 0.5 * level)


def simultaneous_quantile(groups, times, level):
    """Return z with P(|Z_t| < z at all times t) = level, for jointly normal Z_t of variance 1.

    Their correlation is that of the group means (a Gaussian multiplier bootstrap, Chernozhukov, Chetverikov
    and Kato 2013, with fixed draws); without groups Sidak's inequality serves (Sidak 1967).

    Parameters
    ----------
    groups : ndarray, shape (groups, times) float64
        Means over independent groups of trajectories, or none.
    times : int
    level : float
    """
    if len(groups) == 0 or not np.all(np.isfinite(groups)):
        return normal_quantile(level ** (1.0 / times))
    centred = groups - groups.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    moving = length > 1e-12 * np.abs(groups).max(axis=0)
    if moving.sum() < 2:
        return normal_quantile(level)
    largest = np.abs(_normals(len(groups)) @ (centred[:, moving] / length[moving])).max(axis=1)
    return max(normal_quantile(level), float(np.quantile(largest, level)))


@cache
def _normals(groups):
    return np.random.default_rng(0).standard_normal((_DRAWS, groups))
