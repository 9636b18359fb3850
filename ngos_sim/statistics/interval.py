"""The order of greatest likelihood, and how far it may lie from that: the roots of the likelihood's rise.

`order.fit` asks for it; the likelihood is that of `expansion`.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from ngos_sim.statistics import likelihood
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.expansion import likely
from ngos_sim.statistics.mixture import quantiles
from ngos_sim.statistics.theorem import POOR

_LEAST, _MOST = -1.0, 4.0  # of orders
_GRID = np.linspace(_LEAST, _MOST, 51)
_END = 1e-6
_NEAR = 10.0 ** np.linspace(-7.0, 0.75, 32)  # distances from the best order at which the likelihood is looked at
_MANY = 9  # points, that tell the size of the further terms well enough
_FEW, _OF_FEW = 3, 0.97  # points that tell nearly nothing of it, whose average is asked for this to hold p in 95 %
_UNLIKELY = 80.0  # above the least deviance: a shape of no weight in any average
_NARROW = 1e-12  # an order's spread, at least
_LEVELS = {"at68": 0.6827, "at95": 0.95, "at99": 0.99}


class Ends(NamedTuple):
    """Of an interval."""

    low: float
    high: float


class OrderInterval(NamedTuple):
    """The order p of e = C h^p (1 + further terms).

    at68, at95, at99 : the Ends of its integrated-likelihood intervals
    chi2, dof, p_value : of the fit
    asymptotic : False where the order lies at the end of its range, or the third finest step lies outside the radius
        within which the expansion converges
    shape : which of the expansion's shapes fits best
    """

    order: float
    at68: Ends
    at95: Ends
    at99: Ends
    chi2: float
    dof: int
    p_value: float
    asymptotic: bool
    shape: int


def interval(expansion, widening):
    """Return the OrderInterval of an Expansion.

    widening : float
        How much wider than the errors' own its sigma are: chi2 is as without.
    """
    found = _least(expansion)
    orders, least = found[:2]
    best, kept = int(least.argmin()), likely(least)
    order, dof = float(orders[best]), len(expansion.s) - 2
    chi2 = expansion.at(order, np.array([best])).chi2.item() * widening**2
    p_value = float(special.chdtrc(dof, chi2)) if dof > 0 else np.nan
    inflated = chi2 / dof if p_value < POOR else 1.0  # a model that does not fit knows less than it says
    rises = np.sqrt(inflated) * np.array([normal_quantile(level) for level in _LEVELS.values()])
    points = len(expansion.s)
    are_few = points <= _FEW or (points < _MANY and expansion.is_precise)
    asked = np.flatnonzero(kept | are_few & (least < least.min() + _UNLIKELY))
    lows, highs = (_edges(expansion, asked, found[:, asked], rises, end) for end in (_LEAST, _MOST))
    low, high = lows[kept[asked]].min(axis=0), highs[kept[asked]].max(axis=0)
    if are_few:
        level = _OF_FEW if points <= _FEW else _LEVELS["at95"]
        averaged = _averaged(orders[asked], least[asked], lows[:, 0], highs[:, 0], level)
        low, high = np.minimum(low, averaged.low), np.maximum(high, averaged.high)
    converges = bool(np.any(expansion.rho[expansion.shapes][kept] * expansion.inner < 1.0 - _END))
    return OrderInterval(
        order=order,
        **dict(zip(_LEVELS, map(Ends, low.tolist(), high.tolist()), strict=True)),
        chi2=chi2,
        dof=dof,
        p_value=p_value,
        asymptotic=converges and _LEAST + _END < order < _MOST - _END,
        shape=best,
    )


def _averaged(orders, least, low, high, level):
    """Return the Ends, shape (levels,) each, of the order's intervals averaged over all shapes.

    n points leave n - 2 numbers, beside C and p, that tell how large the further terms are. Where the first of these is
    small by chance, a few numbers say that all are, and the shapes that they do not exclude give orders near to p that
    fit as if there were no further terms: of exact series 70, 90 and 95 % of 95 % intervals held p at 3, 4 and 5
    points, and of those in half powers 70 and 79 % at 6 and 8. So few must not choose: each shape counts by its
    likelihood integrated over the order (exp(-least / 2) times its spread), and has a normal law of its own spread on
    either side.

    The 99 % interval is left as it is, and may be shorter than that of 95 %: verdicts read it with a margin of .1, and
    with that margin it held p in 99.8 % and more of exact series, in 99.5 % and more of noisy ones; the average's ends
    of 99 % reach as far as the prior allows.

    orders, least, low, high : shape (shapes,), the best order, its deviance, and the ends of the 68 % interval
    level : of the second interval, which is that of 95 %: greater on three points, where noise too hides the terms
        (with .95, and where errors are precise alone, 92 to 95 % of such intervals held p)
    """
    left = np.maximum(orders - np.maximum(low, _LEAST), _NARROW)
    right = np.maximum(np.minimum(high, _MOST) - orders, _NARROW)
    weight = np.exp(0.5 * (least.min() - least)) * (left + right)
    levels = np.array([_LEVELS["at68"], level])
    wanted = 0.5 + 0.5 * np.concatenate([-levels, levels])
    low, high = np.split(quantiles(wanted, orders, left, right, weight, (_LEAST, _MOST)), 2)
    return Ends(np.append(low, np.inf), np.append(high, -np.inf))


def _least(expansion):
    """Return for every shape the order of least deviance, that deviance, and how far from there it rises by 1."""
    count = len(expansion.shapes)
    found = np.empty((3, count))
    likelihood.least(expansion.errors, expansion.room, expansion.shapes, _GRID, np.empty((count, len(_GRID))), found)
    return found


def _edges(expansion, shapes, found, rises, end):
    """Return where the root of deviance - least is each of `rises`, on the side of `end`; beyond it, infinity.

    shapes : those that are not excluded
    found : of `_least`, of these
    Returns shape (shapes, rises).
    """
    ends = np.full((len(shapes), len(rises)), np.copysign(np.inf, end))
    likelihood.edges(expansion.errors, expansion.room, shapes, found, rises, _NEAR, end, ends)
    return ends
