"""Laplace and Student's t: quantiles, moments and rules against SciPy and closed forms, and their bits."""

import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from tests.support import programs
from tests.support.assembly import row

XI = np.linspace(0.02, 6.8, 1001)  # nearer to 0 SciPy's own quantiles lose digits
XI = np.concatenate([-XI[::-1], XI])
NU = [3.0, 3.5, 4.0, 5.0, 7.3, 10.0, 30.0, 1e3, 1e6]


def sampled(law, xi):
    p = SimpleNamespace(**law.numbers(8.0))
    return np.array([law.sample(x, p) for x in xi.tolist()])


def quantiles(law, xi):
    """Return SciPy's F^-1(Phi(xi)), by the nearer tail."""
    return np.sign(xi) * law.isf(ndtr(-np.abs(xi)))


def test_laplace_quantiles():
    np.testing.assert_allclose(
        sampled(ns.laplace(), XI), quantiles(stats.laplace(scale=math.sqrt(0.5)), XI), rtol=1e-12
    )
    assert sampled(ns.laplace(), np.zeros(1))[0] == 0.0


@pytest.mark.parametrize("nu", NU)
def test_student_quantiles(nu):
    """To one factor that makes the variance 1 on the generator's range: 1 + 1.9e-4 at nu = 3, soon 1."""
    ratio = sampled(ns.student_t(nu), XI) / (quantiles(stats.t(nu), XI) * math.sqrt((nu - 2.0) / nu))
    np.testing.assert_allclose(ratio, ratio[0], rtol=4e-10)
    assert 1.0 - 1e-9 < ratio[0] < 1.0 + 0.02 * 10.0 ** (-12.0 * (0.5 - 1.0 / nu))
    nodes, weights = np.polynomial.legendre.leggauss(400)
    density = 6.8 * weights * stats.norm.pdf(6.8 * nodes)
    assert density @ sampled(ns.student_t(nu), 6.8 * nodes) ** 2 == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("nodes", [8, 13, 32])
@pytest.mark.parametrize("nu", NU)
def test_finite_moments_of_students_rule(nu, nodes):
    """E zeta^n by the product formula of t's moments: E t^n = nu^(n/2) prod (2i - 1) / (nu - 2i)."""
    values, weights = ns.student_t(nu).rule(8.0, nodes)
    assert len(values) == nodes
    for n in range(2, min(14, math.ceil(nu)), 2):
        exact = (nu - 2.0) ** (n / 2) * math.prod((2 * i - 1) / (nu - 2 * i) for i in range(1, n // 2 + 1))
        assert weights @ values**n == pytest.approx(exact, rel=1e-10)
    assert ns.student_t(nu).moments == math.ceil(nu) - 1


@pytest.mark.parametrize("nodes", [8, 32])
def test_moments_of_laplaces_rule(nodes):
    values, weights = ns.laplace().rule(8.0, nodes)
    for n in range(1, 8):
        assert weights @ np.abs(values) ** n == pytest.approx(math.factorial(n) * 2.0 ** (-n / 2), rel=1e-12)
    assert ns.laplace().moments == math.inf


@pytest.mark.parametrize("law", [ns.laplace(), ns.student_t(3.0), ns.student_t(6.0)])
def test_odd_cumulants_are_zero(law):
    assert law.cumulants(8.0)[::2] == (0.0, 0.0)
    assert law.at_large_sigma()[:2] == (0.0, 0.0)


@pytest.mark.parametrize("law", [ns.laplace(), ns.student_t(5.0)], ids=lambda law: law.name)
def test_kernels_have_plain_pythons_bits_and_vectorise(law):
    rule = ns.rmsprop(**programs.RMSPROP)
    made = programs.build(ns.NGOS(ns.linear(0.7)), [(rule, law, 1)], ["theta[0]"], [[1.2, 1.4]], 2.0**-4, 8)
    block = cpu.Kernel(*made, "f64").block(3)
    for lane in (0, 1, 127):
        expected, _ = python.trajectory(*made, 3 * 128 + lane)
        np.testing.assert_array_equal(block[..., lane], expected)
    for precision in ("mix", "f64"):
        text = row(*made, precision)
        assert len(re.findall(r"\bvfn?m(add|sub)\w*pd\b", text)) >= 15
        assert "$exp" not in text


@pytest.mark.parametrize("nu", [2.9, -1.0, float("nan"), True, 1e7])
def test_nu_is_checked(nu):
    with pytest.raises(ValueError, match=r"nu=.* of student-t noise must be a number from 3 to 1e6"):
        ns.student_t(nu)
