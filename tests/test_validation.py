"""What each check returns of good values, and its one line on bad ones. The words of whole calls: test_messages."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim import validation

HUGE = 10**400  # an int that no float holds


def test_numbers():
    for value in (2, 2.0, np.float32(2.0), np.int64(2), Fraction(2)):
        found = validation.number("a", value, "a number", above=1.0, least=2.0)
        assert (type(found), found) == (float, 2.0)


@pytest.mark.parametrize("value", [True, np.True_, "2", None, math.nan, math.inf, -HUGE, HUGE, 2j, [2.0], Decimal(2)])
def test_no_numbers(value):
    assert not validation.is_number(value)
    with pytest.raises(ValueError, match=r"^a=.* must be a number$"):
        validation.number("a", value, "a number")
    with pytest.raises(ValueError, match=r"^me: a=.* must be a finite number$"):
        validation.named_numbers("me", {"a": value})


def test_bounds_of_numbers():
    assert validation.number("a", 0, "a number of at least 0", least=0.0) == 0.0
    with pytest.raises(ValueError, match=r"^a=0 must be a positive number$"):
        validation.number("a", 0, "a positive number", above=0.0)
    with pytest.raises(ValueError, match=r"^a=-1.0 must be a number of at least 0$"):
        validation.number("a", -1.0, "a number of at least 0", least=0.0)


def test_integers():
    for value in (3, 3.0, np.float32(3.0), np.int64(3), np.array(3)):
        assert (type(validation.integer("n", value)), validation.integer("n", value)) == (int, 3)
    assert validation.integer("seed", HUGE) == HUGE


@pytest.mark.parametrize("value", [True, np.False_, "3", 2.5, math.nan, math.inf, None, [3]])
def test_no_integers(value):
    for least, kind in ((None, "an integer"), (1, "a positive integer"), (2, "an integer of at least 2")):
        with pytest.raises(ValueError, match=rf"^n=.* must be {kind}$"):
            validation.integer("n", value, least)


@pytest.mark.parametrize("value", ["c", 1, None, ["a"], np.array(["a", "b"])])
def test_a_choice(value):
    assert validation.choice("word", "a", ("a", "b")) == "a"
    with pytest.raises(ValueError, match=r"^word=.*; allowed: a, b$"):
        validation.choice("word", value, ("a", "b"))


def test_vectors():
    assert validation.coordinate_values("x", 2) == (2.0,)
    assert validation.coordinate_values("x", np.array([1, 2])) == (1.0, 2.0)
    assert validation.broadcastable("x", 2) == 2.0
    assert validation.broadcastable("x", [2]) == (2.0,)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], r"x=\[\] must hold finite numbers"),
        ([1.0, math.nan], r"x=\[1.0, nan\] must hold finite numbers"),
        ([[1.0, 2.0]], r"x=.* is a 1x2 array; a number or a vector is allowed"),
        ("1", "x='1' is not a number or a vector of numbers"),
        ([True], r"x=\[True\] is not a number or a vector of numbers"),
        ([[1.0], [1.0, 2.0]], r"x=.* is not a number or a vector of numbers"),
    ],
)
def test_no_vectors(value, words):
    with pytest.raises((TypeError, ValueError), match=f"^{words}$"):
        validation.coordinate_values("x", value)


def test_matrices():
    given = [[2.0, 1.0], [1.0 + 1e-15, 3.0]]
    found = validation.symmetric_matrix("H", given)
    assert np.array_equal(found, found.T)
    assert found == pytest.approx(np.array(given))
    for no_matrix in (1.0, [1.0, 2.0], [[1.0], [1.0, 2.0]], "H", [["a", "b"], ["b", "a"]]):
        assert validation.symmetric_matrix("H", no_matrix) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1.0, 2.0]], "H is a 1x2 matrix; a square one is needed"),
        ([[1.0, 2.0], [2.1, 1.0]], r"H is not symmetric: \[0, 1\] is 2.0, \[1, 0\] is 2.1"),
        ([[math.inf]], r"H=\[\[inf\]\] must hold finite numbers"),
        (np.zeros((1, 1, 1)), "H=.* is a 1x1x1 array; a number, a vector or a square matrix is allowed"),
    ],
)
def test_no_matrices(value, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        validation.symmetric_matrix("H", value)


def test_what_a_study_is_given_is_checked_by_these():
    """A value that cannot be hashed or compared was a traceback: each is one line."""
    with pytest.raises(ValueError, match=r"^second_moment=\['updated'\]; allowed: previous, updated$"):
        ns.rmsprop(0.8, 0.0, 1.3, second_moment=["updated"])
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(0.8, 0.0, 1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[0.25],
        horizon=0.5,
        test_functions=["theta[0]"],
    )
    with pytest.raises(ValueError, match=r"^device=\['cpu'\]; allowed: cpu, cuda, auto, python$"):
        study.run(10, device=["cpu"])


def test_what_stands_behind_a_mask_is_no_number():
    masked = np.ma.array([1.2, 3.0], mask=[False, True])
    with pytest.raises(TypeError, match="theta=.* is not a number or a vector of numbers"):
        validation.coordinate_values("theta", masked)
    assert validation.coordinate_values("theta", np.ma.array([1.2, 3.0])) == (1.2, 3.0)
