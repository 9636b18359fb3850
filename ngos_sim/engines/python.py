"""The contract in plain Python: the reference for every other engine, and the debugger's."""

import functools
import math

import numpy as np

from ngos_sim.arithmetic import fma, matvec
from ngos_sim.engines import python_data, python_fields, rng
from ngos_sim.engines.fields import DataField
from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import BLOCK, BLOCKS, ChunkSums, no_law
from ngos_sim.engines.python_fields import at, theta_of
from ngos_sim.engines.python_plain import plain_program


def draw(key, trajectory, stream, n):
    """Return draw n of a trajectory's stream, float64."""
    return _four(key, trajectory, stream, n // 4)[n % 4]


@functools.lru_cache(maxsize=64)  # a step's draws, and those of a block's next steps
def _four(key, trajectory, stream, block):
    block, stream, low, high = (np.uint64(v) for v in (block, stream, trajectory & 0xFFFFFFFF, trajectory >> 32))
    counter = block, rng.second_word(block, stream), low, high
    return rng.normals(*counter, np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32))


def trajectory(program, inputs, index, noise=None, extra_noise=None, second_noise=None):
    """Run one trajectory.

    Parameters
    ----------
    index : int
        Which one.
    noise, second_noise : ndarray, shape (fine steps, d)
        In place of the generator's Gaussians, the increments of W and of a second Brownian motion.
    extra_noise : ndarray, shape (macro steps, d)
        In their place a noise law's second Gaussian.

    Returns
    -------
    observables : ndarray, shape (records, test functions, observables)
    finite : bool
        Whether its last state is.
    """
    return _trajectory(plain_program(program), inputs, index, noise, extra_noise, second_noise)


def walk(program, inputs, index):
    """Return, after each fine step of a trajectory, of each process the slots of each coordinate."""
    found: list = []
    _trajectory(
        plain_program(program), inputs, index, told=lambda states: found.append([list(state) for state in states])
    )
    return found


def path(program, inputs, index):
    """Return what one trajectory goes through, at its start and at its records.

    Returns
    -------
    states : ndarray, shape (processes, 1 + records, d, slots)
        Of processes of the same slots.
    observables : ndarray, shape (1 + records, test functions, observables)
    """
    program = plain_program(program)
    seen = [[numbers.start.tolist() for numbers in inputs.processes]]
    none = [[0.0] * numbers.error_rows for numbers in inputs.processes]
    first = _observe(program, inputs, seen[0], none, 0)

    def told(states):
        seen.append([list(state) for state in states])

    observed, _ = _trajectory(program, inputs, index, told=told)
    return np.array([seen[0], *(seen[fine] for fine in inputs.records)]).swapaxes(0, 1), np.array([first, *observed])


def _trajectory(program, inputs, index, noise=None, extra_noise=None, second_noise=None, told=None):
    d, m = program.dimension, program.substeps  # fine steps a macro step
    given = {rng.BROWNIAN: noise, rng.EXTRA: extra_noise, rng.SECOND_BROWNIAN: second_noise}
    draws = program.draws(inputs)

    def gaussians(stream, step, count=d):
        """Return the Gaussians of a stream's step, counted from 0."""
        if noise is None:
            return [draw(inputs.key, index, stream, step * count + j) for j in range(count)]
        return [float(value) for value in given[stream][step]]

    hessian, root = (matrix.ravel().tolist() for matrix in (inputs.hessian, inputs.root))
    states = [[tuple(row) for row in numbers.start.tolist()] for numbers in inputs.processes]
    errors = [[0.0] * numbers.error_rows for numbers in inputs.processes]
    observed = []
    none = [0.0] * d
    xi: list = []
    chi: list = []
    for fine in range(1, int(inputs.records[-1]) + 1):
        xi.append(gaussians(rng.BROWNIAN, fine - 1, draws) if program.channels else none)
        chi.append(gaussians(rng.SECOND_BROWNIAN, fine - 1) if program.channels == 2 else none)
        extra = gaussians(rng.EXTRA, (fine - 1) // m) if program.gaussians == 2 else none
        for process, numbers, state, carried in zip(program.processes, inputs.processes, states, errors, strict=True):
            step, rest = divmod(fine, process.stride)
            if rest:
                continue
            of_w, of_b = _increment(xi, process.stride), _increment(chi, process.stride)
            if process.law is not no_law:
                zeta = [process.law(*both, numbers.noise) for both in zip(of_w, extra, strict=True)]
                of_w = python_fields.mixed(process.field, numbers, root, state, zeta)
            if isinstance(process.field, DataField):
                pull, of_w, spread = python_fields.of_data(process.field, inputs, state, of_w, step, index)
            else:
                pull, spread = python_fields.rows(process.field, numbers, hessian, state)
            bend = _bend(process, numbers, hessian, state, pull)
            rows = zip(state, pull, bend, spread, strict=True)
            moves = [_move(process, numbers, *row, step, j) for j, row in enumerate(rows)]
            if carried:
                carried[:] = _carried(carried, numbers.errors, state, moves, step)
            state[:] = [moved(*drawn) for moved, *drawn in zip(moves, of_w, of_b, extra, strict=True)]
        if told is not None:
            told(states)
        if fine in inputs.records:
            observed.append(_observe(program, inputs, states, errors, len(observed)))
    return np.array(observed), all(math.isfinite(v) for state in states for x in state for v in x)


def _increment(rows, stride):
    """Return the normalised sum of the last `stride` rows of Gaussians."""
    if stride == 1:
        return rows[-1]
    scale = 1.0 / math.sqrt(stride)
    return [_sum(each) * scale for each in zip(*rows[-stride:], strict=True)]


def _move(process, numbers, x, pull, bend, spread, step, j):
    """Return coordinate j's step number `step` as a function (xi, chi, extra) -> x."""
    entries = numbers.table[step - 1].tolist()
    c, matrix = tuple(entries[min(j, len(entries) - 1)]), process.matrix
    c = (c[:-matrix], c[-matrix:]) if matrix else c
    a, s, n, p = at(numbers.loss, j), at(numbers.variance, j), numbers.noise, numbers.parameters
    return lambda xi, chi, extra: process.move(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p)


def _carried(carried, errors, state, moves, step):
    """Return the errors of a process after its step number `step`; see `engines.cpu.joint`."""
    d, centred, centre = len(state), errors.centred, errors.centre.tolist()
    linear = [slot for slot in range(len(state[0])) if slot != centred]
    blocks = len(centre[0])
    n = d * len(linear)
    size = n + 1
    a = [*(x[slot] for slot in linear for x in state), 1.0]
    b = [1.0, *(x[centred] - middle for x, middle in zip(state, centre[step - 1], strict=False))]
    excess = [fma(-a[r], b[i], carried[i * size + r]) for i in range(blocks + 1) for r in range(size)]
    flow, own = errors.flow[step - 1].tolist(), n * (blocks + 1) * size
    found = [*matvec(flow[:own], excess, [0.0] * n), 0.0]
    for i in range(1, blocks + 1):
        found += matvec(flow[own:], excess[i * size : (i + 1) * size], [0.0] * size)
    rule, orders = errors.weights.ravel().tolist(), len(errors.weights)
    values = [[moved(xi, 0.0, 0.0) for xi in nodes] for moved, nodes in zip(moves, errors.nodes.tolist(), strict=True)]
    of_slots = [[matvec(rule, slot, [0.0] * orders) for slot in zip(*each, strict=True)] for each in values]
    of_a = [(of_slots[j][i], j) for i in linear for j in range(d)]
    of_b = [
        (each[centred][0] - middle, *each[centred][1:]) for each, middle in zip(of_slots, centre[step], strict=False)
    ]
    found[:n] = [value + each[0] for value, (each, _) in zip(found, of_a, strict=False)]
    for j in range(blocks):
        begin = (j + 1) * size
        for r, (each, i) in enumerate(of_a):
            for order, powers in enumerate(errors.powers):
                found[begin + r] = fma(float(powers[i, j]) * each[order], of_b[j][order], found[begin + r])
        found[begin + n] += of_b[j][0]
    return found


def _sum(values):
    """Return the sum from left to right, each addition rounded (Python 3.12's sum compensates)."""
    total = 0.0
    for value in values:
        total += value
    return total


def _bend(process, numbers, hessian, state, pull):
    """Return H grad f, or zeros where the step does not read it."""
    zero = [0.0] * len(state)
    if process.slope is None:
        return zero
    numbers = [(at(numbers.loss, j), at(numbers.variance, j)) for j in range(len(state))]
    slopes = [0.0 + process.slope(x, at, 0.0, *each) for x, at, each in zip(state, pull, numbers, strict=True)]
    return matvec(hessian, slopes, zero)


def _observe(program, inputs, states, errors, record):
    """Return combinations @ g(states), shape (test functions, observables)."""
    observed = np.zeros((inputs.test_functions, len(inputs.combinations)))
    each = zip(program.processes, inputs.processes, states, errors, strict=True)
    hessian = inputs.hessian.ravel().tolist()
    for index, (process, numbers, state, carried) in enumerate(each):
        rows, theta, field = [value for x in state for value in x], theta_of(state), process.field
        if not isinstance(field, DataField):
            pull, spread = python_fields.rows(field, numbers, hessian, state)
        elif any(feature.reads for feature in program.features):
            pull, _, spread = python_data.full_batch(inputs.data, field.slope, theta)
        else:
            pull = spread = [0.0] * len(state)
        for feature in program.features:
            among = range(len(state)) if feature.coordinate < 0 else [feature.coordinate]
            if feature.over == "theta":
                parts = [feature.function(theta, at(numbers.loss, 0))]
            else:
                given = [(state[j], pull[j], spread[j], at(numbers.loss, j), at(numbers.variance, j)) for j in among]
                parts = [feature.function(*each) for each in given]
            total = _sum(parts)
            if feature.sample is not None:
                total = python_data.add_mean(inputs.data, feature.sample, theta, total)
            rows.append(math.sqrt(total) if feature.root else total)
        rows += carried
        values = [0.0] * inputs.test_functions
        for owner, term, exponents in zip(
            inputs.term_owner, inputs.term_coefficient[record], inputs.term_exponents, strict=True
        ):
            term = float(term)
            for row, power in zip(rows, exponents, strict=True):
                for _ in range(power):
                    term *= row
            values[owner] += term
        with np.errstate(invalid="ignore", over="ignore"):  # of trajectories that left the finite numbers
            observed += np.outer(values, inputs.combinations[:, index])
    return observed


def run(program, inputs, first, count):
    """Run chunks first .. first + count - 1; see `cpu.run`."""
    program = plain_program(program)
    sums, nonfinite = [], []
    for chunk in range(first, first + count):
        blocks, bad = [], []
        for block in range(chunk * BLOCKS, (chunk + 1) * BLOCKS):
            lanes, finite = zip(
                *(_trajectory(program, inputs, block * BLOCK + lane) for lane in range(BLOCK)), strict=True
            )
            blocks.append(np.array(lanes))
            bad += [block * BLOCK + lane for lane, good in enumerate(finite) if not good]
        sums.append(chunk_sums(blocks))
        nonfinite.append((len(bad), bad[0] if bad else -1))
    return ChunkSums(np.array(sums), np.array(nonfinite, dtype=np.int64))


def chunk_sums(blocks):
    """Return sums and sums of squared deviations, shape (..., 2), of blocks of trajectories, each (128, ...)."""
    with np.errstate(invalid="ignore", over="ignore"):  # of trajectories that left the finite numbers
        (total, spread), *others = map(_tree, blocks)
        for before, other in enumerate(others, 1):
            total, spread = merged(total, spread, before * BLOCK, *other, BLOCK)
    return np.stack([total, spread], axis=-1)


_fmas = np.frompyfunc(fma, 3, 1)  # of arrays


def _tree(values):
    """Return the sum over the first axis (128 lanes) and that of squared deviations from the mean, by halving."""
    total, spread, weight = values, np.zeros_like(values), 0.5
    while len(total) > 1:
        half = len(total) // 2
        gap = total[:half] - total[half:]
        spread = _fmas(gap * weight, gap, spread[:half] + spread[half:]).astype(np.float64)
        total, weight = total[:half] + total[half:], 0.5 * weight
    return total[0], spread[0]


def expectation(program, inputs, noise, weights, second=None):
    """Return the weighted mean of the observables over given noise: exact enumeration.

    Parameters
    ----------
    noise : ndarray, shape (paths, fine steps, d)
        Takes the place of the generator's Gaussians.
    weights : ndarray, shape (paths,)
    second : ndarray, shape (paths, fine steps, d), optional
        The second Brownian motion's, where a process has one.

    Returns
    -------
    means : ndarray, shape (records, test functions, observables)
    """
    program = plain_program(program)
    seconds = [None] * len(noise) if second is None else second
    paths = (
        _trajectory(program, inputs, 0, *each)[0] for each in zip(noise, [None] * len(noise), seconds, strict=True)
    )
    return sum(weight * values for weight, values in zip(weights, paths, strict=True))
