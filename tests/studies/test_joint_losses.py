"""Studies of losses and covariances that couple coordinates: what serves, what is refused, orders, labels."""

import json
import math

import numpy as np
import pytest

import ngos_sim as ns
from tests.support import joint

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
WELLS, START = ns.coupled_wells(0.3), [0.4, -0.6]


def study(oracle, optimizer=None, **others):
    settings = dict(sde=ns.rmsprop_sde(), initial=dict(theta=START, u=1.4), steps=[16, 32, 64, 128], horizon=1.0)
    settings |= dict(times=[1.0], test_functions=["theta[0]", "loss"])
    return ns.ConvergenceStudy(oracle, optimizer or ns.rmsprop(**RMSPROP), **(settings | others))


@pytest.mark.parametrize("name", joint.ORACLES)
def test_coupled_serves_and_says_why(name):
    oracle = joint.ORACLES[name]
    (why,) = {choice.why for choice in study(oracle).served.values()}
    alone = "the law of one coordinate alone is not carried forward"
    assert why == (
        f"coupled: it serves everything; not local nor control_variate, as {oracle.coupling}; "
        f"not transport, as {oracle.coupling}: {alone}"
    )
    assert study(oracle).outside_theory == ()
    assert study(oracle, estimator="independent").served
    for estimator in ("local", "control_variate"):
        with pytest.raises(
            ValueError, match=f"estimator='{estimator}' cannot measure 'theta.0.' .*: {oracle.coupling}"
        ):
            study(oracle, estimator=estimator)


def test_scaling_rule_is_served_by_coupled():
    made = study(ns.NGOS(WELLS), sde=None, reference=ns.scaling_rule(2))
    assert {choice.estimator.name for choice in made.served.values()} == {"coupled"}


def not_defined(theta, p):
    return math.log(theta[1]), theta[0] / theta[1]


def infinite(theta, p):
    return (1e300 * theta[0] * 1e300, 0.0), (0.0, 1.0)


LOG = ns.Loss("log", not_defined, lambda theta, p: theta[0] * math.log(theta[1]), joint=True, dimension=2)
SECOND = dict(sde=ns.sgd_sde(order=2), initial=dict(theta=START))
REFUSED = {
    "length": (
        lambda: study(ns.NGOS(WELLS), initial=dict(theta=[1.0, 2.0, 3.0], u=1.0)),
        "initial.theta has length 3; a number or a length of 2 is allowed, as the oracle's loss or covariance has 2",
    ),
    "not defined": (
        lambda: study(ns.NGOS(LOG)),
        "loss 'log': gradient fails at theta=(0.4, -0.6): math domain error",
    ),
    "not finite": (
        lambda: study(ns.NGOS(WELLS, ns.Covariance("huge", infinite, 2))),
        "covariance 'huge': Sigma is [[inf, nan], [nan, 1.0]] at theta=(0.4, -0.6); finite numbers are needed",
    ),
    "curvature": (
        lambda: study(ns.NGOS(WELLS), ns.sgd(sigma=0.5), **SECOND),
        "'sgd order 2' reads o.hessian_gradient, and loss 'coupled-wells' couples its coordinates: a joint loss has "
        "none",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    make, message = REFUSED[name]
    with np.errstate(all="ignore"), pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == message


def steep(theta, p):
    return (1.0, 0.0), (theta[0], 1.0)


def test_what_grows_on_a_ray_is_outside_the_theory():
    grows = "loss 'coupled-wells': its gradient grows faster than theta, so that it is not Lipschitz (Definition 2.5)"
    assert study(ns.NGOS(WELLS)).outside_theory == (grows,)
    (reason,) = study(ns.NGOS(joint.BENT, ns.Covariance("steep", steep, 2))).outside_theory
    assert reason == "covariance 'steep' grows with theta: its root is not bounded (Definition 2.5)"


@pytest.mark.usefixtures("blank_figures")
def test_study_json_holds_numbers_and_sources(tmp_path):
    made = study(joint.ORACLES["joint loss and covariance"], steps=[2, 4], test_functions=["loss"])
    made.run(1024).save(tmp_path)
    said = json.loads((tmp_path / "study.json").read_text())
    oracle = said["record"]["resolved"]["oracle"]
    assert oracle["loss"]["b"] == 0.7
    assert oracle["covariance"]["kind"] == "leaning"
    assert {*oracle["loss"]["source"]} == {"gradient", "value"}
    assert {*oracle["covariance"]["source"]} == {"root"}


ADAM = dict(optimizer=ns.adam(c1=2.0, sigma0=0.8, eps0=0.1, c2=4.0), sde=ns.adam_sde(), horizon=1.5, times=[1.5])
ADAM |= dict(initial=dict(theta=START, m=[0.3, -0.2], u=1.4, t0=0.5), steps=[24, 48, 96, 192])


@pytest.mark.parametrize(("noise", "order"), [(ns.gaussian(), 1.0), (ns.two_point(skewness=1.5), 0.5)])
def test_adam_on_coupled_wells(noise, order):
    """Of order 1 under Gaussian noise, of half of it under noise whose skewness stays (Definition 2.6)."""
    result = study(ns.NGOS(WELLS, noise=noise), test_functions=["theta[0]"], **ADAM).run(60_000, seed=1)
    orders = result.order()
    (row,) = orders[orders.norm == "final"].itertuples()
    assert row.ci_low < order < row.ci_high  # four points: the order is known to .5 or worse,
    assert not row.ci_low < 1.5 - order < row.ci_high  # and yet is not that of the other noise
    in_root = abs(row.sqrt_term) / row.sqrt_term_std_error
    assert in_root > 6.0 if order == 0.5 else in_root < 4.0


H = [[1.0, 0.4], [0.4, 0.8]]
SETTINGS = {
    "SDE": {"test_functions": ["theta[0]*theta[1]", "norm(grad)"]},
    "scaling rule": {"sde": None, "reference": ns.scaling_rule(2), "test_functions": ["theta[0]*theta[1]"]},
    "SVAG": {"optimizer": ns.svag(ns.rmsprop(**RMSPROP), [1, 2]), "test_functions": ["theta[0]*theta[1]"]},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_quadratic_form_has_the_errors_of_the_matrix_loss(name):
    losses, settings = (joint.form(H), ns.quadratic(H)), {"estimator": "coupled", "steps": [8]} | SETTINGS[name]
    mine, its = (study(ns.NGOS(loss, H, ns.uniform()), **settings).run(1024, seed=3).table for loss in losses)
    np.testing.assert_allclose(mine.error, its.error, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(mine.std_error, its.std_error, rtol=1e-9)


def test_two_sdes_are_ranked():
    made = study(
        ns.NGOS(WELLS), sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde()], steps=[4], test_functions=["u[0]"]
    )
    (row,) = made.run(20_000, seed=1).ranking().table.itertuples()
    assert row.resolved


@pytest.mark.parametrize("noise", [ns.gaussian(), ns.student_t(5.0)])
def test_svag_and_heavy_tails_run(noise):
    made = study(ns.NGOS(WELLS, [[1.0, 0.3], [0.3, 0.8]], noise), ns.svag(ns.rmsprop(**RMSPROP), [1, 2]), steps=[8])
    assert np.isfinite(made.run(1024).table.error).all()
