"""The variances that docs/theory.md, "The order of samples", states, against all n! orders."""

import numpy as np
import pytest

from tests.support.orders import end_points, every_order, of_commutators, of_weights, variance

RNG = np.random.default_rng(3)
FEATURES, TARGETS, START = RNG.normal(size=(4, 2)), RNG.normal(size=4), np.array([0.7, -0.4])
FINE = 2.0**-12


def measured(eta, **given):
    return variance(end_points(FEATURES, TARGETS, START, eta, every_order(4), **given))


def test_sgd_differs_by_commutators():
    constant = of_commutators(FEATURES, TARGETS, START)
    assert measured(FINE) / FINE**4 == pytest.approx(constant, rel=0.01)
    rest = [measured(eta) / eta**4 / constant - 1.0 for eta in (2 * FINE, FINE)]
    assert rest[0] / rest[1] == pytest.approx(2.0, abs=0.1)  # what is left is O(eta)


@pytest.mark.parametrize("batch", [1, 2])
def test_momentum_of_a_fixed_beta_differs_by_its_weights(batch):
    steps = 4 // batch
    weights = 1.0 - 0.9 ** np.arange(steps, 0, -1)
    expected = FINE**2 * of_weights(weights, FEATURES, TARGETS, START)
    assert measured(FINE, batch=batch, beta=0.9) == pytest.approx(expected, rel=0.01)


def test_momentum_by_the_clock_differs_at_order_four():
    weights = 0.5 * np.arange(4, 0, -1)
    expected = FINE**4 * of_weights(weights, FEATURES, TARGETS, START)
    assert measured(FINE, beta=1.0 - 0.5 * FINE) == pytest.approx(expected, rel=0.01)


def test_samples_of_commuting_pulls_have_no_order():
    same = np.tile(FEATURES[0], (4, 1)), np.full(4, TARGETS[0])
    assert variance(end_points(*same, START, 0.1, every_order(4))) < 1e-30


def test_minibatches_of_an_epoch_keep_order_four():
    slopes = np.diff(np.log([measured(eta, batch=2) for eta in (2.0**-12, 2.0**-11)])) / np.log(2.0)
    assert slopes == pytest.approx(4.0, abs=0.01)


def test_noise_of_many_epochs_nearly_cancels():
    """theta' = theta - eta (theta - y_i) over 64 epochs and more: its noise is O(eta^3), with replacement O(eta)."""
    noise = []
    for steps in (256, 512):
        eta = 2.0 / steps
        weights = (1.0 - eta) ** np.arange(steps, 0, -1)
        epochs = weights.reshape(-1, 4)
        noise.append((sum(of_weights(each, np.ones((4, 1)), TARGETS, np.zeros(1)) for each in epochs) * eta**2, eta))
    (first, eta), (second, _) = noise
    assert first / second == pytest.approx(8.0, rel=0.02)
    assert first < 0.01 * eta * TARGETS.var() * 0.5 * (1.0 - np.exp(-4.0))
