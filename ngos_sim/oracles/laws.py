"""Built-in laws of the noise zeta that are bounded, or a polynomial of a Gaussian (docs/theory.md, "Noise laws")."""

import math

import numpy as np
from scipy.special import ndtri

from ngos_sim.arithmetic import fma
from ngos_sim.identity import built_in
from ngos_sim.oracles.noises import Noise, gauss_hermite, mirrored
from ngos_sim.validation import described, is_number


def _horner4(t, e, d, c, b, a):
    """Return ((e t + d) t + c) t + b) t + a."""
    return fma(fma(fma(fma(e, t, d), t, c), t, b), t, a)


def normal_cdf_centred(x):
    """Return Phi(x) - 1/2, within 1e-10 for |x| < 6.8 (the generator's range).

    With t = x / sqrt(x^2 + 24): t times a polynomial of degree 15 in t^2, a Chebyshev fit made
    with mpmath.chebyfit; arithmetic only, so that it vectorises and has the same bits everywhere.
    """
    t = x / math.sqrt(fma(x, x, 24.0))
    s = t * t
    r = fma(fma(fma(44.5694817743898272, s, -239.027897950238205), s, 543.4694114175245542), s, -686.5616041314227221)
    r = _horner4(s, r, 541.0729093460766375, -296.6356295047457749, 123.7079981208730328, -29.10165345930738359)
    r = _horner4(s, r, -0.9766875141772309998, -9.61051100039041738, 8.674441990313974697, 12.74392119082384415)
    r = _horner4(s, r, -24.09836391495986915, 17.14994401630277961, -6.840435134329825569, 1.954410047570094585)
    return t * r


_SQRT12 = math.sqrt(12.0)


def _uniform(xi, p):
    return _SQRT12 * normal_cdf_centred(xi)


def _legendre(nodes, p):
    values, weights = np.polynomial.legendre.leggauss(nodes)
    return mirrored(math.sqrt(3.0) * values, 0.5 * weights)


@built_in
def uniform() -> Noise:
    """Uniform noise on [-sqrt 3, sqrt 3]: zeta = sqrt 12 (Phi(xi) - 1/2).

    Examples
    --------
    >>> [round(each, 12) for each in uniform().cumulants(sigma=1.0)]
    [0.0, 1.0, 0.0, -1.2]
    """
    return Noise("uniform", _uniform, _legendre)


def _rademacher(xi, p):
    return 1.0 if xi >= 0.0 else -1.0


@built_in
def rademacher() -> Noise:
    """Rademacher noise, +1 or -1: zeta = sign(xi).

    Examples
    --------
    >>> [round(each, 12) for each in rademacher().cumulants(sigma=1.0)]
    [0.0, 1.0, 0.0, -2.0]
    """
    return Noise("rademacher", _rademacher, lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]))


def _skewness(kind, skewness, low_skewness, bound):
    """Return E zeta^3 as a function of sigma from exactly one of the two conventions."""
    if (skewness is None) == (low_skewness is None):
        raise ValueError(
            f"{kind} noise takes either skewness= or low_skewness=, "
            f"got skewness={described(skewness)} and low_skewness={described(low_skewness)}"
        )
    key, value = ("skewness", skewness) if low_skewness is None else ("low_skewness", low_skewness)
    if not is_number(value):
        raise ValueError(f"{key}={described(value)} of {kind} noise must be a finite number")

    def third_moment(sigma):
        k3 = float(value) if low_skewness is None else value / sigma
        if not abs(k3) < bound:
            raise ValueError(
                f"{key}={described(value)} gives {kind} noise E zeta^3 = {k3:.4g} at sigma={sigma:.4g}; "
                f"its modulus must be below {bound:.4g}"
            )
        return k3

    if low_skewness is None:
        third_moment(1.0)
    return third_moment


def _two_point(xi, p):
    return p.upper if xi >= p.threshold else p.lower


@built_in
def two_point(*, skewness: float | None = None, low_skewness: float | None = None) -> Noise:
    """Two-point noise: sqrt((1-q)/q) with probability q, else -sqrt(q/(1-q)).

    E zeta^3 = (1 - 2q) / sqrt(q (1-q)) and E zeta^4 = 1 + (E zeta^3)^2.

    Parameters
    ----------
    skewness : float
        E zeta^3 = skewness at every sigma: a fixed law, which violates the low-skewness condition
        (Definition 2.6 of arXiv 2205.10287) unless it is 0.
    low_skewness : float
        E zeta^3 = low_skewness / sigma: a family that satisfies it.

    Raises
    ------
    ValueError
        Neither or both are given, one is not finite, or |E zeta^3| is not below 1000.

    Examples
    --------
    >>> [round(k, 12) for k in two_point(skewness=1.5).cumulants(sigma=8.0)]
    [0.0, 1.0, 1.5, 0.25]
    """
    k3 = _skewness("two-point", skewness, low_skewness, 1e3)

    def probability(sigma):
        third = k3(sigma)
        root = math.hypot(2.0, third)
        rare = 2.0 / (root * (root + abs(third)))  # of the far point: (1 - |k3| / root) / 2 without cancellation
        return rare if third >= 0.0 else 1.0 - rare

    def upper(sigma):
        return math.sqrt((1.0 - probability(sigma)) / probability(sigma))

    return Noise(
        "two-point",
        _two_point,
        lambda nodes, p: ([p.lower, p.upper], [1.0 - p.probability, p.probability]),
        {
            "probability": probability,
            "threshold": lambda sigma: float(ndtri(1.0 - probability(sigma))),
            "upper": upper,
            "lower": lambda sigma: -1.0 / upper(sigma),
        },
    )


def _skewed(xi, p):
    return fma(p.b, fma(xi, xi, -1.0), p.a * xi)


@built_in
def skewed(*, skewness: float | None = None, low_skewness: float | None = None) -> Noise:
    """Skewed noise zeta = a xi + b (xi^2 - 1) with a^2 + 2 b^2 = 1.

    E zeta^3 = 6 a^2 b + 8 b^3 = 6 b - 4 b^3, solved by b = sqrt 2 sin(asin(E zeta^3 / sqrt 8) / 3);
    its modulus is below sqrt 8.

    Parameters
    ----------
    skewness, low_skewness : float
        As in `two_point`.

    Raises
    ------
    ValueError
        Neither or both are given, one is not finite, or |E zeta^3| is not below sqrt 8.

    Examples
    --------
    >>> round(skewed(skewness=0.6).cumulants(sigma=8.0)[2], 12)
    0.6
    """
    k3 = _skewness("skewed", skewness, low_skewness, math.sqrt(8.0))

    def b(sigma):
        return math.sqrt(2.0) * math.sin(math.asin(k3(sigma) / math.sqrt(8.0)) / 3.0)

    def quadrature(nodes, p):
        xi, weights = gauss_hermite(nodes)
        return p.a * xi + p.b * (xi * xi - 1.0), weights

    return Noise("skewed", _skewed, quadrature, {"a": lambda sigma: math.sqrt(1.0 - 2.0 * b(sigma) * b(sigma)), "b": b})
