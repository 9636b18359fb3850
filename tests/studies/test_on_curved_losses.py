"""Weak errors where nothing is linear: RMSprop and its SDE on curved losses and moving covariances, against exact ones.

Exact: the optimizer's means by all paths of Rademacher noise, the SDE's by Kolmogorov's equation (Sigma = 1), both in
NumPy and with formulas of their own.
"""

import numpy as np
import pytest

import ngos_sim as ns
from tests.support import kolmogorov

STEPS = [4, 8, 16, 32]
CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)
LOG_COSH, WELL = ns.log_cosh(1.5), ns.double_well(1.2, 0.9, 0.8)
ORACLES = {  # loss, covariance, f' and Sigma in NumPy
    "log-cosh": (LOG_COSH, 1.0, lambda x: np.tanh(x / 1.5), np.ones_like),
    "sine-quadratic": (
        ns.sine_quadratic(0.9, 0.3, 2.0),
        1.0,
        lambda x: 0.9 * x + 0.6 * np.cos(2.0 * x),
        np.ones_like,
    ),
    "sine": (
        LOG_COSH,
        ns.sine_variance(0.9, 0.8, 1.5),
        lambda x: np.tanh(x / 1.5),
        lambda x: 0.81 + 0.648 * np.sin(1.5 * x) ** 2,
    ),
    "lorentz": (
        WELL,
        ns.lorentz_variance(0.9, 0.6),
        lambda x: 1.2 * x * (x * x - 0.81) / (x * x + 0.64),
        lambda x: 0.81 / (1.0 + x * x) + 0.36,
    ),
}


def study(name, steps, noise, sde=None, estimator="auto"):
    loss, covariance, *_ = ORACLES[name]
    settings = dict(initial=dict(theta=1.2, u=1.4), horizon=1.0, times=[1.0], test_functions=["theta[0]", "theta[0]^2"])
    oracle, rule = ns.NGOS(loss, covariance, noise), ns.rmsprop(**CONSTANTS)
    return ns.ConvergenceStudy(oracle, rule, sde or ns.rmsprop_sde(), steps=steps, estimator=estimator, **settings)


@pytest.mark.parametrize("name", ["log-cosh", "sine-quadratic", "lorentz"])
def test_means_and_errors_are_exact_ones(name):
    _, covariance, slope, variance = ORACLES[name]
    table = study(name, [10], ns.rademacher(), estimator="coupled").run(400_000, seed=3).table
    mean, spread = kolmogorov.rmsprop_on_signs(slope, variance, 1.2, 1.4, 0.1, 10, **CONSTANTS)
    assert np.all(np.abs(table.optimizer_mean - mean) < 4.0 * np.sqrt(spread / table.trajectories))
    if covariance == 1.0:
        error = mean - kolmogorov.rmsprop_sde(slope, 1.2, 1.4, 1.0, **CONSTANTS)
        left = 4.0 * table.std_error + table.integrator_residual
        assert np.all(np.abs(table.error - error) < left)
        assert np.all(left < 0.7 * np.abs(error))  # seen
    else:
        constant, _ = kolmogorov.rmsprop_on_signs(slope, np.ones_like, 1.2, 1.4, 0.1, 10, **CONSTANTS)
        assert np.any(np.abs(table.optimizer_mean - constant) > 8.0 * np.sqrt(spread / table.trajectories))


def test_computed_errors_are_exact_ones():
    """On atoms, by the transport estimator: the means over all signs, and the SDE's by its Kolmogorov equation."""
    for name in ("log-cosh", "lorentz"):
        _, covariance, slope, variance = ORACLES[name]
        table = study(name, [10], ns.rademacher()).run(1024).table
        assert (table.estimator == "transport").all()
        mean, _ = kolmogorov.rmsprop_on_signs(slope, variance, 1.2, 1.4, 0.1, 10, **CONSTANTS)
        assert np.all(np.abs(table.optimizer_mean - mean) < 1e-3 * np.abs(table.error))
        if covariance == 1.0:
            coarse, fine = (
                kolmogorov.rmsprop_sde(slope, 1.2, 1.4, 1.0, points=1200 * k + 1, steps=500 * k, **CONSTANTS)
                for k in (1, 2)
            )
            exact = mean - (4.0 * fine - coarse) / 3.0  # of order 2
            assert np.all(np.abs(table.error - exact) < table.numerical)
            assert np.all(table.numerical < 2e-3 * np.abs(exact))


@pytest.mark.parametrize("name", ["sine", "lorentz"])
def test_the_order_is_1(name):
    orders = study(name, STEPS, ns.gaussian()).run(1024).order().set_index(["test_function", "norm"])
    assert not orders.outside_theory.any()
    row = orders.loc["theta[0]", "final"]
    assert row.std_error < 0.1
    assert abs(row.order - 1.0) < 3.0 * row.std_error
    assert abs(row.constant) > 4.0 * row.constant_std_error


def test_half_of_the_noise_is_not_of_order_1():
    near = ns.rmsprop_sde()
    whole = near.diffusion

    def diffusion(x, o, c, p):
        return 0.5 * whole(x, o, c, p)[0], 0.0

    half = ns.SDE("half", near.drift, diffusion, near.slots, near.schedule)
    orders = study("sine", STEPS, ns.gaussian(), half).run(1024).order()
    assert orders.verdict[orders.test_function == "theta[0]^2"].str.startswith("fails").all()
