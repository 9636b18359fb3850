"""What once went wrong without a word: each case was found by reading, and measured."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim import preconditioner
from ngos_sim.reporting.report import errors_table
from tests.support import naive

RMSPROP = dict(sigma0=0.8, eps0=0.0, c2=1.3)
ADAM = dict(c1=2.0, **RMSPROP)
START = dict(theta=1.2, m=-0.4, u=1.4, t0=0.5)


def study(optimizer, sde, initial, oracle=None, **changes):
    settings = dict(eta2=[2.0**-4], horizon=1.0, test_functions=["theta[0]^2", "u[0]"]) | changes
    return ns.ConvergenceStudy(oracle or ns.NGOS(ns.quadratic(0.9)), optimizer, sde, initial=initial, **settings)


def agree(one, two):
    spread = np.hypot(one.std_error, two.std_error)
    return (np.abs(one.error - two.error) < 4.5 * spread + 1e-12).all()


def test_a_user_optimizer_with_the_built_ins_parameters_is_not_taken_for_it():
    """Clipped noise: three nodes are not exact for it; the node check must send it on, to what splits the noise."""
    base = ns.rmsprop(**RMSPROP)

    def step(x, o, z, c, p):
        theta, u = x
        clipped = min(max(z, -1.0), 1.0)
        d = c[0] * o.gradient + c[1] * clipped
        w = c[2] * o.gradient + clipped
        return theta - d / (p.sigma0 * math.sqrt(u) + c[4]), u + c[3] * (w * w - u)

    mine = ns.Optimizer("clipped", step, base.slots, base.schedule, **base.parameters)
    result = study(mine, ns.rmsprop_sde(), dict(theta=1.2, u=1.0)).run(50_000)
    assert result.table.estimator.unique().tolist() == ["transport"]


@pytest.mark.parametrize("changes", [dict(schedule=lambda t, p: (1.0, p.eps0)), dict(extra=1.0)])
def test_a_changed_built_in_sde_is_not_taken_for_it(changes):
    base = ns.adam_sde()
    mine = ns.SDE("mine", base.drift, base.diffusion, base.slots, **{"schedule": base.schedule} | changes)
    assert (base.family, mine.family) == ("adam", "")
    result = study(ns.adam(**ADAM), mine, START).run(1024)
    assert result.table.estimator.unique().tolist() == ["local"]
    own = study(ns.adam(**ADAM), base, START).run(1024)
    assert (result.table.sde_mean == own.table.sde_mean).all() == ("extra" in changes)


@pytest.mark.parametrize("u0", [1e-2, 1e-4])
def test_sde_means_near_the_singularity_of_the_root(u0):
    """Below a hundredth local refuses, and the control variate's means are exact."""
    rule = ns.rmsprop(sigma0=0.8, eps0=1e-4, c2=1.3)
    result = study(rule, ns.rmsprop_sde(), dict(theta=1.2, u=u0), test_functions=["theta[0]"]).run(1024)
    last = result.table.iloc[-1]
    assert last.estimator == ("local" if u0 == 1e-2 else "control_variate")
    exact = naive.rmsprop_sde_moments(1.0, 1.2, u0, 0.8, 1e-4, 1.3, hessian=0.9)[0]
    assert last.sde_mean == pytest.approx(exact, abs=1e-10)


def test_tiny_learning_rates_keep_their_times_apart():
    rule, eta2 = ns.from_hyperparameters("rmsprop", lr=1e-5, betas=0.999, eps=1e-8, sigma=1.0)
    settings = dict(eta2=[eta2 / n for n in (1, 2, 4, 8)], horizon=40 * eta2)
    orders = study(rule, ns.rmsprop_sde(), dict(theta=1e-3, u=1.0), **settings).run(1024).order()
    assert orders.points.unique().tolist() == [4]


def noisy_u(precision):
    def drift(x, o, c, p):
        return -o.gradient, p.c2 * (o.variance - x[1])

    def diffusion(x, o, c, p):
        return -p.sigma0 * preconditioner(x[1], p.sigma0, p.eps0), 2.0

    sde = ns.SDE("noisy u", drift, diffusion, ("theta", "u"))
    return study(ns.rmsprop(**(RMSPROP | dict(eps0=0.1))), sde, dict(theta=1.2, u=1.0), estimator="coupled").run(
        2048, precision=precision
    )


@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_a_negative_second_moment_is_not_clipped(precision):
    with pytest.raises(ns.NonFiniteError):
        noisy_u(precision)


def test_bias_corrected_rmsprop_from_nothing():
    """PyTorch's own start: u = 0 at t = 0, eps0 > 0."""
    rule = ns.rmsprop(sigma0=0.8, eps0=0.5, c2=1.3, bias_correction=True, second_moment="updated")
    result = study(rule, ns.rmsprop_sde(), dict(theta=1.2, u=0.0)).run(2048)
    assert np.isfinite(result.table.error).all()


@pytest.mark.parametrize("estimator", ["local", "coupled"])
def test_an_optimizer_that_does_not_speak_of_bias_correction_has_none(estimator):
    """From t0 = 0 every trajectory was lost: the SDE corrected, the flow did or did not."""
    base = ns.adam(bias_correction=False, **(ADAM | dict(eps0=0.1)))

    def schedule(k, h, p):
        return p.c1 * h, p.c1 * math.sqrt(h) * p.sigma0, math.sqrt(h) / p.sigma0, p.c2 * h, h, p.eps0

    silent = {key: value for key, value in base.parameters.items() if key in ("sigma0", "eps0", "c1", "c2")}
    mine = ns.Optimizer("mine", base.step, base.slots, schedule, **silent)
    start = dict(theta=1.2, m=-0.4, u=1.4)
    found, expected = (
        study(rule, ns.adam_sde(), start, test_functions=["theta[0]"], estimator=estimator).run(8192)
        for rule in (mine, base)
    )
    np.testing.assert_allclose(found.table.error, expected.table.error, rtol=1e-9, atol=1e-9)
    assert (found.table.std_error < 0.1).all()


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_an_optimizer_with_a_correction_of_its_own_says_so(said):
    """Adam's own correction in a user's schedule: adam_sde() has it where the parameter says so, and only there."""
    base = ns.adam(**(ADAM | dict(eps0=0.1)))
    silent = {key: value for key, value in base.parameters.items() if key in ("sigma0", "eps0", "c1", "c2")}

    def schedule(k, h, p):
        one, two = -math.expm1((k + 1) * math.log1p(-p.c1 * h)), math.sqrt(-math.expm1(k * math.log1p(-p.c2 * h)))
        return p.c1 * h, p.c1 * math.sqrt(h) * p.sigma0, math.sqrt(h) / p.sigma0, p.c2 * h, h * two / one, p.eps0 * two

    mine = ns.Optimizer("mine", base.step, base.slots, schedule, bias_correction=said, **silent)
    settings = dict(test_functions=["theta[0]"], estimator="local", eta2=[2.0**-6])
    found, expected = (study(rule, ns.adam_sde(), START, **settings).run(8192).table for rule in (mine, base))
    same = np.abs(found.error - expected.error).max() < 1e-9
    assert same == (said == 1.0)


eta2 = [1, 2]  # a global with the name of an attribute of p


def test_globals_named_like_parameters_do_no_harm():
    def drift(x, o, c, p):
        return -o.gradient * p.eta2, p.c2 * (o.variance - x[1])

    sde = ns.SDE("mine", drift, lambda x, o, c, p: (-p.sigma0, 0.0), ("theta", "u"))
    assert len(study(ns.rmsprop(**RMSPROP), sde, dict(theta=1.2, u=1.0)).run(1024).table)


def biased(xi, p):
    return 2.0 * xi + 1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ns.Noise("bad", biased, lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5])),
            "noise 'bad': sample and quadrature are different laws",
        ),
        (
            lambda: ns.Noise("wide", biased, lambda nodes, p: ([-2.0, 2.0], [0.5, 0.5])),
            "noise 'wide' has mean 0 and variance 4; 0 and 1 are needed",
        ),
    ],
)
def test_noise_laws_are_checked(make, message):
    oracle = ns.NGOS(ns.quadratic(0.9), noise=make())
    with pytest.raises(ValueError, match=message):
        study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), oracle)


def test_two_gaussians_and_the_scaling_rule_do_not_go_together():
    half = ns.Noise(
        "half",
        lambda xi, extra, p: math.sqrt(0.5) * (xi + extra),
        lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]),
        gaussians=2,
    )
    oracle = ns.NGOS(ns.quadratic(0.9), noise=half)
    with pytest.raises(ValueError, match="takes two Gaussians"):
        study(ns.rmsprop(**RMSPROP), None, dict(theta=1.2, u=1.0), oracle, reference=ns.scaling_rule(4))


def test_a_start_is_checked_at_every_point():
    with pytest.raises(ValueError, match=r"initial\.u=.* must be positive"):
        study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=lambda h: h - 0.05), eta2=[1 / 8, 1 / 32])


def test_a_test_function_that_is_not_finite_is_named():
    log = ns.TestFunction("log", lambda x: math.log(x[0] - 1.0) if x[0] > 1.0 else math.inf)
    with pytest.raises(ns.NonFiniteError, match="test function 'log' is not finite"):
        study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=[log]).run(1024)


def test_high_powers_of_the_loss_do_not_hang():
    oracle = ns.NGOS(ns.quadratic([1.0] * 20))
    made = study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), oracle, test_functions=["loss^6"])
    assert made.why["rmsprop", "loss^6"].startswith("coupled")


def test_one_string_is_no_list_of_test_functions():
    with pytest.raises(TypeError, match="is one string; give a list"):
        study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions="theta[0]")


def test_a_kink_that_is_crossed_before_the_last_time_is_not_left_to_quadrature():
    """At the last time all of the law is below .8 and quadrature is exact; at t = 0.5 it is not."""
    jump = ns.TestFunction("jump", lambda x: 1.0 if x[0] > 0.8 else 0.0)
    rule = ns.rmsprop(sigma0=0.02, eps0=1.0, c2=1.3)
    result = study(rule, ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=[jump]).run(1024)
    assert result.table.estimator.unique().tolist() == ["coupled"]
    assert "its Gaussian mean does not converge at eta2=" in result.why["rmsprop", "jump"]


def test_adam_from_zero_says_why_when_nothing_serves():
    rule = ns.adam(second_moment="updated", **(ADAM | dict(c1=1.0, eps0=0.1)))
    start, steps = dict(theta=1.2, m=0.0, u=1.0), [1 / 4, 1 / 8, 1 / 16]
    with pytest.raises(ValueError, match=r"'theta\[0\]\^5': t0=0: .* takes t0 = 0, but it lies outside the span"):
        study(rule, ns.adam_sde(), start, eta2=steps, test_functions=["theta[0]^5"])
    with pytest.raises(ValueError, match="takes t0 = 0, but E.psi.x'. . x. of optimizer 'adam' does not converge"):
        study(rule, ns.adam_sde(), start, eta2=[1 / 2, 1 / 4], test_functions=["theta[0]"])


def test_the_choice_does_not_depend_on_the_number_of_trajectories():
    """The node check decides by a fixed standard error, so that a bounded run can be repeated by its number."""
    rule = ns.rmsprop(second_moment="updated", **(RMSPROP | dict(c2=1.0, eps0=0.1)))
    made = study(rule, ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=["theta[0]^2", "loss"])
    bounded = made.run(abs_error=1e-3, max_seconds=30)
    again = made.run(bounded.trajectories)
    assert bounded.table.equals(again.table)


@pytest.mark.parametrize(
    ("g", "message"),
    [
        (lambda x: "a", r"'bad' returns 'a' at \(1.2, 1.0\); a number is needed"),
        (lambda x: None, r"'bad' returns None at"),
        (lambda x: (x[0] - 5.0) ** 0.5, r"'bad' returns \(.*j\) at"),
        (lambda x: x.theta, r"'bad' fails at \(1.2, 1.0\): 'tuple' object has no attribute 'theta'"),
        (lambda x: x[5], r"'bad' fails at \(1.2, 1.0\): tuple index out of range"),
        (lambda x, y: 1.0, r"'bad' fails at .* missing 1 required positional argument"),
    ],
)
def test_a_test_function_that_gives_no_number_is_named(g, message):
    bad = ns.TestFunction("bad", g)
    with pytest.raises(ValueError, match=message):
        study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=[bad])


def test_a_series_without_error_does_not_hide_what_the_others_need():
    made = study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=["3", "theta[0]"])
    alone = study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), dict(theta=1.2, u=1.0), test_functions=["theta[0]"])
    both = [each.run(10**6, rel_error=0.005).trajectories for each in (made, alone)]
    assert both[0] == both[1] < 10**6


def test_rows_of_a_grid_can_be_told_apart():
    optimizer = ns.svag(ns.rmsprop(**RMSPROP), [1, 2])
    made = study(optimizer, ns.rmsprop_sde(), dict(theta=1.2, u=1.0), eta2=[1 / 4, 1 / 16], test_functions=["theta[0]"])
    planned = made.plan(2048)
    assert not planned.duplicated(["test_function", "eta2", "ell"]).any()
    assert "ell" in errors_table(made.run(1024).table)


def test_a_start_far_away_has_the_standard_error_of_one_near_zero():
    """Sums of squares less n mean^2 gave 0 at theta = 1e9, where 0.0139 is right."""
    settings = dict(estimator="independent", times=[1.0], test_functions=["theta[0]"])
    found = []
    for theta in (0.0, 1e6, 1e8, 1e10):
        start = dict(theta=theta, u=1.0)
        made = study(ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), start, ns.NGOS(ns.linear(0.7)), **settings)
        (row,) = made.run(8192, seed=1).table.itertuples()
        found.append(math.sqrt(row.std_error**2 - row.rounding**2))
        assert abs(row.error) < 4.0 * row.std_error + 1e-15 * theta
    np.testing.assert_allclose(found, found[0], rtol=1e-5)
    assert 0.005 < found[0] < 0.05
