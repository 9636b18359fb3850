"""The expansion of a theorem's order p: its constant, and the terms of lower order that would refute the theorem.

The theorem says e = C h^p + D h^(p + d) + .., d the spacing of the powers. `order.fit` calls both functions here; what
is known of the further terms is in `expansion`.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.expansion import EXCLUDED, Fit, likely
from ngos_sim.statistics.mixture import quantiles
from ngos_sim.validation import is_number

POOR = 1e-3  # p-value below which intervals widen by the root of chi2 / dof
_LOWER = (0.0, 0.5, 1.0)  # powers of the terms that are looked for: a wrong limit, skewed noise, a theorem of order 1
_MOST = 3.0  # of a theorem's order: the fitted one ends at 4
_FEW = 4  # points, on which intervals of C held it in 87 % where the first step's deviation cancels;
_OF_FEW = 2.0  # times EXCLUDED, by which a lower term is likelier there: of 250 exact series 4 % had one otherwise
_SOME, _OF_PRECISE = 6, 4.0  # points, whose precise errors ask for so many times: of 1,000 series 2 to 4 % had one
_LEVEL, _CENTRAL = 0.95, (0.025, 0.975)
_LEAST_POINTS = 4  # to tell a lower term from the theorem's further ones


def order_of(value, name="theorem"):
    """Return the order of a theorem as a float; raise ValueError for what is none."""
    if not is_number(value) or not 0.0 <= value <= _MOST or value % 0.5:
        raise ValueError(f"{name}={value!r} must be an order: a multiple of 1/2 from 0 to {_MOST:g}")
    return float(value)


class Term(NamedTuple):
    """The coefficient of h^power, with its standard error."""

    power: float
    value: float
    std_error: float


class _Beside(NamedTuple):
    """What the likelihood says at the theorem's order, over the shapes that it does not exclude.

    value, std_error : the first coefficient, its mean over the shapes; the root of their mean variance (of C on three
        or four points of the largest: there a shape is often the best by chance) and of the variance of the means
    deviance, chi2 : of the best shape
    """

    value: float
    std_error: float
    deviance: float
    chi2: float


def constant(expansion, theorem):
    """Return the Term C h^p of a theorem of order p.

    Its 95 % interval holds that of the shapes that are not excluded, and the one that all shapes have on average,
    with or without the first further term, each by its likelihood: where that term is small by chance, or is not
    there (x + B x^3), the errors exclude shapes that they should not, and intervals held C in 52 to 90 %.
    """
    fit = expansion.at(theorem, expansion.all_shapes, "largest")
    found = _beside(Fit(*(each[expansion.shapes] for each in fit)), is_guess=len(expansion.s) <= _FEW)
    weight = np.exp(0.5 * (fit.deviance.min() - fit.deviance))
    averaged = quantiles(_CENTRAL, fit.first, fit.spread, fit.spread, weight)
    reach = normal_quantile(_LEVEL) * found.std_error
    low, high = min(averaged[0], found.value - reach), max(averaged[1], found.value + reach)
    std_error = (high - low) / (2.0 * normal_quantile(_LEVEL))
    dof = len(expansion.s) - 1
    poor = dof > 0 and special.chdtrc(dof, found.chi2) < POOR
    widened = std_error * (np.sqrt(found.chi2 / dof) if poor else 1.0)
    unit = expansion.largest**theorem
    return Term(theorem, float(low + high) / 2.0 / unit, float(widened) / unit)


def lower_terms(expansion, theorem, level):
    """Test a theorem's expansion for terms of order 0, 1/2 and 1, as far as they are below its own order.

    A symmetric or low-skew chain's error has integer powers of eta^2 only: a change of sign of eta and of the noise
    leaves it as it is. A term B h^q is found where B is not 0 beside the expansion's unknown terms and the errors are
    more likely with it than without, whatever those terms, and were the first of them not there. Terms look alike on
    few or noisy points, so one is named where its -2 log likelihood is below the others' by the square of the level's
    quantile z: a wrong one is then named with a probability of at most P(Z > z).

    Parameters
    ----------
    expansion : Expansion
    theorem : float
        Its order p.
    level : float
        At which likelihoods and coefficients differ.

    Returns
    -------
    terms : tuple of Term
        Each beside the expansion alone; none below four points.
    found : tuple of Term
        None, the one that is found, or those of which one is there.
    """
    powers = [power for power in _LOWER if power < theorem]
    if len(expansion.s) < _LEAST_POINTS or not powers:
        return (), ()
    beside = (expansion.at(theorem, expansion.shapes, "largest", expansion.s**power) for power in powers)
    fits = [_beside(each, is_guess=False) for each in beside]
    units = [expansion.largest**power for power in powers]
    terms = tuple(
        Term(power, fit.value / unit, fit.std_error / unit)
        for power, unit, fit in zip(powers, units, fits, strict=True)
    )
    best = min(fits, key=lambda fit: fit.deviance)
    quantile = normal_quantile(level)
    without = expansion.at(theorem, expansion.all_shapes, "largest").deviance.min()
    is_likelier = without - best.deviance > quantile**2 + EXCLUDED * _times(expansion)
    if not is_likelier or abs(best.value) <= quantile * best.std_error:
        return terms, ()
    alike = [fit.deviance - best.deviance <= quantile**2 for fit in fits]
    return terms, tuple(term for term, like in zip(terms, alike, strict=True) if like)


def _times(expansion):
    """Return how many times EXCLUDED a lower term must be likelier: more where few errors tell little of the shapes."""
    if len(expansion.s) <= _SOME and expansion.is_precise:
        return _OF_PRECISE
    return _OF_FEW if len(expansion.s) <= _FEW else 1.0


def _beside(fit, is_guess):
    """Return the _Beside of a Fit with every shape; is_guess where few points tell little of the shapes."""
    kept, best = likely(fit.deviance), fit.deviance.argmin()
    value, spread = fit.first[kept], fit.spread[kept]
    own = np.max(spread**2) if is_guess else np.mean(spread**2)
    std_error = np.sqrt(own + value.var())
    return _Beside(float(value.mean()), float(std_error), float(fit.deviance[best]), float(fit.chi2[best]))
