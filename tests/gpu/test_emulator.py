"""Kernels in the block emulator: bit for bit the CPU engine, in any order of the lanes; and seeded faults are seen."""

import inspect

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import cuda, cuda_kernel
from ngos_sim.engines.cuda import Kernel
from ngos_sim.engines.program import BLOCK
from tests import programs

pytest.importorskip("greenlet", reason="the emulator needs greenlet: pip install '.[test,gpu-test]'")

from tests.gpu import emulator

pytestmark = pytest.mark.gpu
FIRST = 1024  # a trajectory


def emulated(kernel, order="forward"):
    """Return what one block writes: sums (records, functions, observables, 2)."""
    sums, bad = (each[:1] for each in kernel.room(1))
    inputs = (kernel.key, FIRST, *kernel.arguments)
    emulator.launch(cuda_kernel, kernel.function, 1, BLOCK, inputs, (sums, bad), order)
    assert not bad.any()
    return sums.reshape(kernel.sums)


@pytest.mark.parametrize("precision", ["f32", "mix", "f64"])
@pytest.mark.parametrize("name", programs.cases())
def test_a_block_is_the_cpus_bit_for_bit(name, precision):
    program, inputs = programs.cases()[name]
    found = emulated(Kernel(program, inputs, precision, plain=True))
    np.testing.assert_array_equal(found, programs.block_sums(program, inputs, precision, FIRST // BLOCK))


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
