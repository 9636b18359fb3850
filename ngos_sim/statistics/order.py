"""From signed errors with standard errors to an order with an interval, a constant and a verdict.

`Result.order` and the figures call `fit`; what it knows of an expansion's further terms is in `expansion`.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.expansion import EXCLUDED, LEAST, Expansion, Fit, likely

RESOLVED = 3.0  # an error is resolved where it exceeds this many standard errors
MARGIN = 0.1  # an order is consistent with p where its 99 % interval lies above p - MARGIN
_LEAST, _MOST = -1.0, 4.0  # of orders
_GRID = np.linspace(_LEAST, _MOST, 51)
_ZOOM = np.linspace(-1.0, 1.0, 17)  # about a point, in units of what is between the neighbours of the least
_FINE, _END = 1e-8, 1e-6
_NEAR = 10.0 ** np.linspace(-7.0, 0.75, 32)  # distances from the best order at which the likelihood is looked at
_LEVELS = (0.6827, 0.95, 0.99)
_POOR = 1e-3  # p-value below which intervals widen by the root of chi2 / dof


@dataclass(frozen=True)
class OrderFit:
    """The signed fit of e = C x^p (1 + further terms) and of the theorem's own expansion, p = 1.

    order, std_error, ci_low, ci_high : p, half its 68 % and its 95 % integrated-likelihood interval
    low99, high99 : its 99 % interval
    constant, constant_std_error : C of order 1, to set beside a predicted constant
    limit, limit_std_error, sqrt_term, sqrt_term_std_error, found : E0, A and the finding of `diagnosis`
    chi2, dof, p_value : of the fit of the order
    points, resolved_points : how many entered, how many exceed 3 standard errors
    asymptotic : False where the order lies at the end of its range, or the third finest step lies outside the radius
        within which the expansion converges: then the steps are too coarse to speak of an order
    shape : which of the `expansion`'s shapes of the further terms fits best, for `curve`
    spacing : of the powers of the expansion
    """

    order: float
    std_error: float
    ci_low: float
    ci_high: float
    low99: float
    high99: float
    constant: float
    constant_std_error: float
    limit: float
    limit_std_error: float
    sqrt_term: float
    sqrt_term_std_error: float
    found: str
    chi2: float
    dof: int
    p_value: float
    points: int
    resolved_points: int
    asymptotic: bool
    shape: int
    spacing: float

    def verdict(self, theorem=1.0):
        """Say in words how the fit stands to the order of a theorem, which is an upper bound.

        Order 1 is not claimed where C = 0 explains the errors as well: the 99 % interval of C holds 0,
        and that of the order reaches 2 - MARGIN, as C = 0 makes it (with fewer than three resolved points
        there is none, and no order is excluded). What is said then is a bound: the estimate plus 2.58 SE.
        """
        if theorem == 1.0 and self.found:
            return f"fails order 1: {self._finding()}"
        resolved = self.resolved_points >= 3
        exceed = f"unresolved: {self.resolved_points} of {self.points} points exceed 3 standard errors"
        spread = normal_quantile(0.99) * self.constant_std_error
        excluded = resolved and self.high99 < 2.0 - MARGIN
        if theorem == 1.0 and self.points >= 3 and abs(self.constant) < spread and not excluded:
            bound = f"constant consistent with 0: |C| <= {abs(self.constant) + spread:.3g} (99 %)"
            return bound if resolved else f"{bound}; {exceed}"
        if self.points < 3:
            return f"too few points for an order: {self.points}, 3 are needed"
        if not resolved:
            return f"{exceed}, 3 are needed"
        if not self.asymptotic:
            return f"not asymptotic: the errors do not fall like a power of these steps; fitted order {self.order:.3g}"
        if self.low99 > theorem - MARGIN:
            return f"consistent with order {theorem:g}"
        if self.high99 < theorem - MARGIN:
            return f"fails order {theorem:g}"
        return "undecided"

    def _finding(self):
        """Put the finding of `diagnosis` in words."""
        limit = f"limit off by {self.limit:.3g} ({self.limit_std_error:.1g})"
        half = f"half order, {self.sqrt_term:.3g} ({self.sqrt_term_std_error:.1g}) sqrt(eta_e)"
        return {"limit": limit, "half": half, "either": f"{limit} or {half}"}[self.found]


def fit(x, error, std_error, rows=1, widening=1.0, spacing=1.0):
    """Fit an order to signed errors.

    Parameters
    ----------
    x : ndarray, shape (points,) float64
        eta_e of each point.
    error, std_error : ndarray, shape (points,) float64
        Every point enters, resolved or not. A standard error below 1e-6 of its error counts as that.
    rows : int
        Fits in the same table: they share the 1 % of false alarms of the diagnosis.
    widening : float
        How much wider every interval and standard error becomes, where the points were selected: the
        quantile of a simultaneous band over that of one interval. chi2 and p_value are as without.
    spacing : 1.0 or 0.5
        Of the powers of the expansion: 0.5 where x^(3/2) belongs to it.

    Returns
    -------
    OrderFit
        With fewer than three resolved points, order and interval are NaN.
    """
    x, error, std_error = (np.asarray(each, dtype=np.float64) for each in (x, error, std_error))
    if not len(x):
        return OrderFit(*(np.nan,) * 12, "", np.nan, 0, np.nan, 0, 0, True, 0, spacing)
    sigma = widening * std_error
    resolved = int(np.sum(np.abs(error) > RESOLVED * sigma))
    expansion = Expansion(x, error, sigma, spacing)
    linear = (*_constant(x.max(), expansion), *diagnosis(x, error, sigma, 1.0 - 0.01 / rows, spacing))
    if resolved < 3:
        nothing = (np.nan,) * 6
        return OrderFit(*nothing, *linear, np.nan, 0, np.nan, len(x), resolved, True, 0, spacing)
    orders, least = _least(expansion)
    best, kept = int(least.argmin()), np.flatnonzero(likely(least))
    order = float(orders[best])
    dof, own = len(x) - 2, float(expansion.at(orders[[best]], np.array([best])).chi2[0]) * widening**2
    p_value = float(special.chdtrc(dof, own)) if dof > 0 else np.nan
    inflated = own / dof if p_value < _POOR else 1.0  # a model that does not fit knows less than it says
    rises = np.sqrt(inflated) * np.array([normal_quantile(level) for level in _LEVELS])
    at = (expansion, kept, orders[kept], least[kept], rises)
    low, high = _edges(*at, _LEAST).min(axis=0).tolist(), _edges(*at, _MOST).max(axis=0).tolist()
    interval = (order, 0.5 * (high[0] - low[0]), low[1], high[1], low[2], high[2])
    converges = bool(np.any(expansion.rho[kept] < expansion.rho.max()))
    asymptotic = converges and _LEAST + _END < order < _MOST - _END
    return OrderFit(*interval, *linear, own, dof, p_value, len(x), resolved, asymptotic, best, spacing)


def _least(expansion):
    """Return for every shape the order of least deviance, and that deviance; shape (shapes,)."""
    shapes = expansion.shapes
    deviance = expansion.everywhere(_GRID).deviance
    best, width = _GRID[deviance.argmin(axis=0)], _GRID[1] - _GRID[0]
    while width > _FINE:  # of precise errors the likelihood is a needle
        orders = np.clip(best + width * _ZOOM[:, None], _LEAST, _MOST)
        deviance = expansion.at(orders.ravel(), np.tile(shapes, len(_ZOOM))).deviance.reshape(orders.shape)
        at = deviance.argmin(axis=0)
        best, width = orders[at, shapes], 2.0 * width / (len(_ZOOM) - 1)
    return best, deviance[at, shapes]


def _edges(expansion, shapes, best, least, rises, end):
    """Return where the root of deviance - least is each of `rises`, on the side of `end`; beyond it, infinity.

    shapes, best, least : shape (shapes,), of those that are not excluded. Returns shape (shapes, rises).
    """

    def root(p, at):
        return np.sqrt(np.maximum(expansion.at(p, shapes[at]).deviance - least[at], 0.0))

    sign, many = np.sign(end), np.arange(len(shapes))
    orders = np.clip(best[:, None] + sign * np.append(0.0, _NEAR), _LEAST, _MOST)
    roots = root(orders.ravel(), np.repeat(many, orders.shape[1])).reshape(orders.shape)
    roots[:, 0] = 0.0
    beyond = roots[:, :, None] > rises
    at, rise = np.nonzero(beyond.any(axis=1))
    first = beyond.argmax(axis=1)[at, rise]
    edges = np.full((len(shapes), len(rises)), sign * np.inf)
    if len(at):
        ends = (
            orders[at, first - 1],
            orders[at, first],
            roots[at, first - 1] - rises[rise],
            roots[at, first] - rises[rise],
        )
        edges[at, rise] = _crossing(lambda p: root(p, at) - rises[rise], *ends)
    return edges


def _crossing(function, low, high, at_low, at_high):
    """Return where function(p), shape (n,), is 0 between low and high, by false position (Illinois).

    at_low, at_high : its values there, of opposite signs
    """
    for _ in range(100):
        step = at_high * (high - low) / (at_high - at_low)
        if (np.abs(step) <= 1e-10).all():
            break
        p = high - step
        value = function(p)
        turned = value * at_high < 0.0
        low, at_low = np.where(turned, high, low), np.where(turned, at_high, 0.5 * at_low)
        high, at_high = p, value
    return high


def slope(x, error, std_error):
    """Return C and its standard error of e = C x."""
    weight = x / np.maximum(std_error, LEAST * np.abs(error))
    length = weight @ weight
    return float(weight @ (error / np.maximum(std_error, LEAST * np.abs(error))) / length), float(length**-0.5)


def _at_one(expansion, column=None):
    """Return first coefficient and standard error at order 1, and the best shape's -2 log likelihood and chi2.

    Over the shapes that are not excluded: their mean, and the root of their mean variance and of that of the means.
    """
    found = Fit(*(each[0] for each in expansion.everywhere(np.ones(1), "largest", column)))
    kept, best = likely(found.deviance), found.deviance.argmin()
    first, spread = found.first[kept], found.spread[kept]
    error = np.sqrt((spread**2).mean() + first.var())
    return float(first.mean()), float(error), float(found.deviance[best]), float(found.chi2[best])


def _constant(largest, expansion):
    """Return C and its standard error of the theorem's expansion e = C x + .."""
    first, error, _, own = _at_one(expansion)
    dof = len(expansion.s) - 1
    poor = dof > 0 and special.chdtrc(dof, own) < _POOR
    return first / largest, error / largest * (float(np.sqrt(own / dof)) if poor else 1.0)


def diagnosis(x, error, std_error, level=0.99, spacing=1.0):
    """Test a theorem's expansion e = C x + .. for a wrong limit and for a half order.

    A symmetric or low-skew chain's error has integer powers of eta^2 only: a change of sign of eta and
    of the noise leaves it as it is. A constant E0, or A x^(1/2), is found where it is not 0 beside the
    expansion's unknown terms and the errors are more likely with it than without, whatever those terms.
    Both look alike on few or noisy points, so one is named where its -2 log likelihood is below the other's by the
    square of the level's quantile q: the wrong one is then named with a probability of at most P(Z > q).

    Parameters
    ----------
    level : float
        At which likelihoods and coefficients differ.

    Returns
    -------
    limit, limit_std_error, sqrt_term, sqrt_term_std_error : float
        E0 and A beside the expansion; NaN below four points.
    found : "", "limit", "half" or "either"
    """
    if len(x) < 4:
        return (np.nan,) * 4 + ("",)
    expansion = Expansion(x, error, std_error, spacing)
    _, _, without, _ = _at_one(expansion)
    columns = {"limit": np.ones_like(x), "half": np.sqrt(x)}
    fitted = {name: _at_one(expansion, column) for name, column in columns.items()}
    best, other = sorted(fitted, key=lambda name: fitted[name][2])
    value, error, least, _ = fitted[best]
    quantile, found = normal_quantile(level), ""
    if without - least > quantile**2 + EXCLUDED and abs(value) > quantile * error:
        found = best if fitted[other][2] - least > quantile**2 else "either"
    return (*fitted["limit"][:2], *fitted["half"][:2], found)


def curve(fitted, x, error, std_error, at):
    """Return what the fit expects at other steps `at`, shape (n,)."""
    x, error, std_error = (np.asarray(each, dtype=np.float64) for each in (x, error, std_error))
    expansion = Expansion(x, error, std_error, fitted.spacing)
    return expansion.curve(fitted.order, fitted.shape, np.asarray(at) / x.max())
