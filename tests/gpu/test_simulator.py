"""Emulator and simulator, in processes of their own: programs and a whole study are the CPU's, bit for bit."""

import pytest

from tests.gpu.fresh import python
from tests.support import families

pytestmark = pytest.mark.gpu


def test_a_block_of_each_program_is_the_cpus_emulated_and_simulated():
    """In f64: the simulator runs what the emulator does, which sees all precisions (`test_emulator`)."""
    pytest.importorskip("greenlet", reason="the emulator needs greenlet: pip install '.[test,gpu-test]'")
    said = python("-m", "tests.gpu.blocks", NUMBA_ENABLE_CUDASIM="1")
    assert said.splitlines() == list(families.simulated())


def test_a_study_is_the_cpus():
    said = python("tests/gpu/simulated_study.py", NUMBA_ENABLE_CUDASIM="1")
    assert said == "equal: ['coupled', 'local'] 4 rows\n"
