"""Sums of chunks -> means, standard errors, simultaneous bands over times."""

from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import CHUNK

GROUPS = 64  # groups of chunks that a covariance over times needs; at most twice as many are kept
_DRAWS = 4000


class Measured(NamedTuple):
    """Means over trajectories and their standard errors, each of shape (records, test functions, observables)."""

    mean: np.ndarray
    std_error: np.ndarray


class Sums:
    """The sums of a job's chunks, added in the order of the chunks: memory does not grow with them.

    Whoever keeps chunks to go on from must keep each one's and add them again in their order: the total alone loses the
    groups, by which bands and what is said of standard errors are made.

    Parameters
    ----------
    each : int
        Trajectories of a chunk.

    Attributes
    ----------
    chunks : int
        How many have been added.
    total : ndarray, shape (records, test functions, observables, 2) float64
        Sums over all trajectories, and sums of squared deviations from their mean.
    nonfinite : tuple of int
        How many trajectories left the finite numbers, and the first of them (-1: none).
    """

    def __init__(self, each=CHUNK):
        self._each = each
        self.chunks, self.total, self.nonfinite = 0, 0.0, (0, -1)
        self._groups, self._size, self._open = [], 1, []

    def add(self, sums, nonfinite):
        """Add chunks: sums (chunks, ..., 2), nonfinite (chunks, 2), as in `engines.program.ChunkSums`."""
        for chunk, (count, first) in zip(sums, nonfinite, strict=True):
            if self.chunks:
                (one, spread), (other, its) = (np.moveaxis(each, -1, 0) for each in (self.total, chunk))
                with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are raised elsewhere
                    pair = merged(one, spread, self.chunks * self._each, other, its, self._each)
                self.total = np.stack(pair, axis=-1)
            else:
                self.total = chunk
            self.chunks += 1
            if count and not self.nonfinite[0]:
                self.nonfinite = (0, int(first))
            self.nonfinite = (self.nonfinite[0] + int(count), self.nonfinite[1])
            self._open.append(chunk)
            if len(self._open) == self._size:
                self._groups.append(sum(self._open))
                self._open = []
            if len(self._groups) == 2 * GROUPS:
                self._groups = [a + b for a, b in zip(self._groups[::2], self._groups[1::2], strict=True)]
                self._size *= 2

    def groups(self, trajectories):
        """Return the means over groups of chunks of one size, shape (groups, ...), GROUPS to 2 GROUPS of them.

        trajectories : of one chunk. With fewer chunks than GROUPS, nothing: shape (0, ...).
        """
        enough = self._groups if len(self._groups) >= GROUPS else []
        return np.array(enough).reshape(-1, *self.total.shape)[..., 0] / (self._size * trajectories)

    def group_means(self, trajectories):
        """Return what was Measured in each group of chunks of one size, however few there are."""
        return [means(group, self._size * trajectories) for group in self._groups]

    @property
    def parts(self):
        """How many groups of that size all chunks are, those that fill none included."""
        return self.chunks / self._size


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
