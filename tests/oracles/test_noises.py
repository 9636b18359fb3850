"""Laws of zeta against closed forms, SciPy and quadrature of the sampler."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import ndtr

import ngos_sim as ns
from ngos_sim.oracles.laws import normal_cdf_centred
from ngos_sim.oracles.svag import svag_law, svag_weights

SIGMA = 8.0
LAWS = {  # law: (skewness, excess kurtosis)
    "gaussian": (ns.gaussian(), 0.0, 0.0),
    "uniform": (ns.uniform(), 0.0, -1.2),
    "rademacher": (ns.rademacher(), 0.0, -2.0),
    "two-point": (ns.two_point(skewness=1.5), 1.5, 1.5**2 - 2.0),
    "two-point, low": (ns.two_point(low_skewness=4.0), 0.5, 0.5**2 - 2.0),
    "two-point, negative": (ns.two_point(skewness=-0.7), -0.7, 0.7**2 - 2.0),
    "skewed": (ns.skewed(skewness=0.6), 0.6, None),
    "skewed, low": (ns.skewed(low_skewness=-8.0), -1.0, None),
}


@pytest.mark.parametrize("name", LAWS)
def test_cumulants(name):
    law, third, fourth = LAWS[name]
    found = law.cumulants(SIGMA)
    np.testing.assert_allclose(found[:3], (0.0, 1.0, third), atol=1e-12)
    if fourth is None:  # z = a xi + b (xi^2 - 1): the fourth cumulant is 48 a^2 b^2 + 48 b^4
        p = law.numbers(SIGMA)
        fourth = 48 * p["a"] ** 2 * p["b"] ** 2 + 48 * p["b"] ** 4
    assert found[3] == pytest.approx(fourth, abs=1e-12)


SYMMETRIC = [ns.gaussian(), ns.uniform(), ns.rademacher(), *(svag_law(ns.uniform(), ell) for ell in (1.5, 3.0))]


@pytest.mark.parametrize("law", SYMMETRIC, ids=lambda law: law.name)
def test_odd_cumulants_of_symmetric_laws_are_zero(law):
    """Not to rounding: NumPy's odd powers are not odd under AVX-512, and OpenBLAS's sums depend on the processor."""
    mean, _, third, _ = law.cumulants(SIGMA)
    assert (mean, third) == (0.0, 0.0)
    assert law.at_large_sigma()[:2] == (0.0, 0.0)
    values, weights = law.rule(SIGMA)
    pairs = sorted(zip(values.tolist(), weights.tolist(), strict=True))
    assert pairs == sorted((-value, weight) for value, weight in pairs)


def test_rounding_in_a_users_rule_is_no_skewness():
    def quadrature(nodes, p):
        values, weights = np.polynomial.hermite_e.hermegauss(nodes)
        return values * (1.0 + 4e-16 * np.arange(nodes)), weights / weights.sum()

    mine = ns.Noise("mine", lambda xi, p: xi, quadrature)
    values, weights = mine.rule(SIGMA)
    assert abs(weights @ values**3) > 0.0
    assert mine.cumulants(SIGMA)[::2] == (0.0, 0.0)


def test_low_skewness_has_no_limit():
    """120 settings: E zeta^3 = K / sigma tends to 0, exactly so; and a fixed skewness stays."""
    for factory in (ns.two_point, ns.skewed):
        for K in np.linspace(-7.0, 7.0, 60).tolist():
            for ell in (1.0, 3.0):
                limit, rate, fourth = svag_law(factory(low_skewness=K), ell).at_large_sigma()
                assert limit == 0.0
                assert rate == pytest.approx(K * (3 * ell**2 - 1) / (2 * ell**3), rel=1e-7)
                assert factory is ns.skewed or ell > 1.0 or fourth == pytest.approx(1.0, abs=1e-9)
    assert ns.two_point(skewness=1e-3).at_large_sigma()[:2] == (pytest.approx(1e-3, rel=1e-9), 0.0)


@pytest.mark.parametrize("moments", [1, 2.5, 0, -3, float("nan"), True, "4", None])
def test_moments_are_checked(moments):
    with pytest.raises(ValueError, match=r"moments=.* must be an integer of at least 2, or math.inf"):
        ns.Noise("mine", lambda xi, p: xi, lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]), moments=moments)


@pytest.mark.parametrize("name", LAWS)
def test_sampler_has_the_law_of_the_quadrature(name):
    law = LAWS[name][0]
    p = SimpleNamespace(**law.numbers(SIGMA))
    breaks = [getattr(p, "threshold", 0.0)]
    values, weights = law.rule(SIGMA)
    for power in (1, 2, 3, 4):
        moment, _ = integrate.quad(
            lambda xi, n=power: law.sample(xi, p) ** n * stats.norm.pdf(xi), -9, 9, points=breaks, limit=200
        )
        assert moment == pytest.approx(weights @ values**power, abs=2e-8)


def test_normal_cdf():
    x = np.linspace(-6.8, 6.8, 20001)
    found = np.array([normal_cdf_centred(v) for v in x[::20]])
    np.testing.assert_allclose(found, ndtr(x[::20]) - 0.5, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ell", [1.0, 1.5, 2.0, 8.0])
def test_svag_identities(ell):
    r1, r2 = svag_weights(ell)
    powers = [r1**n + r2**n for n in (1, 2, 3, 4)]
    np.testing.assert_allclose(powers, [1, ell**2, (3 * ell**2 - 1) / 2, (ell**4 + 2 * ell**2 - 1) / 2], rtol=1e-12)
    found = svag_law(ns.two_point(skewness=1.5), ell).cumulants(SIGMA)
    wanted = (0.0, 1.0, 1.5 * powers[2] / ell**3, 0.25 * powers[3] / ell**4)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("ell", [1.0, 1.5, 4.0])
def test_svag_sampler_is_the_two_draws(ell):
    law = svag_law(ns.two_point(skewness=1.5), ell)
    p = SimpleNamespace(**law.numbers(SIGMA))
    nodes, weights = np.polynomial.hermite_e.hermegauss(16)
    weights = weights / weights.sum()
    assert law.gaussians == 2
    smooth = svag_law(ns.skewed(skewness=0.6), ell)
    q = SimpleNamespace(**smooth.numbers(SIGMA))
    moments = [
        sum(
            v * w * smooth.sample(x, y, q) ** n
            for x, v in zip(nodes, weights, strict=True)
            for y, w in zip(nodes, weights, strict=True)
        )
        for n in (1, 2, 3, 4)
    ]
    values, probabilities = smooth.rule(SIGMA)
    np.testing.assert_allclose(moments, [probabilities @ values**n for n in (1, 2, 3, 4)], atol=1e-10)
    draws = np.array([law.sample(x, y, p) for x, y in np.random.default_rng(1).standard_normal((2000, 2))])
    atoms = law.rule(SIGMA)[0]
    assert np.abs(draws[:, None] - atoms[None, :]).min(axis=1).max() < 1e-12


def test_gaussian_svag_is_the_brownian_direction():
    law = svag_law(ns.gaussian(), 3.0)
    p = SimpleNamespace(**law.numbers(SIGMA))
    for xi, extra in np.random.default_rng(0).standard_normal((100, 2)):
        assert law.sample(xi, extra, p) == pytest.approx(xi, abs=1e-14)


@pytest.mark.parametrize("factory", [ns.two_point, ns.skewed])
def test_skewness_is_checked(factory):
    for wrong in (dict(), dict(skewness=1.0, low_skewness=1.0)):
        with pytest.raises(ValueError, match="either skewness= or low_skewness="):
            factory(**wrong)
    with pytest.raises(ValueError, match=r"skewness=nan .* must be a finite number"):
        factory(skewness=float("nan"))
    with pytest.raises(ValueError, match=r"must be below 2\.828"):
        ns.skewed(skewness=3.0)
    with pytest.raises(ValueError, match=r"low_skewness=30\.0 gives"):
        ns.skewed(low_skewness=30.0).cumulants(8.0)
