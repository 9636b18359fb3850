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

from ngos_sim.statistics import likelihood
from ngos_sim.statistics.likelihood import LEAST
from ngos_sim.statistics.room import Errors, room

EXCLUDED = 3.84  # rise of -2 log likelihood: the 95 % quantile of chi2 with one degree of freedom
_LEAST_RHO = -8  # log2
_MOST = 450.0  # log2 of the largest term's root: doubles hold twice that, and a standard error's part besides
_SHAPES = ((False, 1.0), (True, 1.0), (True, 3.0))  # whether bounded, and the scale
_PRECISE = 2e-3  # of an error: a standard error below which the further terms, not noise, make the intervals
_ENOUGH = 16  # terms: of more points than that, as many as there are, else the largest would be infinite


class Fit(NamedTuple):
    """What the likelihood says at a power p with some shapes; arrays of shape (shapes,).

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
        greatest rho the third finest step, `inner`, lies at the radius, or terms are as large as doubles hold.
    shapes, all_shapes : ndarray of int
        The indices of those without a gap, and of all.
    """

    def __init__(self, x, error, sigma, spacing=1.0):
        self._unit = max(np.abs(error).max(), sigma.max()) or 1.0  # squares of the smallest numbers would be 0
        self.largest, self.spacing = float(x.max()), spacing
        self.s, self.error = x / self.largest, error / self._unit
        sigma = np.maximum(sigma / self._unit, LEAST * np.abs(self.error))
        self.sigma = np.where(sigma > 0.0, sigma, sigma.max() or 1.0)
        self._terms = max(len(x), min(2 * len(x), _ENOUGH))
        self.inner = float(np.sort(self.s)[min(2, len(x) - 1)])
        most = min(np.ceil(-np.log2(self.inner) - 1e-9), _MOST // (spacing * self._terms))
        rho = 2.0 ** np.arange(_LEAST_RHO, int(most) + 1)
        bounded, scale = zip(*_SHAPES, strict=True)
        count = len(rho) * len(_SHAPES)
        self.rho = np.tile(rho, 2 * len(_SHAPES))
        self.bounded, self.scale = (np.tile(np.repeat(each, len(rho)), 2) for each in (bounded, scale))
        self.gap = np.repeat([False, True], count)
        self.shapes, self.all_shapes = np.arange(count), np.arange(2 * count)
        variables = self._variables(self.s)
        kernels = np.ascontiguousarray(np.moveaxis(self._series(variables[:, None] * variables), -1, 0))
        self.errors = Errors(self.s, self.error, self.sigma, kernels, spacing, False, self.s[:0])
        self.room = room(len(x))

    @property
    def is_precise(self):
        """Whether most of the errors are so well known that noise hides no further term of theirs."""
        return bool(np.mean(self.sigma < _PRECISE * np.abs(self.error)) > 0.5)

    def at(self, p, shapes, sizes="leading", column=None):
        """Return the Fit at power p with each of some shapes, indices; arrays of shape (shapes,).

        sizes : "leading", the further terms are measured by C, as those of a series whose leading term leads: what
            tells an order from the one below; or "largest", by the greatest |e| / x^p: what leaves C free to be 0
        column : shape (points,), optional; a further term with a free coefficient, the Fit's first one
        """
        column, found = self.s[:0] if column is None else column, np.empty((len(Fit._fields), len(shapes)))
        errors = self.errors._replace(by_largest=sizes == "largest", column=column)
        likelihood.fits(errors, self.room, float(p), shapes, found)
        found[2:] *= self._unit
        return Fit(*found)

    def curve(self, p, shape, at):
        """Return the expected error at other steps `at`, in units of max x, given the errors."""
        fit = self.at(p, np.array([shape]))  # and the room holds what hangs on p alone
        leading, power, other = fit.leading.item() / self._unit, self.s**p, at**p
        own, terms = self.room.own, self.room.own * self.room.scaled
        size = terms[0] / power[0]
        covariance = np.outer(terms, terms) * self.errors.kernels[shape] + np.diag(own**2)
        kernels = self._series(self._variables(self.s)[:, None] * self._variables(at))
        across = np.outer(terms, size * other) * kernels[:, :, shape]
        found = leading * other + across.T @ np.linalg.solve(covariance, self.error - leading * power)
        return self._unit * found

    def _variables(self, s):
        """Return t of every shape at steps s, shape (n, shapes)."""
        t = (self.rho * s[:, None]) ** self.spacing
        return np.where(self.bounded, t / (1.0 + t), t)

    def _series(self, product):
        """Return scale^2 sum_j (t t')^j, j from 1, or 2 beside a gap, on; shape (.., all shapes) as `product`, t t'."""
        found = product.copy()
        for _ in range(1, self._terms):
            found += 1.0
            found *= product
        return self.scale**2 * np.where(self.gap, product, 1.0) * found


def likely(deviance):
    """Return which deviances, shape (n,), are not excluded by the least of them."""
    return deviance <= deviance.min() + EXCLUDED
