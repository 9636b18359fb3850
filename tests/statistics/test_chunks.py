"""Sums of chunks against NumPy on the trajectories; the simultaneous band's coverage."""

import numpy as np
import pytest

from ngos_sim.statistics.chunks import GROUPS, Sums, means, normal_quantile, simultaneous_quantile

PER_CHUNK = 16


def filled(values, rounds=(1,)):
    """Return Sums of trajectories' values, shape (chunks, PER_CHUNK, times), added in rounds of chunks."""
    spread = (values - values.mean(axis=1, keepdims=True)) ** 2
    chunks = np.stack([values.sum(axis=1), spread.sum(axis=1)], axis=-1)
    sums, at = Sums(PER_CHUNK), 0
    while at < len(chunks):
        step = rounds[at % len(rounds)]
        sums.add(chunks[at : at + step], np.array([[0, -1]] * len(chunks[at : at + step])))
        at += step
    return sums


def test_means_are_numpys():
    values = np.random.default_rng(0).exponential(size=(5, PER_CHUNK, 3))
    sums = filled(values)
    mean, std_error = means(sums.total, 5 * PER_CHUNK)
    flat = values.reshape(-1, 3)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(std_error, flat.std(axis=0, ddof=1) / np.sqrt(5 * PER_CHUNK), rtol=1e-11)


@pytest.mark.parametrize("mean", [1e6, 1e8, -1e10])
def test_a_mean_far_away_leaves_the_standard_error(mean):
    values = np.random.default_rng(0).integers(-2, 3, size=(40, PER_CHUNK, 3)) + mean  # exact sums
    flat = (values - mean).reshape(-1, 3)
    found = means(filled(values).total, len(flat))[1]
    np.testing.assert_allclose(found, flat.std(axis=0, ddof=1) / np.sqrt(len(flat)), rtol=1e-6)


@pytest.mark.parametrize("chunks", [GROUPS - 1, GROUPS, 2 * GROUPS, 300, 1111])
def test_groups_are_means_of_equal_groups_in_order(chunks):
    values = np.random.default_rng(1).normal(size=(chunks, PER_CHUNK, 3))
    found = filled(values).groups(PER_CHUNK)
    if chunks < GROUPS:
        assert found.shape == (0, 3)
        return
    assert GROUPS <= len(found) < 2 * GROUPS
    size = 1
    while chunks // size >= 2 * GROUPS:
        size *= 2
    whole = chunks // size * size
    np.testing.assert_allclose(found, values[:whole].reshape(-1, size * PER_CHUNK, 3).mean(axis=1), atol=1e-14)


def test_rounds_do_not_change_a_bit():
    values = np.random.default_rng(2).normal(size=(333, PER_CHUNK, 2))
    one, two = filled(values), filled(values, (7, 100, 3))
    np.testing.assert_array_equal(one.total, two.total)
    np.testing.assert_array_equal(one.groups(PER_CHUNK), two.groups(PER_CHUNK))


def test_nonfinite_trajectories_are_counted_and_the_first_named():
    sums = Sums()
    sums.add(np.zeros((3, 1, 2)), np.array([[0, -1], [2, 1030], [1, 2050]]))
    sums.add(np.zeros((1, 1, 2)), np.array([[4, 3072]]))
    assert sums.nonfinite == (7, 1030)


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
    """All of 40 times at once, in 2,000 runs. (Standard errors come from the trajectories: they are known.)"""
    found = paths(2000, chunks, 40, mixing, np.random.default_rng(3))
    largest = np.abs(found.mean(axis=1) * np.sqrt(chunks)).max(axis=1)
    quantiles = np.array([simultaneous_quantile(groups, 40, 0.95) for groups in found])
    assert 0.935 < np.mean(largest < quantiles) < 0.965
    assert np.mean(largest < normal_quantile(0.95)) < 0.90  # a control: intervals of one time do not cover


def test_sidak_without_groups_and_nothing_for_one_time():
    assert simultaneous_quantile(np.empty((0, 10)), 10, 0.95) == pytest.approx(normal_quantile(0.95**0.1))
    one = np.random.default_rng(4).normal(size=(64, 1))
    assert simultaneous_quantile(one, 1, 0.95) == normal_quantile(0.95)
    still = np.repeat(one, 3, axis=1) * [1.0, 0.0, 0.0] + 1.0
    assert simultaneous_quantile(still, 3, 0.95) == normal_quantile(0.95)
