"""Verdicts in whole sentences, for the head of a report: what was compared and what was found."""

import math
from typing import NamedTuple

GOOD, BAD, OPEN = "consistent", "fails", "open"
_MARKS = {GOOD: "holds", BAD: "fails", OPEN: "open"}


class Said(NamedTuple):
    """A finding : its outcome, GOOD, BAD or OPEN; a word for it; what it is of; a sentence."""

    outcome: str
    mark: str
    subject: str
    sentence: str


def found(orders):
    """Return what was found, a Said for each series of a table of orders, by its greatest errors (norm = max)."""
    return tuple(_said(row) for row in orders[orders.norm == "max"].itertuples())


def headline(orders):
    """Return all findings in one sentence."""
    said = found(orders)
    order = f"order {orders.theorem.iloc[0]:g}"
    counts = {outcome: sum(each.outcome == outcome for each in said) for outcome in (GOOD, BAD, OPEN)}
    words = {GOOD: f"consistent with {order}", BAD: f"not of {order}", OPEN: "undecided or unresolved"}
    if len(said) in counts.values():
        (only,) = (words[outcome] for outcome, count in counts.items() if count == len(said))
        return f"{'All ' if len(said) > 1 else ''}{_series(len(said))} {'is' if len(said) == 1 else 'are'} {only}."
    parts = (f"{count} {words[outcome]}" for outcome, count in counts.items() if count)
    return f"Of {_series(len(said))}: {', '.join(parts)}."


def _series(count):
    return f"{count} series of errors" if count > 1 else "The error"


def outcome(verdict):
    """Return which of GOOD, BAD, OPEN a verdict of a fit is."""
    return GOOD if verdict.startswith("consistent with order") else BAD if verdict.startswith("fails") else OPEN


def _said(row):
    at = "" if math.isnan(row.eta2) else f" at eta2 = {row.eta2:g}"
    parts = [f"{row.verdict[0].upper()}{row.verdict[1:]}"]
    if not math.isnan(row.order):
        span = f"{row.ci_low:z.3f} to {row.ci_high:z.3f}"
        parts.append(f"fitted order {row.order:z.3f}, 95 % interval {span}")
    if not math.isnan(row.constant) and outcome(row.verdict) != BAD:
        parts.append(f"constant {number(row.constant)} ({row.constant_std_error:.1g}){_theory(row)}")
    elif row.predicted_sqrt_term and not math.isnan(row.predicted_sqrt_term):
        parts.append(f"theory predicts {number(row.predicted_sqrt_term)} sqrt(h)")
    which = outcome(row.verdict)
    return Said(which, _MARKS[which], f"{row.test_function}, {row.sde}{at}", "; ".join(parts) + ".")


def _theory(row):
    if math.isnan(row.predicted_constant):
        return ""
    return f"; theory predicts {number(row.predicted_constant)}"


def number(value):
    """Return a number with the digits that a reader compares, "" for NaN."""
    return "" if math.isnan(value) else f"{value:z.5g}"
