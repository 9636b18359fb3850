"""Fits of an order to synthetic errors with known answers: recovery, intervals, verdicts."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from ngos_sim.statistics import order

X = 2.0 ** -np.arange(3.0, 9.0)


def errors(p, constant=1.7, slope=0.3, x=X):
    """C x^p (1 + D x / max x)."""
    return constant * x**p * (1.0 + slope * x / x.max())


def noisy(p, seed, relative=0.01, **shape):
    """Return errors with Gaussian noise, and its standard errors."""
    exact = errors(p, **shape)
    std_error = relative * np.abs(exact)
    return exact + std_error * np.random.default_rng(seed).standard_normal(len(exact)), std_error


def flat(fitted):
    """Return all numbers of a fit, its terms' among them."""
    numbers = asdict(fitted)
    terms = [number for name in ("lower", "found") for term in numbers.pop(name) for number in term]
    return [*numbers.values(), len(fitted.found), *terms]


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 1.234, 2.0, 3.0])
@pytest.mark.parametrize("slope", [0.0, 0.7, -0.9])
def test_exact_errors_give_their_order(p, slope):
    exact = errors(p, slope=slope)
    fitted = order.fit(X, exact, 1e-3 * np.abs(exact))
    assert fitted.order == pytest.approx(p, abs=fitted.std_error)
    assert fitted.std_error < 0.02
    assert fitted.ci_low < p < fitted.ci_high
    assert fitted.p_value > 0.1
    assert (fitted.points, fitted.resolved_points, fitted.dof) == (6, 6, 4)
    assert fitted.asymptotic


def test_exact_errors_give_their_constant():
    error = 1.7 * X - 4.0 * X**2 + 11.0 * X**3
    fitted = order.fit(X, error, 1e-3 * np.abs(error))
    assert fitted.constant == pytest.approx(1.7, abs=fitted.constant_std_error)
    assert fitted.constant_std_error < 0.005


@pytest.mark.parametrize("std_error", [0.0, 1e-8])
def test_errors_that_are_exact_to_rounding_fit_well(std_error):
    exact = errors(1.0)
    fitted = order.fit(X, exact, std_error * exact)
    assert fitted.order == pytest.approx(1.0, abs=3e-5)
    assert fitted.ci_low < 1.0 < fitted.ci_high
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
    assert flat(one) == pytest.approx(flat(other), rel=1e-3)


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0])
def test_the_sign_of_the_constant_does_not_matter(p):
    error, std_error = noisy(p, 7)
    up, down = order.fit(X, error, std_error), order.fit(X, -error, std_error)
    lower, found = ([term._replace(value=-term.value) for term in terms] for terms in (down.lower, down.found))
    turned = replace(down, constant=-down.constant, lower=lower, found=found)
    assert flat(turned) == pytest.approx(flat(up), rel=1e-6)


@pytest.mark.parametrize(
    ("p", "verdict"),
    [
        (0.0, "fails order 1"),
        (0.5, "fails order 1"),
        (1.0, "consistent with order 1"),
        (2.0, "constant consistent with 0: |C| <= "),
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
        (1.0, 0.5, "constant consistent with 0: |C| <= "),
        (1.0, 2.0, "fails order 2: order 1, 1.7"),
        (0.5, 2.0, "fails order 2: half order, 1.7"),
        (2.0, 2.0, "consistent with order 2"),
        (3.0, 2.0, "constant consistent with 0: |C| <= "),
    ],
)
def test_verdicts_against_other_orders(p, theorem, verdict):
    """Of errors in half powers known to .3 % the 99 % interval is .18 long: one in four is undecided."""
    relative = 0.001 if p == theorem == 0.5 else 0.003
    assert order.fit(X, *noisy(p, 2, relative=relative), theorem=theorem).verdict().startswith(verdict)


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
    assert drawn == pytest.approx(-1.7 * between * (1.0 + 0.3 * between / X.max()), rel=2e-3)


@pytest.mark.parametrize(("p", "end"), [(-1.5, -1.0), (4.6, 4.0)])
def test_an_order_outside_the_range_is_open_at_its_end(p, end):
    fitted = order.fit(X, *noisy(p, 1, relative=0.1, slope=0.0))
    assert fitted.order == end
    assert (fitted.ci_low if p < 0.0 else fitted.ci_high) == np.copysign(np.inf, p)
    assert np.isfinite(fitted.ci_high if p < 0.0 else fitted.ci_low)


def test_far_apart_points_with_one_standard_error_are_no_singular_fit():
    """At large p only the first point counts: the two columns are one."""
    x = 2.0 ** -np.array([1.0, 15.0, 30.0])
    fitted = order.fit(x, 0.4 * x, np.full(3, 1e-12))
    assert fitted.order == pytest.approx(1.0, abs=1e-3)
    assert fitted.low99 < 1.0 < fitted.high99


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_do_not_matter(unit):
    """Of the errors, and of time: with theta^4 at 1e-12 an absolute tolerance once left nothing resolved."""
    error, std_error = noisy(1.0, 5)
    one, in_g, in_time = (
        order.fit(x, e, s)
        for x, e, s in ((X, error, std_error), (X, unit * error, unit * std_error), (unit * X, error, std_error))
    )
    for other in (in_g, in_time):
        assert other.verdict() == one.verdict() == "consistent with order 1"
        assert other.order == pytest.approx(one.order, abs=1e-6)
        assert (other.ci_low, other.ci_high) == pytest.approx((one.ci_low, one.ci_high), abs=1e-6)
    assert in_g.constant == pytest.approx(unit * one.constant, rel=1e-9)
    assert in_time.constant == pytest.approx(one.constant / unit, rel=1e-9)
    assert order.fit(X, 1e-300 * error, 1e-300 * std_error).verdict() == one.verdict()


def test_an_order_at_the_end_of_its_range_is_not_asymptotic():
    """Errors that fall like exp(-1/x): steeper and steeper, no power of the step."""
    x = 2.0 ** -np.arange(1.0, 6.0)
    error = np.exp(-1.0 / x)
    fitted = order.fit(x, error, 0.01 * error, theorem=0.0)
    assert not fitted.asymptotic
    resolved = replace(fitted, constant=1.0, constant_std_error=0.1)  # else C = 0 is said of it
    assert resolved.verdict().startswith("not asymptotic: the errors do not fall like a power of these steps")


@pytest.mark.parametrize(("factor", "points"), [(2, 11), (2, 16), (2, 30), (4, 10), (16, 12)])
@pytest.mark.parametrize("relative", [1e-6, 1e-3, 0.1])
def test_many_steps_far_apart_have_an_order(factor, points, relative):
    """Terms outside the radius are then greater than doubles tell from each other: a fit ended in an error once."""
    x = float(factor) ** -np.arange(points)
    noise = np.random.default_rng(1).standard_normal(points)
    fitted = order.fit(x, x * (1.0 + x) * (1.0 + relative * noise), relative * x)
    assert abs(fitted.order - 1.0) < 4.0 * fitted.std_error < 0.2
    assert abs(fitted.constant - 1.0) < 4.0 * fitted.constant_std_error < 0.5
    assert fitted.verdict() == ("undecided" if fitted.low99 < 0.9 else "consistent with order 1")
