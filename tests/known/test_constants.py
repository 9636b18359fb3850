"""Predicted constants against the numbers of the reference problems, moments, products and the local estimator."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.known import constants
from ngos_sim.known.coordinate import Coordinate
from tests.support import naive
from tests.support.expansions import ADAM, RMSPROP, adam, rmsprop

# docs/theory.md, "Reference problems". An error in a term of E2 or G, or in U, moves one of these by more than its last
# digit.
P1 = [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1)]
P2 = [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (4, 0)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (dict(u0=1.0, fourth=3.0), [-0.127166, 0.138788, 0.556968, 2.317380, -1.656053]),
        (dict(u0=1.8, fourth=3.0), [-0.003202, -0.214814, 0.372736, 2.111449, -1.210364]),
        (dict(u0=0.5, fourth=3.0, eps0=0.3, variance=1.2), [-0.206140, 0.533170, 0.718170, 3.182555, -1.680269]),
        (dict(u0=1.4, fourth=1.8), [0.063765, -0.630760, 0.464852, 1.512432, -1.390646]),
        (dict(u0=1.5, fourth=1.0), [0.132382, -0.909648, 0.441823, 1.004057, -1.336096]),
        (dict(u0=1.0, fourth=3.0, second_moment="updated"), [1.010334]),
        (dict(u0=1.8, fourth=3.0, eps0=0.2, second_moment="updated"), [0.368208]),
    ],
)
def test_problem_p1(settings, expected):
    found = rmsprop(0.0, 0.7, (0.0, settings.pop("u0")), **settings)
    assert [found[powers].first[0] for powers in P1[: len(expected)]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("u0", "fourth", "expected"),
    [
        (1.0, 3.0, [-0.4027, 0.0721, 0.6974, 2.5982, -0.4341, 0.6964]),
        (1.6, 3.0, [-0.2935, -0.0259, 0.5712, 2.5327, -0.4384, 0.3999]),
        (1.0, 1.8, [-0.3376, -0.1922, 0.6974, 1.8761, -0.4386, -0.2982]),
        (1.3, 1.0, [-0.2533, -0.3185, 0.6334, 1.3704, -0.4438, -0.7830]),
    ],
)
def test_problem_p2(u0, fourth, expected):
    found = rmsprop(0.9, 0.0, (1.2, u0), fourth=fourth)
    assert [found[powers].first[0] for powers in P2] == pytest.approx(expected, abs=6e-5)


def test_problems_p3_and_p4():
    linear = [
        adam(0.0, 0.6, (0.0, -0.4, 1.4), fourth=3.0),
        adam(0.0, 0.6, (0.0, -0.4, 1.4), fourth=3.0, eps0=0.3, variance=1.2),
        adam(0.0, 0.6, (0.0, -0.4, 1.0), fourth=1.0),
    ]
    expected = [-0.530152, -0.439413, -0.450546]
    assert [found[1, 0, 0].first[0] for found in linear] == pytest.approx(expected, abs=1e-6)
    quadratic = adam(0.9, 0.0, (1.2, -0.4, 1.4), fourth=3.0, eps0=0.1)
    assert quadratic[1, 0, 0].first[0] == pytest.approx(-0.34126, abs=1e-5)
    assert quadratic[2, 0, 0].first[0] == pytest.approx(-0.77760, abs=1e-5)


def test_a_wrong_kurtosis_is_seen():
    """The negative control of the tables above: 1 % of E zeta^4 is 10 to 100 times their tolerance."""
    right, wrong = (rmsprop(0.9, 0.0, (1.2, 1.0), fourth=fourth) for fourth in (3.0, 3.03))
    assert min(abs(right[powers].first[0] - wrong[powers].first[0]) for powers in [(1, 0), (2, 0), (0, 2)]) > 5e-4


def test_means_are_the_ode_solvers():
    found = rmsprop(0.9, 0.3, (1.2, 1.4), variance=0.5, fourth=3.0, eps0=0.1)
    exact = naive.rmsprop_sde_moments(1.0, 1.2, 1.4, slope=0.3, hessian=0.9, variance=0.5, **dict(RMSPROP, eps0=0.1))
    assert [found[1, 0].mean[0], found[2, 0].mean[0]] == pytest.approx(exact, abs=1e-9)
    found = adam(0.9, 0.0, (1.2, -0.4, 1.4), fourth=3.0, eps0=0.1)
    exact = naive.adam_sde_moments(0.5, 1.5, 1.2, -0.4, 1.4, 0.8, 0.1, 2.0, 1.3, 0.9)
    assert [found[1, 0, 0].mean[0], found[2, 0, 0].mean[0]] == pytest.approx(exact, abs=1e-9)


def test_rates_are_the_slopes_of_means():
    d = 1e-3
    for expansion in (
        *rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, times=(1.0 - d, 1.0, 1.0 + d), degree=3).values(),
        *adam(0.9, 0.3, (1.2, -0.4, 1.4), fourth=3.0, times=(1.0 - d, 1.0, 1.0 + d), degree=3).values(),
    ):
        before, _, after = expansion.mean
        assert expansion.rate[1] == pytest.approx((after - before) / (2 * d), abs=3e-5 * (1 + abs(expansion.rate[1])))


def test_svag_limits():
    """docs/theory.md, "SVAG": ell^2 times the error at eta2 = 0.1 tends to these (ell = 16 is within 0.3 %)."""
    law = constants.svag_limit(third=1.5, fourth=3.25, eta2=0.1)
    found = rmsprop(0.0, 0.7, (0.0, 1.3), **law)
    assert 0.1 * found[2, 0].first[0] == pytest.approx(-0.2098, abs=1e-4)
    assert 0.1 * found[1, 1].first[0] == pytest.approx(-0.6297, abs=1e-4)
    base = rmsprop(0.0, 0.7, (0.0, 1.3), third=1.5, fourth=3.25)
    assert 0.1 * base[2, 0].first[0] != pytest.approx(-0.2098, rel=0.1)
    ell = 50.0
    draws, weights = naive.two_point_paths(2, 0.2)
    z = naive.svag_gradient(*draws.T, ell) / ell  # Definition 6.1
    assert ell * (weights @ z**3) == pytest.approx(law["third_rate"] * 0.1**0.5, rel=1e-3)
    assert weights @ z**4 == pytest.approx(law["fourth"], rel=1e-3)


def test_product_of_coordinates():
    """The product's expansion is the product of the expansions as polynomials in sqrt(h), cut at h."""
    one = rmsprop(0.9, 0.3, (1.2, 1.4), third=0.7, fourth=2.0)[2, 1]
    two = rmsprop(0.4, 0.0, (-0.7, 0.9), third=-0.2, fourth=2.0)[1, 1]
    polynomials = [np.concatenate([each.mean, each.root, each.first]) for each in (one, two, one.product(two))]
    assert polynomials[2] == pytest.approx(np.polynomial.polynomial.polymul(*polynomials[:2])[:3])
    assert np.all(np.abs(np.array(polynomials)) > 1e-3)
    assert one.product(two).rate[0] == pytest.approx((one.rate * two.mean + one.mean * two.rate)[0])


@pytest.mark.parametrize("momentum", [False, True])
def test_several_problems_at_once_are_each_alone(momentum):
    """Of problems as far apart as these each keeps its accuracy, whose error is averaged over all by the solver."""
    hessian, slope, variance = np.array([0.9, 0.0, 40.0]), np.array([0.0, 0.7, 1.0]), np.array([1.0, 0.5, 30.0])
    start = tuple(np.array([[1.2, 0.0, 1e-3], [-0.4, 0.1, 5.0], [1.4, 0.6, 20.0]]))[:: 1 if momentum else 2]
    settings = dict(momentum=momentum, times=[0.7, 1.0], fourth=1.8, third=0.5, third_rate=0.2)
    numbers = dict(ADAM, eps0=0.1, bias_correction=1.0)
    together = constants.leading(Coordinate(hessian, slope, variance, start, 0.25, math.nan, numbers, 0.0), **settings)
    for at in range(3):
        own = [float(each[at]) for each in (hessian, slope, variance)]
        problem = Coordinate(*own, tuple(float(slot[at]) for slot in start), 0.25, math.nan, numbers, 0.0)
        for powers, alone in constants.leading(problem, **settings).items():
            for name in ("mean", "rate", "root", "first"):
                found, expected = (getattr(each, name) for each in (together[powers].of(at), alone))
                np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9 * max(1.0, abs(expected).max()))


def test_times_and_start():
    """At t0 there is no error yet, and what holds at a time does not depend on the other times asked for."""
    several = rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, third=0.5, times=(0.0, 0.3, 1.0))[2, 1]
    alone = rmsprop(0.9, 0.3, (1.2, 1.4), fourth=3.0, third=0.5)[2, 1]
    assert (several.first[0], several.root[0], several.mean[0]) == (0.0, 0.0, pytest.approx(1.2**2 * 1.4))
    assert several.first[2] == pytest.approx(alone.first[0], rel=1e-8)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (adam, dict(start=(0.0, 0.0, 1.0), t0=0.0), "t0=0; with bias correction it must be positive"),
        (rmsprop, dict(start=(0.0, 1.0), bias_correction=True), "t0=0; with bias correction it must be positive"),
        (rmsprop, dict(start=(0.0, 0.0)), "u=0.0 at the start must be positive"),
        (rmsprop, dict(start=(0.0, 0.0, 1.0)), "start=(0.0, 0.0, 1.0) must be ('theta', 'u')"),
        (rmsprop, dict(start=(0.0, 1.0), second_moment="next"), "second_moment='next'; allowed: previous, updated"),
        (rmsprop, dict(start=(0.0, 1.0), times=(1.0, 0.5)), "times=[1.0, 0.5] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), times=(0.0,)), "times=[0.0] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), times=()), "times=[] must increase from t0=0"),
        (rmsprop, dict(start=(0.0, 1.0), t0=2.0), "times=[1.0] must increase from t0=2"),
    ],
)
def test_what_is_not_covered_raises(kind, settings, message):
    with pytest.raises(ValueError) as raised:
        kind(0.9, 0.0, fourth=3.0, **settings)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize("momentum", [False, True])
def test_local_estimator_measures_the_constant(momentum):
    """The library's own steps and SDE, v_{k+1} and bias correction from t0 = 0.5, to 3 standard errors below 1 %."""
    conventions = dict(second_moment="updated", bias_correction=True)
    numbers = dict(ADAM if momentum else RMSPROP, eps0=0.1)
    rule, sde = (ns.adam, ns.adam_sde) if momentum else (ns.rmsprop, ns.rmsprop_sde)
    start = dict(theta=1.2, m=-0.4, u=1.4) if momentum else dict(theta=1.2, u=1.4)
    names = ["theta[0]", "theta[0]^2", "u[0]", "u[0]^2"]
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), noise=ns.uniform()),
        rule(**numbers, **conventions),
        sde=sde(),
        initial=dict(start, t0=0.5),
        eta2=[2**-3, 2**-4, 2**-5, 2**-6],
        horizon=1.5,
        times=[1.5],
        test_functions=names,
        estimator="local",
    )
    fits = study.run(trajectories=60_000, seed=11).order().query("norm == 'final'").set_index("test_function")
    problem = Coordinate(0.9, 0.0, 1.0, tuple(start.values()), 0.5, math.nan, numbers | dict(bias_correction=1.0), 0.0)
    settings = dict(times=[1.5], fourth=1.8, degree=2, second_moment="updated")
    found = constants.leading(problem, momentum=momentum, **settings)
    for name, powers in zip(names, [(1, 0), (2, 0), (0, 1), (0, 2)], strict=True):
        exact = found[(powers[0], 0, powers[1]) if momentum else powers].first[0]
        measured, spread = fits.loc[name, ["constant", "constant_std_error"]]
        assert spread < 0.01 * max(abs(exact), 0.1), (name, spread, exact)
        assert abs(measured - exact) < 3.0 * spread, (name, measured, spread, exact)
