"""The weak error's expansion in the step as a likelihood, its unknown further terms included.

With s = x / max x and d the spacing of the powers (1; 1/2 where odd powers of eta belong to the expansion),

    e(x) = C x^p (1 + b_1 t + b_2 t^2 + ..),   b_j ~ N(0, scale^2),

where t = (rho s)^d, a series that converges within max x / rho, or t = (rho s)^d / (1 + (rho s)^d), which stays bounded
beyond. Integrated over the b_j, the errors at the points are normal about C x^p with the covariance

    diag(sigma^2) + a^2 s^p s'^p scale^2 sum_j (t t')^j,   a the size of C (max x)^p:

a coarse step says little, however precise it is, and exact errors have no interval of length 0. The sum has twice as
many terms as there are points: n points tell n - 1 terms apart, and what they cannot tell is as large. Melendez,
Furnstahl, Phillips, Pratola and Wesolowski, "Quantifying correlated truncation errors in effective field theory"
(2019). C is integrated over too (Berger, Liseo and Wolpert, "Integrated likelihood methods", 1999). Which rho, scale
and t, a shape of the further terms, the errors tell only roughly: intervals reach as far as with any that they do not
exclude. Shapes without the first further term, b_1 = 0, serve the
constant and the terms that refute a theorem: beside them no order would be known.

`order.fit` takes the order, the constant and the tests of a limit and of a half order from it.
"""

from typing import NamedTuple

import numpy as np

LEAST = 1e-6  # of an error: a standard error below this part of it counts as this part
EXCLUDED = 3.84  # rise of -2 log likelihood: the 95 % quantile of chi2 with one degree of freedom
_LEAST_RHO = -8  # log2
_RESOLVED = 9.0  # z^2 at which half of an error counts as its size
_SHAPES = ((False, 1.0), (True, 1.0), (True, 3.0))  # whether bounded, and the scale
_PRECISE = 2e-3  # of an error: a standard error below which the further terms, not noise, make the intervals
_ENOUGH = 16  # terms: of more points than that, as many as there are, else the largest would be infinite


class Fit(NamedTuple):
    """What the likelihood says at powers p, each with a shape; arrays of shape (n,).

    deviance : -2 log integrated likelihood
    chi2 : of the residuals
    first, spread : the coefficient of the first column, and its standard deviation
    leading : the coefficient of s^p
    """

    deviance: np.ndarray
    chi2: np.ndarray
    first: np.ndarray
    spread: np.ndarray
    leading: np.ndarray


class Expansion:
    """Signed errors at several steps with their standard errors.

    Parameters
    ----------
    x, error, sigma : ndarray, shape (n,) float64
    spacing : 1.0 or 0.5

    Attributes
    ----------
    rho, bounded, scale, gap : ndarray, shape (all shapes,)
        The shapes of the further terms, at first those with all of them, then those without the first, `gap`; at the
        greatest rho the third finest step lies at the radius.
    shapes, all_shapes : ndarray of int
        The indices of those without a gap, and of all.
    """

    def __init__(self, x, error, sigma, spacing=1.0):
        self._unit = max(np.abs(error).max(), sigma.max()) or 1.0  # squares of the smallest numbers would be 0
        self.largest, self.spacing = float(x.max()), spacing
        self.s, self.error = x / self.largest, error / self._unit
        sigma = np.maximum(sigma / self._unit, LEAST * np.abs(self.error))
        self.sigma = np.where(sigma > 0.0, sigma, sigma.max() or 1.0)
        inner = np.sort(self.s)[min(2, len(x) - 1)]
        rho = 2.0 ** np.arange(_LEAST_RHO, int(np.ceil(-np.log2(inner) - 1e-9)) + 1)
        bounded, scale = zip(*_SHAPES, strict=True)
        count = len(rho) * len(_SHAPES)
        self.rho = np.tile(rho, 2 * len(_SHAPES))
        self.bounded, self.scale = (np.tile(np.repeat(each, len(rho)), 2) for each in (bounded, scale))
        self.gap = np.repeat([False, True], count)
        self.shapes, self.all_shapes = np.arange(count), np.arange(2 * count)
        variables = self._variables(self.s)
        self._kernels = self._series(variables[:, None] * variables)

    @property
    def is_precise(self):
        """Whether most of the errors are so well known that noise hides no further term of theirs."""
        return bool(np.mean(self.sigma < _PRECISE * np.abs(self.error)) > 0.5)

    def at(self, p, shape, sizes="leading", column=None):
        """Return the Fit at powers p with shapes, indices, both of shape (n,).

        sizes : "leading", the further terms are measured by C, as those of a series whose leading term leads: what
            tells an order from the one below; or "largest", by the greatest |e| / x^p: what leaves C free to be 0
        column : shape (points,), optional; a further term with a free coefficient, the Fit's first one
        """
        power = self.s[:, None] ** p
        size = self._sizes(power, sizes)
        own = np.maximum(self.sigma[:, None], LEAST * size * power)
        scaled = size * power / own
        covariance = scaled[:, None] * scaled * self._kernels[:, :, shape]
        covariance[np.diag_indices(len(self.s))] += 1.0
        columns = [power, self.error[:, None]] if column is None else [column[:, None], power, self.error[:, None]]
        *terms, target = columns = [each / own for each in columns]
        lengths = _whiten(covariance, columns)
        chi2, *coefficients = _regressed(terms, target)
        logs = 2.0 * (np.log(lengths) + np.log(own)).sum(axis=0)
        deviance = chi2 + logs + np.log((terms[-1] ** 2).sum(axis=0) * size**2)
        return Fit(deviance, chi2, *(self._unit * each for each in coefficients))

    def everywhere(self, p, shapes, sizes="leading", column=None):
        """Return the Fit at powers p, shape (n,), with each of the shapes: arrays of shape (n, shapes)."""
        orders, each_shape = (each.ravel() for each in np.meshgrid(p, shapes, indexing="ij"))
        return Fit(*(each.reshape(len(p), -1) for each in self.at(orders, each_shape, sizes, column)))

    def curve(self, p, shape, at):
        """Return the expected error at other steps `at`, in units of max x, given the errors."""
        power, other = self.s**p, at**p
        (size,) = self._sizes(power[:, None], "leading")
        own = np.maximum(self.sigma, LEAST * size * power)
        covariance = size**2 * np.outer(power, power) * self._kernels[:, :, shape] + np.diag(own**2)
        leading = self.at(np.array([p]), np.array([shape])).leading[0] / self._unit
        kernels = self._series(self._variables(self.s)[:, None] * self._variables(at))
        across = size**2 * np.outer(power, other) * kernels[:, :, shape]
        found = leading * other + across.T @ np.linalg.solve(covariance, self.error - leading * power)
        return self._unit * found

    def _variables(self, s):
        """Return t of every shape at steps s, shape (n, shapes)."""
        t = (self.rho * s[:, None]) ** self.spacing
        return np.where(self.bounded, t / (1.0 + t), t)

    def _series(self, product):
        """Return scale^2 sum_j (t t')^j, j from 1, or 2 beside a gap, on; shape (.., all shapes) as `product`, t t'."""
        terms, found = max(len(self.s), min(2 * len(self.s), _ENOUGH)), 0.0
        for _ in range(terms):
            found = (1.0 + found) * product
        return self.scale**2 * np.where(self.gap, product, 1.0) * found

    def _sizes(self, power, sizes):
        """Return the size of the leading term at each p, shape (n,): |e| / s^p, as far as it is resolved.

        power : s^p, shape (points, n)
        """
        error, sigma, s = self.error[:, None], self.sigma[:, None], self.s[:, None]
        seen = error**2 / (error**2 + _RESOLVED * sigma**2)
        ratio = error / power
        largest = np.max(np.abs(ratio) * seen, axis=0)
        least = 1e-3 * np.min(sigma / power, axis=0)  # where nothing is resolved the size does not matter
        if sizes == "largest":
            return np.maximum(largest, least)
        weight = 1.0 / ((sigma / power) ** 2 + (largest * s**self.spacing) ** 2)
        return np.maximum(np.abs((weight * ratio).sum(axis=0) / weight.sum(axis=0)), least)


def likely(deviance):
    """Return which deviances, shape (n,), are not excluded by the least of them."""
    return deviance <= deviance.min() + EXCLUDED


def _whiten(covariance, columns):
    """Multiply columns, shape (points, n) each, by the inverse of the lower Cholesky factor of n covariances, in place.

    A factor at a time over all n, where LAPACK would take one of n after the other. `covariance`, shape (points,
    points, n), is used up. Returns the factors' diagonals, shape (points, n).
    """
    lengths = np.empty(covariance.shape[1:])
    for i, length in enumerate(lengths):
        np.sqrt(covariance[i, i], out=length)
        below = covariance[i + 1 :, i] / length
        for column in columns:
            column[i] /= length
            column[i + 1 :] -= below * column[i]
        covariance[i + 1 :, i + 1 :] -= below[:, None] * below
    return lengths


def _regressed(terms, target):
    """Return chi2, first coefficient, its standard deviation, last coefficient: least squares on one term or two."""
    last = terms[-1]
    length = (last**2).sum(axis=0)
    if len(terms) == 1:
        leading = (last * target).sum(axis=0) / length
        return ((target - leading * last) ** 2).sum(axis=0), leading, length**-0.5, leading
    apart = terms[0] - ((terms[0] * last).sum(axis=0) / length) * last
    square = (apart**2).sum(axis=0)
    first = (apart * target).sum(axis=0) / square
    rest = target - first * terms[0]
    leading = (last * rest).sum(axis=0) / length
    return ((rest - leading * last) ** 2).sum(axis=0), first, square**-0.5, leading
