"""Means and standard errors from sums of chunks, against NumPy on the trajectories."""

import numpy as np
import pytest

from ngos_sim.estimators.chunks import means, normal_quantile


def test_means_are_numpys():
    values = np.random.default_rng(0).exponential(size=(5, 64, 3))
    sums = np.stack([values.sum(axis=1), (values**2).sum(axis=1)], axis=-1)
    mean, std_error = means(sums, 5 * 64)
    flat = values.reshape(-1, 3)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(std_error, flat.std(axis=0, ddof=1) / np.sqrt(5 * 64), rtol=1e-11)


def test_a_constant_has_no_standard_error():
    sums = np.array([[[0.1 * 64, 0.1**2 * 64]]])
    assert means(sums, 64)[1] < 1e-9


@pytest.mark.parametrize(("level", "z"), [(0.95, 1.959963984540054), (0.99, 2.5758293035489004)])
def test_quantile(level, z):
    assert normal_quantile(level) == pytest.approx(z, rel=1e-12)
