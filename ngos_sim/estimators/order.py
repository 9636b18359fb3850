"""From signed errors with standard errors to an order with an interval, a constant and a verdict."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from ngos_sim.estimators.chunks import normal_quantile

RESOLVED = 3.0  # an error is resolved where it exceeds this many standard errors
MARGIN = 0.1  # an order is consistent with p where its 99 % interval lies above p - MARGIN
_GRID = np.linspace(-1.0, 4.0, 501)  # of orders
_LEVELS = (0.6827, 0.95, 0.99)
_POOR = 1e-3  # p-value below which intervals widen by the root of chi2 / dof
_PARALLEL = 1e-24  # squared sine of the angle below which two columns are one


@dataclass(frozen=True)
class OrderFit:
    """The signed fit e = C x^p (1 + D x), |D| max(x) <= 1, and the constant of e = C x + D x^2 + E x^3.

    order, std_error, ci_low, ci_high : p, half its 68 % and its 95 % profile-likelihood interval
    low99, high99 : its 99 % interval
    limit, limit_std_error, sqrt_term, sqrt_term_std_error, found : E0, A and the finding of `diagnosis`
    constant, constant_std_error : C of e = C x + D x^2 + E x^3, to set beside a predicted constant
    chi2, dof, p_value : of the fit of the order
    points, resolved_points : how many entered, how many exceed 3 standard errors
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


def fit(x, error, std_error, rows=1, widening=1.0):
    """Fit an order to signed errors by weighted least squares.

    Parameters
    ----------
    x : ndarray, shape (points,) float64
        eta_e of each point.
    error, std_error : ndarray, shape (points,) float64
        Every point enters, resolved or not. A standard error of 0 counts as the least positive rounding.
    rows : int
        Fits in the same table: they share the 1 % of false alarms of the diagnosis.
    widening : float
        How much wider every interval and standard error becomes, where the points were selected: the
        quantile of a simultaneous band over that of one interval. chi2 and p_value are as without.

    Returns
    -------
    OrderFit
        With fewer than three resolved points, order and interval are NaN.
    """
    x, error = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    sigma = widening * _positive(std_error, error)
    resolved = int(np.sum(np.abs(error) > RESOLVED * sigma))
    linear = (*_constant(x, error, sigma, widening), *diagnosis(x, error, sigma, 1.0 - 0.01 / rows))
    if resolved < 3:
        nothing = (np.nan,) * 6
        return OrderFit(*nothing, *linear, np.nan, 0, np.nan, len(x), resolved)

    at = (x, error, sigma)
    chi2, slope, *_ = _profile(_GRID, *at)
    best = _least(chi2, slope, at)
    least = float(_profile(best, *at)[0][0])
    dof = len(x) - 3
    own = least * widening**2
    p_value = float(special.chdtrc(dof, own)) if dof > 0 else np.nan
    inflated = own / dof if p_value < _POOR else 1.0  # a model that does not fit knows less than it says
    rises = np.sqrt(inflated) * np.array([normal_quantile(level) for level in _LEVELS])
    (low68, low95, low99), (high68, high95, high99) = _edges(best, chi2, least, rises, at)
    order, half = float(best[0]), 0.5 * (high68 - low68)
    return OrderFit(order, half, low95, high95, low99, high99, *linear, own, dof, p_value, len(x), resolved)


def _least(chi2, slope, at):
    """Return the p of the least chi2, shape (1,): where its slope is 0, beside the least value on the grid."""
    start = int(np.argmin(chi2))
    low, high = max(start - 1, 0), min(start + 1, len(_GRID) - 1)
    if not slope[low] < 0.0 < slope[high]:
        return _GRID[[start]]
    return _crossing(lambda p: _profile(p, *at)[1], _GRID[[low]], _GRID[[high]], slope[[low]], slope[[high]])


def _edges(best, chi2, least, rises, at):
    """Return the least and the greatest p where the root of chi2 - least is each of `rises`, as two lists.

    What is not reached on the grid is infinite.
    """
    where = int(np.searchsorted(_GRID, best[0]))
    orders = np.insert(_GRID, where, best)
    roots = np.insert(np.sqrt(np.maximum(chi2 - least, 0.0)), where, 0.0)
    inside = roots < rises[:, None]
    first, last = inside.argmax(axis=1), len(orders) - 1 - inside[:, ::-1].argmax(axis=1)
    within, beyond = np.concatenate([first, last]), np.concatenate([first - 1, last + 1])
    rise, edges = np.tile(rises, 2), np.repeat([-np.inf, np.inf], len(rises))
    reached = (beyond >= 0) & (beyond < len(orders))
    within, beyond, rise = within[reached], beyond[reached], rise[reached]
    edges[reached] = _crossing(
        lambda p: np.sqrt(np.maximum(_profile(p, *at)[0] - least, 0.0)) - rise,
        orders[within],
        orders[beyond],
        roots[within] - rise,
        roots[beyond] - rise,
    )
    return edges.reshape(2, -1).tolist()


def _crossing(function, low, high, at_low, at_high):
    """Return where function(p), shape (n,), is 0 between low and high, by false position (Illinois).

    at_low, at_high : its values there, of opposite signs
    """
    for _ in range(100):
        step = at_high * (high - low) / (at_high - at_low)
        if (np.abs(step) <= 1e-14).all():
            break
        p = high - step
        value = function(p)
        turned = value * at_high < 0.0
        low, at_low = np.where(turned, high, low), np.where(turned, at_high, 0.5 * at_low)
        high, at_high = p, value
    return high


def slope(x, error, std_error):
    """Return C and its standard error of e = C x."""
    return _first([x], error, _positive(std_error, error))[:2]


def _constant(x, error, sigma, widening):
    """Return C and its standard error of e = C x + D x^2 + E x^3 (fewer terms than points, at least one).

    Where the powers do not fit, the standard error grows by the root of chi2 / dof.
    """
    terms = max(1, min(3, len(x) - 1))
    constant, spread, misfit = _first([x ** (1 + n) for n in range(terms)], error, sigma)
    own, dof = misfit * widening**2, len(x) - terms
    poor = dof > 0 and special.chdtrc(dof, own) < _POOR
    return constant, spread * (float(np.sqrt(own / dof)) if poor else 1.0)


def diagnosis(x, error, std_error, level=0.99):
    """Test a theorem's expansion e = C x + D x^2 + .. for a wrong limit and for a half order.

    A symmetric or low-skew chain's error has integer powers of eta^2 only: a change of sign of eta and
    of the noise leaves it as it is. Where these do not fit, one of them is exchanged for the constant
    E0 or for A x^(1/2); what fits better than the powers, with a coefficient that is not 0, is found.
    Both look alike on few or noisy points, so one is named where its chi2 is below the other's by the
    square of the level's quantile q: the wrong one is then named with a probability of at most P(Z > q).

    Parameters
    ----------
    level : float
        At which powers are rejected and coefficients differ from 0.

    Returns
    -------
    limit, limit_std_error, sqrt_term, sqrt_term_std_error : float
        E0 and A beside the powers; NaN below four points.
    found : "", "limit", "half" or "either"
    """
    if len(x) < 4:
        return (np.nan,) * 4 + ("",)
    powers = [x ** (1 + n) for n in range(min(4, len(x) - 2))]
    sigma = _positive(std_error, error)
    *_, misfit = _first(powers, error, sigma)
    rejected = special.chdtrc(len(x) - len(powers), misfit) < 1.0 - level
    others = {"limit": np.ones_like(x), "half": np.sqrt(x)}
    fitted = {name: _first([column, *powers[:-1]], error, sigma) for name, column in others.items()}
    best, other = sorted(fitted, key=lambda name: fitted[name][2])
    value, spread, least = fitted[best]
    quantile, found = normal_quantile(level), ""
    if rejected and least < misfit and abs(value) > quantile * spread:
        found = best if fitted[other][2] - least > quantile**2 else "either"
    return (*fitted["limit"][:2], *fitted["half"][:2], found)


def _first(columns, error, sigma):
    """Return the first coefficient of a weighted least squares fit, its standard error, and chi2."""
    scale = np.array([np.abs(column).max() for column in columns])
    design = np.stack(columns, axis=1) / scale / sigma[:, None]
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    solution = inverse @ (q.T @ (error / sigma))
    misfit = float(np.sum((error / sigma - design @ solution) ** 2))
    return float(solution[0] / scale[0]), float(np.linalg.norm(inverse[0]) / scale[0]), misfit


def _profile(p, x, error, sigma):
    """Return chi2, its slope in p, a and b of the best a s^p + b s^(p + 1), s = x / max(x), |b| <= |a|, at each p (n,).

    Unbounded, b would make p = 0 and p = 1 the same curve. The best b is the unconstrained one (the two
    columns orthogonalised twice, since normal equations square their condition) or at an end of its range.
    """
    scaled, sigma = (x / x.max())[:, None], sigma[:, None]
    target = error[:, None] / sigma
    log = np.log(scaled)
    leading = np.exp(log * p) / sigma
    next_ = scaled * leading
    length = (leading * leading).sum(axis=0)
    along = (leading * next_).sum(axis=0) / length
    rest = next_ - along * leading
    again = (leading * rest).sum(axis=0) / length
    rest -= again * leading
    left = (rest * rest).sum(axis=0)
    free = left > _PARALLEL * length
    b = (rest * target).sum(axis=0) / np.where(free, left, np.inf)
    a = (leading * target).sum(axis=0) / length - (along + again) * b
    outside = ~free | (np.abs(b) > np.abs(a))
    if outside.any():
        up, up_gain = _one(leading + next_, target)
        down, down_gain = _one(leading - next_, target)
        upper = up_gain >= down_gain
        a = np.where(outside, np.where(upper, up, down), a)
        b = np.where(outside, np.where(upper, up, -down), b)
    model = a * leading + b * next_
    misfit = target - model
    return (misfit * misfit).sum(axis=0), -2.0 * (misfit * log * model).sum(axis=0), a, b


def _one(column, target):
    """Return the coefficient of one column at each p, and by how much it lowers chi2."""
    length, overlap = (column * column).sum(axis=0), (column * target).sum(axis=0)
    coefficient = overlap / np.where(length > 0.0, length, np.inf)
    return coefficient, coefficient * overlap


def curve(fitted, x, error, std_error, at):
    """Return the fitted C x^p (1 + D x) at other steps `at`, shape (n,)."""
    x, error = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    *_, a, b = _profile(np.array([fitted.order]), x, error, _positive(std_error, error))
    scaled = np.asarray(at) / x.max()
    return a * scaled**fitted.order + b * scaled ** (fitted.order + 1.0)


def _positive(std_error, error):
    """Return standard errors that are at least the rounding of the errors."""
    return np.maximum(np.asarray(std_error, dtype=np.float64), 1e-15 + 1e-9 * np.abs(error))
