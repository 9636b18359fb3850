"""The block emulator: the order of the lanes does not matter, and seeded faults are seen."""

import inspect

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.cuda import engine as cuda
from ngos_sim.engines.cuda import kernel as cuda_kernel
from ngos_sim.engines.cuda.engine import Kernel
from ngos_sim.engines.program import BLOCK
from tests.support import families, programs

pytest.importorskip("greenlet", reason="the emulator needs greenlet: pip install '.[test,gpu-test]'")

from tests.gpu import emulator
from tests.gpu.blocks import FIRST, emulated

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("name", programs.locals_on_matrices())
def test_errors_of_products_are_the_cpus_bit_for_bit(name):
    program = programs.locals_on_matrices()[name]
    expected = programs.block_sums(*program, "f64", FIRST // BLOCK)
    np.testing.assert_array_equal(emulated(Kernel(*program, "f64", plain=True)), expected)


def test_a_matrix_in_the_table_is_the_cpus_bit_for_bit():
    program = programs.matrix_in_table(2)
    expected = programs.block_sums(*program, "f64", FIRST // BLOCK)
    np.testing.assert_array_equal(emulated(Kernel(*program, "f64", plain=True)), expected)


@pytest.mark.parametrize("name", families.coupled())
def test_what_couples_coordinates_is_the_cpus_bit_for_bit(name):
    program = families.coupled()[name]
    expected = programs.block_sums(*program, "f64", FIRST // BLOCK)
    np.testing.assert_array_equal(emulated(Kernel(*program, "f64", plain=True)), expected)


@pytest.fixture(scope="module")
def small():
    """A kernel of RMSprop alone."""
    return Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP), steps=2), "f64", plain=True)


@pytest.mark.parametrize("order", emulator.ORDERS)
def test_the_order_of_lanes_does_not_matter(small, order):
    np.testing.assert_array_equal(emulated(small, order), emulated(small))


def faulty(monkeypatch, name, old, new):
    """Return the small kernel with one line of a factory of its file replaced."""
    source = inspect.getsource(getattr(cuda_kernel, name))
    assert source.count(old) == 1
    names = dict(vars(cuda_kernel))
    with monkeypatch.context() as patch:
        exec(compile(source.replace(old, new), "faulty", "exec"), vars(cuda_kernel))
        patch.setattr(cuda, "_KERNELS", {})
        patch.setattr(cuda, "make", cuda_kernel.make)
        kernel = Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP), steps=2), "f64", plain=True)
        vars(cuda_kernel)[name] = names[name]
    return kernel


TREE_BARRIER = ("            cuda.syncthreads()\n            half //= 2\n", "            half //= 2\n")
GUARD = ("            if lane < half:\n", "            if True:\n")
ALONE = (TREE_BARRIER[0], "            if lane < half:\n                cuda.syncthreads()\n            half //= 2\n")
LOW_HIGH = "low, high = index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)"


@pytest.mark.parametrize("order", emulator.ORDERS)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (TREE_BARRIER, emulator.Race),
        (GUARD, (IndexError, emulator.Race)),
        (ALONE, (emulator.Divergence, emulator.Race)),
    ],
    ids=["missing barrier", "dropped guard", "divergent barrier"],
)
def test_seeded_faults_are_seen(monkeypatch, change, error, order):
    with pytest.raises(error):
        emulated(faulty(monkeypatch, "_reducer", *change), order)


def test_a_swapped_counter_word_is_seen(small, monkeypatch):
    swapped = faulty(monkeypatch, "make", LOW_HIGH, LOW_HIGH.replace("low, high", "high, low"))
    assert np.all(emulated(swapped) != emulated(small))
