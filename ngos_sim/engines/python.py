"""The contract in plain Python: the reference for every other engine, and the debugger's."""

import functools
import math
from dataclasses import replace

import numpy as np

from ngos_sim.arithmetic import fma, matvec
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import plain, unraising
from ngos_sim.engines.moments import merged
from ngos_sim.engines.program import BLOCK, BLOCKS, ChunkSums


def draw(key, trajectory, stream, n):
    """Return draw n of a trajectory's stream, float64."""
    block, stream, low, high = (np.uint64(v) for v in (n // 4, stream, trajectory & 0xFFFFFFFF, trajectory >> 32))
    counter = block, rng.second_word(block, stream), low, high
    return rng.normals(*counter, np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32))[n % 4]


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
    return _trajectory(_plain(program), inputs, index, noise, extra_noise, second_noise)


def _plain(program):
    """Return the program of plain copies that call exp, log, tanh, erf, sin and cos as compiled functions do."""
    processes = tuple(
        replace(each, move=_called(each.move), law=_called(each.law), slope=each.slope and _called(each.slope))
        for each in program.processes
    )
    features = tuple(replace(feature, function=_called(feature.function)) for feature in program.features)
    return replace(program, processes=processes, features=features)


def _called(function):
    """Return the plain copy of a function that gives NaN and infinity where Python raises, as compiled code does."""
    quick, safe = plain(function), functools.cache(lambda: unraising(function))

    def call(*arguments):
        try:
            found = quick(*arguments)
            if complex not in map(type, found if isinstance(found, tuple) else (found,)):
                return found
        except (ArithmeticError, ValueError, TypeError):  # TypeError: of a complex root
            pass
        with np.errstate(all="ignore"):
            return _each(float, safe()(*_each(np.float64, arguments)))

    return call


def _each(kind, value):
    """Return a number, or the numbers of a tuple, as a kind of number."""
    return tuple(_each(kind, one) for one in value) if isinstance(value, tuple) else kind(value)


def walk(program, inputs, index):
    """Return, after each fine step of a trajectory, of each process the slots of each coordinate."""
    found: list = []
    _trajectory(_plain(program), inputs, index, told=lambda states: found.append([list(state) for state in states]))
    return found


def _trajectory(program, inputs, index, noise=None, extra_noise=None, second_noise=None, told=None):
    d, m = program.dimension, program.substeps  # fine steps a macro step
    given = {rng.BROWNIAN: noise, rng.EXTRA: extra_noise, rng.SECOND_BROWNIAN: second_noise}

    def gaussians(stream, step):
        """Return the d Gaussians of a stream's step, counted from 0."""
        if noise is None:
            return [draw(inputs.key, index, stream, step * d + j) for j in range(d)]
        return [float(value) for value in given[stream][step]]

    hessian, root = (matrix.ravel().tolist() for matrix in (inputs.hessian, inputs.root))
    states = [[tuple(row) for row in numbers.start.tolist()] for numbers in inputs.processes]
    errors = [[0.0] * numbers.error_rows for numbers in inputs.processes]
    observed = []
    none = [0.0] * d
    xi: list = []
    chi: list = []
    for fine in range(1, int(inputs.records[-1]) + 1):
        xi.append(gaussians(rng.BROWNIAN, fine - 1))
        chi.append(gaussians(rng.SECOND_BROWNIAN, fine - 1) if program.channels == 2 else none)
        extra = gaussians(rng.EXTRA, (fine - 1) // m) if program.gaussians == 2 else none
        for process, numbers, state, carried in zip(program.processes, inputs.processes, states, errors, strict=True):
            step, rest = divmod(fine, process.stride)
            if rest:
                continue
            of_w, of_b = _increment(xi, process.stride), _increment(chi, process.stride)
            if root:
                zeta = [process.law(*both, numbers.noise) for both in zip(of_w, extra, strict=True)]
                of_w = matvec(root, zeta, none)
            pull = _pull(hessian, state)
            bend = _bend(process, numbers, hessian, state, pull)
            moves = [_move(process, numbers, state[j], pull[j], bend[j], step, j) for j in range(d)]
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


def _move(process, numbers, x, pull, bend, step, j):
    """Return coordinate j's step number `step` as a function (xi, chi, extra) -> x."""
    entries = numbers.table[step - 1].tolist()
    c, matrix = tuple(entries[min(j, len(entries) - 1)]), process.matrix
    c = (c[:-matrix], c[-matrix:]) if matrix else c
    a, s, n, p = _at(numbers.loss, j), _at(numbers.variance, j), numbers.noise, numbers.parameters
    return lambda xi, chi, extra: process.move(x, xi, chi, extra, pull, bend, 0.0, a, s, n, c, p)


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


def _pull(hessian, state):
    """Return H theta, or zeros where there is no matrix."""
    zero = [0.0] * len(state)
    return matvec(hessian, [x[0] for x in state], zero) if hessian else zero


def _bend(process, numbers, hessian, state, pull):
    """Return H grad f, or zeros where the step does not read it."""
    zero = [0.0] * len(state)
    if process.slope is None:
        return zero
    numbers = [(_at(numbers.loss, j), _at(numbers.variance, j)) for j in range(len(state))]
    slopes = [0.0 + process.slope(x, at, 0.0, *each) for x, at, each in zip(state, pull, numbers, strict=True)]
    return matvec(hessian, slopes, zero)


def _at(columns, j):
    return tuple(float(column[j]) for column in columns)


def _observe(program, inputs, states, errors, record):
    """Return combinations @ g(states), shape (test functions, observables)."""
    observed = np.zeros((inputs.test_functions, len(inputs.combinations)))
    for index, (numbers, state, carried) in enumerate(zip(inputs.processes, states, errors, strict=True)):
        rows = [value for x in state for value in x]
        for feature in program.features:
            among = range(len(state)) if feature.coordinate < 0 else [feature.coordinate]
            pull = _pull(inputs.hessian.ravel().tolist(), state)
            given = [(state[j], pull[j], 0.0, _at(numbers.loss, j), _at(numbers.variance, j)) for j in among]
            total = _sum([feature.function(*each) for each in given])
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
    program = _plain(program)
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
    program = _plain(program)
    seconds = [None] * len(noise) if second is None else second
    paths = (
        _trajectory(program, inputs, 0, *each)[0] for each in zip(noise, [None] * len(noise), seconds, strict=True)
    )
    return sum(weight * values for weight, values in zip(weights, paths, strict=True))
