"""2 F - 1 of Student's t in scalar functions against its hypergeometric function."""

import math
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.compiling.bind import quick
from ngos_sim.processes import student_t
from tests.support import signs


@pytest.mark.parametrize("nu", [1.0, 2.0, 3.0, 3.5, 5.0, 50.0, 1e4])
def test_student_t_is_its_hypergeometric_function(nu):
    """2 Xi of arXiv 2411.15958, by mpmath."""
    p = SimpleNamespace(**student_t.parameters(nu))
    balance, slope = quick(student_t.balance), quick(student_t.slope)
    factor = 2.0 * mpmath.gamma((nu + 1) / 2) / (mpmath.sqrt(mpmath.pi * nu) * mpmath.gamma(nu / 2))
    for x in (1e-9, 0.01, 0.3, 1.0, 2.5, 7.0, 40.0):
        exact = factor * x * mpmath.hyp2f1(0.5, (nu + 1) / 2, 1.5, -x * x / nu)
        assert abs(balance(x, p) - exact) < 2e-13 * min(1.0, 5.0 * x)
        assert balance(-x, p) == -balance(x, p)
        density = factor * (1.0 + mpmath.mpf(x) ** 2 / nu) ** (-(nu + 1) / 2)
        assert abs(slope(x, p) - density) < 1e-11
    assert balance(0.0, p) == 0.0
    assert 1.0 - 1e-13 <= balance(1e300, p) <= 1.0
    small = {1.0: 2.0 / math.pi, 2.0: math.sqrt(0.5), 3.0: 0.735105}
    assert slope(0.0, p) == pytest.approx(small.get(nu, slope(0.0, p)), abs=5e-7)


def test_student_t_near_infinity_is_gaussian():
    p, balance = SimpleNamespace(**student_t.parameters(1e6)), quick(student_t.balance)
    assert all(abs(balance(x, p) - math.erf(x / math.sqrt(2.0))) < 1e-6 for x in (0.1, 1.0, 3.0, 8.0))
    sdes = [ns.signsgd_sde(2), ns.signsgd_sde(2, nu=1e6)]
    drifts = [signs.coefficients(sde, 0.1, 0.9, 1.0, 0.8)[0](np.linspace(-3.0, 3.0, 13)) for sde in sdes]
    np.testing.assert_allclose(*drifts, atol=2e-6)
