"""The primitives in plain Python."""

import math

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


@pytest.mark.parametrize("value", [1.0, -2.5, 0.0, 1e-310])
def test_bits_round_trip(value):
    assert arithmetic.from_bits(arithmetic.bits(value)) == value
    single = np.float32(value)
    assert arithmetic.from_bits(arithmetic.bits(single)) == single


def test_slotwise_and_preconditioner():
    assert arithmetic.slotwise((1.0, -2.0), 0.5, (1.0, 1.0)) == (1.5, 0.0)
    assert arithmetic.preconditioner(4.0, 0.5, 1.0) == 0.5
