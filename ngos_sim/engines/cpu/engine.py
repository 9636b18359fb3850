"""The CPU engine: a program as arguments of the compiled kernels, threads over chunks."""

import math
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
from numba import from_dtype

from ngos_sim.engines import processors, rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.compiling.numba_internals import warn_without_fma, without_collection
from ngos_sim.engines.cpu import data, joint, joint_field, kernels, lanes
from ngos_sim.engines.cpu.gather import WIDTH
from ngos_sim.engines.layout import (
    Given,
    Noise,
    Numbers,
    Place,
    Pulls,
    Scope,
    Sizes,
    Source,
    Terms,
    Work,
    aligned,
    records,
)
from ngos_sim.engines.program import BLOCK, BLOCKS, ChunkSums, cost, no_law

_GROUP_STEPS = 2e7  # process steps, coordinates and trajectories of one task: about 50 ms


def _lengths(process, numbers):
    """Return how many numbers a process's functions get, by the names that `bind` takes."""
    kinds = {"loss": numbers.loss, "variance": numbers.variance, "noise": numbers.noise}
    return {"slots": process.slots, **{kind: len(each) for kind, each in kinds.items()}}


def step(process, numbers, precision):
    """Return the Tag of a process's step."""
    lengths = _lengths(process, numbers)
    table = numbers.table.shape[-1] - process.matrix
    return bind(
        process.move, precision, **lengths, parameters=len(numbers.parameters), table=table, matrix=process.matrix
    )


def _loops(process, numbers, precision, types):
    """Return the addresses of a process's loops by their names in `layout.Place`; 0 for one that is not called."""
    move, law = step(process, numbers, precision), bind(process.law, precision, noise=len(numbers.noise))
    zeta = lanes.zeta.address(law, *types) if process.law is not no_law else 0
    nodes = lanes.nodes.address(move, *types) if numbers.errors is not None else 0
    slope = process.slope and bind(process.slope, precision, **_lengths(process, numbers))
    return {
        "step_loop": lanes.row.address(move, *types),
        "law_loop": zeta,
        "nodes_loop": nodes,
        "slope_loop": (slope and lanes.feature.address(slope, *types)) or 0,
        **joint_field.loops(process, numbers, precision, types),
    }


def _scope(feature, loss, lengths, precision, types, d):
    """Return a feature's Scope; loss : the loss's numbers."""
    if feature.over == "theta":
        loop = joint_field.value.address(joint_field.whole(feature.function, precision, d, loss), *types)
        return Scope(loop, 0, 0, feature.root, whole=True, sample_loop=0)
    loop = lanes.feature.address(bind(feature.function, precision, **lengths), *types)
    sample = lanes.slopes.address(bind(feature.sample, precision), *types) if feature.sample else 0
    begin, end = max(feature.coordinate, 0), feature.coordinate + 1 or d
    return Scope(loop, begin, end, feature.root, whole=False, sample_loop=sample)


def _at_once(draws):
    """Return how many normals to draw at once where a macro step takes `draws`: whole Philox blocks, four at least.

    By four at once a step takes 2 % longer in mix: the loops' constants are loaded at every call.
    """
    unit = math.lcm(4, draws)
    return unit * -(-16 // unit)


class Kernel:
    """A program at a precision with its inputs, as the arguments of the compiled kernels."""

    def __init__(self, program, inputs, precision):
        d = program.dimension
        real, state = (np.float64 if precision in names else np.float32 for names in (("f64",), ("f64", "mix")))
        types = from_dtype(np.dtype(real)), from_dtype(np.dtype(state))
        places, constants, tables, starts = [], [], [], []

        def put(store, values):
            at = sum(len(part) for part in store)
            store.append(np.ravel(np.asarray(values, dtype=state)))
            return at

        for process, numbers in zip(program.processes, inputs.processes, strict=True):
            others = np.zeros(len(program.features) + numbers.error_rows)
            _, rows, columns = numbers.table.shape
            place = Place(
                at=put(starts, np.concatenate([numbers.start.ravel(), others])),
                slots=process.slots,
                stride=process.stride,
                loss=put(constants, numbers.loss),
                variance=put(constants, numbers.variance),
                noise=put(constants, numbers.noise),
                parameters=put(constants, numbers.parameters),
                table=put(tables, numbers.table),
                columns=columns,
                rows=rows,
                channels=process.channels,
                **_loops(process, numbers, precision, types),
            )
            places.append(place)
        lengths = _lengths(program.processes[0], inputs.processes[0])
        loss = inputs.processes[0].loss
        scopes = [_scope(feature, loss, lengths, precision, types, d) for feature in program.features]
        self._slots, self._bent = program.processes[0].slots, any(process.slope for process in program.processes)
        self._spread = any(place.variance_loop for place in places)
        self._coupled = (1,) if any(place.gradient_loop or place.variance_loop for place in places) else ()
        transform = rng.box_muller if precision == "f64" else rng.box_muller32
        self._source = Source(bind(rng.philox4x32, precision), bind(transform, precision))
        draws = program.draws(inputs)
        self._sizes = Sizes(d, draws, program.substeps, program.gaussians, program.channels)
        self._key = np.uint64(inputs.key)
        self._real, self._errors = real, joint.numbers(program, inputs)
        self._data = data.numbers(program, inputs, precision, types, state)
        self._at_once = tuple(_at_once(each) for each in (program.substeps * draws, program.substeps * d, d))
        self._shape = (len(inputs.records), inputs.test_functions, len(inputs.combinations))
        terms = (inputs.term_owner, inputs.term_coefficient, inputs.term_exponents)
        self._given = Given(
            places=records(Place, places),
            scopes=records(Scope, scopes),
            numbers=Numbers(
                constants=np.concatenate(constants),
                table=tables[0] if len(tables) == 1 else np.concatenate(tables),
                hessian=inputs.hessian.ravel().astype(state),
                root=inputs.root.ravel().astype(real),
            ),
            starts=np.concatenate(starts),
            records=inputs.records,
            terms=Terms(*map(np.ascontiguousarray, terms)),  # one type, hence one kernel
            combinations=inputs.combinations,
        )

    def _workspace(self):
        """Return one thread's buffers, and the room for a block's observables."""
        starts, d, draws, (of_w, of_b, macro) = self._given.starts, self._sizes.d, self._sizes.draws, self._at_once
        xi, extra = aligned(of_w * BLOCK, self._real), aligned(macro * BLOCK, self._real)
        xi_sums, zeta, mixed = (aligned(rows * BLOCK, self._real) for rows in (draws, d, d))
        chi, chi_sums = xi, xi_sums
        if self._sizes.channels == 2 or draws != d:
            chi, chi_sums = aligned(of_b * BLOCK, self._real), aligned(d * BLOCK, self._real)
        words = aligned(4 * BLOCK, np.uint64 if self._real == np.float64 else np.uint32)
        pull = aligned(-(-d // WIDTH) * WIDTH * BLOCK, starts.dtype)  # whole vectors of coordinates for minibatches
        bend, slopes = (aligned(d * BLOCK, starts.dtype) for _ in range(2)) if self._bent else (pull, pull)
        spread = aligned(d * BLOCK, starts.dtype) if self._data or self._spread else pull
        work = Work(
            noise=Noise(xi, chi, extra, xi_sums, chi_sums, zeta, mixed, words),
            state=aligned(len(starts) * BLOCK, starts.dtype),
            pulls=Pulls(pull, bend, slopes, spread, self._coupled),
            value=aligned(BLOCK, np.float64),
            term=aligned(BLOCK, np.float64),
            errors=joint.workspace(self._errors, self._slots, d),
            data=data.workspace(self._data, d),
        )
        return work, np.empty((*self._shape, BLOCK))

    def block(self, index):
        """Return the observables of block `index`, shape (records, test functions, observables, 128)."""
        return self._run(index, 1, 1)[0]

    def chunks(self, first, count):
        """Return ChunkSums of chunks first .. first + count - 1, in this thread."""
        return self._run(first * BLOCKS, BLOCKS, count)[1]

    def _run(self, first, blocks, count):
        """Run `count` chunks of `blocks` blocks; return the last block's observables and the chunks' sums."""
        work, out = self._workspace()
        sums = np.empty((count, *self._shape, 2))
        nonfinite = np.empty((count, 2), dtype=np.int64)
        kernels.chunks(self._source, self._sizes, self._key, self._given, work, out, first, blocks, sums, nonfinite)
        return out, ChunkSums(sums, nonfinite)


def nbytes(program, inputs, precision):
    """Return the bytes of a program's numbers beside its inputs', which threads share, and of one thread's buffers."""
    kernel = Kernel(program, inputs, precision)
    own = [each.nbytes for each in _arrays(kernel._given) if each.base is None]  # the others are the inputs'
    buffers = {id(each): each.nbytes for each in _arrays(kernel._workspace())}
    return sum(own), sum(buffers.values())


def _arrays(value):
    """Yield the arrays in tuples of tuples."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _arrays(each)


def run(program, inputs, first, count, *, precision="mix", threads=None, progress=None):
    """Run chunks first .. first + count - 1 of 1024 trajectories.

    Parameters
    ----------
    threads : int, optional
        Default: `processors.available()`. Results do not depend on it.
    progress : function, optional
        Called with the number of process steps (`program.cost`) that have been done since the last call.

    Returns
    -------
    ChunkSums
    """
    warn_without_fma()
    with without_collection():
        kernel = Kernel(program, inputs, precision)
        kernel.chunks(first, 0)  # compile once, not in every thread
    threads = threads or processors.available()
    size = int(min(max(1.0, _GROUP_STEPS // cost(program, inputs)), -(-count // threads)))
    starts = range(first, first + count, size)
    parts = {}
    with ThreadPoolExecutor(threads) as pool:
        futures = {pool.submit(kernel.chunks, at, min(size, first + count - at)): at for at in starts}
        try:
            for future in as_completed(futures):
                part = parts[futures[future]] = future.result()
                if progress is not None:
                    progress(len(part.sums) * cost(program, inputs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    ordered = [parts[at] for at in starts]
    return ChunkSums(np.concatenate([p.sums for p in ordered]), np.concatenate([p.nonfinite for p in ordered]))
