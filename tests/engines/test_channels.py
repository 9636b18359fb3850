"""A second Brownian motion: its draws, its sums over strides, its law, on the Python and the CPU engine."""

import itertools

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python, rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cpu import kernels
from ngos_sim.engines.layout import Source
from ngos_sim.engines.program import BLOCK
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import families, programs

SHAPE = np.array([[1.0, 0.3], [0.3, 0.5]])  # Sigma
ROWS = np.array([[0.7, -0.4], [0.2, 0.6]])  # of the diffusion: one a channel, an entry a slot


def moving(rows=ROWS, **settings):
    """Return an SDE of constant diffusion and no drift."""
    rows = tuple(tuple(row) for row in np.atleast_2d(rows).tolist())
    value = rows if len(rows) == 2 else rows[0]
    return ns.SDE(
        "moving",
        lambda x, o, c, p: (0.0, 0.0),
        lambda x, o, c, p: value,
        ("theta", "u"),
        channels=len(rows),
        **settings,
    )


def driven(sde, functions, start, steps, levels=(1,), oracle=None):
    """Return the program of Euler-Maruyama of an SDE, at each level."""
    beside = ns.Optimizer("still", lambda x, o, z, c, p: x, sde.slots)
    rules = [(euler_maruyama(sde, beside), ns.gaussian(), level) for level in levels]
    return programs.build(oracle or ns.NGOS(ns.linear(0.7), SHAPE), rules, functions, start, 0.25, steps)


PROGRAMS = {
    **programs.two_channels(),
    **families.ballistic(),
    "many fills": driven(moving(), ["theta[0]", "u[1]"], [[0.5, 1.0]] * 2, 11, (1, 2, 4)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_lanes_are_plain_pythons_bit_for_bit(name):
    program, inputs = PROGRAMS[name]
    assert program.channels == 2
    block = cpu.Kernel(program, inputs, "f64").block(5)
    for lane in (0, 1, 127):
        expected, finite = python.trajectory(program, inputs, 5 * BLOCK + lane)
        assert finite
        np.testing.assert_array_equal(block[..., lane], expected)


def test_covariances_are_those_of_both_motions_exactly():
    """By enumeration of noise +-1: Cov = h steps (Sigma (x) a a^T + I (x) b b^T), a and b the rows of the diffusion."""
    functions = [
        f"{a}[{i}]*{b}[{j}]" for a, i, b, j in itertools.product(("theta", "u"), (0, 1), ("theta", "u"), (0, 1))
    ]
    program, inputs = driven(moving(), functions, [[0.0, 0.0]] * 2, 2)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=8))).reshape(-1, 2, 2, 2)
    weights = np.full(len(signs), 1.0 / len(signs))
    found = python.expectation(program, inputs, signs[:, 0], weights, signs[:, 1])[0, :, 0].reshape(2, 2, 2, 2)
    own, other = (
        np.multiply.outer(np.multiply.outer(row, row), of) for row, of in zip(ROWS, (SHAPE, np.eye(2)), strict=True)
    )
    expected = 0.25 * 2 * (own + other).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_a_level_takes_the_normalised_sums_of_both():
    """Additive noise: all levels end at one place, and each motion alone at its own."""
    for rows in (ROWS, ROWS * [[1.0], [0.0]], ROWS * [[0.0], [1.0]]):
        program, inputs = driven(moving(rows), ["theta[0]", "u[1]"], [[0.0, 0.0]] * 2, 3, levels=(1, 2, 4))
        block = cpu.Kernel(program, inputs, "f64").block(2)
        np.testing.assert_allclose(block, block[:, :, :1] + 0.0 * block, rtol=0, atol=1e-13)
        assert np.ptp(block[:, :, 0]) > 0.1


def test_the_first_motion_keeps_its_bits():
    """With a second row of zeros an SDE of two channels is that of one: neither stream is another's."""
    functions, start = ["theta[0]", "u[1]"], [[1.0, 2.0], [0.5, 1.0]]
    blocks = [
        cpu.Kernel(*driven(moving(rows), functions, start, 3, (1, 2, 4)), "f64").block(1)
        for rows in (ROWS[:1], ROWS * [[1.0], [0.0]])
    ]
    np.testing.assert_array_equal(*blocks)


def test_the_streams_are_independent():
    """Of 2^14 draws the correlations of W, of B and of a noise law's second Gaussian are within 4 / sqrt(n)."""
    source = Source(bind(rng.philox4x32, "f64"), bind(rng.box_muller, "f64"))
    drawn, words = np.zeros((3, 2**14)), np.zeros(4 * BLOCK, np.uint64)
    for out, stream in zip(drawn, (rng.BROWNIAN, rng.EXTRA, rng.SECOND_BROWNIAN), strict=True):
        kernels._fill(source, out, words, 32, np.uint64(3), np.uint64(stream), np.uint64(0), 0)
    assert np.abs(np.corrcoef(drawn)[np.triu_indices(3, 1)]).max() < 4.0 / np.sqrt(drawn.shape[1])
    assert np.abs(np.cov(drawn).diagonal() - 1.0).max() < 4.0 * np.sqrt(2.0 / drawn.shape[1])
