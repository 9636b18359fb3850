"""Programs for engine tests: every built-in rule beside its SDE, the local estimator's; the problem of study files."""

import functools
import math
from fractions import Fraction
from math import exp

import numpy as np

import ngos_sim as ns
from ngos_sim import preconditioner
from ngos_sim.arithmetic import matvec, slotwise
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import BLOCK
from ngos_sim.estimators import choose
from ngos_sim.estimators.assembly import Part, assemble, observables
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.problems import problems
from tests.support import sdes

RMSPROP = dict(sigma0=0.8, eps0=0.1, c2=1.3)
MATRIX_ROWS = 20  # of `matrix_in_table`
PROBLEM = """\
[oracle]
loss = { kind = "quadratic", hessian = [0.9] }
covariance = 1.0
noise = { kind = "gaussian" }

[optimizer]
kind = "rmsprop"
sigma0 = 0.8
eps0 = 0.0
c2 = 1.3

[initial]
theta = [1.2]
u = 1.0

[[sde]]
kind = "rmsprop"
"""


def plans(study, seed, index=0):
    """Return what a study's estimators plan at a point."""
    return [each.plan for each in choose.plans(study.served, problems(study, seed)[index])]


def alike(study, lanes=(0, 99)):
    """Return whether lanes of a study's first run are the same compiled and in plain Python, bit for bit."""
    job, *_ = plans(study, 1)[0].jobs
    block = cpu.Kernel(job.program, job.inputs, "f64").block(3)
    plain = (python.trajectory(job.program, job.inputs, 3 * BLOCK + lane)[0] for lane in lanes)
    return all(np.array_equal(block[..., lane], one) for lane, one in zip(lanes, plain, strict=True))


def build(oracle, processes, functions, start, h, steps, t0=0.0, records=None, key=7, sigma=8.0):
    """Return the program and inputs of (rule, noise, steps) triples on one stream."""
    parts = [Part(rule, noise, count, h, sigma) for rule, noise, count in processes]
    start = np.atleast_2d(np.asarray(start, dtype=np.float64))
    records = np.array([steps] if records is None else records, dtype=np.int64)
    observed = observables(oracle, functions, parts[0].rule.slots, len(start), records)
    return assemble(oracle, parts, np.eye(len(parts)), observed, start, h, t0, records, key)


def beside_its_sde(oracle, rule, sde, noise, start, functions, steps=3, records=(1, 3), levels=(2,)):
    """Return the program of a rule and of its SDE, at each level with so many steps to one."""
    several = [(euler_maruyama(sde, rule), ns.gaussian(), level) for level in levels]
    return build(oracle, [(rule, noise, 1), *several], functions, start, 2.0**-4, steps, t0=0.25, records=records)


def slope(theta, p):
    wave = math.pi * math.cos(math.pi * theta) - 2.0 * theta * math.sin(math.pi * theta)
    return math.tanh(theta / p.width) + 0.1 * wave * exp(-theta * theta)


def height(theta, p):
    rest = 0.1 * math.sin(math.pi * theta) * math.exp(-theta * theta)
    return p.width * math.log(1.0 + math.exp(2.0 * theta / p.width)) - theta + rest


def users():
    """Return the program of RMSprop on a user's own loss, noise law and test function, which call math's functions."""
    loss = ns.Loss("mine", slope, height, width=[1.0, 2.0])
    noise = ns.Noise("bent", lambda xi, p: 1.5 * math.tanh(xi), lambda nodes, p: ([-1.0, 1.0], [0.5, 0.5]))
    g = ns.TestFunction("g", lambda x: math.log(x[1]) * exp(x[0]), coordinate=1)
    start = [[1.2, 1.4], [-0.3, 0.7]]
    return build(ns.NGOS(loss), [(ns.rmsprop(**RMSPROP), noise, 1)], ["loss", g], start, 2.0**-4, 3)


@functools.cache
def rules():
    """Return {name: program and inputs}: each rule, convention and kind of noise, beside an SDE, d up to 3."""
    start = [[1.2, 1.4], [-0.3, 0.7], [0.5, 1.0]]
    three, linear = ns.NGOS(ns.quadratic([0.9, 2.0, 0.5]), [1.0, 0.5, 2.0]), ns.NGOS(ns.linear(0.7))
    adam, moments = [[1.2, -0.4, 1.4]], ["theta[0]^2", "theta[0]*m[0]", "u[0]"]
    previous, updated = (ns.rmsprop(second_moment=name, **RMSPROP) for name in ("previous", "updated"))
    before, after = (ns.adam(c1=2.0, second_moment=name, **RMSPROP) for name in ("previous", "updated"))
    own = beside_its_sde(
        linear, updated, sdes.squared_gradient_sde(None), svag_law(ns.uniform(), 2.0), start[:1], ["theta[0]", "u[0]^3"]
    )
    settings = ns.rmsprop_sde(), ns.gaussian(), start, ["theta[0]", "u[1]^3"]
    return {
        "rmsprop": beside_its_sde(three, previous, *settings, levels=(1, 2, 4)),
        "rmsprop updated, plug-in SDE, SVAG": own,
        "adam": beside_its_sde(linear, before, ns.adam_sde(), ns.skewed(low_skewness=4.0), adam, moments),
        "adam updated": build(linear, [(after, ns.rademacher(), 1)], moments, adam, 2.0**-4, 3, t0=0.25),
    }


def second_brownian():
    """Return the SDE of RMSprop with a second Brownian motion in both slots."""
    near = ns.rmsprop_sde()

    def diffusion(x, o, c, p):
        theta, u = x
        return (-p.sigma0 * c[0] * preconditioner(u, p.sigma0, c[1]), 0.1 * u), (0.2 * theta, p.nu)

    return ns.SDE("second", near.drift, diffusion, near.slots, near.schedule, channels=2, nu=0.3)


@functools.cache
def two_channels():
    """Return {name: program and inputs} of optimizers beside SDEs of one and of two channels; SVAG has its Gaussian."""
    rule, sde, svag = ns.rmsprop(**RMSPROP), second_brownian(), svag_law(ns.uniform(), 2.0)
    one, two = (euler_maruyama(each, rule) for each in (ns.rmsprop_sde(), sde))
    gaussian, start, functions = ns.gaussian(), [[1.2, 1.4], [-0.3, 0.7]], ["theta[0]*u[0]", "u[1]^2"]
    mixed = [(rule, svag, 1), (one, gaussian, 2), *((two, gaussian, level) for level in (4, 2, 1))]
    eight = ns.NGOS(ns.quadratic([0.9, 2.0, 0.5, 1.0] * 2), [1.0, 0.5, 2.0, 0.7] * 2)
    return {
        "two channels": beside_its_sde(ns.NGOS(ns.linear(0.7)), rule, sde, gaussian, start[:1], functions[:1]),
        "two channels, groups": build(eight, mixed, ["theta[0]*u[6]"], start * 4, 2.0**-4, 3, records=[1, 3]),
        "two channels, matrices": build(matrices(2), mixed[:3], functions, start, 2.0**-4, 3, records=[1, 3]),
    }


def local(rule, sde, d=2, eta2=0.125, horizon=0.5, **start):
    """Return the program of a rule's local estimator on matrices, as a study makes it."""
    last = "u" if "u" in rule.slots else "v"
    start = {"theta": [1.2, -0.3, 0.5][:d], last: 1.1, "t0": 0.25} | start
    functions = ["theta[0]", f"theta[1] - {last}[0]"]
    settings = dict(initial=start, eta2=[eta2], horizon=horizon, test_functions=functions)
    study = ns.ConvergenceStudy(matrices(d), rule, sde, estimator="local", **settings)
    (job,) = plans(study, 7)[0].jobs
    return job.program, job.inputs


@functools.cache
def locals_on_matrices():
    """Return {name: program and inputs} of local estimators on matrices; in one an SDE takes steps beside the rule."""
    updated, near = ns.rmsprop(second_moment="updated", **RMSPROP), ns.rmsprop_sde()
    own = ns.SDE("own", near.drift, near.diffusion, near.slots, near.schedule, pivot=near)
    return {
        "rmsprop updated": local(updated, near),
        "adam": local(ns.adam(c1=2.0, **RMSPROP), ns.adam_sde(), m=0.1),
        "pivot": local(ns.rmsprop(**RMSPROP), own, horizon=0.375),
        "hessian gradient": local(own_rule(), near),
        "u in the middle": local(*sdes.turned_adam(), m=0.1),
        "no autonomous slot": local(*sdes.heavy_ball()),
    }


def matrices(d):
    """Return an oracle whose Hessian and covariance are matrices."""
    i = np.arange(d)
    decay = 0.5 ** np.abs(i[:, None] - i)
    return ns.NGOS(ns.quadratic(decay * np.sqrt(np.outer(1.0 + i, 1.0 + i)) / d), 0.4 * decay + np.diag(0.8 + 0.1 * i))


def bent():
    """Return the program of a rule and an SDE that read H grad f, H a matrix and a curvature that moves."""
    loss = ns.Loss(
        "waves",
        lambda theta, p: p.height * math.sin(theta),
        lambda theta, p: -p.height * math.cos(theta),
        lambda theta, p: p.height * math.cos(theta),
        matrix=matrices(3).loss.matrix,
        height=[0.5, 1.0, 2.0],
    )

    def step(x, o, z, c, p):
        theta, u = x
        return theta - c[0] * (o.gradient + 0.5 * c[0] * o.hessian_gradient) - c[1] * z, u + c[0] * (o.variance - u)

    def drift(x, o, c, p):
        return -o.gradient - 0.5 * p.eta2 * o.hessian_gradient, o.variance - x[1]

    rule = ns.Optimizer("bent", step, ("theta", "u"), sigma0=0.8)
    sde = ns.SDE("bent", drift, lambda x, o, c, p: (-p.sigma0, 0.0), rule.slots)
    start = [[1.2, 1.4], [-0.3, 0.7], [0.5, 1.0]]
    oracle = ns.NGOS(loss, matrices(3).covariance)
    return beside_its_sde(oracle, rule, sde, ns.gaussian(), start, ["theta[0]", "theta[2]^2", "loss"])


def matrix_step(x, o, z, c, p):
    (scale, _), matrix = c
    theta = x[0] - scale / math.sqrt(1.0 + x[0] * x[0]) * (o.gradient + z)
    return theta, *matvec(matrix, x, slotwise(x[1:], theta, x[1:]))


def matrix_in_table(d):
    """Return the program of a rule with a matrix of 20 x 21 numbers a step and coordinate behind its own two."""
    random, slots = np.random.default_rng(1), ("theta", *(f"e{i}" for i in range(MATRIX_ROWS)))
    size, steps, h = MATRIX_ROWS * (MATRIX_ROWS + 1), 3, 1 / 16
    table = random.standard_normal((steps, d, 2 + size)) / MATRIX_ROWS
    rule = ns.Optimizer("own", matrix_step, slots, lambda k, h, p: (h, h))
    part = Part(rule, ns.gaussian(), 1, h, 1.0, table, matrix=size)
    records, start = np.array([1, steps]), random.standard_normal((d, len(slots)))
    oracle, functions = ns.NGOS(ns.quadratic([0.9] * d)), ["theta[0]", f"e0[{d - 1}]", "e19[0]*e7[0]"]
    observed = observables(oracle, functions, slots, d, records)
    return assemble(oracle, [part], np.eye(1), observed, start, h, 0.0, records, 7)


def own_rule():
    """Return a rule of RMSprop's slots that reads H grad f: what the local estimator measures on matrices."""
    base = ns.rmsprop(**RMSPROP)

    def step(x, o, z, c, p):
        theta, u = x
        d = c[0] * (o.gradient + 0.5 * p.eta2 * o.hessian_gradient) + c[1] * z
        return theta - d / (p.sigma0 * math.sqrt(u) + p.eps0), u + c[3] * ((z + c[2] * o.gradient) ** 2 - u)

    return ns.Optimizer("own", step, base.slots, base.schedule, **base.parameters)


@functools.cache
def local_errors():
    """Return {name: program and inputs}: what the local estimator runs for each rule."""
    start, moving = dict(theta=1.2, u=1.4), dict(theta=1.2, m=-0.4, u=1.4, t0=0.125)
    rmsprop, adam = ns.rmsprop(**RMSPROP), ns.adam(c1=2.0, **RMSPROP)
    studies = {
        "local rmsprop": (ns.quadratic(0.9), rmsprop, ns.rmsprop_sde(), start, ["theta[0]^2*u[0]", "u[0]^2"]),
        "local adam": (ns.linear(0.6), adam, ns.adam_sde(), moving, ["m[0]^2*u[0]", "theta[0]^2*u[0]"]),
    }
    programs = {}
    for name, (loss, rule, sde, initial, functions) in studies.items():
        settings = dict(sde=sde, initial=initial, test_functions=functions, steps=[6], horizon=0.75, times=[0.75])
        study = ns.ConvergenceStudy(ns.NGOS(loss), rule, estimator="local", **settings)
        (job,) = plans(study, 7)[0].jobs
        programs[name] = job.program, job.inputs
    return programs


@functools.cache
def cases():
    """Return {name: program and inputs}: rules, local errors, features, users' functions, matrices, much state."""
    rule = ns.rmsprop(**RMSPROP)
    g = ns.TestFunction("g", lambda x: x[0] * x[0] + x[1], coordinate=1)
    heavy = [(rule, ns.laplace(), 1), (rule, ns.student_t(5.0), 1)]
    words = ["2*loss - trace(Sigma)*u[0]", "norm(grad)", "sqnorm(theta)", g]
    start = [[1.2, 1.4], [-0.3, 0.7]]
    others = {
        "features": alone(rule, 8, functions=words),
        "wide": alone(rule, 40, functions=["norm(grad)", "u[39]"]),
        "users": users(),
        "heavy tails": build(ns.NGOS(ns.linear(0.7)), heavy, ["theta[0]"], [[1.2, 1.4]], 2.0**-4, 6),
        "matrices": beside_its_sde(matrices(2), rule, ns.rmsprop_sde(), ns.uniform(), start, words),
        "hessian gradient": bent(),
        "wide matrices": alone(rule, 20, 2, matrices(20)),
    }
    return {**rules(), **local_errors(), **two_channels(), **others}


def alone(rule, dimension=1, steps=6, oracle=None, functions=("theta[0]",)):
    """Return the program of a rule alone, on a diagonal quadratic loss if no oracle is given."""
    start = np.tile([1.2, 1.4] if len(rule.slots) == 2 else [1.2, -0.4, 1.4], (dimension, 1))
    oracle = oracle or ns.NGOS(ns.quadratic([0.9] * dimension))
    return build(oracle, [(rule, ns.gaussian(), 1)], functions, start, 2.0**-4, steps)


def tree(lanes):
    """Return sums over the last axis, 128 lanes, and sums of squared deviations, by halving: shape (..., 2)."""
    total, spread, n = lanes, np.zeros_like(lanes), 1
    while total.shape[-1] > 1:
        half = total.shape[-1] // 2
        gap = total[..., :half] - total[..., half:]
        spread = np.array(
            [
                float(Fraction(g) * Fraction(g) / (2 * n) + Fraction(s)) if math.isfinite(g) else g * g
                for g, s in zip(
                    gap.ravel().tolist(), (spread[..., :half] + spread[..., half:]).ravel().tolist(), strict=True
                )
            ]
        ).reshape(gap.shape)
        total, n = total[..., :half] + total[..., half:], 2 * n
    return np.stack([total[..., 0], spread[..., 0]], axis=-1)


def block_sums(program, inputs, precision, block):
    """Return the CPU engine's sums and sums of squared deviations over the lanes of a block, in the GPU's order."""
    return tree(cpu.Kernel(program, inputs, precision).block(block))
