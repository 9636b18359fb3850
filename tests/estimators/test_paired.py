"""The combinations of processes: the integrator's bias is removed to second order."""

import math

import numpy as np
import pytest

from ngos_sim.estimators import paired


def test_extrapolation_removes_two_orders():
    for power, factor in ((0, 1.0), (1, 0.0), (2, 0.0), (3, 0.125)):
        biased = [(1.0 / level) ** power for level in paired.LEVELS]
        assert abs(paired.EXTRAPOLATION @ biased - factor) < 1e-15


def test_observables_of_two_references():
    """Optimizer 7; each SDE's limit is 2 or 5, with a bias 0.3 h + 0.2 h^2 of Euler-Maruyama at h = 1/level."""
    bias = [0.3 / level + 0.2 / level**2 for level in paired.LEVELS]
    means = np.array([7.0, *(2.0 + np.array(bias)), *(5.0 - np.array(bias))])
    together = paired.coupled(2) @ means
    np.testing.assert_allclose(together, [7.0, 2.0, 5.0, 0.3, 0.2, 5.0, 2.0, -0.3, -0.2], atol=1e-13)
    apart = paired.independent(2) @ means[1:]
    np.testing.assert_allclose(apart, [2.0, 0.3, 0.2, 5.0, -0.3, -0.2], atol=1e-13)
    np.testing.assert_allclose(paired.coupled_pair() @ [7.0, 4.0], [7.0, 4.0, 3.0])


def decay(rate, steps, horizon=1.0):
    """Return the Euler means of x' = -rate x, x_0 = 1, at LEVELS, at eight times, and the exact ones."""
    at = steps * np.arange(1, 9) // 8
    h = horizon / steps
    means = [(1.0 - rate * h / level) ** (level * at) for level in paired.LEVELS]
    return np.array(means), np.exp(-rate * h * at)


@pytest.mark.parametrize("rate", [0.3, 0.9, 1.5, 2.0, 8.0 / 3.0, 3.0, 4.0])  # at 8/3 the second order vanishes at t = 1
def test_the_residual_bounds_what_is_left_and_falls_like_h_cubed(rate):
    found = []
    for steps in (8, 16, 32, 64, 128):
        means, exact = decay(rate, steps)
        left = np.abs(paired.EXTRAPOLATION @ means - exact)
        found.append(paired.residual(paired.FIRST @ means, paired.SECOND @ means, steps))
        assert (left < 1.2 * found[-1]).all()
        assert (found[-1] < 60.0 * left.max()).all()
    assert 5.0 < found[-2][-1] / found[-1][-1] < 12.0


def squares(stiffness, steps):
    """Return E x^2 of Euler's x' = x - h (x - z), at LEVELS, x_0 = 1.2, at every step's end, and of the equation."""
    found, at = [], np.arange(1, steps + 1)
    for level in paired.LEVELS:
        h, ends = stiffness / level, level * at
        mean, spread = 1.2 * (1.0 - h) ** ends, 0.00417 * (1.0 - (1.0 - h) ** (2 * ends)) / (1.0 - 0.5 * h)
        found.append(mean * mean + spread)
    decayed = np.exp(-2.0 * stiffness * at)
    return np.array(found), 1.44 * decayed + 0.00417 * (1.0 - decayed)


@pytest.mark.parametrize("steps", [2, 4, 8, 16])
def test_the_residual_holds_where_steps_are_stiff(steps):
    """The greatest |b| over the greatest |a| gave a third of what is left at h H = 1 and 4 steps."""
    exceeded, count = 0, 0
    for stiffness in np.linspace(0.1, 1.3, 25):
        means, exact = squares(stiffness, steps)
        first, second = paired.FIRST @ means, paired.SECOND @ means
        left, held = np.abs(paired.EXTRAPOLATION @ means - exact), paired.residual(first, second, steps)
        seen = np.abs(first) > 0.02 * np.abs(first).max()
        exceeded, count = exceeded + np.sum((left > held)[seen]), count + np.sum(seen)
    assert exceeded < 0.03 * count
    means, exact = squares(1.0, 4)
    left = np.abs(paired.EXTRAPOLATION @ means - exact)
    assert (left[1:] < paired.residual(paired.FIRST @ means, paired.SECOND @ means, 4)[1:]).all()


def test_the_residual_is_invariant_and_has_its_limits():
    means, _ = decay(2.0, 16)
    a, b = paired.FIRST @ means, paired.SECOND @ means
    usual = paired.residual(a, b, 16)
    for unit in (1e-12, -1.0, 1e12):
        np.testing.assert_allclose(paired.residual(unit * a, unit * b, 16), abs(unit) * usual, rtol=1e-12)
    np.testing.assert_array_equal(paired.residual(np.zeros(3), np.zeros(3), 16), 0.0)
    np.testing.assert_allclose(paired.residual(np.zeros(3), np.full(3, 0.8), 16), 0.2)  # nothing is known of a series
    np.testing.assert_allclose(paired.residual(np.full(3, 0.8), np.zeros(3), 16), 0.2 / 16**2)
    assert np.isnan(paired.residual(np.array([1.0, math.nan]), np.ones(2), 16)).any()
