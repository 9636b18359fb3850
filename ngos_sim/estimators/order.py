"""From signed errors with standard errors to an order with an interval, a constant and a verdict."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from ngos_sim.estimators.chunks import normal_quantile

RESOLVED = 3.0  # an error is resolved where it exceeds this many standard errors
MARGIN = 0.1  # an order is consistent with p where its 99 % interval lies above p - MARGIN
_RANGE = (-1.0, 4.0)
_POOR = 1e-3  # p-value below which intervals widen by the root of chi2 / dof
_FINE = {"xatol": 1e-12, "maxiter": 500}


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
        """Say in words how the fit stands to the order of a theorem, which is an upper bound."""
        if self.resolved_points < 3:
            return f"unresolved: {self.resolved_points} of {self.points} points exceed 3 standard errors, 3 are needed"
        if theorem == 1.0 and self.found == "limit":
            return f"fails order 1: limit off by {self.limit:.3g} ({self.limit_std_error:.1g})"
        if theorem == 1.0 and self.found == "half":
            return f"fails order 1: half order, {self.sqrt_term:.3g} ({self.sqrt_term_std_error:.1g}) sqrt(eta_e)"
        if self.low99 > theorem - MARGIN:
            return f"consistent with order {theorem:g}"
        if self.high99 < theorem - MARGIN:
            return f"fails order {theorem:g}"
        return "undecided"


def fit(x, error, std_error, rows=1):
    """Fit an order to signed errors by weighted least squares.

    Parameters
    ----------
    x : ndarray, shape (points,) float64
        eta_e of each point.
    error, std_error : ndarray, shape (points,) float64
        Every point enters, resolved or not. A standard error of 0 counts as the least positive rounding.
    rows : int
        Fits in the same table: they share the 1 % of false alarms of the diagnosis.

    Returns
    -------
    OrderFit
        With fewer than three resolved points, order and interval are NaN.
    """
    x, error = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    sigma = _positive(std_error, error)
    resolved = int(np.sum(np.abs(error) > RESOLVED * sigma))
    linear = (*_constant(x, error, sigma), *diagnosis(x, error, sigma, 1.0 - 0.01 / rows))
    if resolved < 3:
        nothing = (np.nan,) * 6
        return OrderFit(*nothing, *linear, np.nan, 0, np.nan, len(x), resolved)

    def chi2(p):
        return _best(p, x, error, sigma)[0]

    grid = np.linspace(*_RANGE, 501)
    start = grid[int(np.argmin([chi2(p) for p in grid]))]
    width = grid[1] - grid[0]
    best = float(
        optimize.minimize_scalar(chi2, bounds=(start - width, start + width), method="bounded", options=_FINE).x
    )
    least = chi2(best)
    dof = len(x) - 3
    p_value = float(stats.chi2.sf(least, dof)) if dof > 0 else np.nan
    widening = least / dof if p_value < _POOR else 1.0  # a model that does not fit knows less than it says

    def edge(level, toward):
        """Return where chi2 exceeds its least value by the square of the level's quantile."""
        threshold = least + widening * normal_quantile(level) ** 2
        if chi2(toward) < threshold:
            return np.sign(toward - best) * np.inf
        return float(optimize.brentq(lambda p: chi2(p) - threshold, best, toward))

    (low68, high68), (low95, high95), (low99, high99) = (
        [edge(level, toward) for toward in _RANGE] for level in (0.6827, 0.95, 0.99)
    )
    half = 0.5 * (high68 - low68)
    return OrderFit(best, half, low95, high95, low99, high99, *linear, least, dof, p_value, len(x), resolved)


def _constant(x, error, sigma):
    """Return C and its standard error of e = C x + D x^2 + E x^3 (fewer terms than points, at least one)."""
    terms = max(1, min(3, len(x) - 1))
    return _first([x ** (1 + n) for n in range(terms)], error, sigma)[:2]


def diagnosis(x, error, std_error, level=0.99):
    """Test a theorem's expansion e = C x + D x^2 + .. for a wrong limit and for a half order.

    A symmetric or low-skew chain's error has integer powers of eta^2 only: a change of sign of eta and
    of the noise leaves it as it is. Where these do not fit, one of them is exchanged for the constant
    E0 or for A x^(1/2); what fits better than the powers, with a coefficient that is not 0, is found.

    Parameters
    ----------
    level : float
        At which powers are rejected and coefficients differ from 0.

    Returns
    -------
    limit, limit_std_error, sqrt_term, sqrt_term_std_error : float
        E0 and A beside the powers; NaN below four points.
    found : "", "limit" or "half"
    """
    if len(x) < 4:
        return (np.nan,) * 4 + ("",)
    powers = [x ** (1 + n) for n in range(min(4, len(x) - 2))]
    sigma = _positive(std_error, error)
    *_, misfit = _first(powers, error, sigma)
    rejected = stats.chi2.sf(misfit, len(x) - len(powers)) < 1.0 - level
    others = {"limit": np.ones_like(x), "half": np.sqrt(x)}
    fitted = {name: _first([column, *powers[:-1]], error, sigma) for name, column in others.items()}
    best = min(fitted, key=lambda name: fitted[name][2])
    value, spread, least = fitted[best]
    found = best if rejected and least < misfit and abs(value) > normal_quantile(level) * spread else ""
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


def _best(p, x, error, sigma):
    """Return (chi2, a, b) of the best a s^p + b s^(p + 1), s = x / max(x), with |b| <= |a|.

    Unbounded, b would make p = 0 and p = 1 the same curve. The best b is the unconstrained one or at
    an end of its range.
    """
    scaled = x / x.max()
    leading, next_ = scaled**p / sigma, scaled ** (p + 1.0) / sigma
    target = error / sigma
    (a, b), *_ = np.linalg.lstsq(np.stack([leading, next_], axis=1), target, rcond=None)
    candidates = [(a, b)] if abs(b) <= abs(a) else []
    for sign in () if candidates else (1.0, -1.0):
        end = leading + sign * next_
        a = (end @ target) / (end @ end)
        candidates.append((a, sign * a))
    return min((float(np.sum((target - a * leading - b * next_) ** 2)), a, b) for a, b in candidates)


def curve(fitted, x, error, std_error, at):
    """Return the fitted C x^p (1 + D x) at other steps `at`, shape (n,)."""
    x, error = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    _, a, b = _best(fitted.order, x, error, _positive(std_error, error))
    scaled = np.asarray(at) / x.max()
    return a * scaled**fitted.order + b * scaled ** (fitted.order + 1.0)


def _positive(std_error, error):
    """Return standard errors that are at least the rounding of the errors."""
    return np.maximum(np.asarray(std_error, dtype=np.float64), 1e-15 + 1e-9 * np.abs(error))
