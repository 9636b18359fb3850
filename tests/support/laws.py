"""Noise laws as a user would write them."""

import math

import numpy as np
from scipy import stats
from scipy.special import ndtr

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
