"""Predicted constants beside measured ones: where they are given, where not, and that they agree."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.reporting.report import orders_table
from ngos_sim.studies.prediction import Predictions
from ngos_sim.verification.controls import altered_sde

FINE = [2.0**-k for k in range(5, 11)]
RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)
CONSTANTS = {
    "P1": {"theta[0]": -0.127166, "theta[0]^2": 0.138788, "u[0]^2": 2.317380, "theta[0]*u[0]": -1.656053},
    "P2": {"theta[0]": -0.4027, "theta[0]^2": 0.0721, "u[0]^2": 2.5982, "theta[0]^4": 0.6964},
    "P3": {"theta[0]": -0.530152},
    "P4": {"theta[0]": -0.34126, "theta[0]^2": -0.77760},
}


def final(result):
    orders = result.order()
    return orders[orders.norm == "final"].set_index("test_function")


@pytest.mark.parametrize("name", CONSTANTS)
def test_the_orders_hold_theorys_constants(problem, name):
    study = problem(name, eta2=FINE[:2], estimator="local", test_functions=list(CONSTANTS[name]))
    found = final(study.run(1024))
    for function, constant in CONSTANTS[name].items():
        assert found.predicted_constant[function] == pytest.approx(constant, abs=6e-5), function
        assert found.predicted_sqrt_term[function] == 0.0


def test_products_and_sums_over_coordinates():
    """d = 2: E of a product is A C_b + B C_a, of loss the sum; against what is measured."""
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5]),
        ns.rmsprop(**RMSPROP),
        ns.rmsprop_sde(),
        initial=dict(theta=[1.2, 1.0], u=[1.0, 0.8]),
        eta2=FINE[:4],
        times=[1.0],
        test_functions=["theta[0]*theta[1]", "loss", "2*theta[0]*u[1] - sqnorm(theta)", "3"],
    )
    found = final(study.run(100_000, seed=1))
    off = (found.constant - found.predicted_constant).abs()
    assert (off < 4 * found.constant_std_error + 1e-12).all()
    assert (found.constant_std_error < 0.003).all()
    assert found.predicted_constant["3"] == 0.0


def test_svag_over_ell_has_its_limit(problem):
    """docs/theory.md, "SVAG": ell^2 times the error at eta^2 = 0.1 tends to -.2098 (E S^2) and -.6297 (E S u)."""
    rule, functions = ns.rmsprop(**RMSPROP), ["theta[0]^2", "theta[0]*u[0]"]
    skewness = 0.6 / math.sqrt(0.2 * 0.8)  # of two-point noise with p = .2
    settings = dict(noise=ns.two_point(skewness=skewness), initial=dict(theta=0.0, u=1.3), estimator="local")
    study = problem("P1", ns.svag(rule, [3.0, 4.0, 6.0]), eta2=[0.1], test_functions=functions, **settings)
    found = final(study.run(200_000, seed=2))
    for function, limit in zip(functions, (-0.2098, -0.6297), strict=True):
        assert 0.1 * found.predicted_constant[function] == pytest.approx(limit, rel=2e-3)
        assert 0.1 * found.constant[function] == pytest.approx(limit, rel=0.02)


@pytest.mark.parametrize(("name", "functions"), [("P2", ["theta[0]*u[0]"]), ("P4", ["theta[0]", "m[0]*u[0]"])])
def test_skew_constants_are_measured_within_two_percent(problem, name, functions):
    """A of A sqrt(h) + C h + D h^(3/2), from errors at h = 2^-6 .. 2^-11."""
    eta2 = [2.0**-k for k in range(6, 12)]
    study = problem(name, noise=ns.two_point(skewness=1.5), eta2=eta2, estimator="local", test_functions=functions)
    result = study.run(16_384, seed=3)
    found = final(result)
    for function in functions:
        rows = result.table[result.table.test_function == function]
        powers = rows.eta2.to_numpy()[:, None] ** [0.5, 1.0, 1.5] / rows.std_error.to_numpy()[:, None]
        root = np.linalg.lstsq(powers, rows.error / rows.std_error, rcond=None)[0][0]
        assert root == pytest.approx(found.predicted_sqrt_term[function], rel=0.02)
        assert abs(root) > 0.02


def test_low_skewness_has_a_constant_and_no_root(problem):
    settings = dict(noise=ns.two_point(low_skewness=1.5), estimator="local", test_functions=["theta[0]^2"])
    found = final(problem("P2", eta2=FINE[:4], **settings).run(50_000, seed=4)).iloc[0]
    assert found.predicted_sqrt_term == 0.0
    assert found.constant == pytest.approx(found.predicted_constant, abs=4 * found.constant_std_error)
    assert found.constant_std_error < 0.02 * abs(found.predicted_constant)


def test_no_rounding_is_shown_as_a_half_order(problem):
    """Symmetric noise, low skewness and what cancels: A is 0 and C is printed, never -0 and never C's place taken."""
    laws = [ns.gaussian(), ns.two_point(low_skewness=0.3), ns.skewed(low_skewness=-0.7)]
    equal = dict(initial=dict(theta=[1.2, 1.2], u=1.0), test_functions=["theta[0]^2", "theta[0]*u[1] - theta[1]*u[0]"])
    for noise in laws:
        orders = problem("P2", noise=noise, eta2=FINE[:3], estimator="local", **equal).run(1024).order()
        assert (orders.predicted_sqrt_term == 0.0).all()
        assert not np.signbit(orders.predicted_sqrt_term).any()
        assert "sqrt" not in orders_table(orders)
    skewed = problem("P2", noise=ns.two_point(skewness=0.3), eta2=FINE[:3], estimator="local", **equal)
    orders = skewed.run(1024).order().set_index(["test_function", "norm"])
    assert abs(orders.predicted_sqrt_term["theta[0]^2", "final"]) > 0.01
    assert orders.predicted_sqrt_term["theta[0]*u[1] - theta[1]*u[0]", "final"] == 0.0
    assert "sqrt" in orders_table(orders.reset_index())


def test_a_negative_zero_is_not_printed(problem):
    study = problem("P2", eta2=FINE[:3], estimator="local", test_functions=["theta[0]^2"])
    orders = study.run(1024).order()
    for value in (-0.0, -1e-5):
        text = orders_table(
            orders.assign(predicted_sqrt_term=0.0, predicted_constant=value, constant=value, order=value)
        )
        assert "-0.00" not in text
        assert " 0.00 " in text


@pytest.mark.parametrize(
    "changes",
    [
        dict(sde=altered_sde("other")),
        dict(covariance=lambda theta: 1.0),
        dict(initial=dict(theta=1.2, u=lambda eta2: 1.0 + eta2)),
        dict(test_functions=[ns.TestFunction("square", lambda x: x[0] * x[0])]),
        dict(test_functions=["norm(grad)"]),
        dict(test_functions=["theta[0]^9"]),
        dict(optimizer=ns.rmsprop(bias_correction=True, **RMSPROP)),
    ],
)
def test_where_nothing_is_known_nothing_is_said(problem, changes):
    study = problem("P2", **(dict(test_functions=["theta[0]"], eta2=[0.25, 0.125]) | changes))
    table = study.run(1024).table
    keys = {"sde": table.sde[0], "test_function": table.test_function[0]}
    rows = table[table.time == table.groupby("eta2").time.transform("max")]
    assert np.isnan(Predictions(study).of(keys, rows)).all()
