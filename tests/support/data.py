"""Programs of data made by hand: scalar steps that show what the engines' rows hold."""

import math
from dataclasses import replace

import numpy as np

import ngos_sim as ns
from ngos_sim.engines.features import Feature
from ngos_sim.engines.fields import Data, DataField
from ngos_sim.engines.program import Inputs, Process, ProcessInputs, Program, no_law
from ngos_sim.oracles.margins import MODELS
from tests.support import programs

LOGISTIC = MODELS["logistic"]


def descend(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
    """RMSprop on the gradient that it is told."""
    v = x[1] + 0.1 * (pull * pull - x[1])
    return x[0] - c[0] * pull / (math.sqrt(v) + 1e-3), v


def diffuse(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
    """Euler's step of RMSprop's SDE, or of one much like it."""
    scale = 1.0 / (math.sqrt(x[1]) + 0.1)
    return x[0] - (c[0] * pull + math.sqrt(c[0]) * xi) * scale, x[1] + c[0] * (spread - x[1])


def show(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
    """The rows themselves, theta as it was."""
    return x[0], pull, xi, spread


def nothing(x, pull, spread, a, s):
    return 0.0


def square(x, pull, spread, a, s):
    return pull * pull


def trace(x, pull, spread, a, s):
    return spread


FEATURES = (
    Feature(nothing, -1, False, sample=LOGISTIC.phi),
    Feature(square, -1, True, reads=("pull",)),
    Feature(trace, -1, False, reads=("spread",)),
)


def minibatch(batch, weights=(1.0,)):
    return DataField(LOGISTIC.slope, weights, batch)


SDE = DataField(LOGISTIC.slope, spread=True)


def samples(n, d, seed=0):
    """Return features and labels."""
    drawn = np.random.default_rng(seed)
    return drawn.normal(size=(n, d)), np.where(drawn.random(n) < 0.5, 1.0, -1.0)


def made(n, d, processes, records, features=FEATURES, slots=2, theta=0.3):
    """Return a Program and its Inputs; processes : (move, stride, field) of each. Recorded: x[0] and the features.

    With more than two slots, every slot of every coordinate of the first process is recorded.
    """
    substeps, last = max(stride for _, stride, _ in processes), records[-1]
    start = np.full((d, slots), 0.5)
    start[:, 0] = np.linspace(-theta, theta, d)
    parts, numbers = [], []
    for move, stride, field in processes:
        parts.append(Process(move, slots, stride, no_law, None, 0 if field.batch else 1, 0, field))
        table = np.full((-(-last // stride), 1, 1), 0.05 * stride / substeps)
        numbers.append(ProcessInputs((0.0,), (0.0,), (np.zeros(d),), (np.zeros(d),), table, start))
    rows = slots * d + len(features)
    recorded = range(rows) if slots > 2 else [0, *range(slots * d, rows)]
    exponents = np.eye(rows, dtype=np.int64)[list(recorded)]
    terms = np.arange(len(exponents)), np.ones((len(records), len(exponents))), exponents
    nowhere = np.zeros((0, 0))
    combinations = np.eye(len(parts))
    data = Data(*samples(n, d), 0.01)
    inputs = Inputs(
        123, tuple(numbers), np.array(records), len(exponents), *terms, combinations, nowhere, nowhere, data
    )
    return Program(tuple(parts), tuple(features), d, substeps, 1), inputs


FEW = np.array([[1.0, 0.4], [-0.3, 1.1], [0.7, -0.9], [0.2, 0.1]])


def logistic_study(rule, functions=("loss",), oracle=None, **others):
    """Return a study of an optimizer on four samples, against itself at twice the batch unless told otherwise."""
    oracle = oracle or ns.finite_data(FEW, [1, 0, 1, 0], l2=0.1)
    given = {"batch_size": [1, 2], "reference": ns.scaling_rule(2), "horizon": 0.16, **others}
    initial = dict.fromkeys(rule.slots, 0.5)
    return ns.ConvergenceStudy(oracle, rule, initial=initial, test_functions=list(functions), **given)


def study():
    """Return the program of a study on data: RMSprop beside its SDE at one level, and every word, each by itself.

    In differences, a study's own, accuracies cancel to their rounding.
    """
    words = ["loss", "accuracy", "trace(Sigma)", "norm(grad)", "distance"]
    settings = dict(initial=dict(theta=[0.3, -0.2], u=1.4), eta2=[0.125], horizon=0.25, test_functions=words)
    rule = ns.rmsprop(sigma0=0.25, eps0=0.1, c2=1.3)
    one = ns.ConvergenceStudy(ns.finite_data(*samples(6, 2), l2=0.1), rule, ns.rmsprop_sde(), **settings)
    job = programs.plans(one, 7)[0].jobs[0]
    program, inputs = (replace(each, processes=each.processes[:2]) for each in (job.program, job.inputs))
    return program, replace(inputs, combinations=np.eye(2))


def cases():
    """Return {name: program and inputs}: SVAG's two minibatches, SDEs of two levels, more rows than registers."""
    levels = [(diffuse, level, SDE) for level in (1, 4)]
    batches = [(descend, 1, minibatch(3)), (descend, 1, minibatch(2, (0.7, 0.3)))]
    return {
        "minibatches of data": made(11, 3, batches, [1, 3]),
        "SDEs of data": made(11, 3, levels, [4]),
        "wide data": made(6, 17, [(diffuse, 1, SDE), (descend, 1, minibatch(2))], [1]),
        "study of data": study(),
    }
