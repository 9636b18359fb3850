"""Exact errors whose further terms are drawn as the fit of an order assumes them (`ngos_sim.statistics.expansion`)."""

import numpy as np


def drawn(rng, points, spacing, absent):
    """Return x and errors x (1 + b_1 t + ..), order 1 and constant 1, the first `absent` of the b_j 0.

    Those whose leading term is less than half or more than twice the finest error are drawn anew.
    """
    powers = spacing * np.arange(1, int(8 / spacing) + 1)
    s = 2.0 ** -np.arange(points)
    while True:
        b = rng.standard_normal(len(powers)) * np.exp(rng.uniform(np.log(0.15), 0.0)) ** powers
        b[:absent] = 0.0
        error = 1.0 + (b * s[:, None] ** powers).sum(axis=1)
        if 0.5 < error[-1] < 2.0:
            return s / 4.0, error * s / 4.0
