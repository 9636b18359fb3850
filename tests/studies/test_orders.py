"""Orders of real studies whose expansion misleads: coarse steps, half powers, no noise at all, few steps."""

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies.figure import replot
from ngos_sim.studies.prediction import spacing

RMSPROP = {"sigma0": 0.8, "eps0": 0.0, "c2": 1.3}
EIGHTH = [2.0**-k for k in range(3, 8)]


def study(eta2, optimizer=None, **changes):
    loss, noise, covariance = (changes.pop(name, None) for name in ("loss", "noise", "covariance"))
    oracle = ns.NGOS(loss or ns.quadratic(0.9), 1.0 if covariance is None else covariance, noise or ns.gaussian())
    settings = {"sde": ns.rmsprop_sde(), "initial": {"theta": 1.2, "u": 1.0}, "test_functions": ["theta[0]"]} | changes
    return ns.ConvergenceStudy(oracle, optimizer or ns.rmsprop(**RMSPROP), eta2=eta2, **settings)


def test_intervals_hold_order_one_and_the_predicted_constant_from_an_eighth_on():
    """At h = 1/8 .. 1/128 with 65,536 trajectories they held 1 in 12 % (theta u) and 20 % (u^2) of the runs."""
    made = study(EIGHTH, test_functions=["theta[0]*u[0]", "u[0]^2"], times=[1.0])
    rows = [row for seed in range(6) for row in made.run(65_536, seed=seed).order().itertuples() if row.norm == "final"]
    assert np.mean([row.ci_low < 1.0 < row.ci_high for row in rows]) > 0.85
    off = [abs(row.constant - row.predicted_constant) / row.constant_std_error for row in rows]
    assert np.mean(np.array(off) < 1.96) > 0.85
    assert {row.verdict for row in rows} == {"consistent with order 1"}
    assert all(row.constant_std_error < 0.02 * abs(row.constant) for row in rows)


@pytest.mark.parametrize("first", [1, 4, 16])
def test_a_coarse_first_point_pins_no_order(first):
    """One step has a standard error of 0 and an error that no asymptotics holds for."""
    made = study(None, ns.rmsprop(**RMSPROP | {"c2": 0.8}), steps=[first * 2**k for k in range(5)], times=[1.0])
    rows = [made.run(4096, seed=seed).order().iloc[0] for seed in range(6)]
    assert np.mean([row.ci_low < 1.0 < row.ci_high for row in rows]) > 0.75
    assert not any(row.verdict.startswith("fails") for row in rows)


def test_points_of_few_steps_do_not_enter():
    orders = study(None, ns.rmsprop(**RMSPROP | {"c2": 0.8}), steps=[1, 2, 4, 8, 16]).run(1024).order()
    assert orders.points.tolist() == [3, 3]
    orders = study(None, ns.rmsprop(**RMSPROP | {"c2": 0.8}), steps=[1, 2, 4, 8]).run(1024).order()
    assert set(orders.verdict) == {
        "too few points for an order: 2, 3 are needed; 2 with fewer than 4 steps do not enter"
    }
    orders = study(None, ns.rmsprop(**RMSPROP | {"c2": 0.8}), steps=[1, 2]).run(1024).order()
    assert set(orders.verdict) == {
        "too few points for an order: 0, 3 are needed; 2 with fewer than 4 steps do not enter"
    }


@pytest.mark.parametrize("loss", [ns.quadratic(0.9), ns.log_cosh(1.0)], ids=["quadratic", "log-cosh"])
@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_a_study_without_noise_is_of_order_one(loss, precision):
    """Its errors are exact but for what the integrator, float32 and rounding leave: no wrong limit."""
    made = study([2.0**-k for k in range(4, 10)], loss=loss, covariance=0.0, estimator="coupled")
    orders = made.run(1024, precision=precision).order()
    assert set(orders.verdict) == {"consistent with order 1"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1.0),
        ({"noise": ns.two_point(skewness=1.5)}, 0.5),
        ({"noise": ns.two_point(low_skewness=1.5)}, 1.0),
        ({"noise": ns.skewed(skewness=0.5)}, 0.5),
        ({"noise": ns.two_point(skewness=1.5), "optimizer": ns.svag(ns.rmsprop(**RMSPROP), [3.0, 6.0])}, 1.0),
        ({"noise": ns.two_point(skewness=1.5), "optimizer": ns.svag(ns.rmsprop(**RMSPROP), 3.0)}, 0.5),
        ({"optimizer": ns.rmsprop(**RMSPROP, bias_correction=True)}, 0.5),
        ({"optimizer": ns.rmsprop(**RMSPROP, bias_correction=True), "initial": {"theta": 1, "u": 1, "t0": 0.5}}, 1.0),
    ],
)
def test_half_powers_belong_to_the_expansion_where_skewness_stays_or_bias_correction_starts(changes, expected):
    made = study([2.0**-4, 2.0**-5], **changes)
    assert spacing(made) == expected
    assert set(made.run(1024).table.spacing) == {expected}


@pytest.mark.parametrize(
    ("changes", "functions"),
    [
        ({"noise": ns.two_point(skewness=1.5)}, ["theta[0]", "u[0]"]),  # their term of order 1/2 is 0
        ({"optimizer": ns.rmsprop(**RMSPROP, bias_correction=True)}, ["theta[0]", "theta[0]^2"]),
    ],
)
def test_half_powers_beside_order_one_fail_no_theorem(changes, functions):
    """C h + B h^(3/2) was called a half order or a wrong limit."""
    loss = {"loss": ns.linear(0.7)} if "noise" in changes else {}
    made = study([2.0**-k for k in range(3, 10)], test_functions=functions, times=[1.0], **changes, **loss)
    for seed in range(3):
        orders = made.run(16_384, seed=seed).order()
        assert not orders.verdict.str.startswith("fails").any(), orders.verdict.tolist()
        known = orders[orders.predicted_constant.notna()]
        assert ((known.constant - known.predicted_constant).abs() < 4.0 * known.constant_std_error).all()


def test_control_skewed_noise_still_fails():
    made = study([2.0**-k for k in range(6, 13)], noise=ns.two_point(skewness=1.5), test_functions=["theta[0]*u[0]"])
    verdicts = made.run(16_384).order().verdict
    assert verdicts.str.startswith("fails order 1: half order").all()


def test_a_test_function_of_small_units_has_an_order():
    """theta^4 at 1e-12 was '0 of 4 points resolved' for an absolute tolerance of 1e-15."""
    optimizer, eta2 = ns.from_hyperparameters("rmsprop", lr=1e-5, betas=0.999, eps=1e-8, batch_size=256)
    settings = {"horizon": 40 * eta2, "times": [40 * eta2], "initial": {"theta": 1e-3, "u": 1.0}}
    made = study(
        [eta2 / n for n in (1, 2, 4, 8)], optimizer, test_functions=["theta[0]^4", "1e12*theta[0]^4"], **settings
    )
    small, large = (row for row in made.run(20_000).order().itertuples() if row.norm == "final")
    assert small.verdict == large.verdict
    assert small.order == pytest.approx(large.order, abs=1e-6)
    assert small.constant == pytest.approx(1e-12 * large.constant, rel=1e-6)


def test_a_point_of_one_step_enters_at_no_time():
    """With norm = max at t = 1/4 the coarsest point had one step, no noise, and an order of 1.21 [1.15, 1.31]."""
    rule = ns.rmsprop(sigma0=0.36172652097, eps0=0.0, c2=2.55979557)
    settings = {"loss": ns.quadratic(1.79943), "covariance": 0.97732795, "test_functions": ["u[0]^2"]}
    made = study(None, rule, steps=[4, 16, 64], initial={"theta": 0.3223936, "u": 0.5752119}, **settings)
    for seed in range(4):
        row = made.run(16_384, seed=seed).order().iloc[0]
        assert row.ci_low < 1.0 < row.ci_high
        assert abs(row.constant - row.predicted_constant) < 4.0 * row.constant_std_error


def test_steps_count_from_the_start():
    made = study([2.0**-4, 2.0**-5, 2.0**-6], initial={"theta": 1.2, "u": 1.0, "t0": 0.75}, horizon=1.0)
    result = made.run(1024)
    assert result.table.groupby("eta2").steps_run.max().tolist() == [16, 8, 4]
    assert result.order().points.tolist() == [3, 3]
    made = study([2.0**-3, 2.0**-4, 2.0**-5], initial={"theta": 1.2, "u": 1.0, "t0": 0.75}, horizon=1.0)
    assert made.run(1024).order().points.tolist() == [2, 2]
    made = study([2.0**-4], reference=ns.scaling_rule([4]), sde=None, times="all")
    rows = made.run(1024).table
    assert rows.steps_run.tolist() == [4] * 16  # of the larger batch, in all


@pytest.mark.parametrize("kappa", [2, 3])
def test_orders_at_every_step_where_no_step_is_a_power_of_two(kappa):
    """k eta^2 less the lag was a rounding below 0, and the constants there an error."""
    made = study([1 / 9, 1 / 18, 1 / 36], reference=ns.scaling_rule([kappa]), sde=None, times="all")
    assert np.isfinite(made.run(1024).order().predicted_constant).all()


def test_a_half_order_has_its_constant_beside_the_predicted_one():
    """Skewed noise at theorem=1/2: A of A sqrt(h) + C h + .. within its interval; at 2 no constant is known."""
    functions = ["theta[0]^2", "u[0]^2"]
    made = study([2.0**-k for k in range(6, 13)], noise=ns.two_point(skewness=1.5), test_functions=functions)
    result = made.run(16_384, seed=3)
    one, half, two = (result.order(theorem) for theorem in (1.0, 0.5, 2.0))
    assert half.theorem.tolist() == [0.5] * 4
    final = one.norm == "final"  # the time of the largest slope is another
    assert half.predicted_constant[final].tolist() == pytest.approx(one.predicted_sqrt_term[final].tolist(), rel=1e-9)
    assert half.predicted_sqrt_term.isna().all()
    assert half.sqrt_term.isna().all()
    off = (half.constant - half.predicted_constant).abs() / half.constant_std_error
    assert (off < 3.0).all()
    assert (half.constant_std_error < 0.004).all()
    assert half.verdict.tolist()[:2] == ["consistent with order 0.5"] * 2
    assert half.verdict[2:].str.startswith("constant consistent with 0: ").all()  # u^2 has no half order
    assert two.predicted_constant.isna().all()
    assert two.verdict.str.startswith("fails order 2: ").all()


@pytest.mark.usefixtures("blank_page")
def test_a_figure_is_drawn_again_for_the_order_that_was_asked(tmp_path):
    result = study([2.0**-4, 2.0**-5, 2.0**-6]).run(1024)
    assert "slope 2" in [text.get_text() for text in result.plot(theorem=2.0).texts]
    result.save(tmp_path / "two", theorem=2.0)
    result.save(tmp_path / "one")
    drawn = {name: replot(tmp_path / name).read_bytes() for name in ("one", "two")}
    assert drawn["one"] != drawn["two"]
    with pytest.raises(ValueError, match="^theorem=4 must be an order: "):
        result.order(4)
