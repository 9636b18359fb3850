"""Linear flows by collocation, against closed forms."""

import numpy as np
import pytest

from ngos_sim.known import linear_flow

S = np.linspace(0.0, 1.0, 101)


def relaxing(fast, size=1.0):
    """Return the rate of x' = -fast (x - 1) in t = s^2, x in units of 1 / size, with 1 as a second number."""
    matrix = np.array([[-fast, fast * size], [0.0, 0.0]])
    return lambda s: 2.0 * s[..., None, None] * matrix


def test_nodes_of_radau():
    nodes, integrals = linear_flow.radau(2)
    np.testing.assert_allclose(nodes, [1 / 3, 1.0])
    np.testing.assert_allclose(integrals, [[5 / 12, -1 / 12], [3 / 4, 1 / 4]])


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("fast", [0.0, 1.0, 30.0, 1e5, 1e6])
def test_relaxation(fast, size):
    """From 3 to 1: fast rates, and any unit of x."""
    found = linear_flow.solved(relaxing(fast, size), np.array([3.0 * size, 1.0])).at(S)
    np.testing.assert_allclose(found[:, 0] / size, 1.0 + 2.0 * np.exp(-fast * S**2), rtol=1e-12)
    assert found[0].tolist() == [3.0 * size, 1.0]


def test_what_crosses_zero_and_what_stays_zero():
    matrix = np.array([[0.0, 7.0, 0.0], [-7.0, 0.0, 0.0], [0.0, 0.0, -2.0]])
    found = linear_flow.solved(lambda s: np.broadcast_to(matrix, (*s.shape, 3, 3)), np.array([1.0, 0.0, 0.0])).at(S)
    np.testing.assert_allclose(found[:, :2], np.stack([np.cos(7 * S), -np.sin(7 * S)], axis=1), rtol=0, atol=1e-13)
    assert not found[:, 2].any()


def test_a_root_at_the_start():
    """x' = x / (2 sqrt(t)) is x' = x in s."""
    found = linear_flow.solved(lambda s: (s / s)[..., None, None] * np.eye(1), np.ones(1)).at(S)
    np.testing.assert_allclose(found[:, 0], np.exp(S), rtol=1e-13)


def test_what_dies_out():
    """Far below what it was nothing is asked of it: exp(-5000) is 0."""
    found = linear_flow.solved(relaxing(5000.0, 0.0), np.ones(2)).at(S)
    np.testing.assert_allclose(found[:, 0], np.exp(-5000.0 * S**2), rtol=1e-11, atol=1e-24)


@pytest.mark.parametrize("rate", [1e4, 1e300, np.nan])
def test_what_has_no_solution(rate):
    """exp(1e4) is no number."""
    assert linear_flow.solved(lambda s: s[..., None, None] * rate * np.eye(1), np.ones(1)) is None


def test_forces():
    """y' = -y + x, x' = -x as a force, is y = t exp(-t) at the end of a step."""
    rates = np.full((1, 6, 1, 1), -0.5)
    x = linear_flow.flows(rates)
    y = linear_flow.flows(rates, 0.5 * x)
    assert x[0, -1, 0, 0] == pytest.approx(np.exp(-0.5), rel=1e-12)
    assert y[0, -1, 0, 0] == pytest.approx(0.5 * np.exp(-0.5), rel=1e-12)
