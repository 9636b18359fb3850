"""Equations as docstrings have them, in plain ASCII, as MathML, which browsers typeset without help.

`sqrt(h) sigma0 z` is a product, `eta / 2` a fraction, `beta1^(k + 1)` a power, `f'(theta)`, written without a space, a
function of theta; `dt` and `d theta` are differentials. `reporting.equations` finds such lines.
"""

import re
from typing import NamedTuple

_TOKEN = re.compile(r"\s*(\d+(?:\.\d+)?|[A-Za-z]+|'+|[-+=,/^_()])")
_GREEK = ["theta", "eta", "sigma", "Sigma", "mu", "phi", "nu", "rho", "beta", "pi", "zeta", "kappa", "lambda", "xi"]
_LETTERS = {name: f"&{name};" for name in _GREEK} | {"eps": "&epsilon;", "E": "&Eopf;"}
_LARGE = {"sum": "&sum;", "int": "&int;"}
_FUNCTIONS = ("sign", "exp", "erf", "sin", "cos", "arcsin", "log", "tanh", "diag", "grad", "sqrt")
_OPERATORS = {"-": "&minus;"}
_PRIMES = {1: "&prime;", 2: "&Prime;", 3: "&tprime;"}
_BETWEEN = '<mspace width=".14em"/>'  # factors of a product


class Piece(NamedTuple):
    """Some MathML; inner : without the parentheses around it, where it has such; fraction : whether that is all of it.

    name : whether parentheses that follow it at once hold its argument
    """

    markup: str
    inner: str = ""
    fraction: bool = False
    name: bool = False


def mathml(text):
    """Return an equation in ASCII as a MathML element of its own line; its words are escaped by what is allowed in it.

    Raises
    ------
    ValueError
        It holds something that is no part of the grammar.
    """
    return f'<math display="block">{_Reader(text).all()}</math>'


class _Reader:
    """Reads a text from left to right; `_at` is the token that is next."""

    def __init__(self, text):
        self._text, self._tokens, at = text, [], 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ValueError(f"equation {text!r}: {text[at:].strip()[0]!r} is not in the grammar of equations")
            self._tokens.append((found[1], found.start(1) == at))  # and whether it follows the last one at once
            at = found.end()
        self._at, self._slashes = 0, False

    def all(self):
        made = self._sum()
        if self._next:
            raise ValueError(f"equation {self._text!r}: {self._next!r} is one too many")
        return made.markup

    @property
    def _next(self):
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def _follows_at_once(self):
        return self._at < len(self._tokens) and self._tokens[self._at][1]

    def _take(self, expected=None):
        token = self._next
        if not token or expected not in (None, token):
            raise ValueError(f"equation {self._text!r}: {expected or 'something'} is missing after token {self._at}")
        self._at += 1
        return token

    def _sum(self):
        """Read terms with signs, relations and commas between them."""
        parts, alone = [], None
        while self._next and self._next != ")":
            if self._next in "+-=,":
                token = self._take()
                parts.append(f"<mo>{_OPERATORS.get(token, token)}</mo>" + '<mspace width="1em"/>' * (token == ","))
            else:
                alone = self._product()
                parts.append(alone.markup)
        return Piece(_row(parts), fraction=len(parts) == 1 and alone is not None and alone.fraction)

    def _product(self):
        """Read factors; a slash divides the last of them by the next."""
        factors = []
        while self._next and self._next not in "+-=,)":
            if self._next != "/":
                factors.append(self._factor())
            elif self._slashes:
                self._take()
                factors.append(Piece("<mo>/</mo>"))
            else:
                self._take("/")
                above, below = factors.pop(), self._factor()
                fraction = f"<mfrac>{above.inner or above.markup}{below.inner or below.markup}</mfrac>"
                factors.append(Piece(fraction, fraction=True))
        parts: list[str] = []
        for each in factors:
            parts += [_BETWEEN] * bool(parts and not self._slashes)
            parts.append(each.inner if each.fraction and each.inner else each.markup)
        return Piece(_row(parts), fraction=len(factors) == 1 and factors[0].fraction)

    def _factor(self):
        """Read a number, name or group with what is attached to it, and its argument where it is a function."""
        base = self._atom()
        made = self._attached(base)
        if self._next == "(" and self._follows_at_once and base.name:
            return Piece(_row([made.markup, self._group().markup]))
        return made

    def _atom(self):
        if self._next == "(":
            return self._group()
        token = self._take()
        if token[0].isdigit():
            return Piece(f"<mn>{token}</mn>")
        if token == "sqrt":
            inside = self._group()
            return Piece(f"<msqrt>{inside.inner}</msqrt>")
        if token in _FUNCTIONS:
            argument = self._group() if self._next == "(" else self._factor()
            return Piece(_row([f"<mi>{token}</mi>", "" if argument.inner else _BETWEEN, argument.markup]))
        if token in _LARGE:
            return Piece(f"<mo>{_LARGE[token]}</mo>")
        if re.fullmatch("d[A-Za-z]", token):
            return Piece(_row(['<mi mathvariant="normal">d</mi>', _name(token[1])]))
        if token == "d" and self._next.isalpha():
            return Piece(_row(['<mi mathvariant="normal">d</mi>', self._factor().markup]))
        if not token[0].isalpha():
            raise ValueError(f"equation {self._text!r}: {token!r} stands where a factor is expected")
        return Piece(_name(token), name=True)

    def _group(self):
        self._take("(")
        inside = self._sum()
        self._take(")")
        return Piece(_row(["<mo>(</mo>", inside.markup, "<mo>)</mo>"]), inside.markup, inside.fraction)

    def _attached(self, base):
        """Read digits and what stands behind _ below, primes and what stands behind ^ above."""
        below: list[str] = []
        above: list[str] = []
        if self._next[:1].isdigit() and self._follows_at_once and base.name:
            below.append(f"<mn>{self._take()}</mn>")
        if self._next == "_":
            self._take()
            below += self._small()
        if self._next.startswith("'"):
            above.append(f'<mo lspace="0" rspace="0">{_PRIMES[len(self._take())]}</mo>')
        if self._next == "^":
            self._take()
            above += self._small()
        if not below and not above:
            return base
        pieces = [base.markup, *[_row(each) for each in (below, above) if each]]
        kind = "msubsup" if below and above else "msub" if below else "msup"
        return Piece(f"<{kind}>{''.join(pieces)}</{kind}>", name=base.name)

    def _small(self):
        """Read what is raised or lowered, in which fractions are written with a slash."""
        outside, self._slashes = self._slashes, True
        sign = ["<mo>&minus;</mo>"] if self._next == "-" and self._take() else []
        atom = self._atom()
        self._slashes = outside
        return [*sign, atom.inner or atom.markup]


def _name(token):
    return f"<mi>{_LETTERS.get(token, token)}</mi>"


def _row(parts):
    parts = [part for part in parts if part]
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"
