"""Emulator and simulator, in processes of their own: every program and a whole study are the CPU's, bit for bit."""

import pytest

from tests.gpu.fresh import python
from tests.support import families

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["f32", "mix", "f64"])
def test_a_block_of_every_program_is_the_cpus_emulated_and_simulated(precision):
    pytest.importorskip("greenlet", reason="the emulator needs greenlet: pip install '.[test,gpu-test]'")
    said = python("-m", "tests.gpu.blocks", precision, NUMBA_ENABLE_CUDASIM="1")
    assert said.splitlines() == list(families.simulated())


def test_a_study_is_the_cpus():
    said = python("tests/gpu/simulated_study.py", NUMBA_ENABLE_CUDASIM="1")
    assert said == "equal: ['coupled', 'local'] 4 rows\n"
