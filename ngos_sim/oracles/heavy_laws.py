"""Built-in laws of the noise zeta with tails heavier than a Gaussian's: Laplace and Student's t.

The samplers are quantile transforms of one Gaussian xi, zeta = F^-1(Phi(xi)), as polynomials: arithmetic only, so that
they vectorise and have the same bits on every engine (docs/theory.md, "Noise laws").
"""

import math

import numpy as np
from scipy.special import ndtr, stdtrit

from ngos_sim.arithmetic import polynomial
from ngos_sim.identity import built_in
from ngos_sim.oracles.noises import Noise, mirrored
from ngos_sim.validation import described, is_number

_RANGE = 6.8  # of xi: the generator's

# (-log(erfc(x / sqrt 2)) / x - x / 2) / sqrt 2 on 0 <= x <= 6.9, in w = 2 (1 + 6 / 6.9) x / (x + 6) - 1; by
# mpmath.chebyfit, within 2.1e-14, lowest degree first.
_LAPLACE = (
    *(0.3741747604316374432, -0.1705435515281580275, 0.02095319323533671517, -0.0002621952751234216719),
    *(-0.001511980163857040465, 0.0003178972309584703738, 0.00003913763705327762832, -0.0000452388122951553455),
    *(5.736357791972621785e-6, 3.079581757713825364e-6, -1.47930267645749857e-6, -2.293300369458033072e-8),
    *(1.627376015762024769e-7, -3.585002288124687724e-8, -1.069791956150862656e-8, 4.273169859503001729e-9),
)
_HALF_ROOT2 = math.sqrt(0.125)


def _laplace(xi, p):
    x = abs(xi)
    w = 2.739130434782608696 - 22.43478260869565217 / (x + 6.0)
    return xi * (_HALF_ROOT2 * x + polynomial(w, _LAPLACE))


def _laguerre(nodes, p):
    """Return the Gauss-Laguerre rule of |zeta| sqrt 2, a standard exponential, mirrored."""
    values, weights = np.polynomial.laguerre.laggauss((nodes + 1) // 2)
    half = math.sqrt(0.5) * values
    return np.concatenate([-half[::-1], half]), 0.5 * np.concatenate([weights[::-1], weights]) / weights.sum()


@built_in
def laplace() -> Noise:
    """Laplace noise, density exp(-sqrt 2 |zeta|) / sqrt 2: E zeta^4 = 6, every moment is finite.

    zeta = -sign(xi) log(2 Phi(-|xi|)) / sqrt 2, within 1e-13 of itself for |xi| < 6.8 (the generator's range).

    Examples
    --------
    >>> [round(each, 9) for each in laplace().cumulants(sigma=1.0)]
    [0.0, 1.0, 0.0, 3.0]
    """
    return Noise("laplace", _laplace, _laguerre)


_DEGREE, _FOLD, _FARTHEST = 15, 40.0, 6.9
_STRETCH = 2.0 * (1.0 + _FOLD / (_FARTHEST * _FARTHEST))  # w = _STRETCH s / (s + _FOLD) - 1, s = xi^2
_OFFSET, _BEND = _STRETCH - 1.0, _STRETCH * _FOLD
_POINTS = 64
_MAX_FINITE = 8  # pairs of moments that the rule has exactly


def _student_t(xi, p):
    w = _OFFSET - _BEND / (xi * xi + _FOLD)
    low = (p.c0, p.c1, p.c2, p.c3, p.c4, p.c5, p.c6, p.c7)
    return xi * math.exp(polynomial(w, (*low, p.c8, p.c9, p.c10, p.c11, p.c12, p.c13, p.c14, p.c15)))


def _quantile(nu, xi):
    """Return Student's t quantile at Phi(xi), xi > 0."""
    return -stdtrit(nu, ndtr(-xi))


def _coefficients(nu):
    """Return the polynomial in w for log(zeta / xi), by interpolation in Chebyshev's points.

    Its constant makes the variance 1 over the generator's range.
    """
    angles = [math.pi * (k + 0.5) / _POINTS for k in range(_POINTS)]
    s = np.array([_BEND / (_OFFSET - math.cos(angle)) - _FOLD for angle in angles])
    heights = np.log(_quantile(nu, np.sqrt(s)) / np.sqrt(s)).tolist()
    series = [
        math.fsum(y * math.cos(n * angle) for y, angle in zip(heights, angles, strict=True)) * 2.0 / _POINTS
        for n in range(_DEGREE + 1)
    ]
    series[0] *= 0.5
    found = np.polynomial.chebyshev.cheb2poly(series)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    xi = 0.5 * _RANGE * (nodes + 1.0)
    variance = math.fsum((_RANGE * weights * np.exp(-0.5 * xi * xi) * _quantile(nu, xi) ** 2).tolist())
    found[0] -= 0.5 * math.log(variance / math.sqrt(2.0 * math.pi))
    return {f"c{n}": round(value, 13) for n, value in enumerate(found.tolist())}  # the same where libm differs


def _gegenbauer(nodes, exponent):
    """Return the Gauss rule of the density (1 - y^2)^exponent on [-1, 1], of mass 1 (Golub and Welsch 1969)."""
    k = np.arange(2, nodes)
    off = np.sqrt([1.0 / (2.0 * exponent + 3.0), *(k * (k + 2.0 * exponent) / ((2.0 * (k + exponent)) ** 2 - 1.0))])
    values, vectors = np.linalg.eigh(np.diag(off, 1) + np.diag(off, -1))
    return mirrored(values, vectors[0] ** 2)


@built_in
def student_t(nu: float) -> Noise:
    """Student's t noise with nu degrees of freedom, scaled to variance 1: E |zeta|^n is finite for n < nu only.

    zeta = xi exp(q(xi^2)), its quantile transform within 2e-10 of itself for |xi| < 6.8. That is the generator's range,
    beyond which lies 5e-12 of the law on either side; the variance is 1 on it, for which zeta is scaled up by
    1.9e-4 at nu = 3 and 4.2e-7 at nu = 5. The quadrature, t = sqrt(nu) y / sqrt(1 - y^2) at the nodes of a Gauss rule
    in y (Gegenbauer's), has all finite moments up to the 16th exactly.

    Parameters
    ----------
    nu : float
        At least 3: below, too much of the variance lies where no generator comes.

    Raises
    ------
    ValueError
        nu is not a number from 3 to 1e6.

    Examples
    --------
    >>> round(student_t(nu=10.0).cumulants(sigma=8.0)[3], 10)  # 6 / (nu - 4)
    1.0
    """
    if not is_number(nu) or not 3.0 <= nu <= 1e6:
        raise ValueError(f"nu={described(nu)} of student-t noise must be a number from 3 to 1e6")
    nu = float(nu)
    moments = math.ceil(nu) - 1

    def quadrature(nodes, p):
        pairs = min(moments // 2, _MAX_FINITE, nodes - 1)
        y, weights = _gegenbauer(nodes, 0.5 * nu - 1.0 - pairs)
        rest = 1.0 - y * y
        weights = weights * rest**pairs
        return math.sqrt(nu - 2.0) * y / np.sqrt(rest), weights / weights.sum()

    return Noise("student-t", _student_t, quadrature, _coefficients(nu), moments=moments)
