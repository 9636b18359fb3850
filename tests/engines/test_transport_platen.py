"""One step of weak order 2 on its nodes, against the exact moments of linear SDEs."""

import numpy as np
import pytest
from scipy.linalg import expm

import ngos_sim as ns
from ngos_sim.engines import transport
from ngos_sim.engines.transport_platen import nodes
from ngos_sim.estimators.transport_law import Carrier
from ngos_sim.estimators.transport_means import coordinates
from ngos_sim.studies.problems import problems

STATE = [1.2, 0.6]
MATRIX = np.array([[-0.5, -0.3], [0.4, -1.0]])
NOISES = [
    (np.array([[0.5, 0.0], [0.3, 0.0]]), np.array([0.0, 0.2])),
    (np.array([[0.0, 0.4], [0.0, -0.3]]), np.array([0.0, 0.1])),
]


def drift(x, o, c, p):
    return -0.5 * x[0] - 0.3 * x[1], 0.4 * x[0] - x[1]


def one_noise(x, o, c, p):
    return 0.5 * x[0], 0.3 * x[0] + 0.2


def two_noises(x, o, c, p):
    return (0.5 * x[0], 0.3 * x[0] + 0.2), (0.4 * x[1], -0.3 * x[1] + 0.1)


def moments(drift, noises, start, t):
    """Return E x and E x x^T at t of dx = A x dt + sum_j (B_j x + b_j) dW_j, by the matrix exponential."""
    n = len(start)
    one = np.eye(n)
    generator = np.zeros((1 + n + n * n,) * 2)
    generator[1 : 1 + n, 1 : 1 + n] = drift
    second = np.kron(drift, one) + np.kron(one, drift)
    for matrix, vector in noises:
        second += np.kron(matrix, matrix)
        column = vector[:, None]
        generator[1 + n :, 1 : 1 + n] += np.kron(matrix, column) + np.kron(column, matrix)
        generator[1 + n :, 0] += np.kron(vector, vector)
    generator[1 + n :, 1 + n :] = second
    x = np.array(start)
    found = expm(generator * t) @ np.concatenate([[1.0], x, np.kron(x, x)])
    return found[1 : 1 + n], found[1 + n :].reshape(n, n)


def missed(channels, h):
    """Return what a step of size h misses of E x and of E x x^T; the two noises do not commute."""
    diffusion = one_noise if channels == 1 else two_noises
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), 1.0),
        optimizer=ns.heavy_ball(0.8, 0.5),
        sde=ns.SDE("linear", drift, diffusion, ("theta", "v"), channels=channels),
        initial=dict(theta=STATE[0], v=STATE[1]),
        eta=[h],
        horizon=h,
        test_functions=["theta[0]"],
        estimator="coupled",
    )
    (problem,) = problems(study)
    (sde,) = (each.sde for each in problem.opponents)
    move, draw = Carrier(problem, coordinates(problem)[0], [sde]).integrated(sde, 1), nodes(channels)
    count = draw.values.shape[1]
    base, thrown = transport.room(1, 2), transport.room(count, 2, channels)
    base.states[:256], base.weights[0] = np.repeat(STATE, 128), 1.0
    assert transport.fan(move, base, 1, draw, thrown) == count
    transport.throw(transport.functions(), move, 0, thrown, count)
    states, weights = thrown.states[:256].reshape(2, 128)[:, :count], thrown.weights
    first, second = moments(MATRIX, NOISES[:channels], STATE, h)
    return (states * weights).sum(axis=1) - first, (states[:, None] * states[None] * weights).sum(axis=2) - second


@pytest.mark.parametrize("channels", [1, 2])
def test_what_a_step_misses_is_of_the_third_order(channels):
    for coarse, fine in zip(missed(channels, 2.0**-5), missed(channels, 2.0**-6), strict=True):
        assert np.all(np.abs(fine) < 4.0 * 2.0**-18)
        assert np.abs(coarse).max() / np.abs(fine).max() == pytest.approx(8.0, rel=0.15)
