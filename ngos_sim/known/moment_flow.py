"""One coordinate of the RMSprop and Adam SDEs where the gradient is affine and Sigma diagonal and constant.

The SDE's second moment is the deterministic U_t = Sigma + (u0 - Sigma) exp(-c2 (t - t0)).
"""

from dataclasses import dataclass

import numpy as np

from ngos_sim.processes.rule import has_bias_correction


@dataclass(frozen=True)
class Problem:
    """One coordinate of a study: gradient hessian theta + slope, variance Sigma, start, constants."""

    hessian: float
    slope: float
    variance: float
    start: tuple[float, ...]
    t0: float
    constants: dict[str, float]

    def second_moment(self, t):
        """Return U_t, the SDE's u at time t."""
        passed = -self.constants["c2"] * (t - self.t0)
        return self.start[-1] * np.exp(passed) - self.variance * np.expm1(passed)


def speed(problem, t, momentum):
    """Return D and D' = dD/dU at U_t, with bias corrections where the optimizer has them."""
    p, U = problem.constants, problem.second_moment(t)
    root, first = np.ones_like(U), np.ones_like(U)
    if has_bias_correction(p):
        root = np.sqrt(-np.expm1(-p["c2"] * t))
        first = -np.expm1(-p["c1"] * t) if momentum else first
    inverse = 1.0 / (p["sigma0"] * np.sqrt(U) + p["eps0"] * root)
    return root / first * inverse, -0.5 * root / first * inverse**2 * p["sigma0"] / np.sqrt(U)
