"""The control variate's known means: of test functions under the laws of the SDE and of the linear companion.

The companion is Euler-Maruyama of the SDE with the optimizer's steps and its very noise. For an affine
gradient and constant Sigma its autonomous slots (u) are deterministic and its others are an affine recursion in
the noise (`gaussian_law`); it stays within O(eta) of the optimizer, path by path.

    E g(x_k) - E g(X_t) = E[g(x_k) - g(companion)] + (E g(companion) - E g(X_t)),

the last two Gaussian where the noise is, and of the same form for any noise where g is of degree 2.
"""

import math

import numpy as np

from ngos_sim.known.gaussian_law import Law
from ngos_sim.oracles.noises import gauss_hermite
from ngos_sim.statistics.chunks import normal_quantile

NODES, NODES_FEWER = 32, 24  # a coordinate's slot: for smooth g they agree to rounding
_AGREE = 1e-8  # of g's standard deviation
_ROUNDING = 1e-13  # of E |g|
_SURE = 1.0 - 5.7e-7  # the level of 5 standard errors, over all times


def gaussian_mean(g, law, nodes=NODES):
    """Return E g of one coordinate under its Law, shape (times,); see `gaussian_moments`."""
    return gaussian_moments(g, law, nodes)[0]


def gaussian_moments(g, law, nodes=NODES):
    """Return E g, g's standard deviation and E |g| by Gauss-Hermite quadrature.

    Parameters
    ----------
    g : function (x) -> float
        Of the tuple of slots.
    law : Law
        Of one coordinate.

    Returns
    -------
    ndarray, shape (3, times)
    """
    points, weights = gauss_hermite(nodes)
    n = len(law.linear)
    grid = np.stack(np.meshgrid(*[points] * n, indexing="ij"), axis=-1).reshape(-1, n)
    weight = math.prod(np.ix_(*[weights] * n)).ravel()
    found, x = np.empty((3, len(law.mean))), np.empty((len(grid), n + len(law.autonomous)))
    for at, (centre, spread, path) in enumerate(zip(law.mean, law.covariance, law.path[:, :, 0], strict=True)):
        values, vectors = np.linalg.eigh(spread)
        x[:, law.linear] = centre + grid @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        x[:, law.autonomous] = path
        image = np.array([g(tuple(row)) for row in x.tolist()], dtype=np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is not resolved
            first = weight @ image
            found[:, at] = first, math.sqrt(weight @ (image - first) ** 2), weight @ np.abs(image)
    return found


def is_resolved(g, law):
    """Return whether the quadrature of E g has converged, beside g's spread: it has not where g is not smooth."""
    try:
        (many, spread, size), (few, *_) = (gaussian_moments(g, law, nodes) for nodes in (NODES, NODES_FEWER))
    except (ArithmeticError, TypeError, ValueError):
        return False
    with np.errstate(invalid="ignore"):
        return bool(np.all(np.abs(many - few) <= _AGREE * spread + _ROUNDING * size))


def contradicts(sampled, std_error, known, spread, trajectories, rounding):
    """Return whether a sampled mean shows that a known one is not g's: by 5 standard errors, over all times.

    Two rules of nodes agree on a g that neither sees, such as a bump between the nodes. Its standard error is the
    larger of the sample's and of quadrature's: the sample may miss what is rare, quadrature what is narrow.

    Parameters
    ----------
    sampled, std_error, known, spread : ndarray, shape (times,)
        Of g of the companion: by trajectories, and mean and standard deviation by quadrature.
    trajectories : int
    rounding : ndarray, shape (times,)
        A standard error of what rounding may do to the sampled mean.
    """
    width = np.hypot(np.maximum(std_error, spread / math.sqrt(trajectories)), rounding)
    return bool(np.any(np.abs(sampled - known) > normal_quantile(_SURE ** (1.0 / len(known))) * width))


def gaussian_moment(mean, covariance, powers):
    """Return E prod_i x_i^n_i of Gaussian x, powers = {i: n_i}: Isserlis' theorem, one factor x_i at a time.

    E x_i q(x) = mean_i E q + sum_j covariance_ij E dq/dx_j. Shapes: (times, n), (times, n, n) -> (times,).
    """
    known = {}

    def moment(powers):
        if powers not in known:
            if not powers:
                return np.ones(len(mean))
            (i, n), *rest = powers
            left = tuple([(i, n - 1), *rest] if n > 1 else rest)
            total = mean[:, i] * moment(left)
            for at, (j, power) in enumerate(left):
                lower = ((j, power - 1),) if power > 1 else ()
                total = total + power * covariance[:, i, j] * moment((*left[:at], *lower, *left[at + 1 :]))
            known[powers] = total
        return known[powers]

    return moment(tuple(sorted(powers.items())))


class Means:
    """Means of test functions under known laws, each found once.

    Parameters
    ----------
    laws : Law or dict of int to Law
        One of all coordinates; or those of single ones, which are then independent.
    """

    def __init__(self, laws):
        self._laws, self._joint, self._known = laws, isinstance(laws, Law), {}

    def are_resolved(self, terms):
        """Return whether quadrature finds the mean of every function in the terms, at every time."""
        return all(is_resolved(g, self._coordinate(j)) for _, by in terms for j, g in by.items() if callable(g))

    def of(self, terms):
        """Return E of a sum of terms (factor, {coordinate: a monomial's powers, or g}).

        Shape (times,); a number where the terms hold no coordinate.
        """
        total = 0.0
        for factor, by in terms:
            mean = factor
            for block in [by] if self._joint and by else [{j: g} for j, g in by.items()]:
                key = tuple(block.items())
                if key not in self._known:
                    self._known[key] = self._mean(block)
                mean = mean * self._known[key]
            total = total + mean
        return total

    def spread(self, terms):
        """Return the standard deviation of a term that is a function of one coordinate, shape (times,)."""
        ((factor, by),) = terms
        ((j, g),) = by.items()
        return abs(factor) * gaussian_moments(g, self._coordinate(j))[1]

    def _coordinate(self, j):
        return self._laws.of_coordinate(j) if self._joint else self._laws[j].of_coordinate(0)

    def _mean(self, block):
        """Return E of a product over coordinates of one law, shape (times,)."""
        ((j, g), *_) = block.items()
        if callable(g):
            return gaussian_mean(g, self._coordinate(j))
        law = self._laws if self._joint else self._laws[j]
        powers, mean = {}, 1.0
        for j, monomial in block.items():
            place = j if self._joint else 0
            for at, slot in enumerate(law.linear):
                if monomial[slot]:
                    powers[at * law.dimension + place] = monomial[slot]
            for at, slot in enumerate(law.autonomous):
                mean = mean * law.path[:, at, place] ** monomial[slot]
        return mean * gaussian_moment(law.mean, law.covariance, powers)
