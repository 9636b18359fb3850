"""2 F(x) - 1 of Student's t in scalar functions, F its distribution function: the mean of the sign of x + T.

With w = x^2 / nu, L = (nu / 2) log(1 + w) and y = |x| / sqrt(1 + w), P(|T| > |x|) = exp(-L - y G(y)). G is smooth on
all of 0 <= y <= sqrt(nu), x = infinity included; it is a polynomial in y / (y + 5) that is fitted to SciPy's incomplete
beta function when an SDE is made (docs/theory.md, "Signs"). `processes.sign` calls them.
"""

import math

import numpy as np
from scipy.special import beta, betainc, betaincc

from ngos_sim.arithmetic import fma, polynomial, sign

_COUNT, _POINTS = 18, 64
_FOLD, _FARTHEST = 5.0, 9.0  # |x| > 9 has a probability below 1e-17 where y comes so far
_LARGEST = 1e15  # of |x|: its square is a float32; beyond it nothing changes


def _log1p(w):
    t = 1.0 + w
    return math.log(t) + (w - (t - 1.0)) / t  # what the sum has lost


def balance(x, p):
    """Return 2 F(x) - 1 = P(T < x) - P(T > x), within 1e-13; p holds `parameters` by name."""
    a = abs(x)
    a = _LARGEST if a > _LARGEST else a
    w = a * a / p.nu
    y = a / math.sqrt(1.0 + w)
    y = _FARTHEST if y > _FARTHEST else y
    low = (p.G0, p.G1, p.G2, p.G3, p.G4, p.G5, p.G6, p.G7, p.G8)
    g = polynomial(
        fma(p.stretch, y / (y + _FOLD), -1.0), (*low, p.G9, p.G10, p.G11, p.G12, p.G13, p.G14, p.G15, p.G16, p.G17)
    )
    half = math.tanh(0.5 * fma(y, g, 0.5 * p.nu * _log1p(w)))  # 1 - exp(-q) = 2 tanh(q/2) / (1 + tanh(q/2))
    return sign(x) * (2.0 * half / (1.0 + half))


def slope(x, p):
    """Return the derivative of `balance`, twice the density."""
    return p.peak * math.exp(-0.5 * (p.nu + 1.0) * _log1p(x * x / p.nu))


def _decay(nu, y):
    """Return G(y), an array; from the side of the tail on which nothing cancels."""
    s = y * y / nu
    inside = betainc(0.5, 0.5 * nu, s)
    outside = np.where(s < 0.5, betaincc(0.5, 0.5 * nu, s), betainc(0.5 * nu, 0.5, 1.0 - s))
    tail = np.where(inside < 0.5, np.log1p(-np.minimum(inside, 0.5)), np.log(outside))
    return -(tail - 0.5 * nu * np.log1p(-s)) / y


def parameters(nu):
    """Return what `balance` and `slope` read of p, by name: floats.

    G is interpolated in Chebyshev's points of w = stretch y / (y + 5) - 1, -1 <= w <= 1.
    """
    farthest = min(math.sqrt(nu), _FARTHEST)
    stretch = 2.0 * (farthest + _FOLD) / farthest
    angles = [math.pi * (k + 0.5) / _POINTS for k in range(_POINTS)]
    v = np.array([(math.cos(angle) + 1.0) / stretch for angle in angles])
    heights = _decay(nu, _FOLD * v / (1.0 - v)).tolist()
    series = [
        math.fsum(g * math.cos(n * angle) for g, angle in zip(heights, angles, strict=True)) * 2.0 / _POINTS
        for n in range(_COUNT)
    ]
    series[0] *= 0.5
    fitted = np.polynomial.chebyshev.cheb2poly(series).tolist()
    coefficients = {f"G{n}": round(value, 13) for n, value in enumerate(fitted)}  # the same where libm differs
    peak = 2.0 / (math.sqrt(nu) * float(beta(0.5 * nu, 0.5)))
    return {"nu": nu, "stretch": stretch, "peak": peak, **coefficients}
