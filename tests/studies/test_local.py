"""The local estimator in studies: constants (docs/theory.md, "Reference problems") and what they are found by."""

import itertools
import math
from collections import namedtuple

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.processes.rule import Oracle
from ngos_sim.statistics import order

Constants = namedtuple("Constants", "sigma0")
FINE = [2.0**-k for k in range(4, 9)]
FOUR = FINE[:4]  # where the standard error allows it
RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)
CONSTANTS = {  # E theta^2 of P1 starts at theta = 0
    "P1": {
        "theta[0]": -0.127166,
        "theta[0]^2": 0.138788,
        "u[0]": 0.556968,
        "u[0]^2": 2.317380,
        "theta[0]*u[0]": -1.656053,
    },
    "P2": {"theta[0]": -0.4027, "theta[0]^2": 0.0721, "u[0]": 0.6974, "u[0]^2": 2.5982, "theta[0]*u[0]": -0.4341},
    "P3": {"theta[0]": -0.530152},
    "P4": {"theta[0]": -0.34126, "theta[0]^2": -0.77760},
}


def fits(result):
    return {
        function: order.fit(rows.h, rows.error, rows.std_error)
        for function, rows in result.table.groupby("test_function")
    }


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_to_one_percent(problem, name):
    study = problem(name, eta2=FINE, estimator="local", test_functions=list(CONSTANTS[name]))
    result = study.run(40_000, seed=1)
    assert result.table.estimator.unique().tolist() == ["local"]
    for function, fit in fits(result).items():
        constant = CONSTANTS[name][function]
        assert fit.constant_std_error < 0.02 * max(abs(constant), 0.15), function
        assert abs(fit.constant - constant) < 3 * fit.constant_std_error + 2e-4, function  # the table's own digits


def test_relative_error_does_not_grow_as_h_falls(problem):
    """At 20,000 trajectories E theta to 0.8 %, E theta^2 to 2.5 %, at every h."""
    settings = dict(eta2=[2.0**-k for k in (4, 6, 8, 10)], estimator="local", test_functions=["theta[0]", "theta[0]^2"])
    start = dict(theta=1.0, u=0.5)
    rule = ns.rmsprop(sigma0=1.0, eps0=0.1, c2=1.0)
    oracle = ns.NGOS(ns.quadratic(1.0))
    study = ns.ConvergenceStudy(oracle, rule, ns.rmsprop_sde(), initial=start, horizon=1.0, times=[1.0], **settings)
    table = study.run(20_000, seed=0).table
    relative = (table.std_error / table.error.abs()).groupby(table.test_function).max()
    assert relative["theta[0]"] < 0.008
    assert relative["theta[0]^2"] < 0.025
    adam = problem("P4", **settings).run(20_000, seed=0).table
    assert (adam.std_error / adam.error.abs())[adam.test_function == "theta[0]"].max() < 0.03


def test_updated_convention(problem):
    updated = ns.rmsprop(second_moment="updated", **RMSPROP)
    study = problem("P1", updated, eta2=FOUR, estimator="auto", test_functions=["theta[0]"])
    result = study.run(100_000, seed=2)
    assert result.table.estimator.unique().tolist() == ["local"]
    fit = fits(result)["theta[0]"]
    assert fit.constant_std_error < 0.01
    assert abs(fit.constant - 1.010334) < 3 * fit.constant_std_error


@pytest.mark.parametrize(
    ("law", "u0", "constants"),
    [
        (
            ns.uniform(),
            1.4,
            {"theta[0]": 0.063765, "theta[0]^2": -0.630760, "u[0]": 0.464852, "theta[0]*u[0]": -1.390646},
        ),
        (ns.rademacher(), 1.5, {"theta[0]": 0.132382, "theta[0]^2": -0.909648, "u[0]": 0.441823, "u[0]^2": 1.004057}),
    ],
    ids=["uniform", "rademacher"],
)
def test_other_laws(problem, law, u0, constants):
    start = dict(theta=0.0, u=u0)
    settings = dict(noise=law, initial=start, eta2=FOUR, estimator="local", test_functions=list(constants))
    for function, fit in fits(problem("P1", **settings).run(100_000, seed=3)).items():
        assert fit.constant_std_error < 0.02
        assert abs(fit.constant - constants[function]) < 3 * fit.constant_std_error + 1e-5, function


GRID = [
    ("P1", ns.gaussian(), {}),
    ("P2", ns.skewed(skewness=0.6), {}),
    ("P2", ns.gaussian(), dict(optimizer=ns.svag(ns.rmsprop(**RMSPROP), 2.0))),
    (
        "P2",
        ns.gaussian(),
        dict(optimizer=ns.rmsprop(bias_correction=True, **RMSPROP), initial=dict(theta=1.2, u=1.0, t0=0.25)),
    ),
    ("P4", ns.uniform(), {}),
]


@pytest.mark.parametrize(("name", "noise", "changes"), GRID)
def test_local_and_coupled_agree(problem, name, noise, changes):
    settings = dict(noise=noise, eta2=[2.0**-3, 2.0**-4], test_functions=["theta[0]", "theta[0]^2", "u[0]"]) | changes
    local, coupled = (
        problem(name, estimator=estimator, **settings).run(300_000, seed=4).table for estimator in ("local", "coupled")
    )
    spread = np.hypot(local.std_error, coupled.std_error)
    assert (np.abs(local.error - coupled.error) < 4 * spread).all()
    assert (np.abs(local.sde_mean - coupled.sde_mean) < 1.5e-2).all()
    assert (local.std_error < 2.0 * coupled.std_error).all()


def test_several_coordinates(problem):
    """Diagonal d = 2: every coordinate has its own flow; sums and products over them are in the span."""
    oracle = ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5])
    functions = ["theta[1]", "sqnorm(theta)", "loss", "u[0]*theta[0] - 2*u[1]", "theta[0]^2*theta[1]*u[1]", "loss^2"]
    studies = [
        ns.ConvergenceStudy(
            oracle,
            ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
            ns.rmsprop_sde(),
            initial=dict(theta=[1.2, 1.0], u=[1.0, 0.8]),
            eta2=[2.0**-4],
            horizon=1.0,
            test_functions=functions,
            estimator=estimator,
        )
        for estimator in ("local", "coupled")
    ]
    local, coupled = (study.run(200_000, seed=5).table for study in studies)
    assert (np.abs(local.error - coupled.error) < 4 * np.hypot(local.std_error, coupled.std_error)).mean() > 0.98
    assert np.median(coupled.std_error / local.std_error) > 1.5


def test_several_coordinates_at_several_points():
    """A Hessian a coordinate, and more points than one: what is chosen does not depend on how many there are."""
    oracle, settings = ns.NGOS(ns.quadratic([0.9, 2.0])), dict(test_functions=["theta[1]"], sde=ns.rmsprop_sde())
    start = dict(theta=[1.2, 1.0], u=1.0)
    study = ns.ConvergenceStudy(oracle, ns.rmsprop(**RMSPROP), initial=start, eta2=[2.0**-3, 2.0**-4], **settings)
    assert study.run(1024).table.estimator.unique().tolist() == ["local"]


def test_products_over_coordinates_by_enumeration():
    """Two steps of Rademacher noise in two coordinates: all 16 paths give the exact error of a product."""
    rule, h = ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), 0.25
    settings = dict(initial=dict(theta=[1.2, 1.0], u=1.3), eta2=[h], horizon=2 * h, times=[2 * h])
    oracle = ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5], noise=ns.rademacher())
    study = ns.ConvergenceStudy(
        oracle, rule, ns.rmsprop_sde(), test_functions=["theta[0]^2*theta[1]*u[1]"], estimator="local", **settings
    )
    row = study.run(400_000, seed=9).table.iloc[0]
    means = []
    for coordinate, (hessian, variance, theta) in enumerate([(0.9, 1.0, 1.2), (2.0, 0.5, 1.0)]):
        values = []
        for path in itertools.product([-1.0, 1.0], repeat=2):
            x = (theta, 1.3)
            for z in path:
                o = Oracle(hessian * x[0], variance, hessian, hessian**2 * x[0])
                c = (h, math.sqrt(h) * 0.8, math.sqrt(h) / 0.8, 1.3 * h, 0.1)
                x = rule.step(x, o, math.sqrt(variance) * z, c, Constants(0.8))
            values.append(x[0] ** 2 if coordinate == 0 else x[0] * x[1])
        means.append(np.mean(values))
    assert row.optimizer_mean == pytest.approx(means[0] * means[1], abs=4 * row.std_error)
    assert row.std_error < 6e-5
    assert abs(row.error) > 50 * row.std_error


def test_fourth_powers(problem):
    """E theta^4 of P2 (docs/theory.md, "Reference problems"): -.2982 uniform, -.7830 Rademacher, u0 = 1.3."""
    for law, u0, constant in ((ns.uniform(), 1.0, -0.2982), (ns.rademacher(), 1.3, -0.7830)):
        start, functions = dict(theta=1.2, u=u0), ["theta[0]^4", "theta[0]^3*u[0]"]
        study = problem("P2", noise=law, initial=start, eta2=FOUR, estimator="local", test_functions=functions)
        fit = fits(study.run(40_000, seed=10))["theta[0]^4"]
        assert fit.constant_std_error < 0.01 * max(abs(constant), 0.1) * 2
        assert abs(fit.constant - constant) < 3 * fit.constant_std_error + 5e-5  # of four digits


def test_scaling_rule_at_every_step(problem):
    """Theorem 5.3 as stated, against floor(k / kappa): the three estimators agree at every k, and at each lag.

    The worst lag has the constant max |(1 - kappa) C(t) + j d/dt E g(X_t)|, here 3 d/dt E theta at 0 = -4.05.
    """
    settings = dict(reference=ns.scaling_rule(4), times="all", test_functions=["theta[0]"], eta2=[2.0**-3, 2.0**-4])
    local = problem("P2", estimator="local", **settings).run(20_000, seed=11).table
    for estimator in ("coupled", "independent"):
        other = problem("P2", estimator=estimator, **settings).run(200_000, seed=12).table
        assert local.step.tolist() == other.step.tolist() == [*range(1, 9), *range(1, 17)]
        assert (np.abs(local.error - other.error) < 4 * np.hypot(local.std_error, other.std_error)).all()
        assert (np.abs(local.sde_mean - other.sde_mean) < 0.01).all()
    fine = [2.0**-k for k in range(4, 9)]
    orders = problem("P2", estimator="auto", **(settings | dict(eta2=fine))).run(20_000, seed=13).order()
    found = orders.set_index("norm").constant
    assert found["max"] == pytest.approx(-3 * 0.9 * 1.2 / 0.8, rel=1e-3)
    assert found["final"] == pytest.approx(-3 * -0.4027, rel=0.05)


def test_scaling_rule_of_adam(problem):
    """(1 - kappa) C h at matched times, from t0: C of E theta on P4 is -.34126, of E theta^2 -.77760."""
    settings = dict(reference=ns.scaling_rule(4), eta2=FINE, estimator="local")
    orders = problem("P4", test_functions=["theta[0]", "theta[0]^2"], **settings).run(40_000, seed=14).order()
    for row in orders[orders.norm == "final"].itertuples():
        wanted = (1 - int(row.sde[-1])) * {"theta[0]": -0.34126, "theta[0]^2": -0.77760}[row.test_function]
        assert row.constant_std_error < 0.02 * abs(wanted)
        assert abs(row.constant - wanted) < 3 * row.constant_std_error


def test_adam_from_zero(problem):
    """docs/theory.md, "Limits and traps": from t0 = 0 and m0 = 0 the order is 1; from m0 != 0 it is 1/2."""
    settings = dict(eta2=[2.0**-k for k in range(5, 11)], estimator="local", test_functions=["theta[0]"])
    zero, other = (
        problem("P4", initial=dict(theta=1.2, m=m0, u=1.4), **settings).run(20_000, seed=15).order().iloc[0]
        for m0 in (0.0, -0.4)
    )
    assert zero.ci_low < 1.0 < zero.ci_high  # wide: half powers belong to the expansion here
    assert zero.ci_low > 0.7
    assert other.verdict.startswith("fails order 1: half order")
