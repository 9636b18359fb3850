"""Lion: its step to the letter, and its SDE against exact moments on a linear loss."""

import math
import re

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from tests.support import naive, signs

CONSTANTS = dict(sigma0=0.8, beta1=0.6, c2=1.3, w0=0.3)
SLOPE, START, RHO = 0.7, (0.4, -0.5), math.sqrt(2.0 / math.pi)
FUNCTIONS = ("theta[0]", "theta[0]^2", "m[0]", "m[0]^2", "theta[0]*m[0]")


def sde_moments(rho=RHO, second=True):
    """Return E of FUNCTIONS at time 1 on the linear loss, of the SDE in docs/theory.md, "Signs"."""
    s0, b, c2, w0 = CONSTANTS["sigma0"], 0.6 / 0.4, CONSTANTS["c2"], CONSTANTS["w0"]
    matrix = np.array([[-w0, -rho / s0 * b], [0.0, -c2]])
    noise = np.array([[-rho, -math.sqrt(1.0 - rho * rho) * second], [c2 * s0, 0.0]])
    return signs.linear_moments(matrix, np.array([-rho / s0 * SLOPE, c2 * SLOPE]), noise, np.array(START), 1.0)


def chain_moments(steps):
    return signs.lion_linear(CONSTANTS, SLOPE, START, 1.0 / steps, steps)


def study(sde, **changes):
    settings = dict(initial=dict(theta=START[0], m=START[1]), horizon=1.0, times=[1.0], estimator="coupled")
    settings |= dict(sde=sde, test_functions=FUNCTIONS) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.linear(SLOPE)), ns.lion(**CONSTANTS), **settings)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_steps_are_the_definition(build, decay):
    """Algorithm 2 of arXiv 2302.06675 in raw hyperparameters: eta, sigma, beta2, lambda."""
    eta, noise = 0.125, np.random.default_rng(3).standard_normal(40)
    rule = ns.lion(sigma0=0.8, beta1=0.9, c2=1.3, w0=decay)
    gradients = [lambda k, theta: 0.9 * theta + 0.8 / eta * noise[k]] * 40
    expected = naive.lion(1.2, -0.3, gradients, eta, 0.9, 1.0 - 1.3 * eta**2, decay * eta)
    functions = ["theta[0]", "m[0]"]
    oracle, records = ns.NGOS(ns.quadratic(0.9)), range(1, 41)
    made = build(oracle, [(rule, ns.gaussian(), 1)], functions, [1.2, -0.3], eta**2, 40, records=records)
    found, finite = python.trajectory(*made, 0, noise[:, None])
    assert finite
    np.testing.assert_allclose(found[:, :, 0].T, expected, rtol=0, atol=1e-12)


def test_the_exact_error_is_of_order_1():
    errors = np.array([chain_moments(steps) - sde_moments() for steps in (64, 128, 256)])
    slopes = np.log2(np.abs(errors[:-1] / errors[1:]))
    assert np.all((slopes > 0.94) & (slopes < 1.02)), slopes
    assert np.all(np.abs(errors[-1] * 256.0) > 0.25)  # no constant is near 0


@pytest.mark.parametrize(("rho", "second"), [(RHO, False), (1.0, True)])
def test_wrong_equations_are_of_order_0(rho, second):
    """Without the second Brownian motion, or as if a sign were its Gaussian."""
    errors = np.array([chain_moments(steps)[1] - sde_moments(rho, second)[1] for steps in (64, 256)])
    assert np.all(np.abs(errors) > 0.2)
    assert abs(math.log2(errors[0] / errors[1])) < 0.4


def one_channel():
    """Return the SDE without the second Brownian motion."""
    right = ns.lion_sde()
    diffusion = right.diffusion

    def first(x, o, c, p):
        return diffusion(x, o, c, p)[0]

    return ns.SDE("one channel", right.drift, first, right.slots, right.schedule)


def test_a_study_finds_the_exact_errors_and_the_order():
    result = study([ns.lion_sde(), one_channel()], steps=[16, 32, 64]).run(60_000, seed=3)
    for steps, rows in result.table.groupby(1.0 / result.table.h):
        for sde, model in (("lion", sde_moments()), ("one channel", sde_moments(second=False))):
            own = rows[rows.sde == sde]
            exact = chain_moments(round(steps)) - model
            assert np.all(np.abs(own.error - exact) < 4.0 * own.std_error + own.integrator_residual), sde
            assert np.all(own.std_error < 0.02)
    orders = result.order()
    orders = orders[(orders.norm == "final") & (orders.sde == "lion")].set_index("test_function")
    for name in ("theta[0]^2", "m[0]"):
        assert abs(orders.order[name] - 1.0) < 0.2, orders
    wrong = result.table[(result.table.sde == "one channel") & (result.table.test_function == "theta[0]^2")]
    assert wrong.error.is_monotonic_increasing  # towards 1 - rho^2 and more, as h falls


WRONG = {
    "sigma0": (dict(sigma0=0.0), "sigma0=0.0 must be positive"),
    "beta1": (dict(beta1=1.0), "beta1=1.0 must be from 0 to below 1"),
    "a beta1 below 0": (dict(beta1=-0.1), "beta1=-0.1 must be from 0 to below 1"),
    "c2": (dict(c2=-1.0), "c2=-1.0 must be positive"),
    "w0": (dict(w0=-1.0), "w0=-1.0 must be non-negative"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments(case):
    given, message = WRONG[case]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ns.lion(**(CONSTANTS | given))


def test_where_the_derivation_ends():
    oracle = ns.NGOS(ns.quadratic([1.0, 1.0]), [[1.0, 0.5], [0.5, 1.0]], ns.uniform())
    assert ns.lion_sde().domain.doubts(oracle, 1.0) == ["gaussian noise, not uniform", "a diagonal covariance"]
