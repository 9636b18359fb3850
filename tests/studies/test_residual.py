"""What the extrapolated Euler-Maruyama leaves: intervals against closed forms, and where users see it."""

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from benchmarks import closed_forms
from ngos_sim.studies.figure import replot
from ngos_sim.studies.series import total_std_error

COARSE = [2.0**-k for k in range(2, 7)]


@pytest.fixture(scope="module")
def precise():
    """Return a precise run of SGD on a quadratic loss, whose error is known, and its true errors."""
    result = closed_forms.study("SGD", eta2=COARSE, times=[0.5, 1.0]).run(1_000_000, seed=3)
    return result, closed_forms.errors(result.study)


def test_intervals_hold_what_the_integrator_leaves(precise):
    """At h = 1/4 E theta is off by 13 standard errors; the residual falls like h^3, below them at 1/64."""
    result, true = precise
    table = result.table
    off = np.abs(table.error - true)
    coarse, fine = table.eta2 == 0.25, table.eta2 == 2.0**-6
    assert (off / table.std_error)[coarse].max() > 10.0  # a control: the standard error alone does not hold it
    assert (off < 3.0 * total_std_error(table)).all()
    assert (table.ci_low < true)[coarse].all()
    assert (true < table.ci_high)[coarse].all()
    assert (table.integrator_residual[fine] < table.std_error[fine]).all()
    at_end = table[(table.test_function == "theta[0]") & (table.time == 1.0)].integrator_residual.to_numpy()
    assert 8.0**3 / 2.0 < at_end[1] / at_end[-1] < 8.0**3 * 2.0


@pytest.mark.parametrize("name", ["heavy ball", "RMSprop, u given"])
@pytest.mark.parametrize("estimator", ["coupled", "independent"])
def test_other_closed_forms(name, estimator):
    study = closed_forms.study(name, eta2=[0.25, 0.125], times=[1.0], estimator=estimator)
    table = study.run(200_000, seed=4).table
    assert (np.abs(table.error - closed_forms.errors(study)) < 4.0 * total_std_error(table)).all()
    assert (table.std_error < (2e-3 if estimator == "coupled" else 2e-2)).all()
    assert (table.integrator_residual > 0.0).all()


def test_why_says_where_it_dominates(precise):
    result, _ = precise
    assert result.why["sgd", "theta[0]"] == (
        "estimator='coupled' was asked for; at h >= 0.0625 what the integrator leaves exceeds the standard error"
    )
    quiet = closed_forms.study("SGD", eta2=COARSE[-2:]).run(4096)
    assert quiet.why["sgd", "theta[0]"] == "estimator='coupled' was asked for"


def test_orders_weigh_errors_by_both(precise):
    """With the standard errors alone the constant of E theta^2 is off by what is left at h = 1/4."""
    result, _ = precise
    orders = result.order()
    assert orders.verdict.str.startswith("consistent").any()
    assert not orders.verdict.str.startswith("fails").any()


@pytest.mark.parametrize(("bound", "word"), [("rel_error", "integrator_residual"), ("abs_error", "abs_error")])
def test_a_target_that_the_integrator_does_not_allow_ends_the_run(bound, word):
    """1.5 % of E theta at h = 1/4: the residual is 8 %. The standard error reaches 1.5 %, and what is left is named."""
    study = closed_forms.study("SGD", eta2=[0.25], times=[1.0], test_functions=["theta[0]"])
    result = study.run(trajectories=2_000_000, **{bound: 0.015})
    assert result.stopped == word
    assert result.trajectories < 100_000
    assert (result.table.std_error < 0.015).all()


@pytest.mark.filterwarnings("ignore:horizon=.*hardly anything happens")
def test_a_target_below_rounding_ends_the_run():
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), 0.0),
        ns.rmsprop(0.8, 0.1, 1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=2.0**-27,
        horizon=2.0**-24,
        test_functions=["theta[0]"],
        estimator="coupled",
    )
    assert study.run(abs_error=1e-17).stopped == "rounding"


def test_who_has_a_residual(problem):
    """Extrapolated references do, those measured through a limit too; exact ones and the scaling rule have none."""

    def drift(x, o, c, p):
        theta, u = x
        return -o.gradient / (p.sigma0 * u**0.5), p.c2 * (o.variance + 0.2 * p.eta2 * o.gradient**2 - u)

    def diffusion(x, o, c, p):
        return -1.0 / x[1] ** 0.5, 0.0

    near = ns.SDE("near", drift, diffusion, ("theta", "u"))
    settings = dict(test_functions=["theta[0]"], eta2=[0.125])
    for changes, there in (
        (dict(estimator="coupled"), True),
        (dict(estimator="independent"), True),
        (dict(estimator="local", sde=near), True),
        (dict(estimator="local"), False),
        (dict(estimator="control_variate"), False),
        (dict(reference=ns.scaling_rule(2)), False),
    ):
        table = problem("P2", **(settings | changes)).run(2048).table
        assert (table.integrator_residual > 0.0).all() == there
        assert table.integrator_residual.isna().all() != there


@pytest.mark.usefixtures("blank_page")
def test_a_table_without_the_column_still_plots(precise, tmp_path):
    result, _ = precise
    result.save(tmp_path)
    old = pd.read_csv(tmp_path / "table.csv").drop(columns=["integrator_residual", "rounding"])
    old.to_csv(tmp_path / "table.csv", index=False)
    assert replot(tmp_path).stat().st_size > 10_000
    np.testing.assert_array_equal(total_std_error(old), old.std_error)


def descent(refinement, estimator):
    """Return the table of gradient descent against its flow, without noise."""
    rule = ns.Optimizer("descent", lambda x, o, z, c, p: (x[0] - p.h * o.gradient,), ("theta",), clock="eta")
    flow = ns.SDE(
        "flow", lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (0.0,), rule.slots, refinement=refinement
    )
    settings = dict(initial=dict(theta=1.0), steps=[4], horizon=0.5, test_functions=["theta[0]"], estimator=estimator)
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(2.0)), rule, flow, **settings).run(1024, precision="f64").table


@pytest.mark.parametrize("estimator", ["coupled", "independent"])
def test_a_finer_integrator_leaves_less(estimator):
    """At r times as many steps r^3 times less, and so says the residual; the bias of one of them is r times less."""
    one, two, four = (descent(refinement, estimator) for refinement in (1, 2, 4))
    true = (1.0 - 2.0 / 8.0) ** 4 - np.exp(-1.0)
    left = [abs(float(table.error.iloc[-1]) - true) for table in (one, two, four)]
    residual = [float(table.integrator_residual.iloc[-1]) for table in (one, two, four)]
    bias = [float(table.integrator_bias.iloc[-1]) for table in (one, two, four)]
    for finer in (1, 2):
        assert 6.0 < left[finer - 1] / left[finer] < 10.0
        assert 6.0 < residual[finer - 1] / residual[finer] < 10.0
        assert 1.8 < bias[finer - 1] / bias[finer] < 2.3
    assert all(each < bound < 20.0 * each for each, bound in zip(left, residual, strict=True))


def test_a_finer_integrator_beside_a_pivot():
    def drift(x, o, c, p):
        return -o.gradient / (p.sigma0 * x[1] ** 0.5), p.c2 * (o.variance + p.h * o.gradient**2 / p.sigma0**2 - x[1])

    near, tables = ns.rmsprop_sde(), []
    for refinement in (1, 2):
        sde = ns.SDE("own", drift, near.diffusion, near.slots, near.schedule, pivot=near, refinement=refinement)
        study = ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(0.9)),
            ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
            sde,
            initial=dict(theta=1.2, u=1.4),
            steps=[8],
            horizon=1.0,
            test_functions=["theta[0]"],
            estimator="local",
        )
        tables.append(study.run(4096, seed=1).table)
    coarse, fine = tables
    assert (fine.integrator_residual < 0.3 * coarse.integrator_residual).all()
    allowed = 4.0 * np.hypot(coarse.std_error, fine.std_error) + coarse.integrator_residual
    assert (np.abs(coarse.error - fine.error) < allowed).all()


@pytest.mark.parametrize("refinement", [0, -1, 1.5, True, "2"])
def test_refinement_is_a_positive_integer(refinement):
    with pytest.raises(ValueError, match=f"^flow: refinement={refinement!r} must be a positive integer$"):
        descent(refinement, "coupled")
