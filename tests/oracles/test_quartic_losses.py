"""The built-in losses of quartic growth: formulas, minimisers, curvatures; what they lie outside of."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import ngos_sim as ns


def hessian(loss, theta):
    theta = np.array(theta, dtype=float)
    sides = [[loss.gradient_at(theta + step) for step in (e, -e)] for e in 1e-5 * np.eye(len(theta))]
    return np.array([(up - down) / 2e-5 for up, down in sides])


def curvatures(loss, theta):
    return np.linalg.eigvalsh(hessian(loss, theta))


MADE = {
    "rosenbrock": (
        ns.rosenbrock(a=1.5, b=7.0, scale=0.3),
        lambda x, y: 0.3 * ((1.5 - x) ** 2 + 7.0 * (y - x**2) ** 2),
        [[1.5, 2.25]],
    ),
    "factorisation": (ns.factorisation(2.0), lambda x, y: (x * y - 2.0) ** 2 / 2, [[1.0, 2.0], [-4.0, -0.5], [0, 0]]),
    "coupled-wells": (
        ns.coupled_wells(0.3),
        lambda x, y: ((x * x - 1.0) ** 2 + (y * y - 1.0) ** 2) / 4 + 0.15 * (x - y) ** 2,
        [[1.0, 1.0], [-1.0, -1.0], [0.4**0.5, -(0.4**0.5)], [0.0, 0.0]],
    ),
    "saddle": (
        ns.saddle([-1.0, 2.0], [0.5, 1.0]),
        lambda x, y: -(x**2) / 2 + x**4 / 8 + y**2 + y**4 / 4,
        [[0.0, 0.0], [2.0**0.5, 0.0]],
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_formula_and_stationary_points(name):
    loss, formula, stationary = MADE[name]
    for theta in ([0.7, -1.1], [-2.0, 0.3]):
        assert loss.value_at(theta) == pytest.approx(formula(*theta), rel=1e-13)
        assert approx_fprime(theta, loss.value_at, 1e-7) == pytest.approx(loss.gradient_at(theta), abs=1e-4)
    for theta in stationary:
        assert loss.gradient_at(theta) == pytest.approx([0.0, 0.0], abs=1e-12)


def test_curvatures_that_docstrings_name():
    assert np.trace(hessian(ns.rosenbrock(), [1.0, 1.0])) == pytest.approx(1002.0, rel=1e-6)
    assert curvatures(ns.factorisation(2.0), [1.0, 2.0]) == pytest.approx([0.0, 5.0], abs=1e-6)
    assert curvatures(ns.factorisation(2.0), [0.0, 0.0]) == pytest.approx([-2.0, 2.0], abs=1e-6)
    assert curvatures(ns.coupled_wells(0.3), [1.0, 1.0]) == pytest.approx([2.0, 2.6], abs=1e-6)
    for coupling, least in ((0.3, 2.0 - 6.0 * 0.3), (0.4, 2.0 - 6.0 * 0.4)):
        r = (1.0 - 2.0 * coupling) ** 0.5
        assert curvatures(ns.coupled_wells(coupling), [r, -r])[0] == pytest.approx(least, abs=1e-6)
    assert curvatures(ns.saddle(-1.0, 0.5), [2.0**0.5]) == pytest.approx([2.0], abs=1e-6)
    assert ns.saddle(-1.0, 0.5).value_at([2.0**0.5]) == pytest.approx(-1.0 / (4.0 * 0.5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ns.rosenbrock(b=0.0), "b=0.0 must be a positive number"),
        (lambda: ns.rosenbrock(scale=-1.0), "scale=-1.0 must be a positive number"),
        (lambda: ns.rosenbrock(a=[1.0, 2.0]), r"a=\[1.0, 2.0\] must be a finite number"),
        (lambda: ns.factorisation(float("nan")), "target=nan must be a finite number"),
        (lambda: ns.coupled_wells(-0.1), "coupling=-0.1 must be a number of at least 0"),
        (lambda: ns.saddle([-1.0, 1.0], 0.0), "quartic=0.0 must be greater than 0"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
