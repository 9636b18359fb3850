"""Words of a figure: test functions as formulas, names as they are, numbers with the digits that they have.

All figures of this package write their labels with it, and the report may.
"""

import math
import re

import numpy as np

from ngos_sim.estimators.test_functions import TOKEN, parse

_GREEK = {"theta", "phi", "psi", "mu", "nu", "lambda", "rho", "sigma", "tau", "xi", "zeta", "alpha", "beta", "gamma"}
_WORDS = {"trace(Sigma)": r"\mathrm{tr}\,\Sigma", "norm(grad)": r"\|\nabla f\|", "loss": r"f(\theta)"}
_DIGITS = 8  # after the point, at most
_LEAST = 3.0  # units of the last digit in half an interval
_TEX = {**{mark: f"\\{mark}" for mark in "{}_#&%$"}, "\\": r"\textbackslash{}"} | {
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def written(function):
    """Return a test function's name for a figure: a formula where it is in the grammar, else the name as it is.

    Examples
    --------
    >>> written("theta[0]*u[0]"), written("sqnorm(theta)"), written("cos theta")
    ('$\\\\theta_{0}\\\\,u_{0}$', '$\\\\|\\\\theta\\\\|^{2}$', 'cos theta')
    """
    found = maths(function)
    return literal(function) if found is None else f"${found}$"


def maths(function):
    """Return a test function of the grammar as mathtext, without the dollars; None for any other name."""
    if not _is_in_grammar(function):
        return None
    tokens, parts = list(TOKEN.finditer(function)), []
    while tokens:
        token = tokens.pop(0)
        if token["operator"]:
            parts.append({"*": r"\,", "+": " + ", "-": " - "}[token["operator"]])
        elif tokens and tokens[0]["operator"] in ("^", "**"):
            _, power = tokens.pop(0), tokens.pop(0)
            parts.append(_factor(token, int(power["number"])))
        else:
            parts.append(_factor(token, 1))
    return "".join(parts).strip()


def literal(text):
    """Return words of a user's that matplotlib draws as they are: "cos $t" is no formula."""
    import matplotlib

    if matplotlib.rcParams["text.usetex"]:
        return "".join(_TEX.get(letter, letter) for letter in text)
    return text.replace("$", r"\$")


def series(sde, function, eta2=None):
    """Return words for what is given of a series."""
    words = [literal(sde)] * bool(sde) + [written(function)] * bool(function)
    return ", ".join(words + ([] if eta2 is None else [rf"$\eta^2$ = {eta2:g}"]))


def interval(value, low, high):
    """Return a number and its interval with as many digits as the interval leaves it, so that its ends differ.

    Examples
    --------
    >>> interval(1.00042, 0.99912, 1.00123)
    '1.0004 [0.9991, 1.0012]'
    >>> interval(1.0, 1.0 - 2e-12, 1.0 + 2e-12)
    '1.00000000 \xb1 2e-12'
    """
    half = 0.5 * (high - low)
    if not math.isfinite(half):
        ends = [_end(low), _end(high)]
        return f"{value:z.2f} [{ends[0]}, {ends[1]}]"
    digits = max(math.ceil(math.log10(_LEAST / half)), 1) if half > 0.0 else _DIGITS + 1
    if digits > _DIGITS:
        return f"{value:z.{_DIGITS}f} \xb1 {half:.0e}"
    return f"{value:z.{digits}f} [{low:z.{digits}f}, {high:z.{digits}f}]"


def step_label(table):
    """Return what h is in a table with the columns h, eta2, eta and ell: eta^2 or eta, under SVAG over ell^2 or ell."""
    svag = np.any(table.ell != 1.0)
    if np.allclose(table.h * table.ell**2, table.eta2, rtol=1e-9, atol=0.0):
        return r"$h = \eta^2 / \ell^2$ (time of one step)" if svag else r"$h = \eta^2$ (time of one step)"
    return r"$h = \eta / \ell$ (time of one step)" if svag else r"$h = \eta$ (time of one step)"


def step(h):
    """Return "h = 2^-3" as a formula, of what is no power of two its digits."""
    exponent = math.log2(h)
    return f"$h = 2^{{{exponent:.0f}}}$" if exponent.is_integer() else f"$h$ = {h:.3g}"


def power_of_h(power):
    """Return h^p as a formula, of p = 1 h alone."""
    return "$h$" if power == 1.0 else r"$\sqrt{h}$" if power == 0.5 else f"$h^{{{power:g}}}$"


def _end(value):
    return f"{value:z.2f}" if math.isfinite(value) else ("-" if value < 0.0 else "") + "\u221e"


def _is_in_grammar(text):
    """Return whether a name is a test function of the grammar, of whatever slots."""
    slots = {token["slot"] or token["squared"] for token in TOKEN.finditer(text)} - {None}
    first = re.sub(r"\[\s*\d+\s*\]", "[0]", text)  # which coordinate does not matter here
    try:
        return bool(parse(first, tuple(slots), 1)) and not re.search(r"\d[eE]", text)
    except ValueError:
        return False


def _factor(token, power):
    """Return a number, slot or word to a power."""
    if token["number"]:
        return token["number"]
    if token["squared"]:
        return rf"\|{_slot(token['squared'])}\|^{{{2 * power}}}"
    if token["slot"]:
        base = f"{_slot(token['slot'])}_{{{int(token['index'])}}}"
    else:
        word = re.sub(r"\s", "", token["word"])
        base = _WORDS.get(word, rf"\mathrm{{{word}}}")
        base = f"({base})" if power > 1 and word == "trace(Sigma)" else base
    return base if power == 1 else f"{base}^{{{power}}}"


def _slot(name):
    if name in _GREEK:
        return f"\\{name}"
    return name if len(name) == 1 else r"\mathrm{" + name.replace("_", r"\_") + "}"
