"""Minibatches and all samples of data: the CPU's and the Python engine against each other and against NumPy."""

import platform
import re

import numpy as np
import pytest
from numba import types

from ngos_sim.engines import python, python_data
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cpu import lanes
from ngos_sim.engines.program import CHUNK, cost
from tests.support.assembly import assembly
from tests.support.data import LOGISTIC, SDE, descend, diffuse, made, minibatch, samples, show

PROGRAMS = {
    "one sample": lambda: made(5, 3, [(descend, 1, minibatch(1))], [1, 3, 17]),
    "batches across spans": lambda: made(7, 10, [(descend, 1, minibatch(5))], [1, 3, 9]),
    "two of a step": lambda: made(7, 9, [(descend, 1, minibatch(3, (-0.3, 1.3)))], [2, 5]),
    "kappa": lambda: made(6, 2, [(descend, 1, minibatch(3)), (descend, 2, minibatch(6))], [2, 6]),
    "tiles": lambda: made(37, 3, [(descend, 4, minibatch(2)), *[(diffuse, 4 // m, SDE) for m in (1, 2, 4)]], [4, 12]),
    "fewer samples than coordinates": lambda: made(3, 12, [(descend, 2, minibatch(2)), (diffuse, 1, SDE)], [2, 6]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_lanes_are_plain_pythons_bit_for_bit(name):
    program, inputs = PROGRAMS[name]()
    out = cpu.Kernel(program, inputs, "f64").block(1)
    for lane in (0, 77):
        expected, finite = python.trajectory(program, inputs, 128 + lane)
        assert finite
        assert np.array_equal(out[..., lane], expected)


@pytest.mark.parametrize("precision", ["f64", "mix"])
def test_threads_and_splits_do_not_matter(precision):
    program, inputs = PROGRAMS["tiles"]()
    alone = cpu.run(program, inputs, 0, 3, precision=precision, threads=1)
    parts = [
        cpu.run(program, inputs, first, count, precision=precision, threads=2) for first, count in ((0, 1), (1, 2))
    ]
    assert np.array_equal(alone.sums, np.concatenate([part.sums for part in parts]))


def rows(n, d, field, precision="f64", blocks=1, records=(1,)):
    """Return theta and the rows pull, xi and spread, each (d, trajectories), after one step of `show`."""
    program, inputs = made(n, d, [(show, 1, field)], list(records), features=(), slots=4)
    kernel = cpu.Kernel(program, inputs, precision)
    found = np.concatenate([kernel.block(index)[-1, :, 0] for index in range(blocks)], axis=-1)
    return inputs, found.reshape(d, 4, -1).transpose(1, 0, 2)


def by_numpy(n, d, theta):
    """Return the gradients of the samples, (n, d), l2 apart."""
    x, y = samples(n, d)
    return -(y / (1.0 + np.exp(y * (x @ theta))))[:, None] * x


@pytest.mark.parametrize(("n", "d"), [(37, 3), (70, 12)])
def test_gradient_and_variance_of_all_samples(n, d):
    _, (theta, pull, _, spread) = rows(n, d, SDE)
    each = by_numpy(n, d, theta[:, 0])
    np.testing.assert_allclose(pull[:, 5], each.mean(axis=0) + 0.01 * theta[:, 5], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(spread[:, 5], each.var(axis=0), rtol=1e-12)


@pytest.mark.parametrize("precision", ["f64", "mix"])
def test_noise_has_the_covariance_of_a_sample(precision):
    """Within four standard errors of a covariance of Gaussians, entry by entry."""
    _, (theta, _, xi, _) = rows(37, 3, SDE, precision, blocks=400)
    expected = np.cov(by_numpy(37, 3, theta[:, 0]).T, bias=True)
    found, count = xi @ xi.T / xi.shape[1], xi.shape[1]
    scale = np.sqrt((np.outer(np.diag(expected), np.diag(expected)) + expected**2) / count)
    assert np.all(np.abs(found - expected) < 4.0 * scale)
    assert np.all(np.abs(xi.mean(axis=1)) < 4.0 * np.sqrt(np.diag(expected) / count))


def test_minibatch_is_the_mean_over_the_samples_that_words_say():
    inputs, (theta, pull, xi, _) = rows(37, 3, minibatch(5, (-0.5, 1.5)), records=(4,))
    each = by_numpy(37, 3, theta[:, 0])
    for lane in (0, 99):
        drawn = np.array(python_data.numbers_of_samples(inputs.key, lane, 30, 10, 37)).reshape(2, 5)
        expected = -0.5 * each[drawn[0]].mean(axis=0) + 1.5 * each[drawn[1]].mean(axis=0) + 0.01 * theta[:, lane]
        np.testing.assert_allclose(pull[:, lane], expected, rtol=1e-11, atol=1e-14)
    assert not np.any(xi[0])


def test_samples_are_uniform_and_independent():
    """Chi-square of 9 samples and of pairs in one trajectory, words 0 to 7 of 4000 trajectories; fixed key."""
    drawn = np.array([python_data.numbers_of_samples(7, index, 0, 8, 9) for index in range(4000)])
    counts = np.bincount(drawn.ravel(), minlength=9)
    assert 0.5 < np.sum((counts - drawn.size / 9) ** 2 / (drawn.size / 9)) < 26.1  # .1 % and 99.9 % of chi2(8)
    pairs = np.bincount(drawn[:, 0] * 9 + drawn[:, 1], minlength=81)
    assert 46.5 < np.sum((pairs - 4000 / 81) ** 2 / (4000 / 81)) < 124.8  # of chi2(80)


def test_larger_batch_takes_the_samples_of_the_smaller():
    """Steps 1 and 2 at B = 2 and step 1 at B = 4: means of the same four samples where theta stands still."""
    program, inputs = made(37, 3, [(show, 1, minibatch(2)), (show, 2, minibatch(4))], [1, 2], features=(), slots=4)
    small, large = np.moveaxis(cpu.Kernel(program, inputs, "f64").block(0), 2, 0)
    pulls = [each.reshape(2, 3, 4, -1)[:, :, 1] for each in (small, large)]
    np.testing.assert_allclose(pulls[0].mean(axis=0), pulls[1][1], rtol=1e-12, atol=1e-15)


def test_features_are_means_over_samples():
    program, inputs = made(5, 3, [(show, 1, minibatch(1))], [1], slots=4)
    found = cpu.Kernel(program, inputs, "f64").block(0)[0, :, 0, 3]
    theta, (loss, norm, total) = found[:12:4], found[12:]
    x, y = samples(5, 3)
    each = by_numpy(5, 3, theta)
    np.testing.assert_allclose(loss, np.mean(np.log1p(np.exp(-y * (x @ theta)))), rtol=1e-13)
    np.testing.assert_allclose(norm, np.linalg.norm(each.mean(axis=0) + 0.01 * theta), rtol=1e-12)
    np.testing.assert_allclose(total, each.var(axis=0).sum(), rtol=1e-12)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
def test_slopes_of_samples_are_vectorised():
    tag = bind(LOGISTIC.slope, "f64")._numba_type_
    text = assembly(lanes.slopes.kernel, tag, *lanes.slopes.types(types.float64, types.float64))
    assert re.search(r"\bv?divpd\b", text)
    assert not re.search(r"\$exp\b", text)


def test_a_step_costs_by_its_samples():
    """What a task's size, a bar and device="auto" go by: of all 37 in the SDE's 1 + 2 + 4 steps to the optimizer's."""
    program, inputs = PROGRAMS["tiles"]()
    steps = inputs.records[-1] / 4 * 3 * CHUNK
    assert cost(program, inputs) == pytest.approx(steps * ((1 + 0.3 * 2) + 7 * (1 + 0.3 * 37)))
