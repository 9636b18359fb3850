"""Which moments the tails of a law show to be finite: power laws of known index, and laws that have all."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.oracles.svag import svag_law
from tests.support.laws import lomax


def plain(sample):
    return ns.Noise("mine", sample, lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]))


@pytest.mark.parametrize(("a", "seen"), [(4.5, 2), (6.0, 4), (8.5, 6), (16.0, 8)])
def test_a_tail_like_a_power_has_few_moments(a, seen):
    assert lomax(a).moments_seen == seen < a
    assert svag_law(lomax(a), 2.0).moments_seen < a
    assert lomax(a, moments=5).moments_seen == math.inf  # who says how many there are is believed


@pytest.mark.parametrize("nu", [5.0, 7.0, 9.0])
def test_students_t_as_a_users_law(nu):
    """moments_seen is at most the largest even order below nu; the built-in law says itself what it has."""
    law = ns.student_t(nu)
    assert ns.Noise("mine", law.sample, law.quadrature, law.parameters).moments_seen == nu - 1.0 - 2.0 * (nu == 9.0)
    assert law.moments_seen == math.inf


@pytest.mark.parametrize("sigma", [1.5, 8.0, 2.0**20])
def test_laws_with_all_moments_raise_no_alarm(sigma):
    """Of xi, of polynomials in xi and of Laplace's law the exponent grows like xi^2; bounded laws have none."""
    from ngos_sim.oracles.tails import moments_seen

    skewed = [ns.skewed(skewness=float(third)) for third in np.linspace(-2.8, 2.8, 29)]
    jumps = [ns.two_point(skewness=float(third)) for third in (*np.linspace(-5.0, 5.0, 21), 30.0, 999.0, -999.0)]
    powers = [plain(lambda xi, p, n=n: xi**n) for n in (2, 3, 4, 8)]
    others = [ns.gaussian(), ns.uniform(), ns.rademacher(), ns.laplace(), svag_law(ns.laplace(), 3.0)]
    others += [svag_law(ns.skewed(skewness=0.6), 3.0), svag_law(ns.two_point(skewness=30.0), 2.0)]
    for law in (*skewed, *jumps, *powers, *others):
        assert moments_seen(law, sigma) == math.inf, law


def test_a_log_normal_law_is_asked_about_where_its_moments_lie_beyond_the_generator():
    assert plain(lambda xi, p: math.exp(0.3 * xi) - math.exp(0.045)).moments_seen == math.inf
    assert plain(lambda xi, p: math.exp(xi) - math.exp(0.5)).moments_seen == 4  # of E zeta^8 all is at xi = 8
