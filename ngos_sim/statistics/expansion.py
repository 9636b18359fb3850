"""The weak error's expansion in the step as a likelihood, its unknown further terms included.

With s = x / max x and d the spacing of the powers (1; 1/2 where odd powers of eta belong to the expansion),

    e(x) = C x^p (1 + b_1 t + b_2 t^2 + ..),   b_j ~ N(0, scale^2),

where t = (rho s)^d, a series that converges within max x / rho, or t = (rho s)^d / (1 + (rho s)^d), which stays bounded
beyond. Integrated over the b_j, the errors at the points are normal about C x^p with the covariance

    diag(sigma^2) + a^2 s^p s'^p scale^2 sum_j (t t')^j,   a the size of C (max x)^p:

a coarse step says little, however precise it is, and exact errors have no interval of length 0. Melendez, Furnstahl,
Phillips, Pratola and Wesolowski, "Quantifying correlated truncation errors in effective field theory" (2019). C is
integrated over too (Berger, Liseo and Wolpert, "Integrated likelihood methods", 1999). Which rho, scale and t, a shape
of the further terms, the errors tell only roughly: intervals reach as far as with any that they do not exclude.

`order.fit` takes the order, the constant and the tests of a limit and of a half order from it.
"""

from typing import NamedTuple

import numpy as np

LEAST = 1e-6  # of an error: a standard error below this part of it counts as this part
EXCLUDED = 3.84  # rise of -2 log likelihood: the 95 % quantile of chi2 with one degree of freedom
_LEAST_RHO = -8  # log2
_RESOLVED = 9.0  # z^2 at which half of an error counts as its size
_SHAPES = ((False, 1.0), (True, 1.0), (True, 3.0))  # whether bounded, and the scale


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
    rho, bounded, scale : ndarray, shape (shapes,)
        The shapes of the further terms; at the greatest rho the third finest step lies at the radius.
    """

    def __init__(self, x, error, sigma, spacing=1.0):
        self._unit = max(np.abs(error).max(), sigma.max()) or 1.0  # squares of the smallest numbers would be 0
        self.largest, self.spacing = float(x.max()), spacing
        self.s, self.error = x / self.largest, error / self._unit
        sigma = np.maximum(sigma / self._unit, LEAST * np.abs(self.error))
        self.sigma = np.where(sigma > 0.0, sigma, sigma.max() or 1.0)
        inner = np.sort(self.s)[min(2, len(x) - 1)]
        rho = 2.0 ** np.arange(_LEAST_RHO, int(np.ceil(-np.log2(inner) - 1e-9)) + 1)
        self.rho = np.tile(rho, len(_SHAPES))
        bounded, scale = zip(*_SHAPES, strict=True)
        self.bounded, self.scale = np.repeat(bounded, len(rho)), np.repeat(scale, len(rho))
        variables = self._variables(self.s)
        self._kernels = self._series(variables[:, :, None] * variables[:, None, :])

    @property
    def shapes(self):
        """The index of every shape."""
        return np.arange(len(self.rho))

    def at(self, p, shape, sizes="leading", column=None):
        """Return the Fit at powers p with shapes, indices, both of shape (n,).

        sizes : "leading", the further terms are measured by C, as those of a series whose leading term leads: what
            tells an order from the one below; or "largest", by the greatest |e| / x^p: what leaves C free to be 0
        column : shape (points,), optional; a further term with a free coefficient, the Fit's first one
        """
        power = self.s ** p[:, None]
        size = self._sizes(power, sizes)[:, None]
        own = np.maximum(self.sigma, LEAST * size * power)
        scaled = size * power / own
        covariance = scaled[:, :, None] * scaled[:, None, :] * self._kernels[shape]
        factor = np.linalg.cholesky(covariance + np.eye(len(self.s)))
        columns = [power, np.broadcast_to(self.error, power.shape)]
        if column is not None:
            columns.insert(0, np.broadcast_to(column, power.shape))
        white = np.linalg.solve(factor, np.stack(columns, axis=-1) / own[..., None])
        *terms, target = np.moveaxis(white, -1, 0)
        chi2, *coefficients = _regressed(terms, target)
        logs = 2.0 * (np.log(np.diagonal(factor, axis1=-2, axis2=-1)) + np.log(own)).sum(axis=-1)
        deviance = chi2 + logs + np.log((terms[-1] ** 2).sum(axis=-1) * size[:, 0] ** 2)
        return Fit(deviance, chi2, *(self._unit * each for each in coefficients))

    def everywhere(self, p, sizes="leading", column=None):
        """Return the Fit at powers p, shape (n,), with every shape: arrays of shape (n, shapes)."""
        orders, shapes = (each.ravel() for each in np.meshgrid(p, self.shapes, indexing="ij"))
        return Fit(*(each.reshape(len(p), -1) for each in self.at(orders, shapes, sizes, column)))

    def curve(self, p, shape, at):
        """Return the expected error at other steps `at`, in units of max x, given the errors."""
        power, other = self.s**p, at**p
        (size,) = self._sizes(power[None], "leading")
        own = np.maximum(self.sigma, LEAST * size * power)
        covariance = size**2 * np.outer(power, power) * self._kernels[shape] + np.diag(own**2)
        leading = self.at(np.array([p]), np.array([shape])).leading[0] / self._unit
        both = self._variables(self.s)[shape][:, None] * self._variables(at)[shape]
        across = size**2 * np.outer(power, other) * self._series(both[None], self.scale[[shape]])[0]
        found = leading * other + across.T @ np.linalg.solve(covariance, self.error - leading * power)
        return self._unit * found

    def _variables(self, s):
        """Return t of every shape at steps s, shape (shapes, n)."""
        t = (self.rho[:, None] * s) ** self.spacing
        return np.where(self.bounded[:, None], t / (1.0 + t), t)

    def _series(self, product, scale=None):
        """Return scale^2 sum_j (t t')^j, to as many terms as there are points."""
        scale = self.scale if scale is None else scale
        return scale[:, None, None] ** 2 * sum(product**j for j in range(1, len(self.s) + 1))

    def _sizes(self, power, sizes):
        """Return the size of the leading term at each p, shape (n,): |e| / s^p, as far as it is resolved."""
        seen = self.error**2 / (self.error**2 + _RESOLVED * self.sigma**2)
        ratio = self.error / power
        largest = np.max(np.abs(ratio) * seen, axis=1)
        least = 1e-3 * np.min(self.sigma / power, axis=1)  # where nothing is resolved the size does not matter
        if sizes == "largest":
            return np.maximum(largest, least)
        weight = 1.0 / ((self.sigma / power) ** 2 + (largest[:, None] * self.s**self.spacing) ** 2)
        return np.maximum(np.abs((weight * ratio).sum(axis=1) / weight.sum(axis=1)), least)


def likely(deviance):
    """Return which deviances, shape (n,), are not excluded by the least of them."""
    return deviance <= deviance.min() + EXCLUDED


def _regressed(terms, target):
    """Return chi2, first coefficient, its standard deviation, last coefficient: least squares on one term or two."""
    last = terms[-1]
    length = (last**2).sum(axis=-1)
    if len(terms) == 1:
        leading = (last * target).sum(axis=-1) / length
        return ((target - leading[:, None] * last) ** 2).sum(axis=-1), leading, length**-0.5, leading
    apart = terms[0] - ((terms[0] * last).sum(axis=-1) / length)[:, None] * last
    square = (apart**2).sum(axis=-1)
    first = (apart * target).sum(axis=-1) / square
    rest = target - first[:, None] * terms[0]
    leading = (last * rest).sum(axis=-1) / length
    return ((rest - leading[:, None] * last) ** 2).sum(axis=-1), first, square**-0.5, leading
