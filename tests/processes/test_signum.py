"""Signum at fixed beta: the diffusion of its SDE, its order, a known number, and the slot that is not modelled."""

import math
import re

import numpy as np
import pytest

import ngos_sim as ns
from tests.support import signs

SIGMA, VARIANCE = 0.9, 0.8


def variance_of_signs(sde, beta, r):
    """Return D of Signum's SDE where the signal of m is r."""
    hessian = r * SIGMA * math.sqrt(VARIANCE * (1.0 - beta) / (1.0 + beta))
    return signs.coefficients(sde, 1.0, SIGMA, hessian, VARIANCE, beta=beta)[1](np.array([1.0]))[0] ** 2


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_signums_diffusion_is_the_sum_over_lags(beta):
    for r in (0.0, 0.7, 2.0):
        (mean,) = signs.sign_mean(np.array([r]), 1.0)
        lags = beta ** np.arange(1, 400)
        covariances = signs.sign_product(r, r, lags) - mean**2
        exact = 1.0 - mean**2 + 2.0 * covariances.sum()
        assert variance_of_signs(ns.signum_sde(), beta, r) == pytest.approx(exact, rel=2e-6)


def test_signums_known_number():
    """13.279 at beta = .9, and not the 19 of a linear filter; SignSGD's at beta = 0."""
    assert variance_of_signs(ns.signum_sde(), 0.9, 0.0) == pytest.approx(13.279, abs=5e-4)
    both = [
        signs.coefficients(sde, 0.1, SIGMA, 1.0, VARIANCE, beta=0.0) for sde in (ns.signum_sde(), ns.signsgd_sde(1))
    ]
    places = np.linspace(-2.0, 2.0, 9)
    for one, other in zip(*both, strict=True):
        np.testing.assert_allclose(one(places), other(places), rtol=1e-15)


def test_signums_sde_is_of_order_1_and_its_variance_of_leading_order():
    """On a linear loss, where the chain's two moments are exact; a diffusion of 19 would leave the variance wrong."""
    sigma, beta, slope, horizon = 1.0, 0.9, 0.1, 1.0
    errors, variances = [], []
    for steps in (160, 320, 640):
        eta = horizon / steps
        drift, diffusion = signs.coefficients(ns.signum_sde(), eta, sigma, slope, 1.0, beta=beta)
        mean, variance = signs.signum_linear(sigma, beta, slope, 0.3, eta, steps)
        errors.append(mean - horizon * drift(np.array([1.0]))[0])
        variances.append([variance / eta, diffusion(np.array([1.0]))[0] ** 2 / eta])
    assert np.all(np.abs(np.log2(np.divide(errors[:-1], errors[1:])) - 1.0) < 0.01)
    found, model = np.array(variances).T
    off = np.abs(found - model)
    assert np.all(np.abs(np.log2(off[:-1] / off[1:]) - 1.0) < 0.05)
    assert off[-1] < 0.03 * model[-1]


def signum(**changes):
    settings = dict(initial=dict(theta=0.0, m=0.0), steps=[160], horizon=1.0, times=[1.0], estimator="coupled")
    settings |= dict(sde=ns.signum_sde(), test_functions=["theta[0]^2"]) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(1.0)), ns.signum(sigma=1.0, beta=0.9), **settings)


def test_signum_in_a_study():
    """Var / eta = 1.904 at eta = 1/160, predicted D (1 - exp(-2 a t)) / (2 a) = 1.907."""
    row = signum().run(40_000, seed=4).table.iloc[0]
    rate = math.sqrt(2.0 / math.pi * 19.0)
    assert 13.279 * -math.expm1(-2.0 * rate) / (2.0 * rate) == pytest.approx(1.907, abs=1e-3)
    spread = 1.904 * math.sqrt(2.0 / row.trajectories)
    assert abs(row.optimizer_mean * 160.0 - 1.904) < 4.0 * spread < 0.06


@pytest.mark.parametrize("g", ["m[0]", "sqnorm(m)", "theta[0]*m[0]", ns.TestFunction("g", lambda x: x[0] * x[1])])
def test_m_of_signum_is_not_modelled(g):
    name = g if isinstance(g, str) else "g"
    message = f"test function {name!r}: sde 'signum' does not model m; allowed: functions of theta"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        signum(test_functions=[g])
    assert signum(test_functions=["loss", ns.TestFunction("cos", lambda x: math.cos(x[0]))]).notes == ()
