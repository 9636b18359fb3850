"""Numba's simulator, in processes of its own: every program and a whole study are the CPU's, bit for bit."""

import pytest

from tests import programs
from tests.gpu.test_device import python

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["f32", "mix", "f64"])
def test_blocks_of_every_program_are_the_cpus(precision):
    pytest.importorskip("greenlet", reason="compiles in the emulator: pip install '.[test,gpu-test]'")
    said = python("tests/gpu/simulated_programs.py", precision, NUMBA_ENABLE_CUDASIM="1")
    assert said.splitlines() == list(programs.cases())


def test_a_study_is_the_cpus():
    said = python("tests/gpu/simulated_study.py", NUMBA_ENABLE_CUDASIM="1")
    assert said == "equal: ['coupled', 'local'] 4 rows\n"
