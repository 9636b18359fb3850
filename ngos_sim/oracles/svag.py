"""The noise law of the SVAG operator (docs/theory.md, "SVAG")."""

import math
from dataclasses import replace

import numpy as np

from ngos_sim.arithmetic import fma
from ngos_sim.oracles.minibatches import Minibatches
from ngos_sim.oracles.noises import Noise


def svag_weights(ell):
    """Return r1, r2 = (1 -+ sqrt(2 ell^2 - 1)) / 2: r1 + r2 = 1, r1^2 + r2^2 = ell^2.

    Definition 6.1 of arXiv 2205.10287.
    """
    root = math.sqrt(2.0 * ell * ell - 1.0)
    return 0.5 * (1.0 - root), 0.5 * (1.0 + root)


def svag_law(noise, ell):
    """Law of the SVAG noise (r1 zeta1 + r2 zeta2) / ell, zeta1 and zeta2 independent draws of `noise`.

    The Gaussians behind the two draws are the rotation xi1 = (r1 xi - r2 xi') / ell,
    xi2 = (r2 xi + r1 xi') / ell, so that for Gaussian noise the combination is xi itself.
    Definitions 6.1 and 6.2 of arXiv 2205.10287, divided by ell sigma. Of minibatches the weights say all: a step
    draws two, and their gradients g1 and g2 make r1 g1 + r2 g2.

    Examples
    --------
    >>> from ngos_sim.oracles.laws import two_point
    >>> [round(k, 10) for k in svag_law(two_point(skewness=1.5), 2.0).cumulants(8.0)]
    [0.0, 1.0, 1.03125, 0.1796875]
    """
    if isinstance(noise, Minibatches):
        return replace(noise, weights=svag_weights(ell))
    base = noise.sample
    if noise.gaussians != 1:
        raise ValueError(f"noise {noise.name!r} takes {noise.gaussians} Gaussians; svag needs a law of one")
    first, second = svag_weights(ell)

    def sample(xi, extra, p):
        one = base(fma(p.r1, xi, -p.r2 * extra) * p.inverse_ell, p)
        two = base(fma(p.r2, xi, p.r1 * extra) * p.inverse_ell, p)
        return fma(p.r1, one, p.r2 * two) * p.inverse_ell

    def quadrature(nodes, p):
        values, weights = (np.asarray(a, dtype=np.float64) for a in noise.quadrature(nodes, p))
        pairs = p.inverse_ell * np.add.outer(p.r1 * values, p.r2 * values)
        return pairs.ravel(), np.multiply.outer(weights, weights).ravel()

    return Noise(
        f"svag {noise.name}",
        sample,
        quadrature,
        {**noise.parameters, "r1": first, "r2": second, "inverse_ell": 1.0 / ell},
        gaussians=2,
        moments=noise.moments,
    )
