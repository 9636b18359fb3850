"""The GPU's code without a GPU: the PTX of every program, interpreted, and machine code within its limits."""

import numpy as np
import pytest
from numba import njit, types

import ngos_sim as ns
from benchmarks import machine_code
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bound
from ngos_sim.engines.compiling.primitives import JIT
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cuda import kernel as cuda_kernel
from ngos_sim.engines.cuda import package as cuda_package
from ngos_sim.engines.cuda.engine import Kernel, _multiply_add
from ngos_sim.engines.cuda.kernel import COLUMNS
from ngos_sim.engines.cuda.package import cuda
from ngos_sim.engines.program import BLOCK
from tests.support import families, programs
from tests.support.philox import KNOWN, words

pytest.importorskip("numba_cuda", reason="needs numba-cuda: pip install '.[test,gpu-test]'")
pytest.importorskip("cuda.bindings.nvjitlink", reason="needs nvJitLink: pip install '.[test,gpu-test]'")

if cuda_package.simulated():
    pytest.skip("the simulator compiles nothing", allow_module_level=True)

from numba.cuda import dispatcher

from tests.gpu import once, ptx  # noqa: F401

pytestmark = pytest.mark.gpu
TOLERANCE = {"f32": 1e-6, "mix": 1e-8, "f64": 1e-14}  # of a block's largest value, the GPU contracting a * b + c
FIRST = 1024  # a trajectory


def interpreted(kernel, text):
    """Return what the PTX writes for one block: sums (records, functions, observables, 2), lost lanes."""
    sums, bad = kernel.room(1)
    sums, bad = sums[:1], bad[:1]
    ptx.run(ptx.parse(text), 1, BLOCK, (kernel.key, FIRST, *kernel.arguments, sums, bad))
    return sums.reshape(kernel.sums), bad


def compared(program, inputs, precision, tolerance):
    """Compare what the PTX of a program writes with the CPU's lanes; return how many bytes its machine code spills."""
    kernel = Kernel(program, inputs, precision)
    text = machine_code.ptx(kernel.function, precision)
    sums, bad = interpreted(kernel, text)
    lanes = cpu.Kernel(program, inputs, precision).block(FIRST // BLOCK)
    assert not bad.any()
    largest, difference = np.abs(lanes).max(axis=-1), np.abs(sums - programs.tree(lanes))
    for power in (1, 2):
        assert np.all(difference[..., power - 1] <= tolerance * BLOCK * largest**power)
    return machine_code.assemble(text, machine_code.ARCHITECTURES[0]).spilled


CASES = families.cases()
# To compile a program takes seconds. In f32, a GPU's own, are those that bring formulas, and those whose types differ;
# all others are in f64, and so is, of the former, what takes most registers, calls math's functions or has laws.
SINGLE = (*families.formulas(), *families.TYPED)
BOTH = ("rmsprop", "two channels, groups", "matrices", "hessian gradient", "users", "heavy tails", "signsgd, student-t")
DOUBLE = [name for name in CASES if name not in SINGLE or name in BOTH]
INTERPRETED = [*((name, "f64") for name in DOUBLE), *((name, "f32") for name in SINGLE), ("rmsprop", "mix")]


@pytest.mark.parametrize(("name", "precision"), INTERPRETED)
def test_interpreted_ptx_is_the_cpu_and_machine_code_fits(name, precision):
    assert compared(*CASES[name], precision, TOLERANCE[precision]) == 0


@pytest.mark.parametrize("name", programs.locals_on_matrices())
def test_errors_of_products(name):
    """Their rows are in local memory; a few registers more than there are is nothing beside it.

    With a pivot they are differences of errors: digits cancel.
    """
    spilled = compared(*programs.locals_on_matrices()[name], "f64", 1e-13)
    assert spilled <= 512


def test_users_functions_of_math_are_straight_code():
    """In f32: no calls, no local memory but the state's own, and in the time loop nothing of float64."""
    loss = ns.Loss("mine", programs.slope, programs.height, width=1.0)
    rule = ns.rmsprop(**programs.RMSPROP)
    start = [[1.2, 1.4]]
    users = programs.build(ns.NGOS(loss), [(rule, ns.gaussian(), 1)], ["theta[0]"], start, 2.0**-4, 6)
    text, builtin = (machine_code.ptx(Kernel(*each, "f32").function, "f32") for each in (users, programs.alone(rule)))
    assert "call" not in text
    assert text.count(".local") == builtin.count(".local")
    usage = machine_code.assemble(text, "sm_90")
    assert usage.spilled == 0
    if machine_code.disassembler() is not None:
        assert machine_code.step(usage.cubin).double == 0.0


def test_the_same_terms_have_the_same_sum_bit_for_bit():
    reduce = cuda_kernel._reducer(bound(_multiply_add, "f64", "cuda"), njit(**JIT))

    def kernel(terms, sums):
        shared, lane = cuda.shared.array((COLUMNS, BLOCK), types.float64), cuda.threadIdx.x
        for column in range(0, COLUMNS, 2):
            shared[column, lane] = terms[column // 2, lane]
            shared[column + 1, lane] = 0.0
        reduce(shared, lane, COLUMNS, sums, 0)

    generator = np.random.default_rng(5)
    terms, sums = generator.standard_normal((COLUMNS // 2, BLOCK)) ** 9, np.zeros(COLUMNS)
    text = machine_code.ptx(kernel, None, arguments=types.void(types.float64[:, ::1], types.float64[::1]))
    ptx.run(ptx.parse(text), 1, BLOCK, (terms, sums))
    np.testing.assert_array_equal(sums, programs.tree(terms).ravel())
    assert np.any(sums[::2] != np.cumsum(terms, axis=1)[:, -1])  # another order is seen


def test_kernels_share_what_they_are_made_of(monkeypatch):
    """The tree of sums is compiled once a process, for one type of its arguments: it was a quarter of a compilation."""
    compiled, compile_cuda = [], dispatcher.compile_cuda

    def noted(function, *rest, **options):
        compiled.append(function.__name__)
        return compile_cuda(function, *rest, **options)

    monkeypatch.setattr(dispatcher, "compile_cuda", noted)
    for d in (2, 3):
        machine_code.ptx(Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP), d), "f32").function, "f32")
    assert compiled.count("step") == 2
    assert compiled.count("reduce") <= 1


def stack(program, inputs):
    """Return the Usage of a program in f32, and how many bytes its state takes."""
    kernel = Kernel(program, inputs, "f32")
    return machine_code.assemble(machine_code.ptx(kernel.function, "f32"), "sm_90"), 4 * len(kernel.arguments[3])


def test_what_moves_is_in_registers():
    """However many coordinates: four at a time do; the state alone is in local memory."""
    usage, state = stack(*programs.alone(ns.rmsprop(**programs.RMSPROP), 64))
    assert usage.stack <= state
    assert usage.spilled == 0
    assert usage.registers <= 96


@pytest.mark.skipif(machine_code.disassembler() is None, reason="needs nvdisasm: pip install '.[test,gpu-test]'")
def test_matrices_of_up_to_24_coordinates_are_in_the_instructions():
    """No step loads an entry: that took six times as long. The state is copied once a record, to be observed."""
    usage, state = stack(*programs.alone(ns.rmsprop(**programs.RMSPROP), 24, 2, programs.matrices(24)))
    listed = [text for _, _, text in machine_code.listing(usage.cubin)]
    assert usage.stack <= state
    assert sum(text.startswith("FFMA") for text in listed) >= 2 * 24 * 24
    assert sum(text.startswith("LDG") for text in listed) <= 100
    assert sum(text.startswith("LDL") for text in listed) <= 2


LIMITS = {"f32": (64, 90.0), "mix": (80, 110.0), "f64": (80, 180.0)}  # registers, instructions a step


@pytest.mark.skipif(machine_code.disassembler() is None, reason="needs nvdisasm: pip install '.[test,gpu-test]'")
@pytest.mark.parametrize("precision", LIMITS)
def test_rmsprop_in_one_dimension_is_small(precision):
    kernel = Kernel(*programs.alone(ns.rmsprop(**programs.RMSPROP)), precision)
    text, (registers, instructions) = machine_code.ptx(kernel.function, precision), LIMITS[precision]
    for architecture in machine_code.ARCHITECTURES:
        usage = machine_code.assemble(text, architecture)
        step = machine_code.step(usage.cubin)
        assert usage.registers <= registers, architecture
        assert usage.spilled == 0, architecture
        assert usage.stack <= 16, architecture
        assert step.executed <= instructions, architecture
        assert (step.double == 0.0) == (precision == "f32"), architecture


def stepped(step):
    """Return how many float64 operations a step has in the f32 kernel of a rule."""
    rule = ns.Optimizer("mine", step, ("theta", "u"), **programs.RMSPROP)
    kernel = Kernel(*programs.alone(rule), "f32")
    usage = machine_code.assemble(machine_code.ptx(kernel.function, "f32"), "sm_90")
    return machine_code.step(usage.cubin).double


@pytest.mark.skipif(machine_code.disassembler() is None, reason="needs nvdisasm: pip install '.[test,gpu-test]'")
def test_a_float64_in_an_f32_kernel_is_seen():
    """Float literals become float32; what is no literal to bind, as np.float64(0.5), stays float64."""
    assert stepped(lambda x, o, z, c, p: (x[0] - 0.5 * c[1] * z, x[1])) == 0.0
    assert stepped(lambda x, o, z, c, p: (x[0] - np.float64(0.5) * c[1] * z, x[1])) > 0.0


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_known_answers_on_the_device(counter, key, answer):
    philox = bound(rng.philox4x32, "f64", "cuda")

    def kernel(words, out):
        four = philox(words[0], words[1], words[2], words[3], words[4], words[5])
        for i in range(4):
            out[i] = four[i]

    text = machine_code.ptx(kernel, None, arguments=types.void(types.uint64[::1], types.uint64[::1]))
    found = np.zeros(4, np.uint64)
    ptx.run(ptx.parse(text), 1, 1, (np.array(words([counter, key])), found))
    assert found.tolist() == words([answer])
