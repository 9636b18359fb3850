"""Test functions with a kink: computed where that is precise enough at most points, by auto sampled elsewhere."""

import pytest

import ngos_sim as ns
from ngos_sim.estimators import transport

MODULUS = ns.TestFunction("modulus", lambda x: abs(x[0]))
SMOOTH = "theta[0]^2"


def study(eta2, estimator="auto"):
    """Return a study of RMSprop on log-cosh, of |theta| and theta^2."""
    return ns.ConvergenceStudy(
        ns.NGOS(ns.log_cosh(1.0)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=eta2,
        times=[1.0],
        test_functions=[MODULUS, SMOOTH],
        estimator=estimator,
    )


@pytest.mark.parametrize(
    ("eta2", "taken"),
    [
        ([2.0**-3, 2.0**-4], "transport"),
        ([2.0**-2, 2.0**-3], "transport"),  # at one of two is not at most
        ([2.0**-2], "coupled"),
        ([2.0**-5, 2.0**-3, 2.0**-7], "coupled"),
    ],
)
def test_what_auto_takes(eta2, taken):
    """The smooth one is computed in any case: its uncertainty at 1/4 is most of its error too, as that is small."""
    found = study(eta2).run(1024)
    assert found.table.groupby("test_function").estimator.first().to_dict() == {"modulus": taken, SMOOTH: "transport"}


def test_why_and_nothing_is_computed_twice(monkeypatch):
    calls, answers = [], transport.answers
    monkeypatch.setattr(transport, "answers", lambda *arguments: calls.append(1) or answers(*arguments))
    made = study([2.0**-2])
    found = made.run(1024)
    assert (
        "not transport, as of a test function with a kink it leaves over 5 % of the error uncertain at 1 of 1 points"
        in found.why["rmsprop", "modulus"]
    )
    assert len(calls) == 1
    smooth = found.table[found.table.test_function == SMOOTH].iloc[0]
    assert smooth.numerical > 0.05 * abs(smooth.error)


def test_by_name_it_is_reported_as_it_is():
    table = study([2.0**-2, 2.0**-3], "transport").run(1024).table
    kinked = table[table.test_function == "modulus"]
    assert (kinked.estimator == "transport").all()
    shares = (kinked.numerical / kinked.error.abs()).tolist()
    assert shares[0] > 0.05 > shares[1]
    assert kinked.resolved.tolist() == [share < 1.0 for share in shares]
