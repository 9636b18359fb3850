"""Steps of weak order 2 by closed forms, and what finds kinks."""

import math

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.engines.transport_hermite import hermite, values
from ngos_sim.engines.transport_platen import platen, table
from ngos_sim.engines.transport_probe import smoothness
from ngos_sim.oracles.noises import gauss_hermite
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.processes.rule import parameters

GROWTH, SPREAD, START = 0.7, 0.6, 1.3
OPTIMIZER, ORACLE = ns.sgd(sigma=1.0), ns.NGOS(ns.quadratic(1.0))


def _drift(x, o, c, p):
    return (-GROWTH * (1.0 + c[0]) * x[0],)


def _diffusion(x, o, c, p):
    return (SPREAD * x[0],)


SDE = ns.SDE("multiplicative", _drift, _diffusion, ("theta",), lambda t, p: (t,))


def _moments(h):
    """Return E X and E X^2 of dX = -a (1 + t) X dt + b X dW after a time h."""
    grown = -GROWTH * (h + 0.5 * h * h)
    return np.array([START * math.exp(grown), START**2 * math.exp(2.0 * grown + SPREAD**2 * h)])


def _local_errors(move, rows, h):
    """Return what one step leaves of both moments."""
    held = tuple(parameters(OPTIMIZER, h, SDE).values())
    nodes, weights = gauss_hermite(3)
    after = [
        move((START,), z, 0.0, 0.0, 0.0, 0.0, 0.0, (1.0,), (1.0,), (0.0,), tuple(rows), held)[0] for z in nodes.tolist()
    ]
    return np.array([np.sum(weights * np.power(after, power)) for power in (1, 2)]) - _moments(h)


def test_platen_is_of_weak_order_two():
    """One step is off by O(h^3), a coefficient that depends on time included; Euler-Maruyama's by O(h^2)."""
    move, euler, sizes = platen(SDE, OPTIMIZER, ORACLE, 1), euler_maruyama(SDE, OPTIMIZER), (2.0**-6, 2.0**-7)

    def by_euler(x, xi, chi, extra, pull, bend, spread, a, s, n, c, p):
        return euler.step(x, None, xi, c, None)

    wide, near = (_local_errors(move, table(SDE, None, 0.0, h, 1)[0].tolist(), h) for h in sizes)
    assert wide / near == pytest.approx(8.0, abs=0.4)
    wide, near = (_local_errors(by_euler, euler.schedule(0, h, None), h) for h in sizes)
    assert wide / near == pytest.approx(4.0, abs=0.4)


def test_hermite_rules_are_orthonormal():
    rule = hermite(9)
    gram = (values(rule.nodes, 9) * rule.weights) @ values(rule.nodes, 9).T
    np.testing.assert_allclose(gram, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(rule.to_nodes.sum(axis=1), np.eye(9)[0], atol=1e-12)


FUNCTIONS = {
    "constant": {"one": np.ones_like},
    "smooth": {"cos": np.cos, "tanh 4x": lambda x: np.tanh(4.0 * x), "x^4": lambda x: x**4, "x": lambda x: x},
    "kink": {"modulus": np.abs, "above .3": lambda x: np.maximum(x, 0.3)},
    "jump": {"sign": np.sign, "log": lambda x: np.log(x - 4.0)},
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, each in FUNCTIONS.items() for name in each])
def test_kinks_and_jumps_are_found(kind, name):
    assert smoothness(FUNCTIONS[kind][name], -3.1, 5.2) == kind
