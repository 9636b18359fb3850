"""Losses and covariances of all of theta on the engines: equal bits, vectors, and laws that share no code."""

import itertools
import platform
import re

import numpy as np
import pytest
from numba import types

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cpu import joint_field
from ngos_sim.engines.fields import joint_field as field_of
from ngos_sim.engines.program import BLOCK
from tests.support import joint, naive, programs
from tests.support.assembly import REAL, assembly
from tests.support.joint import RMSPROP

CASES = joint.cases()


@pytest.mark.parametrize("name", CASES)
def test_lanes_are_plain_pythons_bit_for_bit(name):
    program, inputs = CASES[name]
    block = cpu.Kernel(program, inputs, "f64").block(5)
    for lane in (0, 127):
        expected, finite = python.trajectory(program, inputs, 5 * BLOCK + lane)
        assert finite
        np.testing.assert_array_equal(block[..., lane], expected)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
@pytest.mark.parametrize("precision", ["mix", "f64"])
@pytest.mark.parametrize("name", ["gradient", "variance", "mixed"])
def test_loops_are_vectorised(name, precision):
    """More packed than scalar products, and no call of libm's; of R zeta in the type that xi has."""
    oracle = joint.ORACLES["joint loss and covariance"]
    loop = joint_field.mixed if name == "mixed" else joint_field.vector
    tag = joint_field.whole(getattr(field_of(oracle), name), precision, 2, (0.7,))._numba_type_
    text = assembly(loop.kernel, tag, *loop.types(REAL[precision], types.float64))
    packed, scalar = (len(re.findall(rf"\bv?(?:fn?m(?:add|sub)\w*|mul){end}\b", text)) for end in ("pd", "sd"))
    assert packed > 4
    assert packed > scalar
    assert not re.search(r"\$(sin|cos|tanh)\b", text)


def quadratic(d):
    """Return the programs of x^T H x / 2 as a joint and as a matrix loss."""
    half = np.random.default_rng(d).normal(size=(d, d))
    matrix = half @ half.T / d + np.eye(d)
    start, words = [[1.2 - 0.4 * j, 1.4] for j in range(d)], [f"theta[{d - 1}]^2*u[0]", "norm(grad)"]
    made = (joint.form(matrix.tolist()), ns.quadratic(matrix))
    parts = [(RMSPROP, ns.uniform(), 1)]
    covariance = 1.0 if d == 3 else np.diag(np.arange(1.0, d + 1)) + 0.2
    return [programs.build(ns.NGOS(loss, covariance), parts, words, start, 2.0**-4, 5, records=[2, 5]) for loss in made]


@pytest.mark.parametrize(("d", "precision"), [(2, "f64"), (3, "mix"), (4, "f64"), (5, "mix")])
def test_a_quadratic_form_is_the_matrix_loss(d, precision):
    made = quadratic(d)
    for run in (lambda *each: cpu.Kernel(*each, precision).block(0), lambda *each: python.trajectory(*each, 3)[0]):
        mine, its = (run(*each) for each in made)
        np.testing.assert_allclose(mine, its, rtol=1e-12)


def signs(steps, d):
    """Return all equally likely paths of Rademacher noise, shape (paths, steps, d), and their weights."""
    paths = np.array(list(itertools.product((-1.0, 1.0), repeat=steps * d))).reshape(-1, steps, d)
    return paths, np.full(len(paths), 1.0 / len(paths))


@pytest.mark.parametrize("updated", [False, True])
def test_enumerated_rmsprop_is_the_definition(updated):
    """On a joint loss and covariance, all 2^8 paths of 4 steps: Definition 2.1 of arXiv 2205.10287 in NumPy."""
    h, steps = 2.0**-3, 4
    rule = ns.rmsprop(second_moment="updated" if updated else "previous", **programs.RMSPROP)
    oracle, start = joint.ORACLES["joint loss and covariance"], [[1.2, 1.4], [-0.3, 0.7]]
    words = ["theta[0]*theta[1]", "u[1]", "loss", "trace(Sigma)"]
    program, inputs = programs.build(oracle, [(rule, ns.rademacher(), 1)], words, start, h, steps)
    paths, weights = signs(steps, 2)
    found = python.expectation(program, inputs, paths, weights)[0, :, 0]

    sigma0, eps0, c2 = (programs.RMSPROP[name] for name in ("sigma0", "eps0", "c2"))
    eta, sigma = np.sqrt(h), sigma0 / np.sqrt(h)
    expected = np.zeros(4)
    for path, weight in zip(paths, weights, strict=True):

        def gradient(k, theta, path=path):
            x, y = theta
            root = np.array([[1.0, 0.05 * np.sin(y)], [0.5 * np.tanh(x), 0.8]])
            return [0.7 * y * np.cos(x) + 0.3 * x, 0.7 * np.sin(x) + y] + sigma * root @ path[k]

        v = sigma**2 * np.array([1.4, 0.7])
        thetas, vs = naive.rmsprop(np.array([1.2, -0.3]), v, [gradient] * steps, eta, 1 - c2 * h, eps0 / eta, updated)
        (x, y), u = thetas[-1], vs[-1] / sigma**2
        loss = 0.7 * y * np.sin(x) + 0.15 * x * x + 0.5 * y * y
        trace = 1.0 + (0.05 * np.sin(y)) ** 2 + (0.5 * np.tanh(x)) ** 2 + 0.64
        expected += weight * np.array([x * y, u[1], loss, trace])
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def last_noise(x, o, z, c, p):
    return x[0], z, o.variance


def test_the_noise_has_its_covariance():
    """E (R zeta)(R zeta)^T over all signs, and o.variance, its diagonal."""
    keeper = ns.Optimizer("keeper", last_noise, ("theta", "z", "s"), sigma0=1.0)
    oracle, theta = ns.NGOS(ns.linear(0.7), joint.LEANING), [0.4, -1.3]
    words = ["z[0]^2", "z[0]*z[1]", "z[1]^2", "s[0]", "s[1]"]
    program, inputs = programs.build(
        oracle, [(keeper, ns.rademacher(), 1)], words, [[each, 0.0, 0.0] for each in theta], 0.5, 1
    )
    found = python.expectation(program, inputs, *signs(1, 2))[0, :, 0]
    sigma = oracle.covariance_at(theta)
    expected = [sigma[0, 0], sigma[0, 1], sigma[1, 1], sigma[0, 0], sigma[1, 1]]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
