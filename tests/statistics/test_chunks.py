"""Quantiles, and the coverage of the simultaneous band."""

import numpy as np
import pytest

from ngos_sim.statistics.chunks import normal_quantile, simultaneous_quantile


@pytest.mark.parametrize(("level", "z"), [(0.95, 1.959963984540054), (0.99, 2.5758293035489004)])
def test_quantile(level, z):
    assert normal_quantile(level) == pytest.approx(z, rel=1e-12)


def paths(draws, chunks, times, mixing, rng):
    """Return chunk means of a stationary autoregression over times, shape (draws, chunks, times)."""
    noise = rng.normal(size=(draws, chunks, times))
    found = noise.copy()
    for t in range(1, times):
        found[..., t] = mixing * found[..., t - 1] + np.sqrt(1 - mixing**2) * noise[..., t]
    return found


@pytest.mark.parametrize(("chunks", "mixing"), [(64, 0.9), (100, 0.99), (100, 0.0)])
def test_coverage_of_the_simultaneous_band(chunks, mixing):
    """All of 40 times at once, in 500 runs. (Standard errors come from the trajectories: they are known.)"""
    found = paths(500, chunks, 40, mixing, np.random.default_rng(3))
    largest = np.abs(found.mean(axis=1) * np.sqrt(chunks)).max(axis=1)
    quantiles = np.array([simultaneous_quantile(groups, 40, 0.95) for groups in found])
    assert 0.92 < np.mean(largest < quantiles) < 0.98
    assert np.mean(largest < normal_quantile(0.95)) < 0.90  # a control: intervals of one time do not cover


def test_sidak_without_groups_and_nothing_for_one_time():
    assert simultaneous_quantile(np.empty((0, 10)), 10, 0.95) == pytest.approx(normal_quantile(0.95**0.1))
    one = np.random.default_rng(4).normal(size=(64, 1))
    assert simultaneous_quantile(one, 1, 0.95) == normal_quantile(0.95)
    still = np.repeat(one, 3, axis=1) * [1.0, 0.0, 0.0] + 1.0
    assert simultaneous_quantile(still, 3, 0.95) == normal_quantile(0.95)
