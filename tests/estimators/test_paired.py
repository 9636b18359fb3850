"""The combinations of processes: the integrator's bias is removed to second order."""

import numpy as np

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
