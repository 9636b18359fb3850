"""Ballistic RMSprop and Adam in studies: orders 0, 1 and 2, and E v^2 in closed form with and without dB."""

import math

import pytest

import ngos_sim as ns
from ngos_sim.studies import study_file

CONSTANTS = dict(sigma=0.3, eps=0.3, c2=3.0)
START = {"theta": 2.0, "m": 0.8, "v": 1.0}
ADAM = ns.ballistic_adam(c1=3.0, **CONSTANTS), ns.ballistic_adam_sde
KINDS = {"rmsprop": (ns.ballistic_rmsprop(**CONSTANTS), ns.ballistic_rmsprop_sde), "adam": ADAM}


@pytest.mark.parametrize(("asked", "order"), [(0, 1), (1, 1), (2, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_orders(kind, asked, order):
    optimizer, make = KINDS[kind]
    t0 = 1.0 if kind == "adam" else 0.0
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(2.0)),
        optimizer,
        make(asked),
        initial={slot: START[slot] for slot in optimizer.slots} | {"t0": t0},
        steps=[16, 32, 64, 128],
        horizon=t0 + 1.0,
        times=[t0 + 1.0],
        test_functions=["theta[0]", "theta[0]^2", "v[0]", "v[0]^2"],
        estimator="coupled",
    )
    orders = study.run(2**15, seed=1).order(order)
    for row in orders[orders.norm == "final"].itertuples():
        assert abs(row.order - order) < max(3.0 * row.std_error, 0.1), row.test_function
        assert row.ci_low > order - 0.6, row.test_function
        assert not row.verdict.startswith("fails"), row.test_function


SLOPE, SIGMA, RATE, FOURTH, TIME = 0.5, 1.0, 2.0, 1.8, 1.0  # of a linear loss, uniform noise and Sigma = 1
MEAN = SLOPE**2 + SIGMA**2  # E g^2, where v starts


def second_moments(h):
    """Return E v^2 of the chain, of the SDE, and of the SDE without dB, by hand.

    v' = b v + c h g^2 with b = 1 - c h; dv = r (E g^2 - v) dt + sqrt(h) c (noise of g^2), r = c (1 + c h / 2).
    """
    line, remainder = 4.0 * SLOPE**2 * SIGMA**2, SIGMA**4 * (FOURTH - 1.0)
    b, r = 1.0 - RATE * h, RATE * (1.0 + 0.5 * RATE * h)
    chain = (RATE * h) ** 2 * (line + remainder) * (1.0 - b ** (2.0 * TIME / h)) / (1.0 - b * b)
    equation = h * RATE**2 * -math.expm1(-2.0 * r * TIME) / (2.0 * r)
    return tuple(MEAN**2 + spread for spread in (chain, equation * (line + remainder), equation * line))


def test_without_db_the_order_is_1_in_v_squared():
    for place, order in ((1, 2.0), (2, 1.0)):
        coarse, fine = (found[0] - found[place] for found in map(second_moments, (2.0**-8, 2.0**-9)))
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.05)


def test_v_squared_is_as_by_hand():
    right = ns.ballistic_rmsprop_sde(2, fourth=FOURTH)
    diffusion = right.diffusion

    def first(x, o, c, p):
        return diffusion(x, o, c, p)[0]

    wrong = ns.SDE("no dB", right.drift, first, right.slots, **right.parameters)
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(SLOPE), noise=ns.uniform()),
        ns.ballistic_rmsprop(sigma=SIGMA, eps=0.3, c2=RATE),
        [right, wrong],
        initial=dict(theta=0.0, v=MEAN),
        eta=[1 / 16, 1 / 64],
        horizon=TIME,
        times=[TIME],
        test_functions=["v[0]^2"],
        estimator="coupled",
    )
    for row in study.run(2**15, seed=2).table.itertuples():
        chain, *equations = second_moments(row.h)
        exact = chain - equations[row.sde == "no dB"]
        assert abs(row.error - exact) < 4.0 * row.std_error + row.integrator_residual
        if row.sde == "no dB":
            assert row.error > 5.0 * row.std_error


def test_a_study_file_names_them():
    found = study_file.parse(
        {
            "oracle": {
                "loss": {"kind": "quadratic", "hessian": [2.0]},
                "covariance": 1.0,
                "noise": {"kind": "uniform"},
            },
            "optimizer": {"kind": "ballistic-rmsprop", "sigma": 0.3, "eps": 0.3, "c2": 3.0},
            "sde": [
                {"kind": "ballistic-rmsprop", "order": 2, "fourth": 1.8},
                {"kind": "ballistic-rmsprop", "order": 0},
            ],
            "initial": {"theta": [2.0], "v": 1.0},
            "study": {"eta": [0.0625], "horizon": 1.0, "test_functions": ["v[0]"], "trajectories": 1024},
        }
    )
    assert [sde.name for sde in found.study.sdes] == ["ballistic-rmsprop order 2", "ballistic-rmsprop order 0"]
    described = found.study.run(1024).describe()["record"]["resolved"]["sde"][0]
    assert {name: described[name] for name in ("channels", "refinement", "fourth")} == {
        "channels": 2,
        "refinement": 2,
        "fourth": 1.8,
    }
