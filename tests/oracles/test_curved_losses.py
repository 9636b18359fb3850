"""Log-cosh, a quadratic with a sine, a double well: complex steps of their formulas; minima and slopes as they say."""

import cmath
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns

FORMULAS = {  # loss, f and f' of a complex number
    "log-cosh": (ns.log_cosh(1.7), lambda x: 1.7 * cmath.log(cmath.cosh(x / 1.7)), lambda x: cmath.tanh(x / 1.7)),
    "sine-quadratic": (
        ns.sine_quadratic(0.9, -0.7, 2.3),
        lambda x: 0.45 * x * x - 0.7 * cmath.sin(2.3 * x),
        lambda x: 0.9 * x - 1.61 * cmath.cos(2.3 * x),
    ),
    "double-well": (
        ns.double_well(1.3, 1.1, 0.6),
        lambda x: 0.65 * (x * x - 1.57 * cmath.log(1.0 + x * x / 0.36)),
        lambda x: 1.3 * x - 2.041 * x / (0.36 + x * x),
    ),
}
THETA = [-40.0, -3.7, -1.1, -0.2, -1e-3, 0.0, 1e-6, 0.45, 1.3, 2.9, 17.0, 300.0]


def derivative(function, theta):
    """Return f'(theta) = Im f(theta + i s) / s, to rounding as nothing is subtracted (Squire and Trapp 1998)."""
    return function(complex(theta, 1e-150)).imag / 1e-150


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_derivatives_are_those_of_the_formula(name):
    loss, f, slope = FORMULAS[name]
    p = SimpleNamespace(**loss.parameters)
    assert loss.name == name
    for theta in THETA:
        near = dict(rel=1e-12, abs=1e-14)
        assert loss.value(theta, p) == pytest.approx(f(complex(theta)).real, **near), theta
        assert loss.gradient(theta, p) == pytest.approx(derivative(f, theta), **near), theta
        assert loss.curvature(theta, p) == pytest.approx(derivative(slope, theta), **near), theta


def test_a_log_cosh_of_a_large_argument_does_not_overflow():
    loss = ns.log_cosh(0.5)
    p = SimpleNamespace(width=0.5)
    assert loss.value(1e6, p) == pytest.approx(1e6 - 0.5 * np.log(2.0), rel=1e-15)
    assert (loss.gradient(1e6, p), loss.curvature(1e6, p)) == (1.0, 0.0)


@pytest.mark.parametrize(("hessian", "minimum", "width"), [(1.0, 1.0, 1.0), (2.5, 0.7, 0.3), (0.4, 2.0, 5.0)])
def test_what_is_said_of_the_double_well(hessian, minimum, width):
    """Minima, curvatures there, the barrier's height, and the Lipschitz constant, the largest |f''|."""
    loss = ns.double_well(hessian, minimum, width)
    p = SimpleNamespace(**loss.parameters)
    both = minimum**2 + width**2
    assert loss.gradient(minimum, p) == loss.gradient(-minimum, p) == loss.gradient(0.0, p) == 0.0
    assert loss.curvature(minimum, p) == pytest.approx(2.0 * hessian * minimum**2 / both, rel=1e-14)
    assert loss.curvature(0.0, p) == pytest.approx(-hessian * minimum**2 / width**2, rel=1e-14)
    barrier = 0.5 * hessian * (both * np.log(1.0 + (minimum / width) ** 2) - minimum**2)
    assert loss.value(0.0, p) - loss.value(minimum, p) == pytest.approx(barrier, rel=1e-13)
    bends = [abs(loss.curvature(theta, p)) for theta in np.linspace(0.0, 40.0 * width, 40_001).tolist()]
    lipschitz = hessian * max((minimum / width) ** 2, 1.0 + both / (8.0 * width**2))
    assert max(bends) == pytest.approx(lipschitz, rel=1e-5)
    assert loss.curvature(1e6, p) == pytest.approx(hessian, rel=1e-9)  # quadratic far out


def test_one_number_a_coordinate():
    assert ns.double_well(hessian=1.0, minimum=[1.0, 2.0], width=0.5).dimension == 2
    assert ns.NGOS(ns.log_cosh([1.0, 2.0, 3.0]), ns.sine_variance(1.0, [0.5, 0.2, 0.1], 2.0)).dimension == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.log_cosh(0.0), r"width=0\.0 must be greater than 0"),
        (lambda: ns.log_cosh([[1.0, 2.0], [2.0, 1.0]]), "width=.* is a 2x2 array; a number or a vector is allowed"),
        (lambda: ns.double_well(0.0, 1.0, 1.0), r"hessian=0\.0 must be greater than 0"),
        (lambda: ns.double_well(1.0, -1.0, 1.0), r"minimum=-1\.0 must be greater than 0"),
        (lambda: ns.double_well(1.0, 1.0, [1.0, -2.0]), r"width=\[1\.0, -2\.0\] must be greater than 0"),
        (lambda: ns.double_well(1.0, [1.0, 2.0], [1.0, 2.0, 3.0]), "loss 'double-well': parameters differ in length"),
        (lambda: ns.sine_quadratic(1.0, float("nan"), 2.0), "amplitude=nan must hold finite numbers"),
    ],
)
def test_wrong_numbers(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
