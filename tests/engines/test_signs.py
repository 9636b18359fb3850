"""Steps by signs, and their SDEs, are the same on every engine: here plain Python's and the CPU's bits."""

import numpy as np
import pytest

from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import BLOCK
from tests.support import families

PROGRAMS = families.signs()


@pytest.mark.parametrize("name", PROGRAMS)
def test_lanes_are_plain_pythons_bit_for_bit(name):
    program, inputs = PROGRAMS[name]
    block = cpu.Kernel(program, inputs, "f64").block(5)
    for lane in (0, 1, 127):
        expected, finite = python.trajectory(program, inputs, 5 * BLOCK + lane)
        assert finite
        np.testing.assert_array_equal(block[..., lane], expected)
