"""Noise laws as a user would write them."""

import math

import numpy as np
from scipy import stats
from scipy.special import log_ndtr, ndtr

import ngos_sim as ns


def student3(**moments):
    """Return a user's Student-t law of nu = 3, by SciPy's quantiles and by t = sqrt(3) tan(phi), Chebyshev's rule."""

    def quadrature(nodes, p):
        phi = math.pi * ((np.arange(nodes) + 0.5) / nodes - 0.5)
        weights = np.cos(phi) ** 2
        return np.tan(phi), weights / weights.sum()

    def sample(xi, p):
        return math.copysign(stats.t.isf(ndtr(-abs(xi)), 3.0) / math.sqrt(3.0), xi)

    return ns.Noise("mine", sample, quadrature, **moments)


def lomax(a, **moments):
    """Return the standardised Lomax law, P(L > z) = (1 + z)^-a: E |zeta|^n is finite for n < a alone."""
    mean = 1.0 / (a - 1.0)
    spread = math.sqrt(a / ((a - 1.0) ** 2 * (a - 2.0)))

    def quadrature(nodes, p):
        """Gauss and Legendre's rule in v, U = v^k: dense where the law is large."""
        values, weights = np.polynomial.legendre.leggauss(200)
        v, power = 0.5 * (values + 1.0), 40.0
        weights = 0.5 * weights * power * v ** (power - 1.0)
        zeta = (v ** (-power / a) - 1.0 - mean) / spread
        weights = weights / weights.sum()
        zeta = zeta - weights @ zeta
        return zeta / math.sqrt(weights @ zeta**2), weights

    return ns.Noise(
        "lomax", lambda xi, p: (math.exp(-float(log_ndtr(-xi)) / a) - 1.0 - mean) / spread, quadrature, **moments
    )
