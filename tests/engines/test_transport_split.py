"""Rules of the noise that are split where a step jumps: the rules, against quadrature, and the places."""

import math

import numpy as np
import pytest
from scipy import integrate

import ngos_sim as ns
from ngos_sim.engines import transport, transport_piece
from ngos_sim.engines.transport_split import RANGE, breaks, divide, divided, places
from ngos_sim.estimators.transport_law import Carrier
from ngos_sim.estimators.transport_means import coordinates
from ngos_sim.studies.problems import problems


@pytest.mark.parametrize(("low", "high"), [(-RANGE, RANGE), (-1.0, 0.5), (2.0, RANGE), (0.3, 0.3001), (-RANGE, -6.0)])
@pytest.mark.parametrize("nodes", [1, 3, 5])
def test_the_rule_of_a_piece_is_gauss(low, high, nodes):
    """Polynomials of degree 2 n - 1 about the middle of the piece, by adaptive quadrature."""
    piece = transport_piece.room(nodes)
    transport_piece.gauss(transport.functions(), low, high, piece)
    assert np.all((piece.values > low) & (piece.values < high))
    assert np.all(piece.weights > 0.0)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    for degree in range(2 * nodes):
        own = float(np.sum(piece.weights * ((piece.values - middle) / half) ** degree))
        exact, _ = integrate.quad(
            lambda x, k=degree: ((x - middle) / half) ** k * math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi),
            low,
            high,
            points=[0.0] if low < 0.0 < high else None,
            epsrel=1e-12,
        )
        assert own == pytest.approx(exact, abs=2e-9 * float(np.sum(piece.weights)))


def test_a_piece_without_width_counts_for_nothing():
    piece = transport_piece.room(3)
    transport_piece.gauss(transport.functions(), 0.7, 0.7, piece)
    assert np.all(piece.weights == 0.0)
    assert np.all(piece.values == 0.7)


def chain(optimizer, law, **start):
    """Return the Move of an optimizer on H = .9, driven by the xi behind a law."""
    sde = ns.SDE("still", lambda x, o, c, p: (0.0,) * len(x), lambda x, o, c, p: (0.0,) * len(x), optimizer.slots)
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), 1.0, law),
        optimizer=optimizer,
        sde=sde,
        initial=start,
        horizon=1.0,
        test_functions=["theta[0]"],
        estimator="coupled",
        **{optimizer.clock: [2.0**-4]},
    )
    (problem,) = problems(study)
    return Carrier(problem, coordinates(problem)[0], [sde]).chain(law)


def clipped(limit):
    """Return SGD with its noisy gradient clipped."""

    def step(x, o, z, c, p):
        return (x[0] - p.eta * min(max(o.gradient + p.sigma * z, -p.limit), p.limit),)

    return ns.Optimizer("clipped", step, ("theta",), clock="eta", sigma=0.8, limit=limit)


def test_the_place_of_a_sign():
    move = chain(ns.signsgd(0.8), ns.gaussian(), theta=1.2)
    for theta in (1.2, -0.3, 5.0, 0.0):
        assert breaks(move, 0, [theta]) == 1
        assert places(move, 0, [theta], 1) == pytest.approx([-0.9 * theta / 0.8], abs=1e-8)
    lion = chain(ns.lion(sigma0=0.8, beta1=0.9, c2=1.3), ns.gaussian(), theta=1.2, m=0.1)
    assert breaks(lion, 0, [1.2, -0.4]) == 1
    place = -(0.25 / 0.8) * (0.9 * 1.2 + 9.0 * -0.4)
    assert places(lion, 0, [1.2, -0.4], 1) == pytest.approx([place], abs=1e-8)


def test_the_places_of_a_clip():
    """Two kinks: second differences see a place to the root of rounding."""
    move = chain(clipped(1.0), ns.gaussian(), theta=1.2)
    for theta in (1.2, 0.0):
        assert breaks(move, 0, [theta]) == 2
        kinks = [(limit - 0.9 * theta) / 0.8 for limit in (-1.0, 1.0)]
        assert places(move, 0, [theta], 2) == pytest.approx(kinks, abs=1e-6)
    assert breaks(chain(ns.sgd(0.8), ns.gaussian(), theta=1.2), 0, [1.2]) == 0


def test_the_place_is_that_of_xi():
    """zeta = a xi + b (xi^2 - 1) of a skewed law; g = 0 at zeta = -.9 theta / .8."""
    law = ns.skewed(skewness=0.6)
    p = law.numbers(0.8)
    (place,) = places(chain(ns.signsgd(0.8), law, theta=0.5), 0, [0.5], 1)
    assert p["a"] * place + p["b"] * (place**2 - 1.0) == pytest.approx(-0.9 * 0.5 / 0.8, abs=1e-8)


def test_more_places_than_are_found():
    def step(x, o, z, c, p):
        return (x[0] - p.eta * (1.0 if math.sin(4.0 * z) > 0.0 else -1.0),)

    assert (
        breaks(chain(ns.Optimizer("comb", step, ("theta",), clock="eta"), ns.gaussian(), theta=1.0), 0, [1.0]) is None
    )


def test_each_state_has_its_own_rule():
    """Of three states: means of the sign, which are erf(r / sqrt 2), to the last digits."""
    move, count = chain(ns.signsgd(0.8), ns.gaussian(), theta=1.2), 3
    fan = divided(count, move, 1, 3)
    theta = np.array([1.2, -0.3, 0.1])
    fan.base.states[:count], fan.base.weights[:] = theta, 1.0
    divide(transport.functions(), move, 0, fan.base, fan.split, count, fan.draw)
    thrown = transport.fan(move, fan.base, count, fan.draw, fan.thrown)
    assert thrown == count * 6
    transport.throw(transport.functions(), move, 0, fan.thrown, thrown)
    moved = (fan.thrown.states[:thrown] * fan.thrown.weights[:thrown]).reshape(count, 6).sum(axis=1)
    exact = [x - 2.0**-4 * math.erf(0.9 * x / 0.8 / math.sqrt(2.0)) for x in theta]
    assert moved == pytest.approx(exact, abs=1e-9)
