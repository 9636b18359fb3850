"""Studies on data without replacement: the SDE's noise is wrong over an epoch (docs/theory.md, "The order of samples").

f = mean of (theta - y_i)^2 / 2: the chain is linear in its noise, and all is known in closed form.
"""

import math

import numpy as np
import pytest

import ngos_sim as ns

N, T, START = 32, 1.0, 0.8
TARGETS = np.random.default_rng(2).normal(size=N)
MEAN, S = TARGETS.mean(), TARGETS.var()
BATCHES = (1, 2, 4, 8)
SIGMA0 = math.sqrt(T / N)  # an epoch takes the time T


def step(x, o, z, c, p):
    return (x[0] - p.h * (o.gradient + p.sigma0 / p.eta * z),)


def drift(x, o, c, p):
    return (-o.gradient,)


def diffusion(x, o, c, p):
    return (-p.sigma0,)


def study(replacement, **given):
    return ns.ConvergenceStudy(
        ns.finite_data(np.ones((N, 1)), TARGETS, model="least_squares", replacement=replacement),
        ns.Optimizer("descent", step, slots=("theta",), sigma0=SIGMA0),
        sde=ns.SDE("descent", drift, diffusion, slots=("theta",)),
        initial=dict(theta=START),
        **{"batch_size": BATCHES, "horizon": T, "times": [T], "test_functions": ["theta[0]^2"]} | given,
    )


def error(batch, replacement):
    """Return E theta^2 of the chain less that of the SDE after an epoch."""
    steps = N // batch
    h = T / steps
    weights = (1.0 - h) ** np.arange(steps)
    mean = MEAN + (START - MEAN) * (1.0 - h) ** steps, MEAN + (START - MEAN) * math.exp(-T)
    apart, bridge = np.sum(weights**2) / batch, steps**2 / (N - 1.0) * np.var(weights)
    noise = S * (apart if replacement else bridge)
    return mean[0] ** 2 + h * h * noise - mean[1] ** 2 - SIGMA0**2 * S * 0.5 * (1.0 - math.exp(-2.0 * T))


@pytest.mark.parametrize("replacement", [True, False])
def test_error_after_an_epoch(replacement):
    result = study(replacement).run(trajectories=65_536, seed=1)
    verdict = result.order().verdict.iloc[0]
    assert verdict.startswith("fails order 1: limit off by") != replacement, verdict
    for batch, row in zip(BATCHES, result.table.sort_values("h").itertuples(), strict=True):
        expected = error(batch, replacement)
        assert abs(row.error - expected) < 4.0 * row.std_error, batch
        assert row.std_error < 0.1 * S * SIGMA0**2


def test_what_is_missing_does_not_fall_with_h():
    """- sigma0^2 S (1 - e^-T)^2 / T, against 0 with replacement."""
    limit = -(SIGMA0**2) * S * (1.0 - math.exp(-T)) ** 2 / T
    assert error(1, False) - error(1, True) == pytest.approx(limit, rel=0.1)
    missing = [error(batch, False) - error(batch, True) for batch in (1, 2, 4)]
    assert max(missing) / min(missing) > 0.9


def test_it_is_said():
    (said, *_) = [reason for reason in study(False).outside_theory if "without replacement" in reason]
    assert "Definition 2.3" in said
    assert not any("without replacement" in reason for reason in study(True).outside_theory)


def test_more_than_all_samples_are_refused():
    with pytest.raises(ValueError, match="batch_size=64: at most 32 samples can be drawn without replacement"):
        study(False, batch_size=[1, 64], horizon=2.0, times=None)
    with pytest.raises(ValueError, match="replacement='no'; allowed: True, False"):
        study("no")
