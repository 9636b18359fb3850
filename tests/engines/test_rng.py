"""Philox against Random123's known answers; normals against libm and their moments."""

import hashlib
import math

import numpy as np
import pytest
from scipy.special import ndtr

import ngos_sim as ns
from benchmarks import lattice, precision
from ngos_sim.engines import python, rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu import kernels
from ngos_sim.engines.cuda import steps as cuda_steps
from ngos_sim.engines.cuda.bundles import Counter
from ngos_sim.engines.layout import Source
from ngos_sim.engines.program import BLOCK
from tests.support import programs
from tests.support.philox import KNOWN

BOUNDS = [("f64", 1e-7), ("f32", 1e-7)]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_known_answers(counter, key, answer):
    words = [[np.uint64(int(word, 16)) for word in text.split()] for text in (counter, key, answer)]
    assert list(rng.philox4x32(*words[0], *words[1])) == words[2]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_the_layout_of_the_counter_holds(counter, key, answer):
    """Of the counter's second word the low two bits are the stream, the others go on with the block's number."""
    c0, c1, low, high = (int(word, 16) for word in counter.split())
    k0, k1 = (np.uint64(int(word, 16)) for word in key.split())
    block, stream = np.uint64((c1 >> 2) << 32 | c0), np.uint64(c1 & 3)
    found = rng.philox4x32(block, rng.second_word(block, stream), np.uint64(low), np.uint64(high), k0, k1)
    assert list(found) == [int(word, 16) for word in answer.split()]


FAR = 2**32  # a Philox block that 32 bits do not hold


def test_draws_beyond_2_to_the_34_do_not_repeat_on_any_engine():
    key, trajectory = 0x0123456789ABCDEF, 3 * BLOCK
    blocks = (0, 1, 2, FAR - 1, FAR, FAR + 1, FAR + 2)
    drawn = [[python.draw(key, trajectory, stream, 4 * block) for block in blocks] for stream in (0, 1)]
    assert len({*drawn[0], *drawn[1]}) == 14
    far = drawn[0][3:]
    out, words = np.zeros(4 * 4 * BLOCK), np.zeros(4 * BLOCK, np.uint64)
    source = Source(bind(rng.philox4x32, "f64"), bind(rng.box_muller, "f64"))
    kernels._fill(source, out, words, 4, np.uint64(key), np.uint64(0), np.uint64(trajectory), FAR - 1)
    assert out.reshape(4, 4, BLOCK)[:, 0, 0].tolist() == far
    normals = np.zeros(8)
    fetch = cuda_steps.fetcher(8, 1, rng.normals, rng.BROWNIAN, lambda function: function)
    counter = Counter(*(np.uint64(value) for value in (trajectory, 0, key & 0xFFFFFFFF, key >> 32)))
    fetch(normals, np.uint32(FAR // 2), counter, 0)  # two blocks a step
    assert normals[[0, 4]].tolist() == far[1:3]
    for group in (0, 1):  # of four coordinates each
        fetch = cuda_steps.fetcher(4, 2, rng.normals, rng.BROWNIAN, lambda function: function)
        fetch(normals[:4], np.uint32(FAR // 2), counter, np.uint64(group))
        assert normals[0] == far[1 + group]


def words(n, seed):
    return np.random.default_rng(seed).integers(0, 2**32, (n, 2), dtype=np.uint64)


def libm(a, b, resolution):
    """Return Box-Muller's pair by libm: the radius from a, the angle from the low 31 bits of b."""
    radius = math.sqrt(-2 * math.log((int(a) // resolution + 0.5) * resolution / 2**32))
    angle = math.pi * ((int(b) % 2**31) / 2**31 - 0.5)
    return (-1 if int(b) >> 31 else 1) * radius * math.cos(angle), radius * math.sin(angle)


def test_normals_are_libms():
    extremes = np.array([[0, 0], [2**32 - 1, 2**32 - 1], [0, 2**31], [2**32 - 1, 2**30]], dtype=np.uint64)
    for a, b in np.concatenate([extremes, words(400, 1)]):
        np.testing.assert_allclose(rng.box_muller(a, b), libm(a, b, 1), rtol=0, atol=6e-12)


def test_single_precision_normals_are_libms():
    for a, b in words(400, 2):
        found = rng.box_muller32(np.uint32(a), np.uint32(b))
        assert all(isinstance(z, np.float32) for z in found)
        x = np.int32(np.uint32((int(b) << 1) & 0xFFFFFFFF)) / 2**32  # the angle's 31 bits, signed
        radius = math.sqrt(-2 * math.log((int(a) // 2 + 0.5) / 2**31))
        sign = -1 if int(b) >> 31 else 1
        wanted = sign * radius * math.cos(math.pi * x), radius * math.sin(math.pi * x)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6)


def off(kind, stride):
    """Return how far E z, z^2, z^4, z^6 of cosine and sine are from 0, 1, 3, 15, in units of 1, 1, 3, 15, and SEs."""
    found = lattice.moments(kind, stride)
    return (found.values - [0.0, 1.0, 3.0, 15.0]) / [1.0, 1.0, 3.0, 15.0], found.std_errors / [1.0, 1.0, 3.0, 15.0]


@pytest.mark.parametrize(("kind", "bound"), BOUNDS)
def test_moments_of_the_normals_over_their_words(kind, bound):
    values, errors = off(kind, 17)
    assert np.max(errors) < 1e-9
    assert np.max(np.abs(values) + 3.0 * errors) < bound


def test_moments_see_the_last_digit_of_a_coefficient(monkeypatch):
    first, *others = rng._SIN32
    monkeypatch.setattr(rng, "_SIN32", (np.nextafter(first, np.float32(4.0)), *others))
    values, _ = off("f32", 17)
    assert np.min(np.abs(values[1, 1:])) > 1e-7
    assert np.max(np.abs(values[0])) < 1e-7  # not the cosine


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "bound"), BOUNDS)
def test_moments_of_the_normals_over_all_words(kind, bound):
    (values, errors), (some, _) = off(kind, 1), off(kind, 17)
    assert np.max(np.abs(values) + 3.0 * errors) < bound
    np.testing.assert_allclose(some[:, 1:], values[:, 1:], rtol=0, atol=2e-10)  # the midpoint rule's error
    np.testing.assert_allclose(some[:, 0], values[:, 0], rtol=0, atol=2e-8)


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_weak_bias_of_mix(name):
    rule = ns.rmsprop(0.8, 0.1, 1.0) if name == "rmsprop" else ns.adam(0.8, 0.1, 2.0, 1.0)
    cosine = ns.TestFunction("cos", lambda x: math.cos(x[0]), coordinate=0)
    names, start = ["theta[0]", "theta[0]^2", "u[0]", cosine], [1.2, 1.4] if name == "rmsprop" else [1.2, -0.4, 1.4]
    law = [(rule, ns.gaussian(), 1)]
    built = programs.build(ns.NGOS(ns.quadratic(0.9)), law, names, [start], 0.01, 1000, t0=0.25)
    off, exact = precision.differences(*built, 32)  # beta2 = .99
    errors = off.std(axis=1) / math.sqrt(off.shape[1])
    assert np.max(errors) < 5e-9
    assert np.max(np.abs(off.mean(axis=1)) + 3.0 * errors) < 1e-7
    assert np.min(exact.std(axis=1)) > 1e5 * np.max(off.std(axis=1))  # the trajectories do pair


def test_draws_are_standard_normal_and_distinct():
    draws = np.array([python.draw(99, i, stream, n) for i in range(60) for stream in (0, 1) for n in range(16)])
    assert len(np.unique(draws)) == draws.size
    uniforms = np.sort(ndtr(draws))
    steps = np.arange(1, draws.size + 1) / draws.size
    assert np.max(np.abs(uniforms - steps)) < 1.63 / math.sqrt(draws.size)  # Kolmogorov-Smirnov at 99 %


def test_key_is_the_name_of_the_point():
    wanted = hashlib.sha256(b"7 0.0625 1.0 2").digest()[:8]
    assert rng.point_key(7, 0.0625, 1.0, 2) == int.from_bytes(wanted, "big")
    keys = {rng.point_key(s, h, e, k) for s in (0, 1) for h in (0.1, 0.2) for e in (1.0, 2.0) for k in (1, 2)}
    assert len(keys) == 16


def test_the_last_bit_of_a_step_size_is_no_seed():
    """Machines round np.geomspace, 0.1**2 and sqrt(2) differently: 12 digits are hashed, all of them."""
    for h, ell in ((0.01, 1.0), (np.geomspace(1e-3, 1e-1, 7)[3].item(), math.sqrt(2.0)), (1.0 / 3.0, 5.0 / 3.0)):
        key = rng.point_key(0, h, ell, 1)
        for around in (-math.inf, math.inf):
            assert rng.point_key(0, math.nextafter(h, around), ell, 1) == key
            assert rng.point_key(0, h, math.nextafter(ell, around), 1) == key
        assert rng.point_key(0, h * (1.0 + 2e-11), ell, 1) != key
        assert rng.point_key(0, h, ell * (1.0 + 2e-11), 1) != key
    assert rng.point_key(0, 0.1 * 0.1, 1.0, 1) == rng.point_key(0, 0.01, 1.0, 1)
