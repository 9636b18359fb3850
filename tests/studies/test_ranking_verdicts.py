"""What a ranking says in words, of tables made by hand."""

import math

import pandas as pd
import pytest

from ngos_sim.studies import verdicts


def series(outcomes, function="u[0]", eta2=math.nan):
    """Return a ranking's rows of one pair and test function: {h: the closer SDE, "" or None for not known}."""
    return pd.DataFrame(
        {
            "sde_a": "a",
            "sde_b": "b",
            "test_function": function,
            "eta2": eta2,
            "h": list(outcomes),
            "closer": [who or "" for who in outcomes.values()],
            "resolved": [bool(who) for who in outcomes.values()],
            "std_error": [math.nan if who is None else 1.0 for who in outcomes.values()],
        }
    )


def fits(a=(1.0, 0.01), b=(1.0, 0.01), function="u[0]", eta2=math.nan, verdict="consistent with order 1"):
    """Return orders of both SDEs: (order, half the width of its interval) each."""
    return pd.DataFrame(
        [
            {
                "sde": sde,
                "test_function": function,
                "norm": norm,
                "eta2": eta2,
                "theorem": 1.0,
                "order": order if norm == "final" else 3.0,
                "ci_low": order - half,
                "ci_high": order + half,
                "constant": constant,
                "constant_std_error": 0.0004,
                "verdict": verdict,
            }
            for sde, (order, half), constant in (("a", a, -0.12716), ("b", b, -0.2747))
            for norm in ("max", "final")
        ]
    )


OVER_H = {
    "one everywhere": ({0.5: "a", 0.25: "a"}, "a", "a is closer at every h"),
    "one h": ({0.5: "b"}, "b", "b is closer at every h"),
    "none": ({0.5: "", 0.25: ""}, "", "not resolved at any h"),
    "no standard error": ({0.5: None, 0.25: None}, "", "not known at any h"),
    "the fine ones": (
        {2**-4: "", 2**-5: "", 2**-6: "b", 2**-7: "b"},
        "",
        "b is closer at h <= 1/64, not resolved at h >= 1/32",
    ),
    "it turns": (
        {0.5: "a", 0.3: "", 0.25: "b"},
        "",
        "b is closer at h <= 1/4, not resolved at h = 0.3, a is closer at h >= 1/2",
    ),
    "a range": (
        {2.0: "a", 0.5: "", 0.25: "", 0.125: "a"},
        "",
        "a is closer at h <= 1/8, not resolved at 1/4 <= h <= 1/2, a is closer at h >= 2",
    ),
}


@pytest.mark.parametrize(("outcomes", "closer", "words"), OVER_H.values(), ids=OVER_H)
def test_over_all_h(outcomes, closer, words):
    (row,) = verdicts.verdicts(series(outcomes), fits()).itertuples()
    assert (row.closer, row.verdict) == (closer, words)


ORDERS = {
    "both of the theorem's": (fits(), 1.0, 1.0, "both of order 1, constants -0.1272 (0.0004) and -0.2747 (0.0004)"),
    "both of another": (fits((2.02, 0.05), (1.98, 0.01)), 2.0, 2.0, "both of order 2"),
    "two": (fits((1.0, 0.1), (2.0, 0.1)), 1.0, 2.0, "a of order 1, b of order 2"),
    "half": (fits((0.52, 0.05), (1.0, 0.1)), 0.5, 1.0, "a of order 0.5, b of order 1"),
    "one is not known": (fits((math.nan, 0.1), (1.0, 0.1)), math.nan, 1.0, "b of order 1"),
    "too wide": (fits((1.0, 0.3), (1.22, 0.01)), math.nan, math.nan, ""),
    "no power": (fits(verdict="not asymptotic: .."), math.nan, math.nan, ""),
}


@pytest.mark.parametrize(("orders", "a", "b", "words"), ORDERS.values(), ids=ORDERS)
def test_orders_in_words(orders, a, b, words):
    found = verdicts.verdicts(series({0.5: "a"}), orders)
    assert found.orders.tolist() == [words]
    assert found[["order_a", "order_b"]].iloc[0].tolist() == pytest.approx([a, b], nan_ok=True)


def test_headline_over_all_test_functions():
    kinds = {"theta[0]": ("a", (1.0, 0.1), (2.0, 0.1)), "theta[0]^2": ("a", (1.0, 0.1), (1.0, 0.1))}
    kinds |= {"m[0]": ("a", (1.0, 0.1), (1.0, 0.1)), "u[0]": ("b", (1.0, 0.1), (2.0, 0.1))}
    table = pd.concat([series({0.5: who, 0.25: who}, function) for function, (who, _, _) in kinds.items()])
    orders = pd.concat([fits(a, b, function) for function, (_, a, b) in kinds.items()])
    (row,) = verdicts.headlines(verdicts.verdicts(table, orders)).itertuples()
    assert row.headline == (
        "for theta[0], theta[0]^2, m[0]: a is closer at every h; for u[0]: b is closer at every h, and of order 2 there"
    )
