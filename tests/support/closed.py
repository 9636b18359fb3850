"""An estimator that computes and does not sample: SGD and its SDE of order 1 on a quadratic, whose moments are known.

theta' = (1 - eta a) theta - eta sigma z: E theta and Var theta after k steps are geometric sums. Its SDE is that of
Ornstein and Uhlenbeck. Nothing of it is the library's.
"""

import time

import numpy as np

import ngos_sim as ns
from ngos_sim.estimators.coupled import Coupled

CURVATURE, SIGMA, START = 0.9, 0.8, 1.2


class Closed(ns.Estimator):
    """Serves theta[0] and theta[0]^2 where `only` is None, else that one; `numerical` is a part of each error.

    calls : how often it has computed
    """

    name = "closed"
    merit = "it is a closed form"

    def __init__(self, numerical=0.01, only=None):
        self.part, self.only = numerical, only
        self.calls = 0

    def serves(self, problems, opponent, function):
        known = problems[0].test_functions[function]
        if self.only not in (None, known):
            return ns.Refused(f"it serves {self.only} alone")
        return ns.Served(integrates=False)

    def plan(self, problem, wanted):
        asked = [(opponent.name, g) for opponent, mine in wanted.items() for g in mine]

        def read(measured):
            assert len(measured) == 0
            self.calls += 1
            return {ns.Quantity(*each): self.reading(problem, each[1]) for each in asked}

        return [ns.Plan((), read)]

    def reading(self, problem, function):
        chain, sde = moments(problem.h, problem.records)
        power = {"theta[0]": 0, "theta[0]^2": 1}[problem.test_functions[function]]
        error = chain[power] - sde[power]
        return ns.Reading(chain[power], sde[power], error, np.zeros(len(error)), numerical=self.part * np.abs(error))


class FineOnly(Closed):
    """Computes at h < 1/20 and has the coupled estimator sample at larger steps."""

    def plan(self, problem, wanted):
        return super().plan(problem, wanted) if problem.h < 0.05 else Coupled().plan(problem, wanted)


def moments(h, records):
    """Return (E theta, E theta^2) of SGD, and of its SDE, after each number of steps."""
    decay = 1.0 - h * CURVATURE
    chain = START * decay**records, (h * SIGMA) ** 2 * (1.0 - decay ** (2 * records)) / (1.0 - decay**2)
    flow = np.exp(-CURVATURE * h * records)
    sde = START * flow, h * SIGMA**2 * (1.0 - flow**2) / (2.0 * CURVATURE)
    return tuple((mean, mean**2 + variance) for mean, variance in (chain, sde))


def study(estimator, **changes):
    """Return a study of SGD against its SDE of order 1 on the quadratic."""
    settings = dict(sde=ns.sgd_sde(), initial=dict(theta=START), horizon=1.0, eta=[2.0**-k for k in range(3, 7)])
    settings |= dict(test_functions=["theta[0]", "theta[0]^2"], times=[0.5, 1.0], estimator=estimator) | changes
    return ns.ConvergenceStudy(ns.NGOS(ns.quadratic(CURVATURE)), ns.sgd(SIGMA), **settings)


class Watched(Closed):
    """Computes for as many hundredths of a second as a point has steps, and says so."""

    name = "watched"

    def work(self, problem, wanted):
        return float(problem.steps)

    def reading(self, problem, function):
        if function == 0:
            problem.watch(0.0)
            for _ in range(problem.steps):
                time.sleep(0.01)
                problem.watch(1.0)
        return super().reading(problem, function)
