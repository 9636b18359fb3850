"""Ballistic RMSprop and Adam against the definitions, against the scaled optimizers, and what their SDEs assume."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.processes.rule import parameters
from tests.support import naive

ETA, SIGMA, EPS, C1, C2, HESSIAN = 0.05, 0.9, 0.3, 2.0, 1.3, 0.9
START = {"theta": 1.2, "m": 0.0, "v": 0.7}
NOISE = np.random.default_rng(3).standard_normal(30)
MADE = {
    "rmsprop": lambda sigma=SIGMA, eps=EPS, c1=C1, c2=C2: ns.ballistic_rmsprop(sigma, eps, c2),
    "adam": lambda sigma=SIGMA, eps=EPS, c1=C1, c2=C2: ns.ballistic_adam(sigma, eps, c1, c2),
}
SDES = {"rmsprop": ns.ballistic_rmsprop_sde, "adam": ns.ballistic_adam_sde}


def path(optimizer, h, scale=1.0):
    """Return the states after each step on f = HESSIAN theta^2 / 2 with NOISE, an array of a row a step.

    scale : what the start's v is divided by
    """
    p = SimpleNamespace(**parameters(optimizer, h))
    x = tuple(START[slot] if slot in START else START["v"] / scale for slot in optimizer.slots)
    states = []
    for k, z in enumerate(NOISE.tolist()):
        x = optimizer.step(x, SimpleNamespace(gradient=HESSIAN * x[0]), z, optimizer.schedule(k, h, p), p)
        states.append(x)
    return np.array(states)


@pytest.mark.parametrize("kind", MADE)
def test_steps_are_the_definitions(kind):
    gradients = [lambda k, theta: HESSIAN * theta + SIGMA * NOISE[k]] * len(NOISE)
    betas = [1.0 - c * ETA for c in (C1, C2)]
    if kind == "rmsprop":
        exact = naive.rmsprop(START["theta"], START["v"], gradients, ETA, betas[1], EPS)
    else:
        exact = naive.adam(START["theta"], START["m"], START["v"], gradients, ETA, *betas, EPS)
    np.testing.assert_allclose(path(MADE[kind](), ETA), np.stack(exact, axis=1), rtol=1e-12)


@pytest.mark.parametrize("kind", MADE)
def test_with_scaled_constants_they_are_the_scaled_optimizers(kind):
    """At sigma0 / eta, eps0 / eta and c_i eta: the batch-equivalent regime is that of Malladi's SDE."""
    sigma = SIGMA / ETA
    constants = dict(sigma0=SIGMA, eps0=EPS, c2=C2)
    scaled = ns.rmsprop(**constants) if kind == "rmsprop" else ns.adam(c1=C1, **constants)
    found = path(MADE[kind](sigma, EPS / ETA, C1 * ETA, C2 * ETA), ETA)
    found[:, -1] /= sigma**2
    np.testing.assert_allclose(found, path(scaled, ETA**2, sigma**2), rtol=1e-12)


@pytest.mark.parametrize("kind", MADE)
def test_batch_equivalent_steps_and_their_sde_are_malladis(kind):
    """arXiv 2509.21614: noise z / sqrt(tau), v' = (1 - c tau) v + c tau^2 g^2; tau is eta^2, and sigma0 is 1."""
    tau, z, (theta, m, v) = 0.04, 0.6, (1.2, 0.3, 0.7)
    g, f = HESSIAN * theta + z / math.sqrt(tau), HESSIAN * theta
    after_v, speed = (1.0 - C2 * tau) * v + C2 * tau**2 * g**2, tau / (math.sqrt(v) + EPS)
    o = SimpleNamespace(gradient=f, variance=1.0)
    if kind == "rmsprop":
        optimizer, sde, x = ns.rmsprop(1.0, EPS, C2), ns.rmsprop_sde(), (theta, v)
        expected, drift = (theta - speed * g, after_v), (-f / (math.sqrt(v) + EPS), C2 * (1.0 - v))
        diffusion = (-1.0 / (math.sqrt(v) + EPS), 0.0)
    else:
        optimizer, sde, x = ns.adam(1.0, EPS, C1, C2, bias_correction=False), ns.adam_sde(), (theta, m, v)
        after_m = (1.0 - C1 * tau) * m + C1 * tau * g
        expected = (theta - speed * after_m, after_m, after_v)
        drift = (-m / (math.sqrt(v) + EPS), C1 * (f - m), C2 * (1.0 - v))
        diffusion = (0.0, C1, 0.0)
    p = SimpleNamespace(**parameters(optimizer, tau))
    assert optimizer.step(x, o, z, optimizer.schedule(7, tau, p), p) == pytest.approx(expected, rel=1e-14)
    c = sde.schedule(0.5, p)
    assert sde.drift(x, o, c, p) == pytest.approx(drift, rel=1e-14)
    assert sde.diffusion(x, o, c, p) == pytest.approx(diffusion, rel=1e-14)


@pytest.mark.parametrize("kind", SDES)
def test_below_zero_v_counts_as_zero_under_the_root_alone(kind):
    optimizer, sde = MADE[kind](), SDES[kind](2)
    p = SimpleNamespace(**parameters(optimizer, ETA, sde))
    o = SimpleNamespace(gradient=0.7, variance=1.0, curvature=0.5)
    below, zero = ((1.2, 0.3, v)[:: 1 if kind == "adam" else 2] for v in (-0.1, 0.0))
    c = sde.schedule(0.5, p)
    *others, of_v = sde.drift(below, o, c, p)
    *at_zero, at_zero_of_v = sde.drift(zero, o, c, p)
    assert np.isfinite(others).all()
    assert others == at_zero
    assert of_v - at_zero_of_v == pytest.approx(C2 * 0.1 * (1.0 + 0.5 * ETA * C2))


def study(kind, sde, loss=None, **oracle):
    optimizer = MADE[kind]()
    start = {slot: START[slot] for slot in optimizer.slots} | dict(t0=0.5 if kind == "adam" else 0.0)
    made = ns.NGOS(ns.quadratic(HESSIAN) if loss is None else loss, **oracle)
    settings = dict(initial=start, eta=[1 / 16], horizon=start["t0"] + 0.5, test_functions=["v[0]"])
    return ns.ConvergenceStudy(made, optimizer, sde, **settings)


MATRIX = [[1.0, 0.5], [0.5, 1.0]]
DOUBTS = [
    (dict(loss=ns.quadratic([1.0, 1.0]), covariance=MATRIX), "a diagonal covariance"),
    (dict(covariance=lambda theta: 1.0 / (1.0 + theta * theta)), "a covariance that does not depend on the state"),
    (dict(noise=ns.uniform()), "E zeta^4 = 3, which is 1.8 of noise 'uniform'"),
    (dict(noise=ns.two_point(skewness=0.5)), "E zeta^3 = 0, which is 0.5 of noise 'two-point'"),
]


@pytest.mark.parametrize(("oracle", "assumed"), DOUBTS)
@pytest.mark.parametrize("kind", SDES)
def test_what_order_2_is_derived_for_is_said(kind, oracle, assumed):
    with pytest.warns(ns.StudyWarning) as caught:
        study(kind, SDES[kind](2), **oracle)
    said = f"sde 'ballistic-{kind} order 2' is derived for {assumed}: its error may be of a lower order here"
    assert said in [str(one.message) for one in caught]
    for order in (0, 1):
        assert not study(kind, SDES[kind](order), **oracle).notes


@pytest.mark.parametrize("kind", SDES)
def test_a_hessian_that_is_a_matrix_is_refused(kind):
    with pytest.raises(ValueError, match=f"'ballistic-{kind} order 2' reads o.curvature, but the Hessian of loss"):
        study(kind, SDES[kind](2), loss=ns.quadratic(MATRIX))
    for order in (0, 1):
        study(kind, SDES[kind](order), loss=ns.quadratic(MATRIX))


@pytest.mark.parametrize("kind", SDES)
def test_moments_of_the_law_are_taken(kind):
    study(kind, SDES[kind](2, fourth=1.8), noise=ns.uniform())
    law = ns.two_point(skewness=0.5)
    *_, third, excess = law.cumulants(1.0)
    study(kind, SDES[kind](2, third=third, fourth=3.0 + excess), noise=law)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(order=3), "order=3; allowed: 0, 1, 2"),
        (dict(order=True), "order=True; allowed: 0, 1, 2"),
        (dict(order=2, fourth=0.5), "fourth=0.5 must be at least 1 + third^2 = 1, as that of every law is"),
        (dict(order=2, third=1.5), "third=1.5"),
    ],
)
@pytest.mark.parametrize("kind", SDES)
def test_arguments_out_of_range(kind, given, message):
    if "third" in given:
        given, message = (
            given | {"fourth": 3.0},
            "fourth=3.0 must be at least 1 + third^2 = 3.25, as that of every law is",
        )
    with pytest.raises(ValueError) as raised:
        SDES[kind](**given)
    assert str(raised.value) == message


@pytest.mark.parametrize("kind", MADE)
def test_constants_out_of_range(kind):
    with pytest.raises(ValueError, match=r"^eps=-0.1 must be non-negative$"):
        MADE[kind](eps=-0.1)
    with pytest.raises(ValueError, match=r"^sigma=0.0 must be positive$"):
        MADE[kind](sigma=0.0)
    with pytest.raises(ValueError, match=r"^eta=1: with c2|^eta=1 gives beta=-0.3; with c2=1.3 it must be below"):
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(1.0)),
            MADE[kind](c1=0.5),
            SDES[kind](1),
            initial=dict.fromkeys(MADE[kind]().slots, 1.0) | {"t0": 1.0},
            eta=[1.0],
            horizon=2.0,
            test_functions=["v[0]"],
        )
    message = r"sigma0=1.0 is unknown; sigma and eps are those of the definition, and c_i = \(1 - beta_i\) / eta$"
    with pytest.raises(TypeError, match=message):
        getattr(ns, f"ballistic_{kind}")(sigma0=1.0, eps=0.0, c2=1.0)


def test_adams_equations_start_after_0():
    message = "the SDEs of ballistic Adam start at t0 > 0, as sqrt\\(g2\\) / g1 is infinite at t = 0"
    with pytest.raises(ValueError, match=message):
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(1.0)),
            MADE["adam"](),
            ns.ballistic_adam_sde(2),
            initial=START,
            eta=[1 / 16],
            horizon=1.0,
            test_functions=["v[0]"],
        )
