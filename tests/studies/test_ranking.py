"""The ranking of SDEs: differences that are known exactly, one stream in every estimator, files, and what is said."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.studies import folder
from tests.support.sdes import squared_gradient_sde

TWO = [ns.rmsprop_sde(), squared_gradient_sde(None)]
C2, SIGMA0, SLOPE = 1.3, 0.8, 0.7


def rmsprop(loss, estimator, **changes):
    """Return P1 of docs/theory.md, "Reference problems", with a loss, against Malladi's and Compagnoni's SDE."""
    settings = dict(sde=TWO, initial=dict(theta=0.0, u=1.0), eta2=[2.0**-3, 2.0**-4], times=[1.0])
    settings |= dict(test_functions=["theta[0]", "u[0]"], estimator=estimator) | changes
    rule = ns.rmsprop(sigma0=SIGMA0, eps0=0.0, c2=C2)
    return ns.ConvergenceStudy(ns.NGOS(loss), rule, **settings)


def exact(h):
    """Return E u of Compagnoni's SDE at time 1 less that of Malladi's, which stays at 1."""
    return h * (SLOPE / SIGMA0) ** 2 * -math.expm1(-C2)


@pytest.mark.parametrize("estimator", ["local", "coupled", "independent"])
def test_the_difference_in_u_is_the_closed_form(estimator):
    found = rmsprop(ns.linear(SLOPE), estimator).run(16_384, seed=1).ranking().table
    of_u = found[found.test_function == "u[0]"]
    spread = np.hypot(of_u.std_error, of_u.integrator_residual) + 1e-12
    assert (np.abs(of_u.difference - exact(of_u.h)) < 4.5 * spread).all()
    assert (spread < 1e-3 * of_u.difference).all()
    np.testing.assert_allclose(found.difference, found.error_a - found.error_b, rtol=1e-12)
    assert (found.std_error[found.test_function == "theta[0]"] > 0.0).all()


def still(x, o, c, p):
    return (0.0,)


def spreads(x, o, c, p):
    return (-p.scale * p.sigma0,)


def brownian(name, scale):
    """Return d theta = scale sigma0 dW."""
    return ns.SDE(name, still, spreads, ("theta",), scale=scale)


def walk(*sdes, **changes):
    """Return a study of theta' = theta - sqrt(h) sigma0 z, whose law at every step is that of the scale 1."""
    rule = ns.Optimizer(
        "walk", lambda x, o, z, c, p: (x[0] - math.sqrt(p.h) * p.sigma0 * z,), ("theta",), sigma0=SIGMA0
    )
    settings = dict(sde=sdes, initial=dict(theta=0.0), eta2=[0.5, 0.25], times=[1.0], estimator="coupled")
    settings |= dict(test_functions=["theta[0]", "theta[0]^2"]) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.linear(0.0)), rule, **settings)


def test_standard_errors_are_those_of_one_stream():
    """Of theta both are known: |1.1 - 1.5| and hypot(0.1, 0.5) sigma0 sqrt(T / N)."""
    result = walk(brownian("a", 1.1), brownian("b", 1.5)).run(65_536, seed=1)
    found = result.ranking().table
    of_theta, of_square = (found[found.test_function == name] for name in ("theta[0]", "theta[0]^2"))
    one = SIGMA0 / math.sqrt(65_536)
    np.testing.assert_allclose(of_theta.std_error, 0.4 * one, rtol=4.0 / math.sqrt(2.0 * 63.0))
    np.testing.assert_allclose(of_theta.std_error_of_errors, math.hypot(0.1, 0.5) * one, rtol=0.03)
    truth = (1.5**2 - 1.1**2) * SIGMA0**2
    assert (np.abs(of_square.difference - truth) < 4.5 * of_square.std_error).all()
    assert (of_square.ci_low < truth).all()
    assert (truth < of_square.ci_high).all()
    assert set(of_square.closer) == {"a"}
    assert set(of_theta.closer) == {""}  # all errors are 0
    assert not of_theta.resolved.any()
    for sde, column in (("a", "error_a"), ("b", "error_b")):
        rows = result.table[(result.table.sde == sde) & (result.table.test_function == "theta[0]^2")]
        assert of_square[column].tolist() == rows.error.tolist()


def test_two_that_are_equally_far_are_not_ranked():
    """Scales 1.1 and sqrt(.79): E theta^2 is off by -.21 and .21 sigma0^2, and their difference is well resolved."""
    found = walk(brownian("a", 1.1), brownian("b", math.sqrt(0.79))).run(65_536, seed=1).ranking()
    rows = found.table[found.table.test_function == "theta[0]^2"]
    assert (rows.difference.abs() > 50.0 * rows.std_error).all()
    assert not rows.resolved.any()
    assert found.verdicts.verdict.tolist() == ["not resolved at any h"] * 2
    assert found.headlines.headline.tolist() == ["for theta[0], theta[0]^2: not resolved at any h"]


def test_the_same_sde_twice_differs_by_nothing():
    found = walk(brownian("a", 1.1), brownian("b", 1.1)).run(8192, seed=1).ranking().table
    assert (found.difference == 0.0).all()
    assert not found.resolved.any()
    assert (found.std_error < 1e-6).all()  # what rounding may leave


@pytest.mark.parametrize("estimator", ["local", "coupled"])
def test_opponents_share_a_stream(estimator):
    """On P2 Compagnoni's goes through its limit, Malladi's does not: the optimizer's own part falls out nonetheless."""
    settings = dict(initial=dict(theta=1.2, u=1.0), eta2=[2.0**-6], test_functions=["theta[0]"])
    study = rmsprop(ns.quadratic(0.9), estimator, **settings)
    (row,) = study.run(16_384, seed=1).ranking().table.itertuples()
    assert row.std_error < 0.1 * row.std_error_of_errors
    assert row.closer == "rmsprop"


def test_pairs_and_columns_of_three():
    sdes = [brownian(name, scale) for name, scale in (("a", 1.1), ("b", 1.5), ("c", 0.5))]
    found = walk(*sdes).run(8192, seed=1).ranking()
    columns = (
        "sde_a sde_b test_function eta2 h time error_a error_b difference std_error integrator_residual numerical "
        "ci_low ci_high std_error_of_errors closer resolved"
    )
    assert " ".join(found.table.columns) == columns
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    assert list(zip(found.headlines.sde_a, found.headlines.sde_b, strict=True)) == pairs
    assert len(found.table) == 3 * 2 * 2
    assert len(found.verdicts) == 3 * 2
    assert found.table.h.tolist() == [0.5, 0.25] * 6
    assert (found.table.time == 1.0).all()
    shown = str(found)
    assert shown.count("for theta[0]: not resolved at any h; for theta[0]^2: a is closer at every h") == 2
    assert "b (a) or c (b)?" in shown


def test_too_few_trajectories_and_no_pair_are_said():
    found = walk(brownian("a", 1.1), brownian("b", 1.5)).run(1024, seed=1).ranking()
    assert found.table.std_error.isna().all()
    assert not found.table.resolved.any()
    assert set(found.verdicts.verdict) == {"not known at any h"}
    message = r"^a ranking compares two SDEs or more; this study has 1: sde=\[a, b\]$"
    with pytest.raises(ValueError, match=message):
        walk(brownian("a", 1.1)).run(1024).ranking()


def test_svag_is_ranked_by_eta2():
    """Under SVAG with several ell a series is one of an eta2, as in `Result.order`."""
    rule = ns.svag(walk(brownian("a", 1.1)).optimizer, [1.0, 2.0])
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.0)), rule, sde=[brownian("a", 1.1), brownian("b", 1.5)], initial=dict(theta=0.0),
        eta2=[0.5, 0.25], times=[1.0], estimator="coupled", test_functions=["theta[0]^2"],
    )  # fmt: skip
    found = study.run(16_384, seed=1).ranking()
    assert found.table.eta2.tolist() == [0.5, 0.5, 0.25, 0.25]
    assert found.table.h.tolist() == [0.5, 0.125, 0.25, 0.0625]
    (headline,) = found.headlines.headline
    assert headline == "for theta[0]^2 at eta2=0.5, theta[0]^2 at eta2=0.25: a is closer at every h"


@pytest.mark.usefixtures("blank_figures")
def test_it_is_saved_and_goes_with_what_it_belongs_to(tmp_path):
    two, one = walk(brownian("1", 1.1), brownian("NA", 1.5)).run(8192, seed=1), walk(brownian("1", 1.1)).run(1024)
    two.save(tmp_path)
    pd.testing.assert_frame_equal(folder.read_table(tmp_path / "ranking.csv"), two.ranking().table)
    one.save(tmp_path)
    assert not (tmp_path / "ranking.csv").exists()


def test_what_is_not_finite_is_not_ranked(tmp_path):
    explosive = ns.SDE("b", lambda x, o, c, p: (1e300 * (1.0 + x[0] * x[0]),), lambda x, o, c, p: (0.0,), ("theta",))
    with pytest.raises(ns.NonFiniteError) as caught:
        walk(brownian("a", 1.1), explosive).run(2048)
    assert not caught.value.result.ranking().table.resolved.any()


class Doubtful(Coupled):
    """The coupled estimator with an integrator that leaves much."""

    name = "doubtful"

    def __init__(self, left):
        self.left = left

    def plan(self, problem, wanted):
        (plan,) = super().plan(problem, wanted)

        def read(measured):
            found = plan.read(measured)
            return {q: replace(each, residual=np.full_like(each.error, self.left)) for q, each in found.items()}

        return [ns.Plan(plan.jobs, read)]


@pytest.mark.parametrize(("left", "resolved"), [(0.05, True), (0.35, False)])
def test_what_integrators_leave_can_turn_it(left, resolved):
    """The errors in E theta^2 differ by .67; twice .35 could turn that, whatever the standard error."""
    study = walk(brownian("a", 1.1), brownian("b", 1.5), estimator=Doubtful(left), test_functions=["theta[0]^2"])
    found = study.run(65_536, seed=1).ranking().table
    assert (found.integrator_residual == 2.0 * left).all()
    assert (found.ci_high - found.ci_low > 2.0 * 1.96 * 2.0 * left).all()
    assert (found.resolved == resolved).all()


P1 = {"theta[0]": (-0.127166, -0.2747, "rmsprop"), "u[0]": (0.556968, 0.0, "squared gradient")}
P2 = {"theta[0]": (-0.4027, -0.5721, "rmsprop"), "u[0]": (0.6974, 0.0, "squared gradient")}


@pytest.mark.parametrize(
    ("loss", "theta", "constants"), [(ns.linear(SLOPE), 0.0, P1), (ns.quadratic(0.9), 1.2, P2)], ids=["P1", "P2"]
)
def test_verdicts_on_the_reference_problems(loss, theta, constants):
    """Malladi's is closer for E theta, Compagnoni's for E u, where it is of order 2; constants are those of theory."""
    settings = dict(initial=dict(theta=theta, u=1.0), eta2=[2.0**-k for k in range(4, 9)])
    found = rmsprop(loss, "local", **settings).run(8192, seed=1).ranking()
    for row in found.verdicts.itertuples():
        a, b, closer = constants[row.test_function]
        assert row.closer == closer
        assert row.order_a == 1.0
        assert row.order_b == (1.0 if b else 2.0)
        finest = found.table[(found.table.test_function == row.test_function) & (found.table.h == 2.0**-8)]
        assert finest.difference.item() / 2.0**-8 == pytest.approx(a - b, rel=0.02)
    (headline,) = found.headlines.headline
    assert headline == (
        "for theta[0]: rmsprop is closer at every h; "
        "for u[0]: squared gradient is closer at every h, and of order 2 there"
    )
