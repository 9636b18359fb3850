"""Numbers that look right and are none: events that no trajectory saw, an integrator that explodes."""

import warnings

import numpy as np
import pytest

import ngos_sim as ns

FINE = [2.0**-4, 2.0**-5, 2.0**-6]


def study(loss=None, test_functions=(), **changes):
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=0.0, u=1.0), eta2=FINE, times=[0.25])
    oracle = ns.NGOS(loss or ns.quadratic(0.9), changes.pop("covariance", 1.0))
    rule = ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3)
    return ns.ConvergenceStudy(oracle, rule, test_functions=test_functions, **(settings | changes))


@pytest.mark.parametrize("estimator", ["coupled", "independent"])
def test_an_event_that_no_trajectory_saw_is_no_exact_zero(estimator):
    far = ns.TestFunction("far", lambda x: 1.0 if x[0] > 3.5 else 0.0)
    result = study(test_functions=[far, "theta[0]"], estimator=estimator).run(4096)
    rows = result.table[result.table.test_function == "far"]
    assert rows.std_error.isna().all()
    assert not rows.resolved.any()
    words = "no trajectory shows a difference: a rare event was not seen, and its standard error is not known"
    assert words in result.why["rmsprop", "far"]
    assert "rare event" not in result.why["rmsprop", "theta[0]"]
    orders = result.order().set_index("test_function")
    assert set(orders.verdict["far"]) == {"too few points for an order: 0, 3 are needed"}
    assert orders.constant["far"].isna().all()


def test_what_no_law_reaches_is_not_computed():
    """The chance of 7 standard deviations is below 1e-11: a grid has no more to say of it than trajectories."""
    far = ns.TestFunction("far", lambda x: 1.0 if x[0] > 3.5 else 0.0)
    result = study(test_functions=[far], eta2=FINE[:1]).run(1024)
    assert (result.table.estimator == "control_variate").all()
    assert not result.table.resolved.any()
    assert "transport, as it does not change where the laws are" in result.why["rmsprop", "far"]


def test_what_is_exact_is_not_doubted():
    """The first step of the control variate; an oracle without noise; an event that is seen."""
    smooth = ns.TestFunction("cos", lambda x: np.cos(x[0]))
    for settings in (dict(times=[2.0**-4], eta2=[2.0**-4]), dict(covariance=0.0), {}):
        result = study(test_functions=[smooth], estimator="control_variate", **settings).run(4096)
        assert "rare event" not in result.why["rmsprop", "cos"]
    near = ns.TestFunction("near", lambda x: 1.0 if x[0] > 0.5 else 0.0)
    assert "rare event" not in study(test_functions=[near]).run(4096).why["rmsprop", "near"]


def test_an_unstable_integrator_is_named():
    """Curvature 500 at h = 1/32: the SDE's steps of h / 4 multiply theta by 3 each."""
    settings = dict(initial=dict(theta=1.0, u=1.0), estimator="coupled", eta2=[1 / 32], times=None)
    made = study(ns.quadratic(500.0), ["theta[0]"], **settings)
    words = "the integrator of the SDE is unstable at h = 0.03125: smaller h is needed"
    with pytest.warns(ns.StudyWarning, match=f"^'theta\\[0\\]' against 'rmsprop': {words}$"):
        result = made.run(4096)
    assert words in result.why["rmsprop", "theta[0]"]


@pytest.mark.parametrize("start", [0.0, 1.2])
def test_a_stable_one_is_not(start):
    functions = ["theta[0]", "theta[0]^2", "u[0]", "theta[0]*u[0]"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = study(
            test_functions=functions,
            initial=dict(theta=start, u=1.0),
            estimator="coupled",
            eta2=[0.25, 0.125],
            times=None,
        )
        for seed in range(5):
            assert not any("unstable" in why for why in made.run(4096, seed=seed).why.values())


def test_a_second_moment_of_nothing_is_named():
    """Adam from t0 = 0, u = 0, without noise: u stays 0."""
    rule, words = (
        ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3),
        "u starts at 0 where the covariance is 0 too, and stays",
    )
    start = dict(theta=1.2, m=0.0, u=0.0, t0=0.0)
    with pytest.raises(ValueError, match=words):
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(0.9), 0.0), rule, ns.adam_sde(), initial=start, eta2=FINE, test_functions=["theta[0]"]
        )
