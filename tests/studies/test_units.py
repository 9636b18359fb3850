"""Nothing depends on the units of theta and time, of the gradient, or of sigma.

With [theta] = a the time h = eta^2 has the unit a^2 (a step of eta is one of theta), so that c1, c2 ~ a^-2,
sigma0 = sigma eta ~ a, eps0 ~ a and H ~ 1 / a; with gradients in units of b, H and eps0 ~ b, u and Sigma ~ b^2;
with sigma in units of s and gradients along with it, sigma0, eps0 and H ~ s.
"""

import functools

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import problem

QUINTIC = ns.TestFunction("quintic", lambda x: x[0] ** 5)
DEGREES = {"theta[0]": 1, "theta[0]^2": 2, "quintic": 5, "norm(grad)^2": 0}  # of theta: local, the latter two not


def study(a=1.0, b=1.0, s=1.0, momentum=False, **changes):
    t = a * a
    constants = dict(sigma0=0.8 * a * s, eps0=0.1 * a * b * s, c2=1.3 / t)
    start = dict(theta=1.2 * a, u=1.0 * b * b)
    sde, rule, t0 = ns.rmsprop_sde(), ns.rmsprop(**constants), 0.0
    if momentum:
        t0 = 0.5
        sde, rule = ns.adam_sde(), ns.adam(c1=2.0 / t, **constants)
        start |= dict(m=-0.4 * b * s, t0=t0 * t)
    settings = dict(
        sde=sde,
        initial=start,
        eta2=[t * 2.0**-k for k in (3, 4)],
        horizon=(t0 + 1.0) * t,
        times=[(t0 + 1.0) * t],
        test_functions=[QUINTIC if name == "quintic" else name for name in DEGREES],
    )
    oracle = ns.NGOS(ns.quadratic(0.9 * b * s / a), covariance=b * b)
    return ns.ConvergenceStudy(oracle, rule, **(settings | changes))


@functools.cache
def plain_result(momentum):
    return study(momentum=momentum).run(10_000)


@pytest.fixture
def same_noise(monkeypatch):
    """Return a function after which steps of t 2^-k have the random numbers of 2^-k, whatever the unit t of time."""
    key = problem.point_key

    def unit_of_time(t):
        monkeypatch.setattr(problem, "point_key", lambda seed, eta2, *rest: key(seed, float(f"{eta2 / t:.9g}"), *rest))

    return unit_of_time


@pytest.mark.parametrize("momentum", [False, True])
@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_a_study_does_not_depend_on_the_unit_of_theta_and_time(same_noise, unit, momentum):
    plain = plain_result(momentum)
    same_noise(unit**2)
    found = study(a=unit, momentum=momentum).run(10_000)
    words = [[why.split(" only at eta2=")[0] for why in result.why.values()] for result in (found, plain)]
    assert words[0] == words[1]
    scale = plain.table.test_function.map(lambda g: unit ** DEGREES[g])
    for column in ("error", "std_error", "sde_mean"):
        np.testing.assert_allclose(found.table[column] / scale, plain.table[column], rtol=1e-4)
    assert found.table.resolved.tolist() == plain.table.resolved.tolist()


SMALL_AND_LARGE = [dict(b=1e-12), dict(s=1e12), dict(b=1e12), dict(s=1e-12)]  # m is of the unit b s


@pytest.mark.parametrize(
    ("changes", "momentum"),
    [*((each, False) for each in SMALL_AND_LARGE), *((each, True) for each in SMALL_AND_LARGE[:2])],
)
def test_a_study_does_not_depend_on_the_unit_of_the_gradient_or_of_sigma(changes, momentum):
    found, plain = study(momentum=momentum, **changes).run(10_000), plain_result(momentum)
    assert [*found.why.values()] == [*plain.why.values()]
    gradient = changes.get("b", 1.0) * changes.get("s", 1.0)
    scale = np.where(plain.table.test_function == "norm(grad)^2", gradient**2, 1.0)
    for column in ("error", "std_error", "sde_mean"):
        np.testing.assert_allclose(found.table[column] / scale, plain.table[column], rtol=1e-4)


@pytest.mark.parametrize("estimator", ["auto", "coupled"])
@pytest.mark.parametrize("unit", [1e12])
def test_a_plan_does_not_depend_on_the_unit_of_theta_and_time(same_noise, unit, estimator):
    plain = study(estimator=estimator).plan(50_000)
    same_noise(unit**2)
    found = study(a=unit, estimator=estimator).plan(50_000)
    assert found.resolved.tolist() == plain.resolved.tolist()
    np.testing.assert_allclose(found.h, plain.h * unit**2, rtol=1e-12)
    np.testing.assert_allclose(found.smallest_h / unit**2, plain.smallest_h, rtol=1e-3)
