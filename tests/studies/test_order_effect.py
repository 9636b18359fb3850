"""order_effect against every order of few samples, and the slopes of docs/theory.md, "The order of samples"."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import ngos_sim as ns
from tests.support.orders import end_points, every_order, of_commutators, of_weights, variance

RNG = np.random.default_rng(5)
FEATURES, TARGETS, START = RNG.normal(size=(4, 2)), RNG.normal(size=4), np.array([0.7, -0.4])
EXAMPLE = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "shuffle_order.py"))


def oracle(**given):
    return ns.finite_data(FEATURES, TARGETS, model="least_squares", **given)


def effect(optimizer, eta, slots=(), **given):
    initial = dict(theta=START, **dict.fromkeys(slots, 0.0))
    return ns.order_effect(oracle(), optimizer, initial=initial, eta=eta, trajectories=16_384, **given)


@pytest.mark.parametrize(("batch", "epochs", "beta"), [(1, 1, 0.0), (2, 1, 0.9), (1, 2, 0.9)])
def test_every_order(batch, epochs, beta):
    orders = every_order(4)
    orders = np.array([[*a, *b] for a in orders for b in orders]) if epochs == 2 else orders
    expected = variance(end_points(FEATURES, TARGETS, START, 0.25, orders, batch, beta))
    momentum = ns.Optimizer(
        "momentum", EXAMPLE["averaged"], slots=("theta", "m"), clock="eta", sigma=batch**-0.5, beta=beta
    )
    (found,) = effect(momentum, 0.25, ("m",), epochs=epochs).table.itertuples()
    assert (found.batch_size, found.steps, found.trajectories) == (batch, 4 * epochs // batch, 16_384)
    assert abs(found.variance - expected) < 4.0 * found.std_error
    assert found.std_error < 0.03 * expected


def test_slopes():
    found = EXAMPLE["measured"](16_384)
    for effect, slope in zip(found.values(), (4.0, 2.0, 4.0), strict=True):
        assert effect.slope.ci_low < slope < effect.slope.ci_high
        assert effect.slope.ci_high - effect.slope.ci_low < 0.25
        assert str(effect.slope) in repr(effect)


def test_leading_constants():
    eta = 2.0**-9
    (sgd,) = effect(ns.sgd(sigma=1.0), eta).table.itertuples()
    assert (
        abs(sgd.variance - eta**4 * of_commutators(FEATURES, TARGETS, START))
        < 4.0 * sgd.std_error + 0.02 * sgd.variance
    )
    (fixed,) = effect(EXAMPLE["momentum"](0.9), eta, ("m",)).table.itertuples()
    expected = eta**2 * of_weights(1.0 - 0.9 ** np.arange(4, 0, -1), FEATURES, TARGETS, START)
    assert abs(fixed.variance - expected) < 4.0 * fixed.std_error + 0.02 * expected
    (clock,) = effect(ns.heavy_ball(sigma=1.0, mu=0.9), eta, ("v",)).table.itertuples()
    expected = eta**4 * of_weights(np.arange(4.0, 0.0, -1.0), FEATURES, TARGETS, START)
    assert abs(clock.variance - expected) < 4.0 * clock.std_error + 0.02 * expected


def test_adam_of_fixed_betas_has_slope_two():
    def adam(eta):
        return ns.from_hyperparameters("adam", lr=eta, betas=(0.9, 0.99), eps=1e-3, batch_size=1)[0]

    initial = dict(theta=START, m=0.0, u=1.0)
    found = ns.order_effect(oracle(), adam, initial=initial, eta=2.0 ** -np.arange(6, 11), trajectories=8192)
    assert found.slope.ci_low < 2.0 < found.slope.ci_high


def test_rounding_is_no_order():
    found = effect(ns.sgd(sigma=1.0), 2.0 ** -np.arange(30, 34))
    assert np.all(found.table.variance < 3.0 * found.table.std_error)
    assert "too few resolved points" in repr(found)


def test_what_leaves_the_finite_numbers():
    with pytest.raises(ns.NonFiniteError, match="16384 of 16384 trajectories"):
        effect(ns.sgd(sigma=1.0), 1e3, epochs=200)


REFUSED = {
    "batch size 3: an epoch of 4 samples": dict(optimizer=ns.sgd(sigma=3.0**-0.5)),
    "one minibatch": dict(optimizer=ns.sgd(sigma=0.5)),
    "initial.t0": dict(initial=dict(theta=0.0, t0=1.0)),
    "trajectories=400": dict(trajectories=400),
    "epochs=0": dict(epochs=0),
    "not of data": dict(oracle=ns.NGOS(ns.quadratic(1.0))),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refusals(words):
    given = dict(oracle=oracle(), optimizer=ns.sgd(sigma=1.0), initial=dict(theta=0.0), eta=0.1) | REFUSED[words]
    with pytest.raises(ValueError, match=words) as caught:
        ns.order_effect(given.pop("oracle"), given.pop("optimizer"), **given)
    assert "\n" not in str(caught.value)


def test_same_seed_same_numbers():
    first, second = (effect(ns.sgd(sigma=1.0), 0.1, seed=3, threads=n).table for n in (1, 2))
    assert first.equals(second)
