"""The flows of an optimizer's own step against closed forms: what a basis holds is carried exactly."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.estimators import own_flow
from ngos_sim.known.basis import Basis
from ngos_sim.known.coordinate import Coordinate
from ngos_sim.known.moments import Moments
from ngos_sim.known.probing import Probe
from ngos_sim.known.quadrature import law_rule
from ngos_sim.processes.integrators import table
from ngos_sim.processes.rule import parameters

HESSIAN, SLOPE, VARIANCE, STEPS = 0.9, 0.3, 0.7, 64
H = 1.0 / STEPS
CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def sgd_step(x, o, z, c, p):
    return (x[0] - c[0] * o.gradient - c[1] * z,)


def sgd():
    return ns.Optimizer("sgd", sgd_step, ("theta",), lambda k, h, p: (h, math.sqrt(h) * p.sigma0), sigma0=0.8)


def sgd_sde():
    return ns.SDE("sgd", lambda x, o, c, p: (-o.gradient,), lambda x, o, c, p: (-p.sigma0,), ("theta",))


def heavy_ball():
    def step(x, o, z, c, p):
        theta, v = x
        v = v - c[0] * (p.mu * v + o.gradient) - c[1] * z
        return theta + c[0] * v, v

    return ns.Optimizer("ball", step, ("theta", "v"), lambda k, h, p: (h, math.sqrt(h) * 0.8), mu=0.9)


def heavy_ball_sde():
    def drift(x, o, c, p):
        return x[1], -p.mu * x[1] - o.gradient

    return ns.SDE("ball", drift, lambda x, o, c, p: (0.0, -0.8), ("theta", "v"))


def parts(rule, sde, start, degree, t0=0.0, nodes=4, **more):
    """Return the OwnStep and the Moments of a problem."""
    coordinate = Coordinate(HESSIAN, SLOPE, VARIANCE, start, t0, t0 + 1.0, dict(rule.parameters), H)
    probe = Probe(sde, coordinate)
    moments = Moments(probe, Basis(probe.linear, probe.autonomous, degree, **more))
    held = parameters(rule, H)
    rows = table(rule, round(t0 / H), STEPS, H, held)
    step = own_flow.OwnStep(rule, coordinate, H, held, rows, *law_rule(ns.gaussian(), 0.8 / math.sqrt(H), nodes))
    return step, moments


def flows(*problem, **more):
    """Return the M_k, the Moments, and the OwnStep that they are of."""
    step, moments = parts(*problem, **more)
    return own_flow.flows(step, moments)(0, STEPS), moments, step


def test_sgd_closes():
    """E theta'^2 = (a theta - h slope)^2 + h sigma0^2 Sigma, a = 1 - h lambda."""
    found, *_ = flows(sgd(), sgd_sde(), (1.5,), 2)
    a, b = 1.0 - H * HESSIAN, -H * SLOPE
    exact = [[1.0, 0.0, 0.0], [b, a, 0.0], [b * b + H * 0.64 * VARIANCE, 2.0 * a * b, a * a]]
    np.testing.assert_allclose(found, np.tile(exact, (STEPS, 1, 1)), rtol=0, atol=1e-12)


def test_heavy_ball_closes():
    """The means of (theta, v) move by one matrix, their products by its square; theta's law is narrow: rounding."""
    found, moments, _ = flows(heavy_ball(), heavy_ball_sde(), (1.5, 0.3), 2)
    own = np.array([[1.0 - H * H * HESSIAN, H * (1.0 - H * 0.9)], [-H * HESSIAN, 1.0 - H * 0.9]])
    places = moments.basis.places
    first = [places[1, 0], places[0, 1]]
    np.testing.assert_allclose(found[10][np.ix_(first, first)], own, rtol=0, atol=1e-9)
    second, square = [places[2, 0], places[1, 1], places[0, 2]], np.kron(own, own)
    exact = np.stack([square[0], square[1], square[3]])[:, [0, 1, 3]]
    exact[:, 1] += np.stack([square[0], square[1], square[3]])[:, 2]
    np.testing.assert_allclose(found[10][np.ix_(second, second)], exact, rtol=0, atol=1e-9)


RULES = {
    "rmsprop": (ns.rmsprop(**CONSTANTS), ns.rmsprop_sde(), (1.2, 1.4), 0.0),
    "adam": (ns.adam(c1=2.0, **CONSTANTS), ns.adam_sde(), (1.2, -0.4, 1.4), 0.0),
    "adam later": (ns.adam(c1=2.0, **CONSTANTS), ns.adam_sde(), (1.2, -0.4, 1.4), 0.5),
}


@pytest.mark.parametrize("name", RULES)
def test_u_is_carried_exactly(name):
    """E y' = (1 - c2 h) y + c2 h (Sigma + h f'^2 / sigma0^2 - U) + U - U', which the basis holds: no noise in E u."""
    rule, sde, start, t0 = RULES[name]
    found, moments, _ = flows(rule, sde, start, 2, t0, order=2, alone=1)
    U, places = moments.path.at(moments.clock(H * np.arange(STEPS + 1)))[:, 0], moments.basis.places
    theta, rest = 1.3 * H * H / 0.64, (0,) * (len(start) - 1)
    exact = np.zeros((STEPS, len(places)))
    exact[:, places[*rest, 1]] = 1.0 - 1.3 * H
    exact[:, places[2, *rest]], exact[:, places[1, *rest]] = theta * HESSIAN**2, theta * 2.0 * HESSIAN * SLOPE
    exact[:, 0] = 1.3 * H * (VARIANCE - U[:-1]) + U[:-1] - U[1:] + theta * SLOPE**2
    np.testing.assert_allclose(found[:, places[*rest, 1]], exact, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", RULES)
def test_what_is_left_is_small_wherever_the_chain_is(name):
    """E[psi(x') | x] - M psi(x) - constant of every function, at states of the chain's own, beside psi' - psi."""
    rule, sde, start, t0 = RULES[name]
    found, moments, step = flows(rule, sde, start, 1, t0, order=2, alone=2)
    basis, random = moments.basis, np.random.default_rng(0)
    x = np.tile(start, (200, 1))
    for k in range(STEPS):
        path = moments.path.at(moments.clock(H * np.array([k, k + 1])))
        now, moved = x.copy(), step.moved(k, x)
        after = moved.copy()
        now[:, basis.autonomous] -= path[0]
        after[..., basis.autonomous] -= path[1]
        expected = np.einsum("q,xqe->xe", step.weights, basis.of(after))
        left, change = expected - basis.of(now) @ found[k].T, basis.of(after)[:, 0] - basis.of(now)
        at = basis.places[(1, *(0,) * (len(start) - 1))]
        assert np.std(left[:, at]) < 2e-3 * (np.std(change[:, at]) + H)
        x = moved[np.arange(200), random.choice(len(step.weights), size=200, p=step.weights)]


@pytest.mark.parametrize("start", [(1.2, 1e-3), (1e4, 1.4)], ids=["u near 0", "far from 0"])
def test_what_polynomials_do_not_reach_or_rounding_would_show_in_is_left_to_the_sde(start):
    assert own_flow.flows(*parts(*RULES["rmsprop"][:2], start, 2, order=2, alone=2)) is None


@pytest.mark.parametrize("name", RULES)
def test_any_stretch_of_steps_is_that_of_all(name):
    rule, sde, start, t0 = RULES[name]
    own = own_flow.flows(*parts(rule, sde, start, 1, t0, order=2, alone=1))
    whole = own(0, STEPS)
    for first, last in ((0, 1), (0, 5), (1, 5), (7, STEPS)):
        np.testing.assert_array_equal(own(first, last), whole[first:last])
