"""The GPU engine: a program as a kernel with its arguments, launches of whole chunks, sums merged on the host."""

import functools
import warnings

import numpy as np
from numba import types

from ngos_sim.arithmetic import fma
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bound, digest
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import JIT
from ngos_sim.engines.compiling.refusals import naming_the_line
from ngos_sim.engines.cuda import data
from ngos_sim.engines.cuda import package as cuda_package
from ngos_sim.engines.cuda.access import types_of
from ngos_sim.engines.cuda.bundles import Functions, Observed, Place, Scope, Shape, Source
from ngos_sim.engines.cuda.fields import of_field, spreads
from ngos_sim.engines.cuda.joint import flat
from ngos_sim.engines.cuda.kernel import make
from ngos_sim.engines.cuda.limits import refusal
from ngos_sim.engines.cuda.package import cuda
from ngos_sim.engines.cuda.products import COMPILED
from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import BLOCK, BLOCKS, CHUNK, ChunkSums, cost
from ngos_sim.errors import EngineUnavailable

_LAUNCH_STEPS = 1e11  # process steps, coordinates and trajectories of one launch: about a second
_FULL = 32  # chunks that a launch on data takes at least: a GPU runs so many at once, however long they take
_MEMORY = 0.5  # of the free device memory that one launch may use
_WORDS = 255  # of 32 bits in a thread's registers; a matrix's state beyond them is in local memory in any case:
_CAP = 128  # then twice the threads hide more than registers hold (64 x 64 in f64: 104 ps a step instead of 135)
_DEVICE = njit(**JIT)  # one for all kernels: what their factories cache is compiled once
_KERNELS: dict = {}
_LAUNCHED: dict = {}


def _same(function):
    return function


def _multiply_add(a, b, c):
    return fma(a, b, c)


def _scope(d, feature):
    """Return a feature's Scope."""
    begin, end = max(feature.coordinate, 0), feature.coordinate + 1 or d
    reads = (row in feature.reads for row in ("pull", "spread"))
    return Scope(begin, end, feature.root, feature.over == "theta", *reads)


class Kernel:
    """A program at a precision with its inputs, as a GPU kernel and its arguments.

    `function` is the kernel as a plain function, `arguments` what it gets between `trajectory` and `sums`;
    `registers` is how many a thread may have, None for as many as the compiler takes.
    A launch takes one block of threads for every 128 trajectories.

    Parameters
    ----------
    plain : bool
        Make helpers plain functions and bind for calls from Python: for the simulator and emulators.
    """

    def __init__(self, program, inputs, precision, plain=False):
        if clause := refusal(program):
            raise EngineUnavailable(f"device='cuda': {clause}")
        real, noise = types_of(precision)
        d, places, constants, tables, starts, errors = program.dimension, [], [], [], [], []
        others = len(program.features) + inputs.processes[0].error_rows
        rows = program.processes[0].slots * d + others
        for process, numbers, of_data in zip(program.processes, inputs.processes, data.places(program), strict=True):
            kinds = (numbers.loss, numbers.variance, numbers.noise, numbers.parameters)
            begin = sum(map(len, constants))
            _, table_rows, columns = numbers.table.shape
            carried = numbers.errors
            orders, nodes = (0, 0) if carried is None else carried.weights.shape
            none = carried is None or carried.centred is None
            place = Place(
                slots=process.slots,
                stride=process.stride,
                rows=table_rows,
                columns=columns,
                matrix=process.matrix,
                loss=len(numbers.loss),
                variance=len(numbers.variance),
                noise=len(numbers.noise),
                parameters=len(numbers.parameters),
                state_at=rows * len(places),
                constants_at=begin,
                nodes=nodes,
                orders=orders,
                centred=process.slots if none else carried.centred,
                bent=process.slope is not None,
                channels=process.channels,
                coupled=process.field is not None,
                spread=spreads(process.field),
                **of_data,
            )
            places.append(place)
            constants.append(np.concatenate([np.ravel(kind) for kind in kinds]))
            tables.append(np.ravel(numbers.table))
            starts.append(np.concatenate([numbers.start.ravel(), np.zeros(others)]))
            errors += [] if numbers.errors is None else [flat(numbers.errors)]
        scopes = tuple(map(functools.partial(_scope, d), program.features))
        matrices = (inputs.hessian.ravel().astype(real), inputs.root.ravel().astype(noise))
        shape = Shape(
            precision=precision,
            d=d,
            substeps=program.substeps,
            gaussians=program.gaussians,
            scopes=scopes,
            places=tuple(places),
            dense_loss=len(inputs.hessian) > 0,
            dense_noise=len(inputs.root) > 0,
            whole=not np.any(inputs.records % program.substeps),
            of_data=inputs.data is not None,
        )
        dense = shape.dense_loss or shape.dense_noise
        words = shape.rows * len(places) * (1 if precision == "f32" else 2)
        self.registers = _CAP if dense and d > COMPILED and words > _WORDS and not plain else None
        self.function = _kernel(shape, program, matrices if dense and d <= COMPILED else None, plain)
        self.sums = (len(inputs.records), inputs.test_functions, len(inputs.combinations), 2)
        self.key = np.uint64(inputs.key)
        self.arguments = (
            np.concatenate(constants).astype(real),
            np.concatenate(tables).astype(real),
            np.concatenate([np.cumsum([0, *map(len, kind)])[:-1] for kind in (tables, errors)]).astype(np.int64),
            np.concatenate(starts).astype(real),
            *(matrix if len(matrix) else np.zeros(1, matrix.dtype) for matrix in matrices),
            np.concatenate(errors or [np.zeros(1)]).astype(real),
            *data.arguments(program, inputs, real),
            inputs.records.astype(np.int64),
            np.ascontiguousarray(inputs.term_coefficient, dtype=np.float64),
            np.ascontiguousarray(inputs.term_exponents, dtype=np.int64),
            np.searchsorted(inputs.term_owner, np.arange(inputs.test_functions + 1)).astype(np.int64),
            np.ascontiguousarray(inputs.combinations, dtype=np.float64),
        )

    def room(self, chunks, empty=np.zeros):
        """Return arrays for what a launch of so many chunks writes, in full: sums of blocks, and lost trajectories.

        empty : function (shape, dtype) that makes them
        """
        width = int(np.prod(self.sums))
        return empty((chunks * BLOCKS, width), np.float64), empty((chunks * BLOCKS, BLOCK), np.int8)

    def merged(self, sums, bad, first):
        """Return the ChunkSums of what a launch from chunk `first` has written: blocks are added in their order."""
        blocks = sums.reshape(-1, BLOCKS, *self.sums)
        total, spread = blocks[:, 0, ..., 0], blocks[:, 0, ..., 1]
        with np.errstate(invalid="ignore", over="ignore"):  # of trajectories that left the finite numbers
            for b in range(1, BLOCKS):
                total, spread = merged(total, spread, b * BLOCK, blocks[:, b, ..., 0], blocks[:, b, ..., 1], BLOCK)
        bad = bad.reshape(len(blocks), CHUNK)
        count = bad.sum(axis=1, dtype=np.int64)
        begin = (first + np.arange(len(blocks))) * CHUNK
        return ChunkSums(
            np.stack([total, spread], axis=-1),
            np.stack([count, np.where(count, begin + bad.argmax(axis=1), -1)], axis=1),
        )


def _kernel(shape, program, matrices, plain):
    """Return the kernel of a program, made once for all programs of the same functions and sizes.

    matrices : Hessian and root to compile in, or None
    """
    precision, draw = shape.precision, rng.normals if shape.precision == "f64" else rng.normals32
    own = [
        Functions(process.move, process.law, process.slope, *of_field(process.field)) for process in program.processes
    ]
    features = [Observed(feature.function, feature.sample) for feature in program.features]
    entries = None if matrices is None else tuple(matrix.tobytes() for matrix in matrices)
    functions = (draw, _multiply_add, *(function for each in (*own, *features) for function in each))
    key = shape, plain, entries, *(function and digest(function, precision) for function in functions)
    if key not in _KERNELS:
        target = "python" if plain else "cuda"

        def made(function):
            return function and bound(function, precision, target)

        source = Source(made(rng.philox4x32), made(draw))
        of_processes, of_features = ([type(each)(*map(made, each)) for each in kind] for kind in (own, features))
        given = source, made(_multiply_add), of_processes, of_features
        filled = matrices and tuple(each if len(each) else np.zeros(1, each.dtype) for each in matrices)
        _KERNELS[key] = make(shape, *given, filled, _same if plain else _DEVICE)
    return _KERNELS[key]


def signature(precision):
    """Return the Numba types of a kernel's arguments."""
    real = types.float32[::1] if precision == "f32" else types.float64[::1]
    whole, table, integers = types.int64[::1], types.float64[:, ::1], types.int64[:, ::1]
    outputs = (types.float64[:, ::1], types.int8[:, ::1])
    noise = types.float64[::1] if precision == "f64" else types.float32[::1]
    inputs = (real, real, whole, real, real, noise, real, real, real, real, whole, whole, table, integers, whole, table)
    return types.void(types.uint64, types.int64, *inputs, *outputs)


def _launched(kernel):
    """Return the kernel ready to be launched, compiled once."""
    if kernel.function not in _LAUNCHED:
        limits = {} if kernel.registers is None else {"max_registers": kernel.registers}
        _LAUNCHED[kernel.function] = cuda.jit(kernel.function, **limits)
    return _LAUNCHED[kernel.function]


def _chunks_a_launch(program, inputs, count):
    """Return how many chunks one launch takes: about a second's work that fits into the free memory."""
    if cuda_package.simulated():
        return 1
    free, _ = cuda.current_context().get_memory_info()
    each = 8 * BLOCKS * 2 * len(inputs.records) * inputs.test_functions * len(inputs.combinations) + CHUNK
    work = cost(program, inputs) * data.samples(program, inputs)
    least = 1 if inputs.data is None else _FULL
    return int(max(1, min(count, max(least, _LAUNCH_STEPS // work), _MEMORY * free // each)))


def run(program, inputs, first, count, *, precision="mix", progress=None):
    """Run chunks first .. first + count - 1 of 1024 trajectories on the GPU; see `cpu.run`.

    Raises
    ------
    EngineUnavailable
        There is no GPU, no driver or no CUDA toolkit, and no simulator.
    """
    cuda_package.require()
    kernel = Kernel(program, inputs, precision, plain=cuda_package.simulated())
    launched, size = _launched(kernel), _chunks_a_launch(program, inputs, count)
    fixed = [cuda.to_device(each) for each in kernel.arguments]
    parts = []
    for at in range(first, first + count, size):
        chunks = min(size, first + count - at)
        sums, bad = kernel.room(chunks, cuda.device_array)
        with naming_the_line(), warnings.catch_warnings():  # the first launch compiles
            warnings.filterwarnings("ignore", ".*Grid size")  # a few chunks do not fill a GPU; nor need they
            launched[chunks * BLOCKS, BLOCK](kernel.key, at * CHUNK, *fixed, sums, bad)
        parts.append(kernel.merged(sums.copy_to_host(), bad.copy_to_host(), at))
        if progress is not None:
            progress(chunks * cost(program, inputs))
    return ChunkSums(np.concatenate([p.sums for p in parts]), np.concatenate([p.nonfinite for p in parts]))
