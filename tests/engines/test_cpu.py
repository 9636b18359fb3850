"""The CPU engine against plain Python, lane by lane, and against itself: threads, chunks, precision."""

import math
from dataclasses import replace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import BLOCK, BLOCKS, CHUNK
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.integrators import euler_maruyama
from tests.support import families, programs
from tests.support.programs import matrices

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def wavy(theta):
    return 1.0 + 0.5 * math.sqrt(theta * theta + 1.0)


def cases():
    """Yield (name, oracle, optimizer, sde, noise, start, test functions): every built-in, every kind of input."""
    two = ns.quadratic([0.9, 2.0])
    g = ns.TestFunction("g", lambda x: x[0] * x[0] + x[1], coordinate=1)
    words = ["theta[0]", "u[1]^3", "sqnorm(theta)", "2*loss - trace(Sigma)*u[0]", "norm(grad)", g]
    start = [[1.2, 1.4], [-0.3, 0.7]]
    for convention in ("previous", "updated"):
        rule = ns.rmsprop(second_moment=convention, **RMSPROP)
        yield convention, ns.NGOS(two, [1.0, 0.5]), rule, ns.rmsprop_sde(), ns.gaussian(), start, words
    for noise in (ns.uniform(), ns.rademacher(), ns.two_point(skewness=1.5), ns.skewed(low_skewness=4.0)):
        yield noise.name, ns.NGOS(two), ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), noise, start, words[:3]
    yield "svag", ns.NGOS(two), ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), svag_law(ns.uniform(), 2.0), start, words[:2]
    yield "state", ns.NGOS(two, wavy), ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), ns.gaussian(), start, words
    svag, root = svag_law(ns.uniform(), 2.0), ns.NGOS(two, matrices(2).covariance)
    yield "matrices svag", matrices(2), ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), svag, start, words
    yield "covariance", root, ns.rmsprop(**RMSPROP), ns.rmsprop_sde(), ns.skewed(low_skewness=4.0), start, words[:3]
    adam = [[1.2, -0.4, 1.4]]
    for convention in ("previous", "updated"):
        rule = ns.adam(c1=2.0, second_moment=convention, **RMSPROP)
        functions = ["theta[0]^2", "theta[0]*m[0]", "u[0]"]
        yield "adam " + convention, ns.NGOS(ns.linear(0.7)), rule, ns.adam_sde(), ns.gaussian(), adam, functions
    for name, (rule, sde, start) in families.decaying().items():
        yield name, ns.NGOS(ns.quadratic(0.9)), rule, sde, ns.gaussian(), start, ["theta[0]^2", "u[0]"]


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case[0])
def test_lanes_are_plain_pythons_bit_for_bit(build, case):
    _, oracle, optimizer, sde, noise, start, functions = case
    levels = [(euler_maruyama(sde, optimizer), ns.gaussian(), level) for level in (1, 2, 4)]
    processes = [(optimizer, noise, 1), *levels]
    program, inputs = build(oracle, processes, functions, start, 2.0**-4, 3, t0=0.25, records=[1, 3])
    block = cpu.Kernel(program, inputs, "f64").block(5)
    for lane in (0, 1, 127):
        expected, finite = python.trajectory(program, inputs, 5 * BLOCK + lane)
        assert finite
        np.testing.assert_array_equal(block[..., lane], expected)


@pytest.mark.parametrize("steps", [(1, 4, 1, 2), (4, 2, 4, 1), (2, 2, 2, 1)])
def test_sums_of_normals_belong_to_their_stride(build, steps):
    em = euler_maruyama(ns.rmsprop_sde(), ns.rmsprop(**RMSPROP))
    processes = [(em, ns.gaussian(), count) for count in steps]
    program = build(matrices(3), processes, ["theta[0]", "u[2]"], [[1.2, 1.4]] * 3, 2.0**-4, 3, records=[2, 3])
    block = cpu.Kernel(*program, "f64").block(1)
    for lane in (0, 127):
        np.testing.assert_array_equal(block[..., lane], python.trajectory(*program, BLOCK + lane)[0])


@pytest.fixture
def small(build):
    """An RMSprop chain alone: three coordinates, so that Philox blocks straddle steps."""
    oracle = ns.NGOS(ns.quadratic([0.9, 1.0, 2.0]))
    start = [[1.2, 1.4]] * 3
    return build(oracle, [(ns.rmsprop(**RMSPROP), ns.gaussian(), 1)], ["theta[2]", "u[0]"], start, 2.0**-4, 6)


def test_chain_alone_is_plain_pythons(small):
    program, inputs = small
    lanes = cpu.Kernel(program, inputs, "f64").block(0)
    for lane in (0, 77):
        np.testing.assert_array_equal(lanes[..., lane], python.trajectory(program, inputs, lane)[0])


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([1, 3, 3, 6], r"must ascend strictly, the first at least 1: record 2 is 3, after 3$"),
        ([4, 2], "record 1 is 2, after 4$"),
        ([0, 1], "record 0 is 0, after 0$"),
        ([1, 2**32], r"^4294967296 steps, those of integrators counted, are too many; 4294967295 are allowed$"),
    ],
)
def test_records_are_steps_that_ascend(small, records, message):
    _, inputs = small
    with pytest.raises(ValueError, match=message):
        replace(inputs, records=np.array(records))


def raises(value):
    if value > 1.5:
        raise ValueError("the value is too large")
    return value


@pytest.mark.parametrize("where", ["step", "noise", "feature"])
def test_what_a_user_raises_comes_through(build, where):
    of_step, of_noise, of_feature = (
        raises if where == each else (lambda value: value) for each in ("step", "noise", "feature")
    )
    rule = ns.Optimizer("rule", lambda x, o, z, c, p: (x[0] + of_step(z),), ("theta",), sigma0=1.0)
    noise = ns.Noise("noise", lambda xi, p: of_noise(xi), lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]))
    g = ns.TestFunction("g", lambda x: of_feature(x[0]), coordinate=0)
    program = build(ns.NGOS(ns.linear(1.0)), [(rule, noise, 1)], [g], [[1.0]], 0.1, 1)
    with pytest.raises(ValueError, match="the value is too large"):
        cpu.run(*program, 0, 1)


def largest(z):
    return max([z, -z], key=lambda each: each)


def of_two_types(x, o, z, c, p):
    change = z if z > 0.0 else "none"
    return (x[0] - (change if z > 0.0 else 0.0),)


def matches(x, o, z, c, p):
    match x:
        case (theta,):
            return (theta - z,)


def imports(x, o, z, c, p):
    from math import sqrt

    return (x[0] - sqrt(z * z),)


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (lambda x, o, z, c, p: (x[0] + largest(z),), r"return max\(\[z, -z\]"),
        (of_two_types, 'change = z if z > 0.0 else "none"'),
        (matches, r"case \(theta,\):"),
        (imports, "from math import sqrt"),
    ],
)
def test_what_cannot_be_compiled_is_named_in_one_line(build, step, line):
    rule = ns.Optimizer("uncompiled", step, ("theta",), sigma0=1.0)
    program = build(ns.NGOS(ns.linear(1.0)), [(rule, ns.gaussian(), 1)], ["theta[0]"], [[1.0]], 0.1, 1)
    with pytest.raises(
        TypeError, match=rf"^test_cpu\.py, line \d+ \({line}.*\) cannot be compiled; a scalar"
    ) as refusal:
        cpu.run(*program, 0, 1)
    assert "\n" not in str(refusal.value)
    assert python.trajectory(*program, 0)[1]


def test_chunk_sums_are_the_tree_of_the_lanes(small):
    program, inputs = small
    kernel = cpu.Kernel(program, inputs, "f64")
    found = kernel.chunks(2, 1).sums[0]
    lanes = np.stack([kernel.block(block) for block in range(2 * BLOCKS, 3 * BLOCKS)])
    blocks = programs.tree(lanes)
    np.testing.assert_array_equal(found[..., 0], sum(blocks[..., 0]))
    np.testing.assert_array_equal(found, python.chunk_sums(list(np.moveaxis(lanes, -1, 1))))
    every = np.moveaxis(lanes, 0, -1).reshape(*lanes.shape[1:-1], -1)
    spread = [[[math.fsum((v - math.fsum(q) / CHUNK) ** 2 for v in q) for q in g] for g in i] for i in every.tolist()]
    np.testing.assert_allclose(found[..., 1], spread, rtol=1e-13)


@pytest.mark.parametrize(("away", "slope"), [(1e6, 0.0), (1e8, 0.0), (1e10, 0.0), (0.0, 1e9), (1e10, -1e9)])
def test_where_the_mean_is_does_not_matter_to_the_spread(build, away, slope):
    """A random walk, its mean far from zero at the start or on the way: the variance is that of its noise alone."""

    def spread(start, slope):
        rule = ns.Optimizer("walk", lambda x, o, z, c, p: (x[0] - o.gradient + z,), ("theta",), sigma0=1.0)
        walk = build(ns.NGOS(ns.linear(slope)), [(rule, ns.gaussian(), 1)], ["theta[0]"], [[start]], 1.0, 4)
        return cpu.run(*walk, 0, 2, threads=1).sums[:, 0, 0, 0, 1]

    found = spread(away, slope)
    np.testing.assert_allclose(found, spread(0.0, 0.0), rtol=1e-6)
    np.testing.assert_allclose(found / (CHUNK - 1), [4.0, 4.0], rtol=0.15)


@pytest.mark.parametrize("precision", ["mix", "f64"])
def test_threads_and_splits_do_not_matter(small, precision):
    program, inputs = small
    whole = cpu.run(program, inputs, 0, 6, precision=precision, threads=1)
    threaded = cpu.run(program, inputs, 0, 6, precision=precision, threads=2)
    parts = [cpu.run(program, inputs, first, 3, precision=precision) for first in (0, 3)]
    np.testing.assert_array_equal(whole.sums, threaded.sums)
    np.testing.assert_array_equal(whole.sums, np.concatenate([part.sums for part in parts]))
    assert len(np.unique(whole.sums[:, 0, 0, 0, 0])) == 6


def test_mix_is_the_same_law(small):
    """Means of 204,800 trajectories in either precision agree within their sampling errors."""
    program, inputs = small
    chunks = 200
    mix, f64 = (cpu.run(program, inputs, 0, chunks, precision=precision) for precision in ("mix", "f64"))
    n = chunks * CHUNK
    mean = f64.sums[..., 0].sum(axis=0) / n
    std_error = np.sqrt(f64.sums[..., 1].sum(axis=0)) / n
    difference = mix.sums[..., 0].sum(axis=0) / n - mean
    assert np.all(std_error < 5e-3)
    assert np.all(np.abs(difference) < 4 * np.sqrt(2) * std_error)


def test_nonfinite_trajectories_are_counted(build):
    def step(x, o, z, c, p):
        return (x[0] / (z - z) if z > 1.5 else x[0],)

    rule = ns.Optimizer("breaks", step, ("theta",), sigma0=1.0)
    program, inputs = build(ns.NGOS(ns.linear(1.0)), [(rule, ns.gaussian(), 1)], ["theta[0]"], [[1.0]], 0.1, 1)
    found = cpu.run(program, inputs, 0, 1, precision="f64")
    large = [i for i in range(CHUNK) if python.draw(inputs.key, i, 0, 0) > 1.5]
    assert found.nonfinite.tolist() == [[len(large), large[0]]]
    assert 40 < len(large) < 100
