"""The likelihood of an expansion with unknown further terms against SciPy's normal density; what follows from it."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from ngos_sim.statistics import interval, order
from ngos_sim.statistics.expansion import Expansion
from ngos_sim.statistics.mixture import quantiles

X = 2.0 ** -np.arange(3.0, 9.0)
ERROR = np.array([0.21, 0.11, 0.052, 0.027, 0.0131, 0.0068])
SIGMA = np.full(6, 4e-4)


def shape_of(expansion, which):
    """Return rho, whether bounded, scale and gap of a shape."""
    return tuple(getattr(expansion, name)[which] for name in ("rho", "bounded", "scale", "gap"))


def covariance(s, power, size, rho, bounded, scale, gap, spacing):
    """Return the covariance of the errors about C x^p, entry by entry: twelve terms of six points."""
    found = np.diag(SIGMA**2)
    for i, one in enumerate(s):
        for j, other in enumerate(s):
            t, u = ((rho * each) ** spacing for each in (one, other))
            t, u = (t / (1 + t), u / (1 + u)) if bounded else (t, u)
            first = 2 if gap else 1
            series = sum((t * u) ** k for k in range(first, first + 12))
            found[i, j] += (size * scale) ** 2 * one**power * other**power * series
    return found


@pytest.mark.parametrize("spacing", [1.0, 0.5])
@pytest.mark.parametrize(("power", "which"), [(1.0, 4), (0.6, 8), (1.3, 17), (1.0, 30), (1.0, 41), (0.9, 70)])
def test_the_deviance_is_that_of_a_normal_density_integrated_over_the_constant(power, which, spacing):
    expansion = Expansion(X, ERROR, SIGMA, spacing)
    s, shape = X / X.max(), shape_of(expansion, which)
    unit = np.abs(ERROR).max()
    (fit,) = zip(*expansion.at(power, np.array([which]), "largest"), strict=True)
    size = unit * np.max(np.abs(ERROR) / unit / s**power * ERROR**2 / (ERROR**2 + 9.0 * SIGMA**2))
    law = stats.multivariate_normal(np.zeros(6), covariance(s, power, size, *shape, spacing))
    deviance, chi2, constant, spread, leading = fit
    top = law.logpdf(ERROR - constant * s**power)
    ends = (constant - 12.0 * spread, constant + 12.0 * spread)
    area, _ = integrate.quad(lambda c: math.exp(law.logpdf(ERROR - c * s**power) - top), *ends, epsrel=1e-10)
    expected = -2.0 * (top + math.log(area / size)) - 5.0 * math.log(2.0 * math.pi) - 12.0 * math.log(unit)
    assert deviance == pytest.approx(expected, abs=1e-6)
    assert chi2 == pytest.approx(-2.0 * (top - law.logpdf(np.zeros(6))), abs=1e-6)
    first, second = (
        integrate.quad(lambda c, n=n: c**n * math.exp(law.logpdf(ERROR - c * s**power) - top), *ends)[0] / area
        for n in (1, 2)
    )
    assert constant == leading == pytest.approx(first, rel=1e-7)
    assert spread == pytest.approx(math.sqrt(second - first**2), rel=1e-4)


def test_the_curve_is_the_conditional_mean():
    expansion, which, new = Expansion(X, ERROR, SIGMA), 9, np.array([0.7, 0.04])
    s, shape = X / X.max(), shape_of(expansion, which)
    constant = expansion.at(1.0, np.array([which])).leading.item()
    largest = np.max(np.abs(ERROR) / s * ERROR**2 / (ERROR**2 + 9.0 * SIGMA**2))
    weight = 1.0 / ((SIGMA / s) ** 2 + (largest * s) ** 2)
    size = abs(np.sum(weight * ERROR / s) / np.sum(weight))
    (among,) = (covariance(s, 1.0, size, *shape, 1.0),)
    t, u = ((shape[0] * each / (1.0 + shape[0] * each)) if shape[1] else shape[0] * each for each in (new, s))
    across = sum(np.outer(t, u) ** k for k in range(1, 13)) * np.outer(new, s) * (size * shape[2]) ** 2
    expected = constant * new + across @ np.linalg.inv(among) @ (ERROR - constant * s)
    assert expansion.curve(1.0, which, new) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("relative", "points"), [(1e-6, 4), (1e-4, 6), (0.03, 6), (0.3, 8)])
def test_the_search_finds_the_greatest_likelihood_and_where_it_has_fallen(relative, points):
    """Against SciPy's scalar minimum and root of the same deviance, from a fine grid's least and outwards."""
    x = 2.0 ** -np.arange(3.0, 3.0 + points)
    error = x * (1.0 + x - 3.0 * x**2) * (1.0 + relative * np.random.default_rng(3).standard_normal(points))
    expansion, grid = Expansion(x, error, relative * np.abs(error)), np.linspace(-1.0, 4.0, 51)
    found, rises = interval._least(expansion), np.array([1.0, 1.96, 2.58])
    ends = [interval._edges(expansion, expansion.shapes, found, rises, end) for end in (-1.0, 4.0)]
    for shape in (0, 7, len(expansion.shapes) - 1):

        def deviance(p, shape=shape):
            return expansion.at(p, np.array([shape])).deviance.item()

        start = grid[np.argmin([deviance(p) for p in grid])]
        least = optimize.minimize_scalar(deviance, bounds=(start - 0.1, start + 0.1), options={"xatol": 1e-10})
        noise = 1e-6 + 1e-9 * abs(least.fun)
        assert found[1, shape] == pytest.approx(least.fun, rel=1e-9, abs=1e-6)
        for side, end in zip(ends, (-1.0, 4.0), strict=True):
            for j, rise in enumerate(rises):
                if math.isinf(side[shape, j]):
                    assert deviance(end) - found[1, shape] <= rise**2
                    continue
                width = side[shape, j] - found[0, shape]
                assert deviance(side[shape, j]) - found[1, shape] == pytest.approx(rise**2, abs=noise)
                inside = found[0, shape] + width * np.linspace(0.0, 0.99, 20)
                assert max(map(deviance, inside)) - found[1, shape] < rise**2


def test_quantiles_of_an_average_of_normal_laws():
    centre, below, above = np.array([0.0, 1.0, 1.2]), np.array([1e-4, 0.5, 0.1]), np.array([1e-4, 0.2, 2.0])
    weight, wanted = np.array([3.0, 1.0, 2.0]), [0.01, 0.3, 0.5, 0.9]
    found = quantiles(wanted, centre, below, above, weight)
    away = found[:, None] - centre
    share = stats.norm.cdf(away / np.where(away < 0.0, below, above)) @ weight / 6.0
    assert share == pytest.approx(wanted, abs=1e-9)


def series(name, x):
    """Errors of order 1 with constant 1 whose coarse steps are no asymptotics."""
    return x * {"1 / (1 + 8 x)": 1.0 / (1.0 + 8.0 * x), "exp(6 x)": np.exp(6.0 * x), "cos 9 x": np.cos(9.0 * x)}[name]


@pytest.mark.parametrize("name", ["1 / (1 + 8 x)", "exp(6 x)", "cos 9 x"])
@pytest.mark.parametrize("relative", [1e-4, 1e-2])
def test_coarse_steps_mislead_neither_order_nor_constant(name, relative):
    """Intervals hold order 1 and the constant though the first step is exact and no asymptotics (once 0 to 20 %)."""
    exact = series(name, X)
    std_error = relative * np.abs(exact)
    std_error[0] = 0.0
    noise = np.random.default_rng(8).standard_normal((60, len(X)))
    fits = [order.fit(X, exact + std_error * one, std_error) for one in noise]
    assert np.mean([fit.ci_low < 1.0 < fit.ci_high for fit in fits]) > 0.85
    assert np.mean([abs(fit.constant - 1.0) < 1.96 * fit.constant_std_error for fit in fits]) > 0.85
    assert not any(fit.verdict().startswith("fails") for fit in fits)


def test_exact_errors_are_no_wrong_limit():
    """Errors without noise: the series' further powers, and rounding, are no limit."""
    for truth in (X - 3.0 * X**2 + 2.0 * X**3, X / (1.0 + X), np.expm1(X), np.tanh(X)):
        fitted = order.fit(X, truth, np.zeros_like(X))
        assert fitted.verdict() == "consistent with order 1"
        assert fitted.constant == pytest.approx(1.0, abs=2.0 * fitted.constant_std_error)
        assert fitted.constant_std_error < 1e-3


def test_control_a_limit_in_exact_errors_is_found():
    fitted = order.fit(X, X - 3.0 * X**2 + 1e-4, 1e-6 * X)
    assert [term.power for term in fitted.found] == [0.0]
    assert fitted.limit == pytest.approx(1e-4, rel=0.02)


@pytest.mark.parametrize("relative", [1e-3, 1e-2])
def test_half_powers_beside_order_one_are_no_half_order(relative):
    """C x + B x^(3/2), as of skewed noise whose term of order 1/2 is 0: with their powers, not with whole ones."""
    x = 2.0 ** -np.arange(3.0, 10.0)
    truth = 0.4 * x - 0.9 * x**1.5 + 0.7 * x**2
    noise = np.random.default_rng(2).standard_normal((40, len(x)))
    fits = [order.fit(x, truth * (1.0 + relative * one), relative * np.abs(truth), spacing=0.5) for one in noise]
    assert not any(fit.verdict().startswith("fails") for fit in fits)
    assert np.mean([abs(fit.constant - 0.4) < 1.96 * fit.constant_std_error for fit in fits]) > 0.85
    whole = [order.fit(x, truth * (1.0 + relative * one), relative * np.abs(truth)) for one in noise]
    assert np.mean([abs(fit.constant - 0.4) < 1.96 * fit.constant_std_error for fit in whole]) < 0.7
