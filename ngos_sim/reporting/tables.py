"""Tables of a report: of DataFrames, rows of texts with a head; and the table of orders in LaTeX, to be copied."""

import re
from typing import NamedTuple

import pandas as pd

from ngos_sim.reporting.report import at_last_time
from ngos_sim.reporting.sentences import number, outcome


class Column(NamedTuple):
    """A column : its head; how its values are shown, None for words."""

    head: str
    form: str | None = None


class Cell(NamedTuple):
    """A text of a table; outcome : of a verdict, as in `sentences`, else ""."""

    text: str
    numeric: bool
    outcome: str = ""


class Table(NamedTuple):
    """A table.

    name : in a word; caption : what it says, and what is the same in all rows; head : of the columns
    """

    name: str
    caption: str
    head: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


_SERIES = {
    "test_function": Column("test function"),
    "sde": Column("SDE"),
    "norm": Column("time"),
    "eta2": Column("eta2", "g"),
}
_ORDERS = _SERIES | {
    "order": Column("order", "z.3f"),
    "std_error": Column("SE", ".3f"),
    "ci_low": Column("95 % from", "z.3f"),
    "ci_high": Column("to", "z.3f"),
    "verdict": Column("verdict"),
    "resolved_points": Column("resolved", "d"),
    "points": Column("points", "d"),
}
_CONSTANTS = _SERIES | {
    "constant": Column("constant", "z.5g"),
    "constant_std_error": Column("SE", ".2g"),
    "predicted_constant": Column("predicted", "z.5g"),
    "sqrt_term": Column("sqrt(h) term", "z.4g"),
    "sqrt_term_std_error": Column("SE", ".2g"),
    "predicted_sqrt_term": Column("predicted", "z.4g"),
    "limit": Column("limit", "z.4g"),
    "limit_std_error": Column("SE", ".2g"),
    "chi2": Column("chi2", ".2f"),
    "dof": Column("dof", "d"),
    "p_value": Column("p", ".2g"),
}
_ERRORS = {
    "h": Column("h", ".6g"),
    "eta2": Column("eta2", ".6g"),
    "ell": Column("ell", "g"),
    "batch_size": Column("B", "g"),
    "time": Column("time", ".6g"),
    "step": Column("steps", "d"),
    "test_function": Column("test function"),
    "sde": Column("SDE"),
    "error": Column("error", "z.5e"),
    "std_error": Column("SE", ".1e"),
    "ci_low": Column("95 % from", "z.4e"),
    "ci_high": Column("to", "z.4e"),
    "integrator_bias": Column("integrator bias", "z.1e"),
    "integrator_residual": Column("residual", ".1e"),
    "numerical": Column("numerical", ".1e"),
    "resolved": Column("resolved"),
    "estimator": Column("estimator"),
    "trajectories": Column("trajectories", "d"),
    "nonfinite": Column("not finite", "d"),
}
_RANKING = {
    "sde_a": Column("SDE a"),
    "sde_b": Column("SDE b"),
    "test_function": Column("test function"),
    "eta2": Column("eta2", "g"),
    "h": Column("h", ".6g"),
    "error_a": Column("error a", "z.4e"),
    "error_b": Column("error b", "z.4e"),
    "difference": Column("difference", "z.4e"),
    "std_error": Column("SE", ".1e"),
    "ci_low": Column("95 % from", "z.3e"),
    "ci_high": Column("to", "z.3e"),
    "closer": Column("closer"),
}
_ONCE = (
    "sde",
    "sde_a",
    "sde_b",
    "time",
    "estimator",
    "trajectories",
    "resolved",
)  # said above, where all rows have one
_NORMS = {"max": "greatest", "final": "last"}


def orders(found):
    """Return what `Result.order` says of orders: fits and verdicts."""
    caption = "Orders: at the time of the greatest error over h^p, and at the last"
    return _table(caption, found.assign(norm=found.norm.map(_NORMS)), _ORDERS)


def constants(found):
    """Return what `Result.order` says of the theorem's expansion: constants and terms of lower order."""
    caption = "Constants of C h^p, and what stands beside it: a limit, A sqrt(h); and theory's, where known"
    return _table(caption, found.assign(norm=found.norm.map(_NORMS)), _CONSTANTS)


def errors(table):
    """Return the errors at each point's last time; all others are in table.csv."""
    last = at_last_time(table)
    shown = last if last.ell.nunique() > 1 else last.drop(columns=["eta2", "ell"])
    if not shown.nonfinite.any():
        shown = shown.drop(columns="nonfinite")
    yes = {True: "yes", False: "no"}
    return _table("Errors at each step size's last time", shown.assign(resolved=shown.resolved.map(yes)), _ERRORS)


def ranking(compared):
    """Return the table of a ranking."""
    return _table("Differences of two SDEs' errors, measured on one stream", compared, _RANKING)


def plain(caption, frame):
    """Return a DataFrame whose numbers are shown with six digits."""
    return _table(caption, frame, {name: Column(name, _form(frame[name])) for name in frame.columns})


def _form(values):
    return ".6g" if pd.api.types.is_numeric_dtype(values) else None


def _table(caption, frame, columns):
    shown = {name: each for name, each in columns.items() if name in frame and not _says_nothing(frame[name])}
    once = {
        name: each for name, each in shown.items() if name in _ONCE and frame[name].nunique() == 1 and len(frame) > 1
    }
    shown = {name: each for name, each in shown.items() if name not in once}
    said = [f"{each.head} {_cell(name, frame[name].iloc[0], each.form).text}" for name, each in once.items()]
    name, caption = re.split(r"[ :]", caption, maxsplit=1)[0], "; ".join([caption, *said])
    rows = tuple(
        tuple(_cell(name, value, shown[name].form) for name, value in zip(shown, row, strict=True))
        for row in frame[list(shown)].itertuples(index=False, name=None)
    )
    return Table(name, caption, tuple(shown.values()), rows)


def _says_nothing(values):
    return bool(values.isna().all())


def _cell(name, value, form):
    if form is None:
        return Cell(str(value), False, outcome(value) if name == "verdict" else "")
    if pd.isna(value):
        return Cell("", True)
    return Cell(format(int(value) if form == "d" else value, form), True)


_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", **{each: f"\\{each}" for each in "&%$#_{}"},
}  # fmt: skip


def latex(found):
    """Return the orders at the greatest errors as a LaTeX table; it needs the package booktabs."""
    rows = found[found.norm == "max"]
    several = bool(rows.eta2.notna().any())
    head = ["SDE", "test function", *[r"$\eta^2$"] * several, "order", r"95\,\% interval", "constant", "predicted"]
    lines = [rf"\begin{{tabular}}{{ll{'r' * several}rrrr}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
    for row in rows.itertuples():
        interval = "" if pd.isna(row.order) else f"$[{row.ci_low:z.3f}, {row.ci_high:z.3f}]$"
        cells = [_escaped(row.sde), rf"\texttt{{{_escaped(row.test_function)}}}", *[_maths(row.eta2)] * several]
        cells += ["" if pd.isna(row.order) else f"${row.order:z.3f}$", interval]
        cells += [_maths(row.constant, row.constant_std_error), _maths(row.predicted_constant)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _escaped(text):
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _maths(value, std_error=None):
    """Return a number, with its standard error if it has one, in LaTeX's mathematics; "" for NaN."""
    if pd.isna(value):
        return ""
    spread = "" if std_error is None else rf" \pm {_power(f'{std_error:.1g}')}"
    return f"${_power(number(value))}{spread}$"


def _power(text):
    digits, e, power = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if e else digits
