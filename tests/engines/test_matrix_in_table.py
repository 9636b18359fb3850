"""A matrix at the end of a table's rows: read from memory by compiled code, the same bits as plain Python's."""

import platform
import re

import numpy as np
import pytest

from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from tests.support import assembly, programs

SIZE = programs.MATRIX_ROWS


@pytest.mark.parametrize("d", [1, 2])
def test_compiled_is_plain_python_bit_for_bit(d):
    program, inputs = programs.matrix_in_table(d)
    block = cpu.Kernel(program, inputs, "f64").block(0)
    for lane in (0, 7, 8, 127):
        np.testing.assert_array_equal(block[..., lane], python.trajectory(program, inputs, lane)[0])
    assert np.abs(block).max() < 1e3
    assert np.ptp(block, axis=-1).min() > 0.0


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
def test_its_loop_is_vectorised_and_reads_the_matrix_anew():
    """Of a matrix kept in vectors of equal numbers the stack would take 20 x 21 x 64 bytes."""
    text = assembly.row(*programs.matrix_in_table(1), "f64")
    assert re.search(r"\bv?sqrtpd\b", text)
    assert re.search(r"\bv?divpd\b", text)
    frame = max(map(int, re.findall(r"subq\s+\$(\d+), %rsp", text)), default=0)
    assert frame < 64 * SIZE * (SIZE + 1) / 2
