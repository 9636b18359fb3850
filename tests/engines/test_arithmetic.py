"""The primitives in plain Python."""

import math
from fractions import Fraction

import numpy as np
import pytest

from ngos_sim import arithmetic


def test_fma_rounds_once():
    a, c = 1.0 + 2.0**-30, -(1.0 + 2.0**-29)
    assert arithmetic.fma(a, a, c) == 2.0**-60
    assert a * a + c == 0.0
    assert arithmetic.fma(0.1, 10.0, -1.0) == 2.0**-54
    assert arithmetic.fma(math.inf, 1.0, 1.0) == math.inf
    assert math.isnan(arithmetic.fma(math.nan, 1.0, 1.0))
    assert arithmetic.fma(1e300, 1e300, 0.0) == math.inf


def test_fma_is_the_exact_number_rounded():
    """Of every exponent, where digits cancel, and where the result is below the normal numbers."""
    random = np.random.default_rng(1)
    for a, b, c in np.ldexp(random.standard_normal((500, 3)), random.integers(-540, 500, (500, 3))).tolist():
        for added in (c, -a * b, -a * b * (1.0 + 2.0**-40)):
            assert arithmetic.fma(a, b, added) == float(Fraction(a) * Fraction(b) + Fraction(added))
    for zero in (0.0, -0.0):
        assert math.copysign(1.0, arithmetic.fma(zero, 1.0, zero)) == math.copysign(1.0, zero)


@pytest.mark.parametrize("value", [1.0, -2.5, 0.0, 1e-310])
def test_bits_round_trip(value):
    assert arithmetic.from_bits(arithmetic.bits(value)) == value
    single = np.float32(value)
    assert arithmetic.from_bits(arithmetic.bits(single)) == single


def test_slotwise_and_preconditioner():
    assert arithmetic.slotwise((1.0, -2.0), 0.5, (1.0, 1.0)) == (1.5, 0.0)
    assert arithmetic.preconditioner(4.0, 0.5, 1.0) == 0.5
