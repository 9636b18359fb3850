"""The contract in plain Python: the reference for every other engine, and the debugger's."""

import math
from dataclasses import replace

import numpy as np

from ngos_sim.arithmetic import matvec
from ngos_sim.engines import rng
from ngos_sim.engines.bind import plain
from ngos_sim.engines.program import BLOCK, BLOCKS, ChunkSums


def draw(key, trajectory, stream, n):
    """Return draw n of a trajectory's stream, float64."""
    counter = (np.uint64(v) for v in (n // 4, stream, trajectory & 0xFFFFFFFF, trajectory >> 32))
    return rng.normals(*counter, np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32))[n % 4]


def trajectory(program, inputs, index, noise=None, extra_noise=None):
    """Run one trajectory.

    Parameters
    ----------
    index : int
        Which one.
    noise, extra_noise : ndarray, shapes (fine steps, d) and (macro steps, d)
        In place of the generator's Gaussians, the Brownian direction and the second one.

    Returns
    -------
    observables : ndarray, shape (records, test functions, observables)
    finite : bool
        Whether its last state is.
    """
    return _trajectory(_plain(program), inputs, index, noise, extra_noise)


def _plain(program):
    """Return the program of plain copies that call exp, log, tanh, sin and cos as compiled functions do."""
    processes = tuple(
        replace(process, move=plain(process.move), law=plain(process.law)) for process in program.processes
    )
    features = tuple(replace(feature, function=plain(feature.function)) for feature in program.features)
    return replace(program, processes=processes, features=features)


def _trajectory(program, inputs, index, noise=None, extra_noise=None):
    d, m = program.dimension, program.substeps  # fine steps a macro step
    given = {rng.BROWNIAN: noise, rng.EXTRA: extra_noise}

    def gaussian(stream, n):
        return draw(inputs.key, index, stream, n) if noise is None else float(given[stream][divmod(n, d)])

    hessian, root = (matrix.ravel().tolist() for matrix in (inputs.hessian, inputs.root))
    states = [[tuple(row) for row in numbers.start.tolist()] for numbers in inputs.processes]
    observed = []
    xi: list = []
    for fine in range(1, int(inputs.records[-1]) + 1):
        xi.append([gaussian(rng.BROWNIAN, (fine - 1) * d + j) for j in range(d)])
        macro = (fine - 1) // m
        for process, numbers, state in zip(program.processes, inputs.processes, states, strict=True):
            step, rest = divmod(fine, process.stride)
            if rest:
                continue
            rows, scale = xi[-process.stride :], 1.0 / math.sqrt(process.stride)
            together = rows[0] if len(rows) == 1 else [_sum(row) * scale for row in zip(*rows, strict=True)]
            extra = [gaussian(rng.EXTRA, macro * d + j) if program.gaussians == 2 else 0.0 for j in range(d)]
            if root:
                zeta = [process.law(*both, numbers.noise) for both in zip(together, extra, strict=True)]
                together = matvec(root, zeta, [0.0] * d)
            pull = _pull(hessian, state)
            entries = numbers.table[step - 1].tolist()
            for j in range(d):
                c = tuple(entries[min(j, len(entries) - 1)])
                a, s = _at(numbers.loss, j), _at(numbers.variance, j)
                drawn = (state[j], together[j], extra[j], pull[j])
                state[j] = process.move(*drawn, a, s, numbers.noise, c, numbers.parameters)
        if fine in inputs.records:
            observed.append(_observe(program, inputs, states, len(observed)))
    return np.array(observed), all(math.isfinite(v) for state in states for x in state for v in x)


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


def _at(columns, j):
    return tuple(float(column[j]) for column in columns)


def _observe(program, inputs, states, record):
    """Return combinations @ g(states), shape (test functions, observables)."""
    observed = np.zeros((inputs.test_functions, len(inputs.combinations)))
    for index, (numbers, state) in enumerate(zip(inputs.processes, states, strict=True)):
        rows = [value for x in state for value in x]
        for feature in program.features:
            among = range(len(state)) if feature.coordinate < 0 else [feature.coordinate]
            pull = _pull(inputs.hessian.ravel().tolist(), state)
            given = [(state[j], pull[j], _at(numbers.loss, j), _at(numbers.variance, j)) for j in among]
            total = _sum([feature.function(*each) for each in given])
            rows.append(math.sqrt(total) if feature.root else total)
        values = [0.0] * inputs.test_functions
        for owner, term, exponents in zip(
            inputs.term_owner, inputs.term_coefficient[record], inputs.term_exponents, strict=True
        ):
            term = float(term)
            for row, power in zip(rows, exponents, strict=True):
                for _ in range(power):
                    term *= row
            values[owner] += term
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
            values = np.array(lanes)
            blocks.append(np.stack([_tree(values), _tree(values * values)], axis=-1))
            bad += [block * BLOCK + lane for lane, good in enumerate(finite) if not good]
        sums.append(_sum(blocks))
        nonfinite.append((len(bad), bad[0] if bad else -1))
    return ChunkSums(np.array(sums), np.array(nonfinite, dtype=np.int64))


def _tree(values):
    """Return the sum over the first axis (128 lanes) by halving."""
    while len(values) > 1:
        half = len(values) // 2
        values = values[:half] + values[half:]
    return values[0]


def expectation(program, inputs, noise, weights):
    """Return the weighted mean of the observables over given noise: exact enumeration.

    Parameters
    ----------
    noise : ndarray, shape (paths, fine steps, d)
        Takes the place of the generator's Gaussians.
    weights : ndarray, shape (paths,)

    Returns
    -------
    means : ndarray, shape (records, test functions, observables)
    """
    program = _plain(program)
    paths = (_trajectory(program, inputs, 0, path)[0] for path in noise)
    return sum(weight * values for weight, values in zip(weights, paths, strict=True))
