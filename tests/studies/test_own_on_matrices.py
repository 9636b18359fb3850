"""Optimizers of one's own and their SDEs, plain functions, where matrices couple coordinates: no estimator knows them.

SGD and the heavy ball are linear: their laws and their SDEs' are exact, by powers and exponentials of matrices.
"""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim import preconditioner
from tests.support import linear, sdes

SIGMA0, MU, DECAY = 0.8, 0.9, 0.6
THETA, V = np.array([1.2, -0.3, 0.5]), np.array([0.3, -0.2, 0.1])
ESTIMATORS = dict(local=20_000, control_variate=100_000)


def sgd_step(x, o, z, c, p):
    return (x[0] - c[0] * o.gradient - c[1] * z,)


def sgd_drift(x, o, c, p):
    return (-o.gradient,)


def sgd_second_drift(x, o, c, p):
    return (-o.gradient - 0.5 * p.eta2 * o.hessian_gradient,)


def sgd_noise(x, o, c, p):
    return (-p.sigma0,)


def rmspropw_step(x, o, z, c, p):
    theta, u = x
    w = z + c[2] * o.gradient
    after = u + p.c2 * c[0] * (w * w - u)
    return theta - p.decay * c[0] * theta - (c[0] * o.gradient + c[1] * z) * preconditioner(u, p.sigma0, p.eps0), after


def rmspropw_drift(x, o, c, p):
    theta, u = x
    return -o.gradient * preconditioner(u, p.sigma0, p.eps0) - p.decay * theta, p.c2 * (o.variance - u)


def rmspropw_noise(x, o, c, p):
    return -p.sigma0 * preconditioner(x[1], p.sigma0, p.eps0), 0.0


def adamw_step(x, o, z, c, p):
    """Slots theta, u, m: the second moment is in the middle."""
    theta, u, m = x
    d, w = c[0] * o.gradient + c[1] * z, z + c[2] * o.gradient
    after = theta - p.decay * c[0] * theta - c[0] * m * preconditioner(u, p.sigma0, p.eps0)
    return after, u + p.c2 * c[0] * (w * w - u), m + p.c1 * (d - c[0] * m)


def adamw_drift(x, o, c, p):
    theta, u, m = x
    speed = -m * preconditioner(u, p.sigma0, p.eps0) - p.decay * theta
    return speed, p.c2 * (o.variance - u), p.c1 * (o.gradient - m)


def adamw_noise(x, o, c, p):
    return 0.0, 0.0, p.c1 * p.sigma0


CONSTANTS = dict(sigma0=SIGMA0, eps0=0.1, c2=1.3, decay=DECAY)
SLOTS = {"sgd": ("theta",), "rmspropw": ("theta", "u"), "adamw": ("theta", "u", "m")}
BALL, BALL_SDE = sdes.heavy_ball(SIGMA0, MU)
OPTIMIZERS = {
    "sgd": ns.Optimizer("sgd", sgd_step, SLOTS["sgd"], sigma0=SIGMA0),
    "ball": BALL,
    "rmspropw": ns.Optimizer("rmspropw", rmspropw_step, SLOTS["rmspropw"], **CONSTANTS),
    "adamw": ns.Optimizer("adamw", adamw_step, SLOTS["adamw"], c1=2.0, **CONSTANTS),
}
SDES = {
    "sgd": ns.SDE("sgd", sgd_drift, sgd_noise, SLOTS["sgd"]),
    "ball": BALL_SDE,
    "rmspropw": ns.SDE("rmspropw", rmspropw_drift, rmspropw_noise, SLOTS["rmspropw"]),
    "adamw": ns.SDE("adamw", adamw_drift, adamw_noise, SLOTS["adamw"]),
    "second": ns.SDE("second", sgd_second_drift, sgd_noise, SLOTS["sgd"]),
}


def study(name, d, estimator, sde=None, **changes):
    H, S = linear.random_matrices(d)
    start = dict(theta=THETA[:d].tolist(), v=V[:d].tolist(), m=V[:d].tolist(), u=[1.1, 0.8, 1.4][:d])
    optimizer = OPTIMIZERS[name]
    settings = dict(sde=SDES[sde or name], initial={slot: start[slot] for slot in optimizer.slots})
    settings |= dict(horizon=1.0, times=[1.0])
    settings |= dict(eta2=[2.0**-3, 2.0**-5], test_functions=["theta[0]", "theta[1] - 2*theta[0]"]) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(H), S), optimizer, estimator=estimator, **settings)


def equations(name, d):
    """Return A and power of an SDE, and M and power of a step of size h as functions of h."""
    H, S = linear.random_matrices(d)
    if name == "sgd":
        power = SIGMA0**2 * S
        return -H, power, lambda h: (np.eye(d) - h * H, h * power)
    zero, one = np.zeros((d, d)), np.eye(d)
    A, power = np.block([[zero, one], [-H, -MU * one]]), np.block([[zero, zero], [zero, SIGMA0**2 * S]])

    def step(h):
        velocity = np.hstack([-h * H, (1.0 - h * MU) * one])
        matrix = np.vstack([np.hstack([one, zero]) + h * velocity, velocity])
        kick = np.vstack([h * one, one])
        return matrix, h * SIGMA0**2 * kick @ S @ kick.T

    return A, power, step


def exact(name, d, h):
    """Return mean and covariance of an optimizer after a unit of time, and of its SDE."""
    A, power, step = equations(name, d)
    start = np.concatenate([THETA[:d], V[:d]])[: len(A)]
    matrix, kick = step(h)
    return linear.recursion(matrix, 0.0, kick, start, round(1.0 / h)), linear.law(
        A, np.zeros(len(A)), power, start, 1.0
    )


@pytest.mark.parametrize("name", ["sgd", "ball"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_linear_optimizers_are_measured_exactly(name, estimator):
    table = study(name, 3, estimator).run(ESTIMATORS[estimator], seed=1).table
    assert table.estimator.unique().tolist() == [estimator]
    for row in table.itertuples():
        (chain, _), (path, _) = exact(name, 3, row.eta2)
        g = (
            np.eye(len(chain))[0]
            if row.test_function == "theta[0]"
            else np.eye(len(chain))[1] - 2 * np.eye(len(chain))[0]
        )
        assert row.sde_mean == pytest.approx(g @ path, abs=1e-11)
        assert abs(row.error - g @ (chain - path)) < 4 * row.std_error + 1e-12
        assert row.std_error < 0.05 * abs(row.error)


@pytest.mark.parametrize("name", ["sgd", "ball"])
def test_what_is_not_linear_by_the_companion(name):
    """E theta_0 theta_1 and E cos theta_0 of Gaussian slots, whose law is a recursion's and a matrix exponential's."""
    functions = ["theta[0]*theta[1]", ns.TestFunction("cos", lambda x: math.cos(x[0]))]
    table = study(name, 3, "auto", test_functions=functions).run(100_000, seed=2).table
    assert table.estimator.unique().tolist() == ["control_variate"]
    for row in table.itertuples():
        means = [
            mean[0] * mean[1] + cov[0, 1]
            if row.test_function != "cos"
            else math.cos(mean[0]) * math.exp(-cov[0, 0] / 2)
            for mean, cov in exact(name, 3, row.eta2)
        ]
        assert row.sde_mean == pytest.approx(means[1], abs=1e-10)
        assert abs(row.error - (means[0] - means[1])) < 4 * row.std_error + 1e-12
        assert row.std_error < 0.05 * abs(row.error)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_sde_of_order_two_with_a_hessian_that_is_a_matrix(estimator):
    """SGD near dtheta = -(1 + h H / 2) H theta dt + ..: error / h^2 tends to T H^3 (H of the mean) / 3 up to O(h).

    (1 - h H)^(T/h) = exp(-T (H + h H^2/2 + h^2 H^3/3 + ..)), so that E theta(k) - E theta(T) = -T h^2/3 H^3 e^(-T H)
    theta + O(h^3).
    """
    H, _ = linear.random_matrices(3)
    values, basis = np.linalg.eigh(H)
    constant = (basis * (-(values**3) / 3.0 * np.exp(-values)) @ basis.T @ THETA)[0]
    made = study("sgd", 3, estimator, "second", eta2=[2.0**-k for k in range(5, 9)], test_functions=["theta[0]"])
    table = made.run(ESTIMATORS[estimator], seed=3).table
    for row in table.itertuples():
        bent = linear.law(-(H + 0.5 * row.eta2 * H @ H), np.zeros(3), np.eye(3), THETA, 1.0)[0]
        chain = np.linalg.matrix_power(np.eye(3) - row.eta2 * H, round(1.0 / row.eta2)) @ THETA
        assert abs(row.error - (chain - bent)[0]) < 4 * row.std_error + 1e-12
        assert abs(row.error / row.eta2**2 - constant) < 3.0 * row.eta2 + 4 * row.std_error / row.eta2**2
    assert table.std_error[0] < 0.1 * abs(table.error[0])


@pytest.mark.parametrize("name", ["rmspropw", "adamw"])
def test_decay_by_local_and_by_the_companion(name):
    changes = dict(test_functions=["theta[0]", "theta[1] - 2*theta[0]", "u[0]"], eta2=[2.0**-4, 2.0**-5])
    local, other = (
        study(name, 3, estimator, **changes).run(count, seed=seed).table
        for seed, (estimator, count) in enumerate(dict(local=20_000, control_variate=400_000).items())
    )
    assert (np.abs(local.error - other.error) < 4 * np.hypot(local.std_error, other.std_error)).all()
    np.testing.assert_allclose(local.sde_mean, other.sde_mean, atol=1e-10)
    assert np.median(np.abs(other.error) / other.std_error) > 10
