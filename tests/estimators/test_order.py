"""Fits of an order to synthetic errors with known answers: recovery, coverage, verdicts."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from ngos_sim.estimators import order

X = 2.0 ** -np.arange(3.0, 9.0)


def errors(p, constant=1.7, slope=0.3, x=X):
    """C x^p (1 + D x / max x)."""
    return constant * x**p * (1.0 + slope * x / x.max())


def noisy(p, seed, relative=0.01, **shape):
    """Return errors with Gaussian noise, and its standard errors."""
    exact = errors(p, **shape)
    std_error = relative * np.abs(exact)
    return exact + std_error * np.random.default_rng(seed).standard_normal(len(exact)), std_error


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.234, 2.0, 3.0])
@pytest.mark.parametrize("slope", [0.0, 0.7, -0.9])
def test_exact_errors_give_their_order(p, slope):
    exact = errors(p, slope=slope)
    fitted = order.fit(X, exact, 1e-3 * np.abs(exact))
    assert fitted.order == pytest.approx(p, abs=2e-5)
    assert fitted.ci_low < p < fitted.ci_high
    assert fitted.chi2 < 1e-3
    assert (fitted.points, fitted.resolved_points, fitted.dof) == (6, 6, 3)


def test_exact_errors_give_their_constant():
    error = 1.7 * X - 4.0 * X**2 + 11.0 * X**3
    fitted = order.fit(X, error, 1e-3 * np.abs(error))
    assert fitted.constant == pytest.approx(1.7, rel=1e-9)


@pytest.mark.parametrize("std_error", [0.0, 1e-8])
def test_errors_that_are_exact_to_rounding_fit_well(std_error):
    exact = errors(1.0)
    fitted = order.fit(X, exact, std_error * exact)
    assert fitted.order == pytest.approx(1.0, abs=1e-5)
    assert fitted.p_value > 0.01


def test_the_scale_of_x_and_of_the_errors_does_not_matter():
    error, std_error = noisy(1.0, 3)
    one = order.fit(X, error, std_error)
    other = order.fit(100.0 * X, 1e-6 * error, 1e-6 * std_error)
    assert other.order == pytest.approx(one.order, abs=1e-4)
    assert other.constant == pytest.approx(1e-8 * one.constant, rel=1e-6)


def test_the_order_of_the_points_does_not_matter():
    error, std_error = noisy(1.0, 3)
    shuffled = np.array([4, 0, 5, 2, 1, 3])
    one, other = order.fit(X[shuffled], error[shuffled], std_error[shuffled]), order.fit(X, error, std_error)
    assert one.found == other.found
    assert astuple(replace(one, found=0)) == pytest.approx(astuple(replace(other, found=0)), rel=1e-3)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_the_sign_of_the_constant_does_not_matter(p):
    error, std_error = noisy(p, 7)
    up, down = order.fit(X, error, std_error), order.fit(X, -error, std_error)
    turned = replace(down, constant=-down.constant, limit=-down.limit, sqrt_term=-down.sqrt_term)
    assert down.found == up.found
    assert astuple(replace(turned, found=0)) == pytest.approx(astuple(replace(up, found=0)), rel=1e-6)


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        (0.0, "fails order 1"),
        (0.5, "fails order 1"),
        (1.0, "consistent with order 1"),
        (2.0, "consistent with order 1"),
    ],
)
@pytest.mark.parametrize("constant", [1.7, -1.7])
def test_verdicts_against_order_one(p, verdict, constant):
    assert order.fit(X, *noisy(p, 1, constant=constant)).verdict().startswith(verdict)


@pytest.mark.parametrize(
    ("p", "theorem", "verdict"),
    [
        (0.0, 0.0, "consistent with order 0"),
        (0.0, 0.5, "fails order 0.5"),
        (0.5, 0.5, "consistent with order 0.5"),
        (1.0, 0.5, "consistent with order 0.5"),
        (1.0, 2.0, "fails order 2"),
        (2.0, 2.0, "consistent with order 2"),
    ],
)
def test_verdicts_against_other_orders(p, theorem, verdict):
    assert order.fit(X, *noisy(p, 2)).verdict(theorem).startswith(verdict)


def test_a_wide_interval_is_undecided():
    exact = errors(1.0, slope=0.0)
    fitted = order.fit(X, exact, 0.2 * exact)
    assert fitted.low99 < 0.9 < fitted.high99
    assert fitted.verdict() == "undecided"


@pytest.mark.parametrize("resolved", [0, 1, 2])
def test_fewer_than_three_resolved_points_give_no_order(resolved):
    exact = errors(1.0)
    std_error = exact / np.where(np.arange(6) < resolved, 3.1, 2.9)
    fitted = order.fit(X, exact, std_error)
    assert fitted.resolved_points == resolved
    assert fitted.verdict().startswith(f"unresolved: {resolved} of 6 points exceed 3 standard errors")
    assert np.isnan([fitted.order, fitted.std_error, fitted.ci_low, fitted.ci_high, fitted.low99]).all()
    assert np.isfinite([fitted.constant, fitted.constant_std_error]).all()


def test_three_resolved_points_give_an_order():
    exact = errors(1.0)
    fitted = order.fit(X, exact, exact / np.where(np.arange(6) < 3, 3.1, 2.9))
    assert np.isfinite(fitted.order)
    assert not fitted.verdict().startswith("unresolved")


def test_intervals_are_nested():
    fitted = order.fit(X, *noisy(1.0, 4))
    assert fitted.low99 < fitted.ci_low < fitted.order < fitted.ci_high < fitted.high99
    assert 0.0 < fitted.std_error < 0.5 * (fitted.ci_high - fitted.ci_low)


def test_the_curve_passes_through_exact_errors():
    exact = errors(1.0, constant=-1.7)
    std_error = 1e-3 * np.abs(exact)
    fitted = order.fit(X, exact, std_error)
    between = np.geomspace(X.min(), X.max(), 17)
    drawn = order.curve(fitted, X, exact, std_error, between)
    assert drawn == pytest.approx(-1.7 * between * (1.0 + 0.3 * between / X.max()), rel=1e-4)


def draws(count, understated=1.0):
    """Fit `count` noisy copies of an order-1 error, its standard errors divided by `understated`."""
    exact = errors(1.0)
    std_error = 0.03 * exact
    noise = np.random.default_rng(5).standard_normal((count, len(X)))
    return [order.fit(X, exact + std_error * one, std_error / understated) for one in noise]


@pytest.fixture(scope="module")
def fits():
    return draws(400)


def within(share, level, count):
    """Return whether a share of `count` draws is within 3 binomial standard errors of `level`."""
    return abs(share - level) < 3.0 * np.sqrt(level * (1.0 - level) / count)


def test_the_interval_of_the_order_covers_as_often_as_it_says(fits):
    assert within(np.mean([one.ci_low < 1.0 < one.ci_high for one in fits]), 0.95, len(fits))
    assert within(np.mean([one.low99 < 1.0 < one.high99 for one in fits]), 0.99, len(fits))
    assert within(np.mean([abs(one.order - 1.0) < one.std_error for one in fits]), 0.6827, len(fits))


def test_the_interval_of_the_order_is_narrow(fits):
    assert np.median([one.std_error for one in fits]) < 0.05


def test_the_interval_of_the_constant_covers_as_often_as_it_says(fits):
    # C (x + D x^2 / max x) is of the constant's own shape, so that C is exact
    pulls = np.array([(one.constant - 1.7) / one.constant_std_error for one in fits])
    assert within(np.mean(np.abs(pulls) < 1.959964), 0.95, len(fits))
    assert abs(pulls.mean()) < 3.0 / np.sqrt(len(fits))


def test_p_values_are_uniform(fits):
    values = np.array([one.p_value for one in fits])
    for level in (0.1, 0.5, 0.9):
        assert within(np.mean(values < level), level, len(fits))


def test_control_understated_standard_errors_do_not_cover():
    fitted = draws(80, understated=2.0)
    assert np.mean([one.ci_low < 1.0 < one.ci_high for one in fitted]) < 0.9
    assert np.mean([one.p_value < 0.05 for one in fitted]) > 0.3


STEPS = 2.0 ** -np.arange(5.0, 11.0)
TRUTHS = {  # what a free exponent is fooled by (estimators.md): errors, and what the diagnosis must say
    "order one": (0.4 * STEPS, "none"),
    "curved": (0.4 * STEPS * (1.0 + 0.5 * STEPS), "none"),
    "strongly curved": (0.4 * STEPS * (1.0 + 1.5 * STEPS), "none"),
    "nothing": (0.0 * STEPS, "none"),
    "wrong limit": (0.002 + 0.4 * STEPS, "limit"),
    "half order": (0.1 * np.sqrt(STEPS) + 0.4 * STEPS, "half"),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_diagnosis_of_truths_that_fool_a_free_exponent(name):
    """Over 2,000 draws: false alarms at the 1 % of each test, and the wrong limit and half order are found."""
    truth, wanted = TRUTHS[name]
    std_error = 0.01 * 0.4 * STEPS
    draws = np.random.default_rng(6).standard_normal((2000, len(STEPS)))
    found = [order.diagnosis(STEPS, truth + std_error * draw, std_error) for draw in draws]
    named = [each[4] for each in found]
    if wanted == "none":
        assert sum(name != "" for name in named) / 2000 < 0.015
    else:
        assert named.count(wanted) / 2000 > 0.95
    for at in (0, 2) if wanted == "none" else ():  # the coefficients themselves cover 0 at 99 %
        outside = np.mean([abs(each[at]) > 2.5758293 * each[at + 1] for each in found])
        assert 0.004 < outside < 0.018


def test_a_curved_truth_of_great_precision_is_no_half_order():
    """C x + D x^2 + E x^3 + F x^4 with errors known to 1e-6 on four and on six points: the theorem's own expansion."""
    for steps in (STEPS[:4] * 2.0, STEPS):
        truth = 0.4 * steps * (1.0 + 1.5 * steps - 3.0 * steps**2 + 4.0 * steps**3)
        fitted = order.fit(steps, truth, 1e-6 * truth)
        assert fitted.found == ""
        assert fitted.verdict() == "consistent with order 1"


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (0.4 * STEPS, "consistent with order 1"),
        (0.002 + 0.4 * STEPS, "fails order 1: limit off by 0.002"),
        (0.1 * np.sqrt(STEPS) + 0.4 * STEPS, "fails order 1: half order, 0.1"),
    ],
)
def test_verdicts_name_the_limit_and_the_half_order(truth, words):
    assert order.fit(STEPS, truth, 0.001 * STEPS).verdict().startswith(words)
