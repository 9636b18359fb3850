"""Matrix Hessians and covariances: the chain in raw variables, the laws in closed form, studies of them."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.known.gaussian_law import companion_law, sde_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.known.joint_problem import JointProblem
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import Oracle, parameters
from tests.support import naive, programs

CONSTANTS = programs.RMSPROP
ADAM = dict(c1=2.0, **CONSTANTS)


@pytest.mark.parametrize("rule", [ns.rmsprop(**CONSTANTS), ns.adam(**ADAM)], ids=["rmsprop", "adam"])
def test_the_chain_is_numpys_in_raw_variables(rule):
    """Definitions 2.1 and 2.2 with gradient H theta + sigma Sigma^(1/2) zeta; the root by another algorithm."""
    oracle, d, steps = programs.matrices(3), 3, 5
    program, inputs = programs.alone(rule, d, steps, oracle)
    raw, root = rule.at(2.0**-4), scipy.linalg.sqrtm(np.array(oracle.covariance)).real
    zeta = np.random.default_rng(3).standard_normal((steps, d))

    def gradient(k, theta):
        return np.array(oracle.loss.matrix) @ theta + raw.sigma * root @ zeta[k]

    *first, u = inputs.processes[0].start.T
    path = getattr(naive, rule.name)(*first, u * raw.sigma**2, [gradient] * steps, raw.lr, *raw.betas, raw.eps)
    ends, finite = python.trajectory(program, inputs, 0, zeta)
    assert finite
    assert ends[0, 0, 0] == pytest.approx(path[0][-1][0], rel=1e-12)


def joint(oracle, start, t0, end, constants, h=0.01):
    """Return the JointProblem of an oracle with a matrix loss and a matrix covariance."""
    hessian, covariance = np.array(oracle.loss.matrix), np.array(oracle.covariance)
    return JointProblem(hessian, np.zeros(len(hessian)), covariance, np.array(start), t0, end, constants, h)


def test_the_sdes_law_in_closed_form():
    """With u0 = diag Sigma the speed D is constant: mean exp(-D H t) theta0, covariance by Van Loan's exponential."""
    oracle = programs.matrices(3)
    u, theta, t = np.diag(oracle.covariance), np.array([1.2, -0.3, 0.5]), 0.7
    problem = joint(oracle, (theta, u), 0.0, t, dict(ns.rmsprop(**CONSTANTS).parameters))
    law = sde_law(JointEquation(ns.rmsprop_sde(), problem), np.array([0.3, t]))
    D = np.diag(1.0 / (0.8 * np.sqrt(u) + 0.1))
    pull, power = D @ np.array(oracle.loss.matrix), 0.64 * D @ np.array(oracle.covariance) @ D
    block = scipy.linalg.expm(t * np.block([[pull, power], [np.zeros((3, 3)), -pull.T]]))
    decay = scipy.linalg.expm(-t * pull)
    np.testing.assert_allclose(law.mean[-1], decay @ theta, atol=1e-11)
    np.testing.assert_allclose(law.covariance[-1], decay @ block[:3, 3:], atol=1e-11)
    np.testing.assert_allclose(law.path[:, 0], [u, u])


@pytest.mark.parametrize(
    ("optimizer", "sde"), [(ns.rmsprop(**CONSTANTS), ns.rmsprop_sde()), (ns.adam(**ADAM), ns.adam_sde())]
)
def test_the_companions_law_by_enumeration(optimizer, sde):
    """All 2^(2 3) paths of Rademacher noise of two coordinates through Euler-Maruyama's own step."""
    oracle, h, t0 = programs.matrices(2), 0.05, 0.1
    rule, slots = euler_maruyama(sde, optimizer), len(optimizer.slots)
    start = tuple(np.array([[1.2, -0.4], [0.5, 0.1], [1.4, 0.7]])[[0, 2] if slots == 2 else [0, 1, 2]])
    hessian, root, u = np.array(oracle.loss.matrix), oracle.root, np.diag(oracle.covariance)
    p = SimpleNamespace(**parameters(rule, h))
    problem = joint(oracle, start, t0, 1.0, dict(optimizer.parameters), h)
    law = companion_law(rule, problem, tuple(range(slots - 1)), h, np.array([3]))
    ends = []
    for path in itertools.product([-1.0, 1.0], repeat=6):
        x = np.array(start).T
        for k, zeta in enumerate(np.reshape(path, (3, 2))):
            pull, z, c = hessian @ x[:, 0], root @ zeta, rule.schedule(2 + k, h, p)
            x = np.array([rule.step(tuple(x[j]), Oracle(pull[j], u[j], 0.0, 0.0), z[j], c, p) for j in (0, 1)])
        ends.append(x.T)
    flat = np.array(ends)[:, :-1].reshape(64, -1)
    np.testing.assert_allclose(law.mean[0], flat.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(law.covariance[0], np.cov(flat.T, bias=True), atol=1e-13)
    assert abs(law.covariance[0][0, 1]) > 1e-4


def study(estimator, **changes):
    settings = dict(optimizer=ns.rmsprop(**CONSTANTS), sde=ns.rmsprop_sde(), eta2=[2.0**-4, 2.0**-5], horizon=1.0)
    settings |= dict(initial=dict(theta=[1.0, -0.5, 0.5], u=1.0), test_functions=["theta[0]", "theta[0]*theta[2]"])
    settings |= dict(estimator=estimator, times=[0.5, 1.0])
    return ns.ConvergenceStudy(programs.matrices(3), **(settings | changes))


def test_companion_and_coupled_agree():
    cosine = ns.TestFunction("cos", lambda x: math.cos(x[0]), coordinate=2)
    functions = ["theta[0]", "theta[0]*theta[2]^2", "loss", "u[1]", cosine]
    found, other = (
        study(estimator, test_functions=functions).run(200_000, seed=seed).table
        for seed, estimator in enumerate(("control_variate", "coupled"))
    )
    assert found.estimator.unique().tolist() == ["control_variate"]
    assert (np.abs(found.error - other.error) < 4 * np.hypot(found.std_error, other.std_error)).all()
    assert (np.abs(found.error) > 10 * found.std_error).sum() >= 15


def test_adam_is_consistent_with_order_one():
    changes = dict(optimizer=ns.adam(**ADAM), sde=ns.adam_sde(), times=None, eta2=[2.0**-k for k in (3, 4, 5, 6, 7, 8)])
    initial = dict(theta=[1.0, -0.5, 0.5], m=0.2, u=1.0, t0=0.5)
    row = study("auto", initial=initial, test_functions=["theta[0]"], **changes).run(250_000, seed=1).order().iloc[0]
    assert row.verdict == "consistent with order 1"
    assert row.std_error < 0.05


def test_choices_and_refusals():
    linear, product = study("auto").why.values()
    assert linear.startswith("local: ")
    assert product.startswith("control_variate: ")
    assert "is a matrix" in product
    with pytest.raises(ValueError, match=r"cannot measure 'theta\[0\]\*theta\[2\]' .*: the Hessian or .* is a matrix"):
        study("local")
    uniform = ns.NGOS(programs.matrices(3).loss, programs.matrices(3).covariance, ns.uniform())
    chosen = ns.ConvergenceStudy(
        uniform,
        ns.rmsprop(**CONSTANTS),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.0, u=1.0),
        eta2=[2.0**-4],
        test_functions=["theta[0]*theta[1]", "theta[0]^2*theta[1]"],
    ).why
    assert [text.split(":")[0] for text in chosen.values()] == ["control_variate", "coupled"]
    with pytest.raises(
        ValueError, match=r"initial.theta has length 2; a number or a length of 3 is allowed, as the oracle's hessian"
    ):
        study("auto", initial=dict(theta=[1.0, 2.0], u=1.0))
