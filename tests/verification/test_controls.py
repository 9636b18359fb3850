"""The controls are the wrong rules that they say they are, and cases are judged by what they show."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import ngos_sim as ns
from ngos_sim.processes.rule import Oracle
from ngos_sim.verification import controls
from ngos_sim.verification.case import CONSISTENT, FIRST_ORDER, HALF_ORDER, NO_ORDER, WITHIN, Case
from tests.support import naive

SMALL = dict(
    eta=0.05, beta=1.0 - 1.3 * 0.05**2, eps=0.1 / 0.05, sigma=0.8 / 0.05
)  # controls.CONSTANTS at eta^2 = 1/400
ROOT = math.sqrt(controls.KAPPA)
LARGE = {  # hyperparameters at kappa B, to the letter
    "linear": dict(eta=SMALL["eta"] * controls.KAPPA, beta=SMALL["beta"], eps=SMALL["eps"]),
    "beta": dict(eta=SMALL["eta"] * ROOT, beta=SMALL["beta"], eps=SMALL["eps"] / ROOT),
    "eps": dict(eta=SMALL["eta"] * ROOT, beta=1.0 - controls.KAPPA * (1.0 - SMALL["beta"]), eps=SMALL["eps"]),
}
RULES = {"linear": controls.linear_scaling, "beta": controls.beta_kept, "eps": controls.eps_kept}


@pytest.mark.parametrize("name", RULES)
def test_wrong_scaling_rules_are_the_raw_ones(name):
    """Steps of the plug-in in scaled variables against Definition 2.1 with the wrong hyperparameters."""
    noise, sigma = np.random.default_rng(0).normal(size=20), SMALL["sigma"] / ROOT
    rule, H = controls.kappa_batch(name, RULES[name]), controls.KAPPA * SMALL["eta"] ** 2
    p, x, path = SimpleNamespace(**rule.parameters, eta2=H), (1.2, 1.6), []
    for k, z in enumerate(noise):
        x = rule.step(x, Oracle(0.9 * x[0], 1.0, 0.9, 0.81 * x[0]), z, rule.schedule(k, H, p), p)
        path.append(x)
    gradients = [lambda k, theta: 0.9 * theta + sigma * noise[k]] * len(noise)
    theta, v = naive.rmsprop(1.2, 1.6 * sigma**2, gradients, **LARGE[name])
    np.testing.assert_allclose(np.array(path), np.stack([theta, v / sigma**2], axis=1), rtol=1e-10)


def test_the_right_hyperparameters_are_the_built_in_rule():
    rule = controls.kappa_batch("right", lambda H, p: (H, p.sigma0, p.eps0, p.c2 * H))
    base, p = ns.rmsprop(**controls.CONSTANTS), SimpleNamespace(**ns.rmsprop(**controls.CONSTANTS).parameters)
    assert rule.schedule(3, 0.01, p) == pytest.approx(base.schedule(3, 0.01, p), rel=1e-15)


def test_an_sde_altered_by_nothing_is_the_built_in_one():
    same, built_in = controls.altered_sde("same"), ns.rmsprop_sde()
    o, x = Oracle(0.7, 1.2, 0.0, 0.0), (0.3, 1.6)
    p = SimpleNamespace(**controls.CONSTANTS, **same.parameters)
    rows = same.schedule(0.4, p), built_in.schedule(0.4, p)
    for name in ("drift", "diffusion"):
        assert getattr(same, name)(x, o, rows[0], p) == pytest.approx(getattr(built_in, name)(x, o, rows[1], p))
    kept = controls.altered_sde("kept", excess=3.0 * 1.6)  # u starts at 4 u0 and the speed is that of u0's path
    p = SimpleNamespace(**controls.CONSTANTS, **kept.parameters)
    for t in (0.0, 0.4):
        u, own = (1.2 + (start - 1.2) * math.exp(-1.3 * t) for start in (4 * 1.6, 1.6))
        drift = kept.drift((0.3, u), o, kept.schedule(t, p), p)[0]
        assert drift == pytest.approx(built_in.drift((0.3, own), o, built_in.schedule(t, p), p)[0])


def orders(**changes):
    row = dict(
        sde="rmsprop",
        test_function="theta[0]",
        norm="max",
        order=1.0,
        ci_low=0.99,
        ci_high=1.01,
        verdict="consistent with order 1",
    )
    row |= dict(constant=0.5, constant_std_error=0.001, predicted_constant=0.5)
    row |= dict(sqrt_term=0.3, sqrt_term_std_error=0.001, predicted_sqrt_term=0.0)
    return pd.DataFrame([row | changes])


class Found:
    def __init__(self, table):
        self.table = table

    def order(self, theorem):
        return self.table.assign(theorem=theorem)


HALF = dict(verdict="fails order 1: half order", order=0.51, predicted_sqrt_term=0.3)


@pytest.mark.parametrize(
    ("shows", "changes", "good", "words"),
    [
        (CONSISTENT, {}, True, "consistent with order 1: fitted order 1.00, the worst interval [0.990"),
        (CONSISTENT, dict(predicted_constant=math.nan), True, "consistent"),
        (CONSISTENT, dict(verdict="undecided"), False, "NOT as expected: theta[0] (rmsprop): undecided"),
        (CONSISTENT, dict(verdict="constant consistent with 0: |C| <= 1"), False, "NOT as expected"),
        (CONSISTENT, dict(constant=0.53), False, "NOT the predicted constants: theta[0]: 0.53, not 0.5"),
        (NO_ORDER, dict(verdict="fails order 1: limit off", order=0.01), True, "as it must"),
        (NO_ORDER, dict(verdict="fails order 1: limit off", order=-0.5), True, "as it must"),
        (NO_ORDER, dict(verdict="fails order 1", order=0.6), False, "NOT as expected"),
        (NO_ORDER, {}, False, "NOT as expected"),
        (HALF_ORDER, HALF, True, "half-order terms within 0 %"),
        (HALF_ORDER, HALF | dict(order=0.6), False, "NOT as expected"),
        (HALF_ORDER, HALF | dict(predicted_sqrt_term=0.4), False, "NOT the predicted half-order terms"),
    ],
)
def test_judgements(shows, changes, good, words):
    found, said = Case("", dict, 1, shows).judge({"": Found(orders(**changes))})
    assert found == good
    assert words in said


@pytest.mark.parametrize(
    ("shows", "changes", "good", "words"),
    [
        (CONSISTENT, dict(order=2.0, verdict="consistent with order 2"), True, "consistent with order 2: fitted"),
        (CONSISTENT, {}, False, "NOT as expected"),
        (WITHIN, dict(order=1.9, ci_low=1.6, ci_high=2.2, verdict="undecided"), True, "every interval holds order 2"),
        (WITHIN, dict(order=1.9, ci_low=1.4, ci_high=2.2, verdict="undecided"), False, "NOT as expected"),
        (FIRST_ORDER, dict(verdict="fails order 2: order 1"), True, "fails order 2, as it must: fitted order 1.00"),
        (FIRST_ORDER, dict(verdict="fails order 2: limit off", order=0.01), False, "NOT as expected"),
    ],
)
def test_judgements_of_a_theorem_of_order_2(shows, changes, good, words):
    case = Case("", dict, 1, shows, order=2.0)
    found, said = case.judge({"": Found(orders(**{"predicted_constant": math.nan} | changes))})
    assert found == good
    assert words in said
