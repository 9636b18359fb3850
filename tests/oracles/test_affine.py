"""Which losses have an affine gradient, told by their functions, and that the local estimator measures each of them."""

import itertools

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.oracles.losses import affine_gradient

MATRIX = [[0.9, 0.4], [0.4, 1.6]]
LINEAR, QUADRATIC, PURE = ns.linear(0.7), ns.quadratic(0.7), ns.quadratic(MATRIX)


def with_functions_of(base, **parameters):
    """Return a user's Loss of a built-in loss's functions."""
    return ns.Loss("mine", base.gradient, base.value, base.curvature, **parameters)


LOSSES = {
    "linear and a matrix": with_functions_of(LINEAR, matrix=MATRIX, slope=[0.7, -0.2]),
    "a diagonal and a matrix": with_functions_of(QUADRATIC, matrix=MATRIX, hessian=[0.5, 0.1]),
    "one number and a matrix": with_functions_of(QUADRATIC, matrix=MATRIX, hessian=0.5),
    "a diagonal matrix": with_functions_of(LINEAR, matrix=np.diag([0.9, 0.3]), slope=0.7),
    "other parameters": with_functions_of(QUADRATIC, hessian=[0.9, 2.0], slope=3.0),
    "nothing": with_functions_of(PURE, width=[1.0, 2.0]),
    "linear": ns.linear([0.7, -0.2]),
    "matrix": PURE,
}


def gradient(loss, theta):
    """Return grad f by the loss's own functions, one coordinate at a time."""
    rows = [{name: np.broadcast_to(v, 2)[j] for name, v in loss.parameters.items()} for j in (0, 1)]
    own = [loss.gradient(theta[j], type("p", (), row)) for j, row in enumerate(rows)]
    return own + (np.zeros((2, 2)) if loss.matrix is None else np.array(loss.matrix)) @ theta


@pytest.mark.parametrize("name", LOSSES)
def test_an_affine_gradient_is_the_losss_own(name):
    found = affine_gradient(LOSSES[name], 2)
    for theta in itertools.product((-1.0, 0.0, 2.0), repeat=2):
        np.testing.assert_allclose(found.matrix @ theta + found.slope, gradient(LOSSES[name], np.array(theta)))
    np.testing.assert_array_equal(found.diagonal, np.diag(found.matrix))


def test_a_diagonal_stays_a_vector():
    assert affine_gradient(ns.quadratic([0.9, 2.0]), 2).hessian.tolist() == [0.9, 2.0]
    assert affine_gradient(ns.linear(0.7), 10**6).hessian.nbytes == 8 * 10**6


def mean(loss, h, theta, u, p):
    """Return E theta after two steps of RMSprop (Definition 2.1, scaled), by quadrature over the first one's noise."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(32)
    total = np.zeros(2)
    for z, weight in zip(itertools.product(nodes, repeat=2), itertools.product(weights, repeat=2), strict=True):
        x, v = np.array(theta), u
        for z_k in (np.array(z), 0.0):  # theta is linear in the second one's
            g = gradient(loss, x)
            x = x - (h * g + np.sqrt(h) * p["sigma0"] * z_k) / (p["sigma0"] * np.sqrt(v) + p["eps0"])
            v = u + p["c2"] * h * ((z_k + np.sqrt(h) * g / p["sigma0"]) ** 2 - u)
        total += np.prod(weight) / weights.sum() ** 2 * x
    return total


@pytest.mark.parametrize("name", ["linear and a matrix", "other parameters"])
def test_a_study_knows_a_matrix_beside_built_in_functions(name):
    """Local was once 0.463 beside -0.121: a Loss with linear's functions and a matrix was taken for linear."""
    p, theta = dict(sigma0=0.8, eps0=0.1, c2=0.6), [1.2, -0.5]
    settings = dict(initial=dict(theta=theta, u=1.0), steps=[2], times=[1.0], test_functions=["theta[0]", "theta[1]"])
    exact, found = mean(LOSSES[name], 0.5, theta, 1.0, p), {}
    for estimator in ("local", "control_variate", "coupled"):
        study = ns.ConvergenceStudy(
            ns.NGOS(LOSSES[name]), ns.rmsprop(**p), ns.rmsprop_sde(), estimator=estimator, **settings
        )
        found[estimator] = study.run(65_536).table
        assert (np.abs(found[estimator].optimizer_mean - exact) < 4.5 * found["local"].std_error + 0.02).all()
    one = found["local"]
    assert (np.abs(one.optimizer_mean - exact) < 4.5 * one.std_error + 1e-6).all()
    assert (one.std_error < 0.002).all()
    for other in (found["control_variate"], found["coupled"]):
        assert (np.abs(one.error - other.error) < 4.5 * np.hypot(one.std_error, other.std_error) + 2e-3).all()
