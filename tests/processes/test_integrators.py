"""The order of what integrates an SDE, on equations of one slot whose moments have a closed form.

Where drift and diffusions are affine in x, so is what a step makes of (1, x, x^2) in the mean: a matrix, found by
quadrature of one step and raised to the number of steps. Nothing is simulated.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.linalg import expm

import ngos_sim as ns
from ngos_sim.estimators import paired
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import parameters

START, HORIZON = 0.8, 1.5
OPTIMIZER = ns.Optimizer("none", lambda x, o, z, c, p: x, ("theta",), sigma0=1.0)
CASES = {  # drift a + b x, and (constant, slope) of the diffusion of each channel
    "additive": ((0.6, -1.1), [(0.7, 0.0)]),
    "multiplicative": ((0.0, -0.9), [(0.0, 0.6)]),
    "two channels": ((0.5, -0.8), [(0.3, 0.4), (0.5, -0.2)]),
}
ORDERS = {  # weights of the levels, refinement, order
    "Euler-Maruyama": ([1.0, 0.0, 0.0], 1, 1),
    "extrapolated": (paired.EXTRAPOLATION, 1, 3),
    "extrapolated, refinement 2": (paired.EXTRAPOLATION, 2, 3),
}


def sde_of(drift, rows, refinement=1):
    def drifted(x, o, c, p):
        return (drift[0] + drift[1] * x[0],)

    def diffused(x, o, c, p):
        found = tuple((constant + slope * x[0],) for constant, slope in rows)
        return found[0] if len(rows) == 1 else found

    return ns.SDE("affine", drifted, diffused, ("theta",), channels=len(rows), refinement=refinement)


def exact(drift, rows):
    """Return E X and E X^2 at the horizon: d E X^2 = E(2 X drift + sum of squared diffusions) dt."""
    (a, b), generator = drift, np.zeros((3, 3))
    generator[1] = a, b, 0.0
    generator[2] = (
        sum(k * k for k, _ in rows),
        2.0 * a + sum(2.0 * k * s for k, s in rows),
        2.0 * b + sum(s * s for _, s in rows),
    )
    return (expm(HORIZON * generator) @ [1.0, START, START**2])[1:]


def integrated(drift, rows, steps):
    """Return E X and E X^2 at the horizon by so many steps of the library's rule."""
    rule, h = euler_maruyama(sde_of(drift, rows), OPTIMIZER), HORIZON / steps
    p = SimpleNamespace(**parameters(rule, h))
    o, c = SimpleNamespace(variance=1.0), rule.schedule(0, h, p)
    values = (-1.0, 1.0)  # E z = 0 and E z^2 = 1 are all that E x'^2 is made of
    noises = values if len(rows) == 1 else [(one, two) for one in values for two in values]
    at = (-1.0, 0.0, 1.0)
    after = np.array([[rule.step((x,), o, z, c, p)[0] for z in noises] for x in at])
    means = np.stack([np.ones(3), after.mean(axis=1), (after**2).mean(axis=1)])
    matrix = means @ np.linalg.inv(np.vander(at, 3, increasing=True).T)
    return (np.linalg.matrix_power(matrix, steps) @ [1.0, START, START**2])[1:]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("integrator", ORDERS)
def test_orders(integrator, name):
    weights, refinement, order = ORDERS[integrator]
    levels = paired.levels(sde_of(*CASES[name], refinement))
    errors = [
        sum(weight * integrated(*CASES[name], level * steps) for weight, level in zip(weights, levels, strict=True))
        - exact(*CASES[name])
        for steps in (64, 128)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)
    assert math.fsum(weights) == pytest.approx(1.0)
