"""What lies outside Definitions 2.5 - 2.7 runs, and is labelled: in the study, its tables and its files."""

import math

import pytest

import ngos_sim as ns
from ngos_sim.reporting import report

QUARTIC = ns.Loss("quartic", lambda x, p: x**3 - x, lambda x, p: 0.25 * (x * x - 1.0) ** 2)
STEEP = "loss 'quartic': its gradient grows faster than theta, so that it is not Lipschitz (Definition 2.5)"
RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)


def made(loss=None, covariance=1.0, noise=None, optimizer=None, **changes):
    settings = dict(initial=dict(theta=1.2, u=1.0), eta2=[0.25, 0.125], horizon=1.0, test_functions=["theta[0]"])
    settings |= {} if "reference" in changes else {"sde": ns.rmsprop_sde()}
    oracle = ns.NGOS(loss or ns.quadratic(0.9), covariance, noise or ns.gaussian())
    return ns.ConvergenceStudy(oracle, optimizer or ns.rmsprop(**RMSPROP), **(settings | changes))


def heavy(moments):
    return ns.Noise("mine", lambda xi, p: xi, lambda nodes, p: ns.gaussian().rule(1.0, nodes), moments=moments)


SKEWED = ns.two_point(skewness=1.0)
ADAM = dict(optimizer=ns.adam(c1=2.0, **RMSPROP), sde=ns.adam_sde())
OUTSIDE = {
    "a polynomial well": (dict(loss=QUARTIC), STEEP),
    "a loss that overflows": (
        dict(loss=ns.Loss("exp", lambda x, p: math.exp(x), lambda x, p: math.exp(x))),
        "loss 'exp'",
    ),
    "multiplicative noise": (
        dict(covariance=lambda theta: 1.0 + theta * theta),
        "covariance '<lambda>' grows with theta: its root is not bounded (Definition 2.5)",
    ),
    "in one coordinate of two": (
        dict(covariance=ns.Variance("mine", lambda x, p: 1.0 + p.a * x * x, a=[0.0, 0.1])),
        "covariance 'mine' grows",
    ),
    "Student-t": (
        dict(noise=ns.student_t(12.0)),
        "noise 'student-t' has finite moments up to 11 only (Definition 2.7 asks for all)",
    ),
    "a law that says how many moments": (dict(noise=heavy(8)), "noise 'mine' has finite moments up to 8 only"),
    "a fixed skewness": (
        dict(noise=SKEWED),
        "noise 'two-point' keeps E zeta^3 = 1 as sigma grows (Definition 2.6: K / sigma)",
    ),
    "the same at one ell": (
        dict(noise=SKEWED, optimizer=ns.svag(ns.rmsprop(**RMSPROP), ell=[2.0])),
        "noise 'two-point'",
    ),
    "Adam from t0 = 0": (
        dict(initial=dict(theta=1.2, m=0.0, u=1.0), estimator="local", **ADAM),
        "optimizer 'adam' starts at t0=0 (Theorem 4.5: from t0 > 0 on)",
    ),
}
INSIDE = {
    "quadratic": dict(),
    "matrices": dict(loss=ns.quadratic([[1.0, 0.3], [0.3, 2.0]]), covariance=[[1.0, 0.2], [0.2, 0.5]]),
    "log-cosh": dict(loss=ns.log_cosh(1.0), covariance=ns.sine_variance(1.0, 0.5, 2.0)),
    "sine-quadratic": dict(loss=ns.sine_quadratic(1.0, 2.0, 3.0), covariance=ns.lorentz_variance(1.0, 0.2)),
    "double well": dict(loss=ns.double_well(1.0, 1.0, 0.5)),
    "a user's Lipschitz loss": dict(
        loss=ns.Loss("huber", lambda x, p: x / (1 + x * x) ** 0.5, lambda x, p: (1 + x * x) ** 0.5)
    ),
    "Laplace": dict(noise=ns.laplace()),
    "low skewness": dict(noise=ns.two_point(low_skewness=2.0)),
    "skewness along ell": dict(noise=SKEWED, optimizer=ns.svag(ns.rmsprop(**RMSPROP), ell=[1.0, 2.0]), eta2=0.25),
    "Adam from t0 > 0": dict(initial=dict(theta=1.2, m=0.0, u=1.0, t0=0.25), **ADAM),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_known_to_be_outside(name):
    changes, reason = OUTSIDE[name]
    (said,) = made(**changes).outside_theory
    assert said.startswith(reason)


@pytest.mark.parametrize("name", INSIDE)
def test_what_is_not(name):
    assert made(**INSIDE[name]).outside_theory == ()


def test_the_clock_eta_asks_for_no_low_skewness():
    def step(x, o, z, c, p):
        return (x[0] - c[0] * (o.gradient + z),)

    sgd = ns.Optimizer("sgd", step, ("theta",), lambda k, h, p: (h,), clock="eta")
    flow = ns.SDE("flow", lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (-math.sqrt(p.h),), ("theta",))
    study = made(noise=SKEWED, optimizer=sgd, sde=flow, initial=dict(theta=1.2), eta2=None, eta=[0.25, 0.125])
    assert study.outside_theory == ()


def test_it_is_in_tables_and_files_and_changes_no_verdict(tmp_path):
    study = made(loss=QUARTIC, noise=SKEWED)
    assert study.outside_theory == (STEEP, *made(noise=SKEWED).outside_theory)
    result = study.run(1024)
    assert result.table.outside_theory.all()
    assert result.order().outside_theory.all()
    assert result.describe()["record"]["outside_theory"] == list(study.outside_theory)
    assert report.outside_theory(study.outside_theory).splitlines()[0] == f"outside the theory: {STEEP}"
    assert not result.order().verdict.str.contains("outside").any()
    inside = made().run(1024)
    assert not inside.table.outside_theory.any()
    assert report.outside_theory(inside.study.outside_theory) == ""
