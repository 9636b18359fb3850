"""From signed errors with standard errors to an order with an interval, a constant and a verdict.

`Result.order` and the figures call `fit`. What it knows of an expansion's further terms is in `expansion`; the
interval of the order is found in `interval`, the constant and the terms that refute a theorem in `theorem`.
"""

from dataclasses import dataclass

import numpy as np

from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.expansion import Expansion
from ngos_sim.statistics.interval import OrderInterval, interval
from ngos_sim.statistics.likelihood import LEAST
from ngos_sim.statistics.theorem import Term, constant, lower_terms

RESOLVED = 3.0  # an error is resolved where it exceeds this many standard errors
MARGIN = 0.1  # an order is consistent with p where its 99 % interval lies above p - MARGIN
_LEAST_POINTS = 3  # resolved ones, for an order


@dataclass(frozen=True, kw_only=True)
class OrderFit:
    """The fit of e = C h^p (1 + further terms) with p free, and of a theorem's own expansion, p = `theorem`.

    order, std_error, ci_low, ci_high : p, half its 68 % and its 95 % integrated-likelihood interval
    low99, high99 : its 99 % interval, which verdicts read; on a few precise points it may be the shorter one
    theorem : the order p of the theorem that the following, and verdicts, speak of
    constant, constant_std_error : C of C h^p, p the theorem's order: what stands beside a predicted constant
    lower, found : the Terms of lower order beside it, and those of them that are found: `theorem.lower_terms`
    chi2, dof, p_value : of the fit of the order
    points, resolved_points : how many entered, how many exceed 3 standard errors and their numerical bound
    asymptotic : False where the order lies at the end of its range, or the third finest step lies outside the radius
        within which the expansion converges: then the steps are too coarse to speak of an order
    shape : which of the `expansion`'s shapes of the further terms fits best, for `curve`
    spacing : of the powers of the expansion
    has_bounds : whether some errors may be off by more than their standard errors say, `numerical`
    """

    theorem: float
    spacing: float
    order: float = np.nan
    std_error: float = np.nan
    ci_low: float = np.nan
    ci_high: float = np.nan
    low99: float = np.nan
    high99: float = np.nan
    constant: float = np.nan
    constant_std_error: float = np.nan
    lower: tuple[Term, ...] = ()
    found: tuple[Term, ...] = ()
    chi2: float = np.nan
    dof: int = 0
    p_value: float = np.nan
    points: int = 0
    resolved_points: int = 0
    asymptotic: bool = True
    shape: int = 0
    has_bounds: bool = False

    @property
    def limit(self):
        """E0 of a wrong limit, beside the theorem's expansion; NaN where it was not looked for."""
        return self._lower(0.0).value

    @property
    def limit_std_error(self):
        """The standard error of `limit`."""
        return self._lower(0.0).std_error

    @property
    def sqrt_term(self):
        """A of A sqrt(h), beside the theorem's expansion; NaN where it was not looked for."""
        return self._lower(0.5).value

    @property
    def sqrt_term_std_error(self):
        """The standard error of `sqrt_term`."""
        return self._lower(0.5).std_error

    def _lower(self, power):
        return next((term for term in self.lower if term.power == power), Term(power, np.nan, np.nan))

    def verdict(self):
        """Say in words how the fit stands to the theorem, whose order is an upper bound of the error.

        Its order is not claimed where C = 0 explains the errors as well: the 99 % interval of C holds 0, and that of
        the order reaches the expansion's next power less MARGIN, as C = 0 makes it (with fewer than three resolved
        points there is none, and no order is excluded). What is said then is a bound: the estimate plus 2.58 SE.
        """
        if self.found:
            return f"fails order {self.theorem:g}: {' or '.join(map(_in_words, self.found))}"
        if self.points < _LEAST_POINTS:
            return f"too few points for an order: {self.points}, {_LEAST_POINTS} are needed"
        resolved = self.resolved_points >= _LEAST_POINTS
        enough = "3 standard errors and their numerical uncertainty" if self.has_bounds else "3 standard errors"
        exceed = f"unresolved: {self.resolved_points} of {self.points} points exceed {enough}"
        spread = normal_quantile(0.99) * self.constant_std_error
        excluded = resolved and self.high99 < self.theorem + self.spacing - MARGIN
        if abs(self.constant) < spread and not excluded:
            bound = f"constant consistent with 0: |C| <= {abs(self.constant) + spread:.3g} (99 %)"
            return bound if resolved else f"{bound}; {exceed}"
        if not resolved:
            return f"{exceed}, {_LEAST_POINTS} are needed"
        if not self.asymptotic:
            return f"not asymptotic: the errors do not fall like a power of these steps; fitted order {self.order:.3g}"
        if self.low99 > self.theorem - MARGIN:
            return f"consistent with order {self.theorem:g}"
        if self.high99 < self.theorem - MARGIN:
            return f"fails order {self.theorem:g}"
        return "undecided"


def _in_words(term):
    """Return what a Term of lower order than the theorem's means."""
    size = f"{term.value:.3g} ({term.std_error:.1g})"
    if term.power == 0.0:
        return f"limit off by {size}"
    return f"half order, {size} sqrt(h)" if term.power == 0.5 else f"order {term.power:g}, {size} h"


def fit(x, error, std_error, *, numerical=None, theorem=1.0, rows=1, widening=1.0, spacing=1.0):
    """Fit an order to signed errors.

    What is computed and not sampled is off by no Gaussian error, but by up to `numerical`, with signs that nobody knows
    and that may go together. The fit counts such a bound as sqrt(n) standard errors, n the number of points that have
    one: with them 95 % and 99 % intervals hold the worst case of any signs, beside the Gaussian errors or alone
    (docs/theory.md, "Order fit").

    Parameters
    ----------
    x : ndarray, shape (points,) float64
        h of each point.
    error, std_error : ndarray, shape (points,) float64
        Every point enters, resolved or not. A standard error below 1e-6 of its error counts as that.
    numerical : ndarray, shape (points,) float64, optional
        How far each error may be off beside its standard error, NaN for not at all.
    theorem : float
        The order whose constant, lower terms and verdict are asked for.
    rows : int
        Fits in the same table: they share the 1 % of false alarms of the lower terms.
    widening : float
        How much wider every interval and standard error becomes, where the points were selected: the
        quantile of a simultaneous band over that of one interval. chi2 and p_value are as without. A bound
        holds at all times as it is.
    spacing : 1.0 or 0.5
        Of the powers of the expansion: 0.5 where x^(3/2) belongs to it. It is 0.5 at least where the theorem's own
        order is no integer.

    Returns
    -------
    OrderFit
        With fewer than three resolved points, order and interval are NaN.
    """
    x, error, std_error = (np.asarray(each, dtype=np.float64) for each in (x, error, std_error))
    bound = _bound(numerical, x)
    spacing = spacing if theorem % 1.0 == 0.0 else min(spacing, 0.5)
    asked = {"theorem": theorem, "spacing": spacing}
    if not len(x):
        return OrderFit(**asked)
    if not np.any(error) and not np.any(std_error) and not np.any(bound):  # nothing was seen: no bound on C follows
        return OrderFit(**asked, points=len(x))
    sigma = widening * std_error
    resolved = int(np.sum(np.abs(error) > RESOLVED * sigma + bound))
    expansion = Expansion(x, error, _at_worst(sigma, bound), spacing)
    leading = constant(expansion, theorem)
    lower, found = lower_terms(expansion, theorem, 1.0 - 0.01 / rows)
    return OrderFit(
        **asked,
        constant=leading.value,
        constant_std_error=leading.std_error,
        lower=lower,
        found=found,
        points=len(x),
        resolved_points=resolved,
        has_bounds=bool(np.any(bound)),
        **(_of_interval(interval(expansion, widening)) if resolved >= _LEAST_POINTS else {}),
    )


def _of_interval(found: OrderInterval):
    """Return what an OrderFit holds of an interval, by name."""
    return {
        "order": found.order,
        "std_error": 0.5 * (found.at68.high - found.at68.low),
        "ci_low": found.at95.low,
        "ci_high": found.at95.high,
        "low99": found.at99.low,
        "high99": found.at99.high,
        "chi2": found.chi2,
        "dof": found.dof,
        "p_value": found.p_value,
        "asymptotic": found.asymptotic,
        "shape": found.shape,
    }


def _bound(numerical, x):
    """Return the bounds of errors, 0 where there is none."""
    return np.zeros_like(x) if numerical is None else np.nan_to_num(np.asarray(numerical, dtype=np.float64))


def _at_worst(sigma, bound):
    """Return standard errors whose intervals hold every error that is off by up to its bound besides.

    Whatever is linear in the errors, of weights L, is then off by sum |L| b <= sqrt(n sum (L b)^2), Cauchy and Schwarz:
    at most as many, u, of its own standard errors as the variances n b^2 add in squares. And the probability that
    |Z + u| < z sqrt(1 + u^2) is not below that of |Z| < z, for z = 1.96 and above.
    """
    return np.hypot(sigma, np.sqrt(np.count_nonzero(bound)) * bound)  # hypot(sigma, 0) is sigma to the bit


def slope(x, error, std_error):
    """Return C and its standard error of e = C x."""
    weight = x / np.maximum(std_error, LEAST * np.abs(error))
    length = weight @ weight
    return float(weight @ (error / np.maximum(std_error, LEAST * np.abs(error))) / length), float(length**-0.5)


def curve(fitted, x, error, std_error, at, numerical=None):
    """Return what the fit expects at other steps `at`, shape (n,)."""
    x, error, std_error = (np.asarray(each, dtype=np.float64) for each in (x, error, std_error))
    expansion = Expansion(x, error, _at_worst(std_error, _bound(numerical, x)), fitted.spacing)
    return expansion.curve(fitted.order, fitted.shape, np.asarray(at) / x.max())
