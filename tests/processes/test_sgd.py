"""SGD, heavy ball and Nesterov: exact recursions, closed forms, orders, and the published figures and their traps."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.processes.rule import Oracle, parameters
from tests.support import momentum

STEPS = [32, 64, 128, 256]


@pytest.fixture(scope="module")
def results():
    """{kind: Result against its SDEs of order 1 and 2}, by the estimator that a study takes of itself."""
    found = {}
    for kind in momentum.KINDS:
        study = momentum.study(kind, 1, 2, steps=STEPS, estimator="auto")
        assert all(why.startswith("local: its standard") for why in study.why.values())
        found[kind] = study.run(1024, seed=1)
    return found


@pytest.mark.parametrize("kind", momentum.KINDS)
def test_errors_are_those_of_the_exact_recursions(results, kind):
    """The local estimator's flow is the optimizer's own: what is left is rounding."""
    for row in results[kind].table.itertuples():
        exact = momentum.exact_errors(kind, int(row.sde[-1]), row.h)[row.test_function]
        assert row.error == pytest.approx(exact, rel=0, abs=1e-8)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", momentum.KINDS)
def test_order_and_constants(results, kind, order):
    """docs/theory.md, "SGD and momentum"; all but the squares, whose constants are small, are decided."""
    orders = results[kind].order(theorem=order)
    orders = orders[(orders.sde == f"{kind} order {order}") & (orders.norm == "final")].set_index("test_function")
    decided = orders if kind == "sgd" else orders.drop("theta[0]^2")
    assert (decided.verdict == f"consistent with order {order}").all()
    assert np.all((orders.ci_low < order) & (order < orders.ci_high))
    for function, constant in zip(orders.index, momentum.CONSTANTS[kind, order], strict=False):
        found = orders.loc[function]
        assert abs(found.constant - constant) < 3.0 * found.constant_std_error + 2e-4


def test_the_wrong_sign_is_of_order_one():
    """Heavy ball's equation of order 2 beside Nesterov's method: - H v for + H v."""
    study = momentum.study("nesterov", sde=ns.heavy_ball_sde(order=2), steps=STEPS, estimator="local")
    wrong = study.run(1024, seed=1)
    for theorem, verdict in ((1, "consistent with order 1"), (2, "fails order 2: order 1")):
        orders = wrong.order(theorem=theorem)
        assert (orders[orders.test_function == "v[0]"].verdict.str.startswith(verdict)).all()


def look_ahead(theta, v, eta, mu, g):
    """Return theta and v as PyTorch's SGD(nesterov=True) has them: its parameter is the point ahead."""
    lr, m = eta * eta, 1.0 - mu * eta
    ahead, buffer = theta + eta * m * v, -v / eta
    for gradient in g:
        noisy = gradient(ahead)
        buffer = m * buffer + noisy
        ahead = ahead - lr * (noisy + m * buffer)
    v = -eta * buffer
    return ahead - eta * m * v, v


@pytest.mark.parametrize("kind", ["heavy-ball", "nesterov"])
def test_steps_are_those_of_practitioners(kind):
    optimizer, _ = momentum.MADE[kind]
    eta, noise, (theta, v) = 0.125, [0.3, -1.1, 0.7, 0.2], (1.5, 0.3)
    g = [lambda x, z=z: momentum.HESSIAN * x + momentum.SIGMA * z for z in noise]
    x, h, lr, m, at, buffer = (theta, v), eta, eta * eta, 1.0 - momentum.MU * eta, theta, -v / eta
    p = SimpleNamespace(**parameters(optimizer, h))
    for z, gradient in zip(noise, g, strict=True):
        f = momentum.HESSIAN * x[0]
        x = optimizer.step(x, Oracle(f, 1.0, momentum.HESSIAN, momentum.HESSIAN * f), z, (), p)
        buffer = m * buffer + gradient(at)
        at = at - lr * buffer
    expected = (at, -eta * buffer) if kind == "heavy-ball" else look_ahead(theta, v, eta, momentum.MU, g)
    np.testing.assert_allclose(x, expected, rtol=1e-14)


GOLDEN = {  # max over k of |error of E f|: Example A of arXiv 1811.01558, H = I, |x0|^2 = 75, T = 2
    "sgd order 1": (4.28252, 1.90228, 0.90377, 0.44117),
    "sgd order 2": (1.20798, 0.27531, 0.06642, 0.01641),
    "flipped-sgd": (8.22756, 3.74557, 1.79508, 0.87948),
}


@pytest.fixture(scope="module")
def example_a():
    """The table of f_g = (x - g)^T (x - g) / 2 - d / 2, g a standard normal of d = 3: Sigma = 1."""
    return (
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(1.0)),
            ns.sgd(sigma=1.0),
            sde=[ns.sgd_sde(), ns.sgd_sde(order=2), ns.flipped_sgd_sde()],
            initial=dict(theta=[5.0] * 3),
            eta=[1 / 2, 1 / 4, 1 / 8, 1 / 16],
            horizon=2.0,
            times="all",
            test_functions=["loss"],
        )
        .run(1024, seed=0)
        .table
    )


@pytest.mark.parametrize("sde", GOLDEN)
def test_example_a(example_a, sde):
    rows = example_a[example_a.sde == sde]
    found = rows.error.abs().groupby(rows.eta).max().sort_index(ascending=False)
    np.testing.assert_allclose(found, GOLDEN[sde], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("function", ["theta[0]", "theta[0]^2"])
def test_flipped_is_of_order_one_with_twice_the_constant(function):
    """arXiv 2506.00181 calls it formally first-order; the constant is exactly twice that of the plain equation."""
    both = [ns.sgd_sde(), ns.flipped_sgd_sde()]
    table = momentum.study("sgd", sde=both, steps=[128, 256], test_functions=[function], estimator="local")
    errors = table.run(1024, seed=1).table.pivot(index="h", columns="sde", values="error")
    fine, coarse = (errors["flipped-sgd"] - 2.0 * errors["sgd order 1"]) / errors.index
    assert 2.0 * fine - coarse == pytest.approx(0.0, abs=5e-5)


def test_example_b():
    """Multiplicative noise, Sigma = theta^2: exact means of squares; outside the theorems' bounded root of Sigma."""
    table = (
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(1.0), covariance=lambda theta: theta * theta),
            ns.sgd(sigma=1.0),
            sde=ns.sgd_sde(),
            initial=dict(theta=1.0),
            eta=[1 / 8, 1 / 16],
            horizon=2.0,
            times=[2.0],
            test_functions=["theta[0]^2"],
        )
        .run(40_000, seed=2)
        .table
    )
    for row in table.itertuples():
        exact = ((1.0 - row.h) ** 2 + row.h**2) ** round(2.0 / row.h) - math.exp(2.0 * (row.h - 2.0))
        assert abs(row.error - exact) < row.numerical < 1e-3 * abs(exact)
        assert row.std_error < 0.1 * abs(exact)


def test_stationary_law():
    """(eta / 2) H^-1 Sigma (arXiv 2411.15958), of the SDE; SGD's own is within 1 % of it."""
    eta, variance, hessian = 1 / 128, np.array([0.7, 1.1]), np.array([0.8, 2.0])
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(hessian), covariance=variance),
        ns.sgd(sigma=0.5),
        sde=ns.sgd_sde(),
        initial=dict(theta=[0.0, 0.0]),
        eta=eta,
        horizon=10.0,
        times=[10.0],
        test_functions=["theta[0]^2", "theta[1]^2"],
        estimator="local",
    )
    table, law = study.run(1024, seed=3).table, 0.5 * eta * 0.25 * variance / hessian
    np.testing.assert_allclose(table.sde_mean, law, rtol=1e-5)
    np.testing.assert_allclose(table.optimizer_mean, law, rtol=0.01)


def test_order_two_of_sgd_on_matrices():
    """H f' is the oracle's; the exact means are powers and exponentials of matrices."""
    H, start, eta = np.array([[0.8, 0.3], [0.3, 2.0]]), np.array([1.5, -0.4]), 1 / 16
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(H.tolist()), covariance=[[1.0, 0.2], [0.2, 0.6]]),
        ns.sgd(sigma=0.5),
        sde=ns.sgd_sde(order=2),
        initial=dict(theta=start.tolist()),
        eta=eta,
        horizon=1.0,
        times=[1.0],
        test_functions=["theta[0]", "theta[1]"],
    )
    assert all(why.startswith("local") for why in study.why.values())
    table = study.run(20_000, seed=1).table
    values, vectors = np.linalg.eigh(H)
    chain = vectors @ np.diag((1.0 - eta * values) ** 16) @ vectors.T @ start
    law = vectors @ np.diag(np.exp(-values * (1.0 + 0.5 * eta * values))) @ vectors.T @ start
    assert np.all(np.abs(table.error - (chain - law)) < 4.0 * table.std_error)
    assert np.all(table.std_error < 0.01 * np.abs(chain - law))


LOG_COSH = ns.Loss(
    "log-cosh",
    gradient=lambda theta, p: math.tanh(theta),
    value=lambda theta, p: math.log(math.cosh(theta)),
    curvature=lambda theta, p: 1.0 - math.tanh(theta) ** 2,
)
WRONG = {
    "a matrix ahead": (
        lambda: momentum.study("nesterov", 1, steps=4, oracle=ns.NGOS(ns.quadratic([[1.0, 0.3], [0.3, 2.0]]))),
        "optimizer 'nesterov': the Hessian of loss 'quadratic' is a matrix: how a gradient changes with theta is not "
        "known",
    ),
    "a loss ahead": (
        lambda: momentum.study("nesterov", 1, steps=4, oracle=ns.NGOS(LOG_COSH)),
        "optimizer 'nesterov': loss 'log-cosh' is neither linear nor quadratic: how a gradient changes with theta is "
        "not known",
    ),
    "an order": (lambda: ns.sgd_sde(order=3), "order=3; allowed: 1, 2"),
    "a bool": (lambda: ns.heavy_ball_sde(order=True), "order=True; allowed: 1, 2"),
    "sigma": (lambda: ns.sgd(sigma=0.0), "sigma=0.0 must be positive"),
    "mu": (lambda: ns.nesterov(sigma=1.0, mu=-1.0), "mu=-1.0 must be non-negative"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_heavy_ball_of_order_two_on_a_matrix_is_refused():
    oracle = ns.NGOS(ns.quadratic([[1.0, 0.3], [0.3, 2.0]]))
    settings = dict(initial=dict(theta=1.0, v=0.0), steps=4, oracle=oracle)
    assert momentum.study("heavy-ball", 1, **settings)
    with pytest.raises(ValueError, match="'heavy-ball order 2' reads o.curvature, but the Hessian of loss 'quadratic'"):
        momentum.study("heavy-ball", 2, **settings)
