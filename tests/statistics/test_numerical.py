"""Errors that are computed: each off by up to a bound, with any signs. Whole-power series with known answers."""

import itertools

import numpy as np
import pytest

from ngos_sim.statistics import order

X = 2.0 ** -np.arange(3.0, 9.0)
SERIES = {
    "x - 3 x^2 + 2 x^3": X - 3.0 * X**2 + 2.0 * X**3,
    "x / (1 + 4 x)": X / (1.0 + 4.0 * X),
    "expm1 x": np.expm1(X),
}
BOUNDS = {"of a part": lambda error: 1e-3 * np.abs(error), "of one size": lambda error: np.full(6, 1e-5)}


def held(error, off, numerical):
    """Return whether the 95 % intervals of the order and of the constant hold 1, and nothing is called wrong."""
    fitted = order.fit(X, error + off, np.zeros(6), numerical=numerical)
    near = abs(fitted.constant - 1.0) < 1.959964 * fitted.constant_std_error
    return fitted.ci_low < 1.0 < fitted.ci_high and near and fitted.verdict() == "consistent with order 1"


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("of", BOUNDS)
def test_intervals_hold_errors_that_are_off_by_their_bound(name, of):
    """At every third corner of the box, by smooth functions of h and at random: all of them, not a share."""
    error, rng = SERIES[name], np.random.default_rng(4)
    numerical = BOUNDS[of](error)
    corners = list(itertools.product((-1.0, 1.0), repeat=6))[::3]
    smooth = [np.cos(phase + turns * np.arange(6)) for phase in (0.0, 2.0, 4.0) for turns in (0.0, 0.4, 1.1)]
    for part in (*corners, *smooth, *rng.uniform(-1.0, 1.0, (8, 6))):
        assert held(error, part * numerical, numerical)


def test_bounds_and_noise_together():
    """Noise of the size of the bounds, which all have one sign: the intervals hold at least 95 %."""
    error, rng, found = SERIES["expm1 x"], np.random.default_rng(4), []
    std_error = 1e-3 * error
    for noise in rng.standard_normal((60, 6)):
        fitted = order.fit(X, error + std_error * (noise + 1.0), std_error, numerical=std_error)
        near = abs(fitted.constant - 1.0) < 1.959964 * fitted.constant_std_error
        found.append((near, fitted.ci_low < 1.0 < fitted.ci_high))
    assert np.mean(found, axis=0).min() >= 0.95


@pytest.mark.parametrize("limit", [-4e-4, 4e-4])
def test_control_a_wrong_limit_beyond_the_bounds_fails(limit):
    numerical = np.full(6, 1e-5)
    for sign in (-1.0, 0.0, 1.0):
        fitted = order.fit(X, SERIES["expm1 x"] + limit + sign * numerical, np.zeros(6), numerical=numerical)
        assert [term.power for term in fitted.found] == [0.0]
        assert fitted.limit == pytest.approx(limit, abs=1.959964 * fitted.limit_std_error)


def test_a_limit_within_the_bounds_is_none():
    fitted = order.fit(X, SERIES["expm1 x"] + 1e-5, np.zeros(6), numerical=np.full(6, 1e-5))
    assert fitted.verdict() == "consistent with order 1"


def test_control_without_the_bound_the_same_errors_mislead():
    error = SERIES["expm1 x"]
    off = 1e-3 * error * np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])
    wide, narrow = (order.fit(X, error + off, np.zeros(6), numerical=each) for each in (1e-3 * error, None))
    assert wide.ci_low < 1.0 < wide.ci_high
    assert not abs(narrow.constant - 1.0) < 1.959964 * narrow.constant_std_error


@pytest.mark.parametrize("relative", [0.0, 1e-3])
def test_no_bound_changes_no_bit(relative):
    error = SERIES["expm1 x"]
    plain = order.fit(X, error, relative * error)
    for nothing in (None, np.zeros(6), np.full(6, np.nan)):
        assert order.fit(X, error, relative * error, numerical=nothing) == plain


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_do_not_matter(unit):
    error, numerical = SERIES["expm1 x"], np.full(6, 1e-4)
    one, in_g, in_time = (
        order.fit(x, scale * error, np.zeros(6), numerical=scale * numerical)
        for x, scale in ((X, 1.0), (X, unit), (unit * X, 1.0))
    )
    for other in (in_g, in_time):
        assert other.verdict() == one.verdict()
        assert (other.ci_low, other.ci_high) == pytest.approx((one.ci_low, one.ci_high), abs=1e-6)
    assert in_g.constant_std_error == pytest.approx(unit * one.constant_std_error, rel=1e-6)
    assert in_time.constant_std_error == pytest.approx(one.constant_std_error / unit, rel=1e-6)


def test_an_error_is_resolved_beyond_three_standard_errors_and_its_bound():
    std_error = np.abs(X) / 10.0
    fitted = order.fit(X, X, std_error, numerical=X * np.array([0.69, 0.69, 0.71, 0.71, 0.71, 0.71]))
    assert fitted.resolved_points == 2
    said = "unresolved: 2 of 6 points exceed 3 standard errors and their numerical uncertainty"
    assert said in fitted.verdict()
