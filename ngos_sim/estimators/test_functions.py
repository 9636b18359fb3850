"""Test functions g: a small grammar parsed to exponents, never evaluated as code, and plain functions.

The grammar is in the docstring of `TestFunction`, where a user's help(ns.TestFunction) shows it.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ngos_sim.identity import Value
from ngos_sim.validation import checked_function, checked_name, described, integer, keep, known_keywords

WORDS = ("loss", "trace(Sigma)", "norm(grad)", "accuracy", "distance")
_OF_DATA = {"accuracy": "is a share of samples", "distance": "is that to the minimiser of an empirical risk"}
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<word>(?:loss|accuracy|distance)\b(?!\s*\[)|trace\(\s*Sigma\s*\)|norm\(\s*grad\s*\))"
    r"|sqnorm\(\s*(?P<squared>\w+)\s*\)"
    r"|(?P<slot>[A-Za-z]\w*)\[\s*(?P<index>\d+)\s*\]"
    r"|(?P<operator>\*\*|[-+*^]))",
    re.ASCII,
)
_MAX_POWER, _MAX_TERMS = 16, 4096


@known_keywords()
@dataclass(frozen=True, eq=False)
class TestFunction(Value):
    """A test function from a plain scalar function, where the grammar of strings does not reach.

    A string such as "2*theta[0]^2 - u[1]" is parsed, and never evaluated as code:

        sum     = ["+" | "-"] term {("+" | "-") term}
        term    = factor {"*" factor}
        factor  = number | word [("^" | "**") integer]
        word    = slot "[" i "]" | "sqnorm(" slot ")" | "loss" | "trace(Sigma)" | "norm(grad)"
                  | "accuracy" | "distance"

    Slots are the optimizer's, i counts coordinates from 0, powers go up to 16. sqnorm(theta) is the sum of theta_i^2,
    norm(grad) is |grad f(theta)|, trace(Sigma) that of the covariance at unit noise scale; accuracy, and distance to
    the minimiser, are known on data alone (`finite_data`).

    Parameters
    ----------
    name : str
        What tables call it.
    g : function (x) -> float
        x is the tuple of slots of one coordinate; the contract of scalar functions holds.
    coordinate : int
        Which one.

    Examples
    --------
    >>> import math, ngos_sim as ns
    >>> ns.TestFunction("cos theta", lambda x: math.cos(x[0])).g((0.0, 1.0))
    1.0
    """

    __test__ = False  # not a pytest class

    name: str
    g: Callable
    coordinate: int = 0

    def __post_init__(self):
        owner = f"test function {checked_name('TestFunction', self.name)!r}"
        checked_function(owner, "g", self.g)
        keep(self, coordinate=integer(f"{owner}: coordinate", self.coordinate, 0))


def parse(text, slots, dimension):
    """Parse a test function to terms (coefficient, {variable: power}).

    A variable is (slot index, coordinate) or one of WORDS.

    Parameters
    ----------
    text : str
    slots : tuple of str
    dimension : int

    Returns
    -------
    terms : list of (float, Counter)

    Raises
    ------
    ValueError
        The text is not in the grammar, or names a slot or coordinate that is not there.

    Examples
    --------
    >>> parse("2*theta[0]^2 - u[1]", ("theta", "u"), 2)
    [(2.0, Counter({(0, 0): 2})), (-1.0, Counter({(1, 1): 1}))]
    """
    tokens = _tokens(text, slots, dimension)
    terms, at, sign = [], 0, 1.0
    if tokens and tokens[0] in ("+", "-"):
        sign, at = (-1.0 if tokens[0] == "-" else 1.0), 1
    while True:
        expanded, at = _term(text, tokens, at, dimension)
        terms += [(sign * coefficient, powers) for coefficient, powers in expanded]
        if at == len(tokens):
            return terms
        if tokens[at] not in ("+", "-"):
            raise ValueError(f"test function {text!r}: expected an operator between two factors")
        sign, at = (-1.0 if tokens[at] == "-" else 1.0), at + 1


def _tokens(text, slots, dimension):
    """Return numbers (float), variables (tuples; words and ("sqnorm", slot)) and operators (str)."""
    tokens, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(
                f"test function {text!r}: cannot read {text[at:].strip()!r}{_meant(text[at:], slots)}; allowed: "
                f"numbers, slot[i], ^, *, +, -, sqnorm(slot), {', '.join(WORDS)}; slots: {', '.join(slots)}; "
                "any other function is ns.TestFunction(name, g)"
            )
        at = match.end()
        name = match["slot"] or match["squared"]
        if name and name not in slots:
            raise ValueError(f"test function {text!r}: no slot {name!r}; allowed: {', '.join(slots)}")
        if match["number"]:
            tokens.append(float(match["number"]))
        elif match["word"]:
            tokens.append((re.sub(r"\s", "", match["word"]),))
        elif match["squared"]:
            tokens.append(("sqnorm", slots.index(name)))
        elif match["slot"]:
            if int(match["index"]) >= dimension:
                raise ValueError(f"test function {text!r}: no coordinate {match['index']}; there are {dimension}")
            tokens.append((slots.index(name), int(match["index"])))
        else:
            tokens.append("^" if match["operator"] == "**" else match["operator"])
    return tokens


def _meant(rest, slots):
    """Return " (do you mean theta[0]?)" for theta, theta0 or theta_0, or an empty string."""
    match = re.match(rf"\s*({'|'.join(map(re.escape, slots))})_?(\d*)(?!\w)", rest, re.ASCII)
    return f" (do you mean {match[1]}[{match[2] or 0}]?)" if match else ""


def _term(text, tokens, at, dimension):
    """Parse one term from token `at`; return its expansion and where it ends."""
    expansion = [(1.0, Counter())]
    while True:
        factor = tokens[at] if at < len(tokens) else None
        if factor is None or isinstance(factor, str):
            raise ValueError(f"test function {text!r}: expected a number or a slot, got {factor or 'the end'!r}")
        at, power = at + 1, 1
        if at < len(tokens) and tokens[at] == "^":
            exponent = tokens[at + 1] if at + 1 < len(tokens) else None
            if isinstance(factor, float) or exponent not in range(1, _MAX_POWER + 1):
                raise ValueError(
                    f"test function {text!r}: ^ stands between a slot or word and a positive integer up to {_MAX_POWER}"
                )
            at, power = at + 2, int(exponent)
        for _ in range(power):
            expansion = _times(expansion, factor, dimension)
        if not all(math.isfinite(coefficient) for coefficient, _ in expansion):
            raise ValueError(f"test function {text!r}: a number is not finite")
        if len(expansion) > _MAX_TERMS:
            of = f"; sqnorm is one term a coordinate, of which there are {dimension}" if "sqnorm" in text else ""
            raise ValueError(f"test function {text!r} has {len(expansion)} terms or more{of}; allowed: {_MAX_TERMS}")
        if at == len(tokens) or tokens[at] != "*":
            return expansion, at
        at += 1


def _times(expansion, factor, dimension):
    if isinstance(factor, float):
        return [(factor * coefficient, powers) for coefficient, powers in expansion]
    if factor[0] == "sqnorm":
        squares = [Counter({(factor[1], j): 2}) for j in range(dimension)]
        return [(coefficient, powers + square) for coefficient, powers in expansion for square in squares]
    variable = factor[0] if len(factor) == 1 else factor
    return [(coefficient, powers + Counter([variable])) for coefficient, powers in expansion]


def name_of(function):
    """Return what tables call a test function (a string or a TestFunction)."""
    return function.name if isinstance(function, TestFunction) else function


def check(functions, slots, dimension, oracle):
    """Raise ValueError or TypeError unless each is in the grammar or a TestFunction with a coordinate there.

    oracle : NGOS, which knows what the words mean
    """
    if isinstance(functions, str):
        raise TypeError(f"test_functions={functions!r} is one string; give a list")
    if isinstance(functions, TestFunction) or not isinstance(functions, Iterable | None):
        raise TypeError(f"test_functions={described(functions)} is not a list; give one, such as ['theta[0]']")
    if not functions:
        raise ValueError("test_functions is empty; give at least one, such as 'theta[0]'")
    for function in functions:
        if isinstance(function, TestFunction):
            if not 0 <= function.coordinate < dimension:
                raise ValueError(
                    f"test function {function.name!r}: no coordinate {function.coordinate}; there are {dimension}"
                )
        elif isinstance(function, str):
            _check_words(function, parse(function, slots, dimension), oracle.data)
        else:
            raise TypeError(
                f"test function {described(function)} is neither a string nor a TestFunction; "
                "ns.TestFunction(name, g) makes one of a function g(x)"
            )
    names = [name_of(function) for function in functions]
    if len(set(names)) < len(names):
        raise ValueError(f"test_functions has {max(names, key=names.count)!r} twice")


def _check_words(function, terms, data):
    """Raise ValueError for a word of data where gradients come from none, or from such as do not know it."""
    words = {variable for _, powers in terms for variable in powers if variable in _OF_DATA}
    for word in sorted(words):
        if data is None:
            raise ValueError(f"test function {function!r}: {word} {_OF_DATA[word]}; give oracle=ns.finite_data(..)")
    if "accuracy" in words and not data.classes:
        raise ValueError(f"test function {function!r}: model {data.name!r} has no classes to be right about")
    if "distance" in words:
        try:
            _ = data.minimiser
        except ValueError as error:
            raise ValueError(f"test function {function!r}: {error}") from None


def try_at(functions, state):
    """Raise ValueError unless every TestFunction gives a number at a state, shape (d, slots), where it is defined."""
    for function in functions:
        if isinstance(function, TestFunction):
            x = tuple(state[function.coordinate].tolist())
            try:
                value = function.g(x)
            except (ArithmeticError, ValueError):
                continue  # not defined there: its trajectories will tell
            except Exception as error:
                raise ValueError(f"test function {function.name!r} fails at {x}: {error}") from error
            if not isinstance(value, (int, float, np.floating)):
                raise ValueError(f"test function {function.name!r} returns {value!r} at {x}; a number is needed")


def slots_read(function, slots, state):
    """Return the slots whose values a test function reads: of a TestFunction those whose NaN makes it none.

    state : ndarray, shape (d, slots)
    """
    if not isinstance(function, TestFunction):
        variables = (variable for _, powers in parse(function, slots, len(state)) for variable in powers)
        return {slots[variable[0]] for variable in variables if isinstance(variable, tuple)}
    x = state[function.coordinate].tolist()
    without = {slot: tuple(math.nan if i == at else each for i, each in enumerate(x)) for at, slot in enumerate(slots)}
    return {slot for slot, given in without.items() if _is_nan(function.g, given)}


def _is_nan(g, x):
    try:
        return math.isnan(g(x))
    except (ArithmeticError, ValueError):
        return True
