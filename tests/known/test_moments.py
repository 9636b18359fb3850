"""Moments and flows of SDEs by probing, against closed forms (docs/theory.md, "Closed forms") and another solver."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

import ngos_sim as ns
from ngos_sim.known import local_table
from ngos_sim.known.basis import Basis, covering
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.moments import Moments
from ngos_sim.known.probing import Probe
from tests.support import naive

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
STEPS, H = 64, 1.0 / 64


def known(sde, rule, start, hessian=0.0, slope=0.0, variance=1.0, t0=0.0):
    """Return the Moments up to t0 + 1 on the smallest basis."""
    probe = Probe(sde, Coordinate(hessian, slope, variance, start, t0, t0 + 1.0, dict(rule.parameters), H))
    return Moments(probe, covering(probe.linear, probe.autonomous))


def moments(*given, **named):
    """Return E psi(X_t) at t0 + 1 by name of the monomial's powers."""
    found = known(*given, **named)
    return dict(zip(found.basis.exponents, found.means(np.ones(1))[0], strict=True))


@pytest.mark.parametrize(("slope", "hessian"), [(0.7, 0.0), (0.0, 0.9)])
@pytest.mark.parametrize("variance", [1.0, 0.5])
def test_rmsprop_is_the_ode_solvers(slope, hessian, variance):
    found = moments(ns.rmsprop_sde(), ns.rmsprop(**RMSPROP), (1.2, 1.4), hessian, slope, variance)
    exact = naive.rmsprop_sde_moments(1.0, 1.2, 1.4, slope=slope, hessian=hessian, variance=variance, **RMSPROP)
    np.testing.assert_allclose((found[1, 0], found[2, 0]), exact, rtol=0, atol=2e-10)
    assert found[0, 1] == found[1, 1] == found[0, 2] == 0.0


def test_linear_loss_closed_form():
    """eps0 = 0: E theta = theta0 - slope I, I = [ln((r + s)/|r - s|)] / (c s sigma0); the variance likewise."""
    rule, u0, slope, variance = ns.rmsprop(0.8, 0.0, 1.3), 1.8, 0.7, 1.2
    found = moments(ns.rmsprop_sde(), rule, (0.0, u0), 0.0, slope, variance)
    s, U = math.sqrt(variance), variance + (u0 - variance) * math.exp(-1.3)
    first, last = (math.log((r + s) / abs(r - s)) for r in (math.sqrt(u0), math.sqrt(U)))
    mean = -slope * (last - first) / (1.3 * s * 0.8)
    spread = (1.3 + math.log(U / u0)) / 1.3
    assert found[1, 0] == pytest.approx(mean, abs=1e-10)
    assert found[2, 0] == pytest.approx(mean**2 + spread, abs=1e-10)


def test_quadratic_loss_closed_form():
    """eps0 = 0: E theta = theta0 ([(r + s) |r0 - s| / (|r - s| (r0 + s))])^(-lambda / (c sigma0 s))."""
    found = moments(ns.rmsprop_sde(), ns.rmsprop(0.8, 0.0, 1.3), (1.2, 1.8), hessian=0.9)
    r0, r = math.sqrt(1.8), math.sqrt(1.0 + 0.8 * math.exp(-1.3))
    base = (r + 1.0) * abs(r0 - 1.0) / (abs(r - 1.0) * (r0 + 1.0))
    assert found[1, 0] == pytest.approx(1.2 * base ** (-0.9 / (1.3 * 0.8)), abs=1e-10)


def test_adam_is_the_ode_solvers_and_the_closed_form():
    rule = ns.adam(c1=2.0, **RMSPROP)
    found = moments(ns.adam_sde(), rule, (1.2, -0.4, 1.4), hessian=0.9, t0=0.5)
    exact = naive.adam_sde_moments(0.5, 1.5, 1.2, -0.4, 1.4, 0.8, 0.1, 2.0, 1.3, 0.9)
    np.testing.assert_allclose((found[1, 0, 0], found[2, 0, 0]), exact, rtol=0, atol=2e-10)
    linear = moments(ns.adam_sde(), rule, (0.0, -0.4, 1.4), slope=0.6, t0=0.5)
    mean = 0.6 + (-0.4 - 0.6) * math.exp(-2.0)
    assert linear[0, 1, 0] == pytest.approx(mean, abs=1e-10)
    assert linear[0, 2, 0] - mean**2 == pytest.approx(0.8**2 * (1.0 - math.exp(-4.0)), abs=1e-10)


@pytest.mark.parametrize("m0", [0.0, -0.4])
def test_adam_from_zero(m0):
    """The root of t at the start: against an ODE solver from a time so small that nothing has moved."""
    found = moments(ns.adam_sde(), ns.adam(c1=2.0, **RMSPROP), (1.2, m0, 1.4), hessian=0.9)
    exact = naive.adam_sde_moments(1e-18, 1.0, 1.2, m0, 1.4, 0.8, 0.1, 2.0, 1.3, 0.9)
    np.testing.assert_allclose((found[1, 0, 0], found[2, 0, 0]), exact, rtol=0, atol=2e-8)


def test_bias_correction_of_rmsprop():
    rule = ns.rmsprop(bias_correction=True, **RMSPROP)
    found = moments(ns.rmsprop_sde(), rule, (0.0, 1.4), slope=0.7, t0=0.25)

    def speed(t):
        root = math.sqrt(1.0 - math.exp(-1.3 * t))
        return root / (0.8 * math.sqrt(1.0 + 0.4 * math.exp(-1.3 * (t - 0.25))) + 0.1 * root)

    assert found[1, 0] == pytest.approx(-0.7 * quad(speed, 0.25, 1.25)[0], abs=1e-9)


def test_the_flow_is_first_order_in_y():
    """Off the SDE's path: a start at U + y moves E theta by the derivative in u0, to order y^2."""
    made = known(ns.rmsprop_sde(), ns.rmsprop(**RMSPROP), (1.2, 1.4), 0.9, 0.3)
    total = np.eye(7)
    for matrix in local_table.flow(made, H, np.arange(STEPS)):
        total = matrix @ total
    y = 1e-4
    start = made.basis.of((1.2, y))
    pushed = naive.rmsprop_sde_moments(1.0, 1.2, 1.4 + y, slope=0.3, hessian=0.9, **RMSPROP)
    at_rest = naive.rmsprop_sde_moments(1.0, 1.2, 1.4, slope=0.3, hessian=0.9, **RMSPROP)
    for powers, now, before in zip([(1, 0), (2, 0)], pushed, at_rest, strict=True):
        assert total[made.basis.places[powers]] @ start - before == pytest.approx(now - before, rel=1e-3)


@pytest.mark.parametrize("power", [0, 1, 2])
def test_expansion_of_powers_of_u(power):
    basis, y = Basis((0,), (1,), 2), 0.3
    factors = basis.expand((0, power), np.array([[1.7]]))
    values = basis.of((0.0, y))
    assert sum(float(factor[0]) * values[place] for place, factor in factors.items()) == pytest.approx(
        (1.7 + y) ** power
    )


def test_the_smallest_basis_that_spans():
    """By its number of monomials: of degree 2 in L and order 1 in y at least, none above degree 8."""
    sizes = {(2, 1): 6, (0, 2): 6, (3, 0): 8, (4, 1): 10, (5, 0): 12, (1, 2): 8, (9, 0): None}
    bases = [covering((0,), (1,), [powers]) for powers in sizes]
    assert [basis and len(basis.exponents) for basis in bases] == list(sizes.values())
    assert len(covering((0, 1), (2,), [(4, 0, 0)]).exponents) == 30
