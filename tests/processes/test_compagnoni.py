"""Compagnoni's SDEs: the paper's own variables, Malladi's at h = 0, constants of P1 to P4, and wrong ones."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import ngos_sim as ns
from ngos_sim.processes import compagnoni
from ngos_sim.processes.rule import oracle_of, parameters

CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)
PAIRS = {
    "rmsprop": (ns.rmsprop(w0=0.6, **CONSTANTS), ns.compagnoni_rmsprop_sde(), ns.rmsprop_sde()),
    "adam": (ns.adam(c1=2.0, w0=0.6, **CONSTANTS), ns.compagnoni_adam_sde(), ns.adam_sde()),
}


def states(slots):
    for x in np.random.default_rng(1).uniform(0.5, 2.0, (20, slots)).tolist():
        yield x, oracle_of("gradient", "variance")(0.9 * x[0] - 2.0, 1.3)


def papers_drift(kind, x, o, eta, t, sigma0, eps0, c2, w0, c1=0.0):
    """Return drift and diffusion of theta, M and V in the paper's own variables and time (k eta), to the letter.

    RMSpropW and AdamW of arXiv 2411.15958: rho_i = (1 - beta_i) / eta, V unscaled, the noise sigma Sigma^(1/2).
    """
    theta, m, v = x[0], x[-2], x[-1] * (sigma0 / eta) ** 2
    eps, w, rho1, rho2, cov = eps0 / eta, w0 * eta, c1 * eta, c2 * eta, (sigma0 / eta) ** 2 * o.variance
    of_v = rho2 * (o.gradient**2 + cov - v)
    if kind == "rmsprop":
        P = math.sqrt(v) + eps
        return (-o.gradient / P - w * theta, of_v), (-math.sqrt(eta * cov) / P, 0.0)
    g1, g2 = 1.0 - math.exp(-rho1 * t), 1.0 - math.exp(-rho2 * t)
    P = math.sqrt(v) + eps * math.sqrt(g2)
    speed = -math.sqrt(g2) / g1 / P * (m + eta * rho1 * (o.gradient - m)) - w * theta
    return (speed, rho1 * (o.gradient - m), of_v), (0.0, math.sqrt(eta * cov) * rho1, 0.0)


@pytest.mark.parametrize("kind", PAIRS)
def test_they_are_the_papers_in_scaled_variables(kind):
    """Time k eta there is k eta^2 here: a rate is divided by eta, a noise by its root; V by sigma^2."""
    rule, sde, _ = PAIRS[kind]
    sde, eta, t = sde.beside(rule), 0.3, 0.7
    p = SimpleNamespace(**parameters(rule, eta**2))
    numbers = {name: value for name, value in rule.parameters.items() if name not in ("updated", "bias_correction")}
    unit = [1.0] * (len(rule.slots) - 1) + [(0.8 / eta) ** -2]
    c = sde.schedule(t, p)
    for x, o in states(len(rule.slots)):
        drift, diffusion = papers_drift(kind, x, o, eta, t / eta, **numbers)
        assert sde.drift(x, o, c, p) == pytest.approx(np.array(drift) * unit / eta, rel=1e-12)
        noise = np.array(sde.diffusion(x, o, c, p)) * math.sqrt(o.variance)
        assert noise == pytest.approx(np.array(diffusion) * unit / math.sqrt(eta), rel=1e-12)


@pytest.mark.parametrize("kind", PAIRS)
def test_at_step_0_they_are_malladis(kind):
    rule, own, near = PAIRS[kind]
    p = SimpleNamespace(**parameters(rule, 0.0))
    for one, other in ((own, near), (own.decayed, near.decayed)):
        c = other.schedule(0.7, p)
        for x, o in states(len(rule.slots)):
            assert one.drift(x, o, c, p) == pytest.approx(other.drift(x, o, c, p), rel=1e-15)


def study(name, sde, functions, **optimizer):
    """Return a study of problem P1 to P4 (docs/theory.md, "Reference problems")."""
    numbers = dict(sigma0=0.8, eps0=0.1 if name == "P4" else 0.0, c2=1.3) | optimizer
    loss = {"P1": ns.linear(0.7), "P2": ns.quadratic(0.9), "P3": ns.linear(0.6), "P4": ns.quadratic(0.9)}[name]
    theta = 1.2 if name in ("P2", "P4") else 0.0
    if name in ("P1", "P2"):
        rule, start, steps = ns.rmsprop(**numbers), dict(theta=theta, u=1.0), [16, 32, 64, 128, 256]
    else:
        rule, start = ns.adam(c1=2.0, **numbers), dict(theta=theta, m=-0.4, u=1.4, t0=0.5)
        steps = [24, 48, 96, 192, 384]
    horizon = 1.0 if name in ("P1", "P2") else 1.5
    settings = dict(initial=start, test_functions=functions, steps=steps, horizon=horizon, times=[horizon])
    return ns.ConvergenceStudy(ns.NGOS(loss), rule, sde, estimator="local", **settings)


def measured(study, trajectories=20_480):
    orders = study.run(trajectories, seed=1).order()
    return orders[orders.norm == "final"].set_index("test_function")


def of_p3():
    """Return C[E theta] of P3 by quadrature: Malladi's, -.530152, less what the terms of order h move E theta by."""
    g, s0, c1, c2, m0, u0, t0, t = 0.6, 0.8, 2.0, 1.3, -0.4, 1.4, 0.5, 1.5

    def q(s, u):
        return math.sqrt(1.0 - math.exp(-c2 * s)) / (1.0 - math.exp(-c1 * s)) / (s0 * math.sqrt(u))

    def moved(s):
        late, pull = s - t0, (g - m0) * math.exp(-c1 * (s - t0))
        u, more = 1.0 + (u0 - 1.0) * math.exp(-c2 * late), (g / s0) ** 2 * -math.expm1(-c2 * late)
        return -q(s, u) * c1 * pull + 0.5 * q(s, u) / u * more * (g - pull)

    return -0.530152 - quad(moved, t0, t, epsabs=1e-10)[0]


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("P1", {"theta[0]": -0.2747, "u[0]": 0.0}),
        ("P2", {"theta[0]": -0.5721, "u[0]": 0.0}),
        ("P3", {"theta[0]": of_p3()}),
        ("P4", {}),
    ],
)
def test_constants(name, constants):
    """On a linear loss they are measured themselves, on a quadratic one through Malladi's, their limit at step 0."""
    sde = ns.compagnoni_rmsprop_sde() if name in ("P1", "P2") else ns.compagnoni_adam_sde()
    made = study(name, sde, ["theta[0]", "u[0]"])
    through = "through its limit at step 0" in made.why[sde.name, "theta[0]"]
    assert through == (name in ("P2", "P4"))
    found = measured(made)
    off = (found.constant - found.predicted_constant).abs()
    assert (off < 4.0 * found.constant_std_error + 1e-9).all()
    assert (found.constant_std_error < 2e-3).all()
    for function, constant in constants.items():
        assert abs(found.constant[function] - constant) < 3.0 * found.constant_std_error[function] + 6e-5
    assert found.verdict["theta[0]"] == "consistent with order 1"


def test_constants_with_weight_decay():
    found = measured(study("P2", ns.compagnoni_rmsprop_sde(), ["theta[0]"], w0=0.6))
    assert abs(found.constant - found.predicted_constant).iloc[0] < 4.0 * found.constant_std_error.iloc[0]
    assert found.verdict.iloc[0] == "consistent with order 1"


@pytest.mark.parametrize(("power", "verdict"), [("sqrt(h)", "fails"), ("1", "fails"), ("h", "consistent")])
def test_the_power_of_h_is_seen(power, verdict):
    """Of f'^2 in u's drift in P3's noise: with sqrt(h) the order is 1/2, without any 0."""
    near = ns.rmsprop_sde()
    factor = {"sqrt(h)": lambda p: p.eta, "1": lambda p: 1.0, "h": lambda p: 2.0 * p.h}[power]

    def drift(x, o, c, p):
        own, _ = near.drift(x, o, c, p)
        return own, p.c2 * (o.variance + factor(p) * o.gradient**2 / p.sigma0**2 - x[1])

    wrong = ns.SDE("wrong", drift, near.diffusion, near.slots, near.schedule)
    assert measured(study("P1", wrong, ["u[0]"]), 1024).verdict.iloc[0].startswith(verdict)


def test_they_are_built_ins():
    assert ns.compagnoni_rmsprop_sde().name == "compagnoni-rmsprop"
    assert ns.compagnoni_adam_sde().name == "compagnoni-adam"
    assert ns.compagnoni_rmsprop_sde().beside(PAIRS["rmsprop"][0]).drift is compagnoni._rmspropw_drift
    assert ns.compagnoni_adam_sde().beside(PAIRS["adam"][0]).drift is compagnoni._adamw_drift
