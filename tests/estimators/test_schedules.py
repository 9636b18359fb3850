"""SDEs whose coefficients change with time: where a schedule jumps, where it is fast; exact by recursion, sums."""

import math

import numpy as np
import pytest

import ngos_sim as ns

CURVATURE, START, SIGMA, H = 0.9, 1.2, 0.5, 2.0**-4


def study(schedule, **given):
    """Return the study of SGD at the rate schedule(time) against its SDE, one a schedule of its own."""

    def step(x, o, z, c, p):
        return (x[0] - p.h * c[0] * (o.gradient + p.sigma * z),)

    def drift(x, o, c, p):
        return (-c[0] * o.gradient,)

    def diffusion(x, o, c, p):
        return (-c[0] * p.sigma * math.sqrt(p.h),)

    own = ns.SDE("scheduled", drift, diffusion, ("theta",), lambda t, p: (schedule(t),))
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(CURVATURE)),
        ns.Optimizer("mine", step, ("theta",), lambda k, h, p: (schedule(k * h),), "eta", sigma=SIGMA),
        sde=given.pop("sde", own),
        initial=dict(theta=START),
        eta=H,
        times=[1.0],
        test_functions=["theta[0]", "theta[0]^2"],
        **given,
    )


def exact(schedule):
    """Return the errors of E theta and E theta^2 at time 1: by the recursion, and by sums over 200,000 cells."""
    mean, variance = START, 0.0
    for k in range(round(1.0 / H)):
        kept = 1.0 - H * CURVATURE * schedule(k * H)
        mean, variance = kept * mean, kept**2 * variance + (H * SIGMA * schedule(k * H)) ** 2
    times = (np.arange(200_000) + 0.5) / 200_000
    rates = np.array([schedule(t) for t in times.tolist()])
    left = (rates.sum() - rates.cumsum() + 0.5 * rates) / len(times)
    limit = START * math.exp(-CURVATURE * rates.mean())
    spread = H * SIGMA**2 * np.mean(np.exp(-2.0 * CURVATURE * left) * rates**2)
    return np.array([mean - limit, mean**2 + variance - limit**2 - spread])


def drop(at):
    """Return a rate that drops to a tenth at a time."""
    return lambda t: 1.0 if t < at else 0.1


def test_a_jump_within_a_step_is_refused():
    """Every level of the integrator is late by as much: 463 standard errors, and nothing to see."""
    reason = r"the schedule of sde 'scheduled' jumps at t=0.3, within a step of 0.0625 of its integrator: take steps of"
    for estimator in ("coupled", "independent", "auto"):
        with pytest.raises(ValueError, match=reason):
            study(drop(0.3), estimator=estimator)


@pytest.mark.parametrize("schedule", [drop(0.5), lambda t: 0.5 ** math.floor(8.0 * t + 1e-9)])
def test_a_jump_at_a_step_is_measured_by_coupling_alone(schedule):
    found = study(schedule)
    (why,) = set(found.why.values())
    assert "coupled" in why.split(";")[0]
    assert "not local nor transport nor control_variate, as the schedule of sde 'scheduled' jumps, at t=0." in why
    table = found.run(2048, threads=1).table
    off = np.abs(table.error.to_numpy() - exact(schedule))
    assert (off < 4.0 * np.hypot(table.std_error, table.integrator_residual)).all()


def test_stairs_of_every_step_jump():
    """As a rate that is read from a table: at 512 steps nearly every cell that is looked at has one jump."""
    table = np.cos(np.arange(513) / 100.0).tolist()
    with pytest.raises(ValueError, match="the schedule of sde 'scheduled' jumps"):
        study(lambda t: table[int(512 * t)], estimator="transport")


def test_a_schedule_that_is_not_defined_everywhere_is_taken():
    """A table of rates at the integrator's steps alone: `coupled` asks for no others."""
    rates = {k * H / 4: 1.0 for k in range(65)}
    assert study(lambda t: rates[t], estimator="coupled").served


def test_the_schedule_of_a_pivot_jumps():
    def still(x, o, c, p):
        return (-c[0] * o.gradient + 0.1 * x[0] ** 3,)

    def noise(x, o, c, p):
        return (-c[0] * p.sigma * math.sqrt(p.h),)

    smooth = study(lambda t: 1.0, estimator="coupled").sdes[0]
    pivot = ns.SDE("dropped", smooth.drift, noise, ("theta",), lambda t, p: (drop(0.5)(t),))
    own = ns.SDE("bent", still, noise, ("theta",), lambda t, p: (1.0,), pivot=pivot)
    with pytest.raises(ValueError, match="the schedule of sde 'dropped' jumps, at t=0.5"):
        study(lambda t: 1.0, estimator="local", sde=own)


@pytest.mark.parametrize("schedule", [math.sqrt, lambda t: math.tanh(200.0 * (t - 0.3)), lambda t: math.cos(300.0 * t)])
def test_what_is_only_steep_does_not_jump(schedule):
    assert "jumps" not in "".join(study(schedule, estimator="coupled").why.values())


def test_a_fast_schedule_has_more_steps():
    """At 64 steps two sizes of them agreed by chance at time 1: of theta^2 they said a fifth of what they left."""
    schedule = lambda t: math.cos(40.0 * t)  # noqa: E731
    table = study(schedule, estimator="transport").run(1024).table
    off = np.abs(table.error.to_numpy() - exact(schedule))
    assert (off <= table.numerical).all()
    assert (table.numerical < 5e-5 * table.error.abs()).all()
