"""Covariances that depend on the state: values, bounds, refusals; and how functions grow far out."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.oracles import growth

VARIANCES = {  # variance, its formula, its bounds
    "sine": (
        ns.sine_variance(0.8, 0.5, 2.3),
        lambda x: 0.8 - 0.16 * math.cos(4.6 * x),  # sin^2 of half the angle
        (0.64, 0.96),
    ),
    "lorentz": (
        ns.lorentz_variance(0.8, 0.5),
        lambda x: (0.89 + 0.25 * x * x) / (1.0 + x * x),
        (0.25, 0.89),
    ),
}


@pytest.mark.parametrize("name", VARIANCES)
def test_values_are_those_of_the_formula(name):
    variance, formula, (least, most) = VARIANCES[name]
    p = SimpleNamespace(**variance.parameters)
    assert variance.name == name
    for theta in [-40.0, -3.7, -1e-3, 0.0, 0.45, math.pi / 4.6, 2.9, 300.0]:
        found = variance.function(theta, p)
        assert found == pytest.approx(formula(theta), rel=1e-13)
        assert least <= found <= most * (1.0 + 1e-15)


def test_an_oracle_takes_its_numbers():
    variance = ns.sine_variance(1.0, [0.5, 0.2], 2.0)
    oracle = ns.NGOS(ns.quadratic(0.9), variance)
    assert oracle.is_state_dependent
    assert oracle.dimension == 2
    assert oracle.variance is variance.function
    assert oracle.variance_parameters == {"scale": 1.0, "amplitude": (0.5, 0.2), "frequency": 2.0}
    assert ns.NGOS(ns.quadratic(0.9), lambda theta: 1.0 + theta * theta).is_state_dependent
    assert not ns.NGOS(ns.quadratic(0.9), [1.0, 2.0]).is_state_dependent


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.sine_variance(1.0, -1.0, 2.0), r"amplitude=-1\.0 must be greater than -1"),
        (lambda: ns.sine_variance([1.0, 2.0], [1.0, 2.0, 3.0], 2.0), "covariance 'sine': parameters differ in length"),
        (lambda: ns.lorentz_variance(1.0, math.inf), "floor=inf must hold finite numbers"),
        (
            lambda: ns.Variance("mine", lambda theta, p: 1.0 + p.slope * theta, slope=[0.0, 0.5]),
            r"covariance 'mine' is -0\.21963 at theta=-2\.4393; a variance must not be negative",
        ),
        (
            lambda: ns.NGOS(ns.quadratic(1.0), lambda theta: 1.0 - theta),
            "covariance '<lambda>' is .* at theta=.*; a variance must not be negative",
        ),
        (
            lambda: ns.NGOS(ns.quadratic([1.0, 2.0, 3.0]), ns.lorentz_variance([1.0, 2.0], 0.5)),
            "covariance has length 2; a number or a length of 3 is allowed, as loss 'quadratic' has 3 coordinates",
        ),
    ],
)
def test_wrong_variances(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()


def test_what_is_no_function_of_theta():
    with pytest.raises(
        TypeError, match=r"covariance=lorentz_variance is a function of \(scale, floor\); a function of t"
    ):
        ns.NGOS(ns.quadratic(1.0), ns.lorentz_variance)
    with pytest.raises(TypeError, match=r"function of \(theta, p\); .* ns\.Variance\(name, function, \.\.\) takes one"):
        ns.NGOS(ns.quadratic(1.0), lambda theta, p: 1.0)
    with pytest.raises(TypeError, match=r"covariance 'mine': function=2\.0 is not a function"):
        ns.Variance("mine", 2.0)


@pytest.mark.parametrize(
    ("function", "power"),
    [
        (lambda x: x**3 - x, 3.0),
        (lambda x: 3.0 * x + 5.0 * math.cos(3.0 * x), 1.0),
        (lambda x: math.sin(math.pi * x) ** 2, 0.0),
        (lambda x: math.sqrt(1.0 + abs(x)), 0.5),
        (lambda x: 1.0 / (1.0 + math.exp(-x)), 0.0),  # overflows below -709
        (math.tanh, 0.0),
        (lambda x: 0.0, 0.0),
    ],
)
def test_powers_far_out(function, power):
    assert growth.power(function) == pytest.approx(power, abs=0.05)


def test_what_overflows_is_judged_by_where_it_does_not():
    assert growth.power(math.exp) > 10.0
    assert growth.power(np.exp) > 10.0  # without a warning
    assert growth.power(lambda x: math.log(x)) == 0.0  # undefined on half of every decade: nothing is said
