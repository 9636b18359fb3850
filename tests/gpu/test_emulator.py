"""The block emulator: the order of the lanes does not matter, and seeded faults are seen."""

import importlib.util
import inspect
import sys

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


def compare(program, inputs, precision):
    """Compare what a block writes in the emulator with the CPU's, bit for bit."""
    expected = programs.block_sums(program, inputs, precision, FIRST // BLOCK)
    np.testing.assert_array_equal(emulated(Kernel(program, inputs, precision, plain=True)), expected)


@pytest.mark.parametrize("name", programs.locals_on_matrices())
def test_errors_of_products_are_the_cpus(name):
    compare(*programs.locals_on_matrices()[name], "f64")


def test_a_matrix_in_the_table_is_the_cpus():
    compare(*programs.matrix_in_table(2), "f64")


@pytest.mark.parametrize("name", [name for name in families.coupled() if name not in families.SIMULATED])
def test_what_couples_coordinates_is_the_cpus(name):
    compare(*families.coupled()[name], "f64")


TYPED = ("local rmsprop", *families.TYPED)
WITHOUT_NORMALS = ("features", "minibatches of data")  # in what is theirs: in mix they are what they are in f64
MIXED = [name for name in TYPED if name not in (*WITHOUT_NORMALS, "hessian gradient", "signsgd, student-t")]


@pytest.mark.parametrize(
    ("name", "precision"), [*((name, "f32") for name in TYPED), *((name, "mix") for name in MIXED)]
)
def test_other_precisions_are_the_cpus(name, precision):
    """In f64 `test_simulator` emulates these and all other programs.

    In mix the normals alone are float32: a matrix of theirs is in "matrices", Student's t in "heavy tails".
    """
    compare(*families.cases()[name], precision)


@pytest.fixture(scope="module")
def small():
    """A kernel of RMSprop alone."""
    return Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP), steps=2), "f64", plain=True)


@pytest.mark.parametrize("order", emulator.ORDERS)
def test_the_order_of_lanes_does_not_matter(small, order):
    np.testing.assert_array_equal(emulated(small, order), emulated(small))


@pytest.fixture
def faulty(monkeypatch, tmp_path):
    """Return a function that makes the small kernel with some words of a factory of its file replaced."""

    def make(name, old, new):
        factory, file = inspect.getsource(getattr(cuda_kernel, name)), tmp_path / "faulty_kernel.py"
        assert factory.count(old) == 1
        whole = inspect.getsource(cuda_kernel)
        file.write_text(whole.replace(factory, factory.replace(old, new)), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, file.stem, module)  # where `emulated` finds it
        spec.loader.exec_module(module)
        with monkeypatch.context() as patch:
            patch.setattr(cuda, "_KERNELS", {})
            patch.setattr(cuda, "make", module.make)
            return Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP), steps=2), "f64", plain=True)

    return make


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
def test_seeded_faults_are_seen(faulty, change, error, order):
    with pytest.raises(error):
        emulated(faulty("_reducer", *change), order)


def test_a_swapped_counter_word_is_seen(small, faulty):
    swapped = faulty("make", LOW_HIGH, LOW_HIGH.replace("low, high", "high, low"))
    assert np.all(emulated(swapped) != emulated(small))
