"""Slots are known by their names: an optimizer may have them in any order behind theta, and none need be u."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.errors import StudyWarning

CONSTANTS = dict(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3)
START = dict(theta=[1.2, -0.3], m=-0.4, u=1.4, t0=0.5)
FUNCTIONS = ["theta[0]", "m[0]", "u[1]", "theta[1]*u[1]", "theta[0]*m[0]^2"]
ADAM, SDE = ns.adam(**CONSTANTS), ns.adam_sde()
_STEP, _DRIFT, _DIFFUSION = ADAM.step, SDE.drift, SDE.diffusion


def step(x, o, z, c, p):
    theta, u, m = x
    theta, m, u = _STEP((theta, m, u), o, z, c, p)
    return theta, u, m


def drift(x, o, c, p):
    theta, u, m = x
    of_theta, of_m, of_u = _DRIFT((theta, m, u), o, c, p)
    return of_theta, of_u, of_m


def diffusion(x, o, c, p):
    theta, u, m = x
    of_theta, of_m, of_u = _DIFFUSION((theta, m, u), o, c, p)
    return of_theta, of_u, of_m


SLOTS = ("theta", "u", "m")
PERMUTED = ns.Optimizer("adam", step, SLOTS, ADAM.schedule, **ADAM.parameters)
PERMUTED_SDE = ns.SDE("adam", drift, diffusion, SLOTS, SDE.schedule)


def study(optimizer=PERMUTED, sde=PERMUTED_SDE, **changes):
    settings = dict(initial=START, eta2=[2**-4, 2**-5], horizon=1.0, test_functions=FUNCTIONS, times=[1.0])
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic([0.9, 2.0])), optimizer, sde, **(settings | changes))


def test_the_order_of_the_slots_changes_nothing():
    tables = [
        study(*pair, estimator="coupled").run(2048, seed=1, precision="f64").table
        for pair in ((ADAM, SDE), (PERMUTED, PERMUTED_SDE))
    ]
    for column in ("optimizer_mean", "sde_mean", "error", "std_error"):
        np.testing.assert_allclose(*(table[column] for table in tables), rtol=0, atol=1e-13)


def test_u_is_found_by_its_name():
    with pytest.raises(ValueError, match=r"^initial.u=0.0 must be positive"):
        study(
            ns.Optimizer("adam", step, SLOTS, ADAM.schedule, **(ADAM.parameters | {"eps0": 0.0})),
            initial=START | {"u": 0.0},
        )
    assert "u starts at 0.001 of the covariance" in study(initial=START | {"u": 1e-3}).why["adam", "theta[0]"]
    large = ns.Optimizer("adam", step, SLOTS, ADAM.schedule, **(ADAM.parameters | {"eps0": 1e7}))
    with pytest.warns(StudyWarning, match=r"^eps0=1e\+07 is 1.1e\+07 times sigma0 sqrt\(u\)"):
        study(large, initial=START | {"m": 1e30})  # m is not taken for u
