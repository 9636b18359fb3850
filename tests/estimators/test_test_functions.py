"""The grammar of test functions: what is read, against Python arithmetic, and what is refused."""

import math
import random

import pytest

import ngos_sim as ns
from ngos_sim.estimators.test_functions import WORDS, TestFunction, check, name_of, parse

SLOTS, DIMENSION = ("theta", "m", "u"), 3
ORACLE = ns.NGOS(ns.quadratic(1.0))


def value(terms, slots, words):
    """Evaluate parsed terms on a state: slots[s][i], words by name."""
    total = 0.0
    for coefficient, powers in terms:
        for variable, power in powers.items():
            base = words[variable] if isinstance(variable, str) else slots[variable[0]][variable[1]]
            for _ in range(power):
                coefficient *= base
        total += coefficient
    return total


def squares(vector):
    return sum(one * one for one in vector)


# text, the same in Python; t, m, u are the slots, w the words
READ = [
    ("theta[0]", lambda t, m, u, w: t[0]),
    ("theta[2]", lambda t, m, u, w: t[2]),
    ("u[1]", lambda t, m, u, w: u[1]),
    ("+theta[0]", lambda t, m, u, w: t[0]),
    ("-theta[0]", lambda t, m, u, w: -t[0]),
    ("theta[0] + m[1]", lambda t, m, u, w: t[0] + m[1]),
    ("theta[0] - m[1]", lambda t, m, u, w: t[0] - m[1]),
    ("-theta[0]-m[1]-u[2]", lambda t, m, u, w: -t[0] - m[1] - u[2]),
    ("-theta[0]+m[1]-u[2]+u[0]", lambda t, m, u, w: -t[0] + m[1] - u[2] + u[0]),
    ("theta[0] - theta[0]", lambda t, m, u, w: 0.0),
    ("2*theta[0]", lambda t, m, u, w: 2 * t[0]),
    ("theta[0]*2", lambda t, m, u, w: 2 * t[0]),
    ("2*3*theta[0]*0.5", lambda t, m, u, w: 3 * t[0]),
    (".5*theta[0]", lambda t, m, u, w: 0.5 * t[0]),
    ("5.*theta[0]", lambda t, m, u, w: 5.0 * t[0]),
    ("1e-2*theta[0]", lambda t, m, u, w: 0.01 * t[0]),
    ("2.5E+1*theta[0]", lambda t, m, u, w: 25.0 * t[0]),
    ("3", lambda t, m, u, w: 3.0),
    ("theta[0] - 1.5", lambda t, m, u, w: t[0] - 1.5),
    ("theta[0]^2", lambda t, m, u, w: t[0] ** 2),
    ("theta[0]**2", lambda t, m, u, w: t[0] ** 2),
    ("theta[0]^1", lambda t, m, u, w: t[0]),
    ("theta[0]^12", lambda t, m, u, w: t[0] ** 12),
    ("theta[0]^2*theta[0]", lambda t, m, u, w: t[0] ** 3),
    ("theta[0]^2*u[1]**3*m[2]", lambda t, m, u, w: t[0] ** 2 * u[1] ** 3 * m[2]),
    ("-2*theta[0]^2*u[0] + 3*m[1]^3", lambda t, m, u, w: -2 * t[0] ** 2 * u[0] + 3 * m[1] ** 3),
    ("sqnorm(theta)", lambda t, m, u, w: squares(t)),
    ("sqnorm(m) - sqnorm(u)", lambda t, m, u, w: squares(m) - squares(u)),
    ("sqnorm(theta)^2", lambda t, m, u, w: squares(t) ** 2),
    ("sqnorm(theta)**3*u[1]", lambda t, m, u, w: squares(t) ** 3 * u[1]),
    ("-2*sqnorm(theta)*sqnorm(u)", lambda t, m, u, w: -2 * squares(t) * squares(u)),
    ("loss", lambda t, m, u, w: w["loss"]),
    ("loss^2 - loss*theta[1]", lambda t, m, u, w: w["loss"] ** 2 - w["loss"] * t[1]),
    ("trace(Sigma)", lambda t, m, u, w: w["trace(Sigma)"]),
    ("norm(grad)**2*3", lambda t, m, u, w: 3 * w["norm(grad)"] ** 2),
    ("loss*trace(Sigma)*norm(grad)", lambda t, m, u, w: w["loss"] * w["trace(Sigma)"] * w["norm(grad)"]),
    ("\t theta[ 0 ] ^ 2\n+ 2 * u[1]  ", lambda t, m, u, w: t[0] ** 2 + 2 * u[1]),
    ("sqnorm( theta )+trace( Sigma )-norm( grad )", lambda t, m, u, w: squares(t) + w[WORDS[1]] - w[WORDS[2]]),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_terms_have_the_value_of_the_text(text, expected):
    terms = parse(text, SLOTS, DIMENSION)
    draw = random.Random(11)
    for _ in range(5):
        slots = [[draw.uniform(-2.0, 2.0) for _ in range(DIMENSION)] for _ in SLOTS]
        words = {word: draw.uniform(0.1, 3.0) for word in WORDS}
        assert value(terms, slots, words) == pytest.approx(expected(*slots, words), rel=1e-12, abs=1e-12)


def test_coefficients_powers_and_variables_of_terms():
    assert parse("2*theta[0]^2*u[1] - loss", SLOTS, DIMENSION) == [
        (2.0, {(0, 0): 2, (2, 1): 1}),
        (-1.0, {"loss": 1}),
    ]


def test_sqnorm_is_a_sum_over_coordinates():
    assert parse("3*sqnorm(u)", SLOTS, DIMENSION) == [(3.0, {(2, j): 2}) for j in range(DIMENSION)]


REFUSED = [
    ("", "expected a number or a slot"),
    ("   ", "expected a number or a slot"),
    ("-", "expected a number or a slot"),
    ("theta[0] +", "expected a number or a slot"),
    ("theta[0]*", "expected a number or a slot"),
    ("* theta[0]", "expected a number or a slot, got '*'"),
    ("theta[0] + - u[0]", "expected a number or a slot, got '-'"),
    ("2*-theta[0]", "expected a number or a slot, got '-'"),
    ("2 theta[0]", "expected an operator"),
    ("theta[0] u[0]", "expected an operator"),
    ("theta[0]2", "expected an operator"),
    ("theta[0]^2^3", "operator"),
    ("theta[0]^", "positive integer"),
    ("theta[0]**", "positive integer"),
    ("theta[0]^2.5", "positive integer"),
    ("theta[0]^-1", "positive integer"),
    ("theta[0]^u[0]", "positive integer"),
    ("2^3", "^ stands between"),
    ("theta", "cannot read 'theta'"),
    ("theta[-1]", "cannot read 'theta[-1]'"),
    ("theta[0", "cannot read 'theta[0'"),
    ("theta[0.5]", "cannot read"),
    ("theta[]", "cannot read"),
    ("theta[0] / 2", "cannot read '/ 2'"),
    ("(theta[0] + 1)^2", "cannot read '(theta[0]"),
    ("exp(theta[0])", "cannot read 'exp(theta[0])'"),
    ("__import__('os')", "cannot read"),
    ("losses", "cannot read 'losses'"),
    ("trace(H)", "cannot read"),
    ("sqnorm(grad)", "no slot 'grad'; allowed: theta, m, u"),
    ("v[0]", "no slot 'v'; allowed: theta, m, u"),
    ("theta[3]", "no coordinate 3; there are 3"),
    ("theta[0] + u[17]", "no coordinate 17; there are 3"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_text_outside_the_grammar_is_refused(text, message):
    with pytest.raises(ValueError) as caught:
        parse(text, SLOTS, DIMENSION)
    assert message in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_message_shows_the_text_and_not_the_parsers_tokens():
    with pytest.raises(ValueError) as caught:
        parse("2 theta[1]", SLOTS, DIMENSION)
    assert "(0, 1)" not in str(caught.value)


@pytest.mark.parametrize("text", ["1e400*theta[0]", "theta[0]^1e400", "1e200*1e200*theta[0]"])
def test_numbers_beyond_floats_are_refused(text):
    with pytest.raises(ValueError, match=r"test function"):
        parse(text, SLOTS, DIMENSION)


@pytest.mark.parametrize("text", ["theta[\u0661]", "theta[0]^\u0662", "\u0663*theta[0]"])
def test_digits_are_ascii(text):
    with pytest.raises(ValueError, match="cannot read"):
        parse(text, SLOTS, DIMENSION)


def test_check_takes_strings_and_test_functions():
    check(["theta[0]", TestFunction("cos", lambda x: math.cos(x[0]), coordinate=2)], SLOTS, DIMENSION, ORACLE)


@pytest.mark.parametrize(
    ("functions", "kind", "message"),
    [
        ([], ValueError, "test_functions is empty"),
        (["theta[0]", "theta[0]"], ValueError, "'theta[0]' twice"),
        (["a[0]"], ValueError, "no slot 'a'"),
        ([TestFunction("g", abs, coordinate=3)], ValueError, "no coordinate 3"),
        ([TestFunction("u[0]", abs), "u[0]"], ValueError, "'u[0]' twice"),
        ([3], TypeError, "neither a string nor a TestFunction"),
        ([abs], TypeError, "neither a string nor a TestFunction"),
    ],
)
def test_check_refuses(functions, kind, message):
    with pytest.raises(kind) as caught:
        check(functions, SLOTS, DIMENSION, ORACLE)
    assert message in str(caught.value)


def test_names():
    assert name_of("theta[0]^2") == "theta[0]^2"
    assert name_of(TestFunction("energy", abs)) == "energy"
