"""What is finer than the nodes that carry a law is refused, never measured wrongly; laws without noise are carried."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators.transport_answer import FINE, KINKED, TAIL, answers
from ngos_sim.estimators.transport_law import Carrier
from ngos_sim.estimators.transport_means import coordinates
from ngos_sim.estimators.transport_resolution import steps_finer
from ngos_sim.studies.problems import problems
from tests.support import enumeration

TWO_POINT, START = ns.two_point(skewness=0.9), dict(theta=1.2, u=1.0)


def study(loss, *functions, covariance=1.0, noise=None, **changes):
    """Return a study of RMSprop at one step size."""
    settings = dict(initial=START, horizon=1.0, times=[1.0], eta2=[2.0**-6], test_functions=list(functions))
    oracle = ns.NGOS(loss, covariance, noise or ns.gaussian())
    return ns.ConvergenceStudy(oracle, ns.rmsprop(0.8, 0.1, 1.3), ns.rmsprop_sde(), **{**settings, **changes})


def computed(study):
    """Return the Answers at the one point of a study, or why there is none, in the order of its test functions."""
    (problem,) = problems(study)
    return list(answers(problem, [ns.rmsprop_sde()], range(len(study.test_functions))).values())


def wave(frequency):
    return ns.TestFunction("wave", lambda x: math.cos(frequency * x[0]))


def bump(steepness):
    return ns.TestFunction("bump", lambda x: math.exp(-steepness * (x[1] - 0.9) * (x[1] - 0.9)))


@pytest.mark.parametrize("noise", [ns.gaussian(), TWO_POINT], ids=["gaussian", "two-point"])
@pytest.mark.parametrize("function", [wave(50.0), wave(200.0), bump(100.0), bump(1000.0)])
def test_functions_that_no_size_resolves_are_refused(function, noise):
    """Three sizes said -.078 +- .024 of the bump of steepness 100, where 32,768 trajectories say .033 +- .002."""
    refused, served = computed(study(ns.log_cosh(1.0), function, "theta[0]", noise=noise))
    assert refused in (f"it {FINE}", KINKED)  # by what it seems to be
    assert not isinstance(served, str)


def test_a_small_fine_part_is_seen_where_the_noise_has_atoms():
    """1e-3 cos(200 theta) beside theta^2: nothing averages it among a few atoms."""
    function = ns.TestFunction("rippled", lambda x: x[0] * x[0] + 1e-3 * math.cos(200.0 * x[0]))
    assert computed(study(ns.log_cosh(1.0), function, noise=TWO_POINT)) == [f"it {FINE}"]


def test_auto_samples_what_transport_does_not_resolve():
    """By enumeration of the optimizer's 2^4 paths: transport said .061 +- .032 of an error of -.231."""
    h, function = 2.0**-6, wave(200.0)
    states, chance = enumeration.paths(enumeration.rmsprop(h, np.tanh), [1.2, 1.0], *TWO_POINT.rule(1.0), 4)
    changes = dict(noise=TWO_POINT, horizon=4 * h, times=[4 * h])
    row = study(ns.log_cosh(1.0), function, **changes).run(8192, seed=3, threads=1).table.iloc[0]
    exact = float(np.sum(chance * np.cos(200.0 * states[0])))
    assert row.estimator == "coupled"
    assert abs(row.optimizer_mean - exact) < 5.0 / math.sqrt(8192)


@pytest.mark.parametrize("served", [wave(2.0), bump(2.0)])
def test_functions_that_are_resolved_are_carried(served):
    (found,) = computed(study(ns.log_cosh(1.0), served, noise=TWO_POINT))
    assert not isinstance(found, str)


def exponential(rate):
    """Return a study of SGD on a quadratic loss with exp(rate theta), and its error in closed form."""
    h, sigma, curvature = 2.0**-4, 2.0, 0.9
    loss, function = ns.quadratic(curvature), ns.TestFunction("exp", lambda x: math.exp(rate * x[0]))
    changes = dict(initial=dict(theta=1.2), eta=[h], horizon=1.0, times=[1.0], test_functions=[function])
    made = ns.ConvergenceStudy(ns.NGOS(loss), ns.sgd(sigma), ns.sgd_sde(), **changes)
    chain, flow = 1.0 - h * curvature, math.exp(-curvature)
    laws = (
        (1.2 * chain**16, (h * sigma) ** 2 * (1.0 - chain**32) / (1.0 - chain * chain)),
        (1.2 * flow, h * sigma**2 * (1.0 - flow * flow) / (2.0 * curvature)),
    )
    exact = [math.exp(rate * mean + 0.5 * rate * rate * variance) for mean, variance in laws]
    return made, exact[0] - exact[1]


@pytest.mark.parametrize("rate", [2.0, 8.0, 12.0])
def test_growing_functions_are_within_numerical(rate):
    made, exact = exponential(rate)
    (problem,) = problems(made)
    answer = answers(problem, [ns.sgd_sde()], [0])["sgd order 1", 0]
    assert abs(answer.error[0] - exact) < answer.of_error[0] < 0.1 * abs(exact)


@pytest.mark.parametrize("rate", [20.0, 30.0, 60.0])
def test_means_of_the_far_tail_are_refused(rate):
    """At a rate of 30 the mean is made 10 deviations out: three sizes said 1e27 +- 5e26, and it is 4e29."""
    (problem,) = problems(exponential(rate)[0])
    assert answers(problem, [ns.sgd_sde()], [0])["sgd order 1", 0] == TAIL


def corner(theta, p):
    return theta / math.sqrt(theta * theta + 1e-4)


@pytest.mark.parametrize(
    ("loss", "covariance"),
    [
        (ns.Loss("corner", gradient=corner, value=lambda t, p: math.sqrt(t * t + 1e-4)), 1.0),
        (ns.log_cosh(1.0), ns.sine_variance(1.0, 0.9, 40.0)),
        (ns.sine_quadratic(1.0, 0.02, 60.0), 1.0),
    ],
    ids=["gradient", "Sigma", "waves in the gradient"],
)
def test_steps_that_no_size_resolves_are_refused(loss, covariance):
    assert computed(study(loss, "theta[0]", covariance=covariance)) == [f"the step of 'rmsprop' {FINE}"]


def flow(theta, u, steps=4096):
    """Return (theta, u) at time 1 of d theta = -tanh(theta) / (.8 sqrt(u) + .1), d u = -1.3 u, by Runge and Kutta."""
    x, h = np.array([theta, u]), 1.0 / steps

    def slope(x):
        return np.array([-math.tanh(x[0]) / (0.8 * math.sqrt(x[1]) + 0.1), -1.3 * x[1]])

    for _ in range(steps):
        a = slope(x)
        b = slope(x + 0.5 * h * a)
        c = slope(x + 0.5 * h * b)
        x = x + h / 6.0 * (a + 2.0 * b + 2.0 * c + slope(x + h * c))
    return x


@pytest.mark.parametrize("covariance", [0.0, 1e-12])
def test_without_noise_the_lattice_is_short_and_the_error_exact(covariance):
    """A lattice as narrow as the law had millions of nodes; at a thousandth of theta's way it was not stable."""
    h = 2.0**-5
    (answer,) = computed(study(ns.log_cosh(1.0), "theta[0]", covariance=covariance, eta2=[h]))
    (theta, _), _ = enumeration.paths(enumeration.rmsprop(h, np.tanh), [1.2, 1.0], [0.0], [1.0], 32)
    error = float(theta[0]) - flow(**START)[0]
    assert abs(answer.error[0] - error) <= answer.of_error[0] < 0.01 * abs(error)


@pytest.mark.parametrize("steps", [64, 1024, 16384])
def test_what_rounding_leaves_of_a_short_step_is_not_fine(steps):
    """Adam on a linear loss: how far a step moves theta does not depend on theta, but for the last bits of theta."""
    made = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.6)),
        ns.adam(sigma0=0.8, eps0=0.0, c1=2.0, c2=1.3),
        ns.adam_sde(),
        initial=dict(theta=0.0, m=-0.4, u=1.4, t0=0.5),
        horizon=1.5,
        times=[1.5],
        eta2=[1.0 / steps],
        test_functions=["theta[0]"],
    )
    (problem,) = problems(made)
    assert steps_finer(Carrier(problem, coordinates(problem)[0], [ns.adam_sde()])) == ""
