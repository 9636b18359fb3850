"""What a ranking says in words: of a pair of SDEs over all h of a test function, and over all test functions.

`ranking` calls `verdicts` and `headlines`; who looks at a Ranking reads them.
"""

import math
from itertools import groupby

import pandas as pd

_REACH = 0.25  # of an order's interval from the multiple of 1/2 that it is called
_MARGIN = 0.1  # as far from that the interval may lie, as in the verdicts of `Result.order`


def verdicts(table, orders):
    """Return the verdicts of `Ranking`, a row per (pair, test function).

    Parameters
    ----------
    table : DataFrame
        As `ranking.compared` makes it.
    orders : DataFrame
        As `Result.order` makes it; those of the last common time (norm = final) are used.
    """
    final = orders[orders.norm == "final"]
    fits = {_series(row.sde, row.test_function, row.eta2): row for row in final.itertuples()}
    rows = []
    for keys, series in table.groupby(["sde_a", "sde_b", "test_function", "eta2"], sort=False, dropna=False):
        sde_a, sde_b, test_function, eta2 = keys
        a, b = (fits[_series(sde, test_function, eta2)] for sde in (sde_a, sde_b))
        winners = set(series.closer)
        rows.append(
            {
                "sde_a": sde_a,
                "sde_b": sde_b,
                "test_function": test_function,
                "eta2": eta2,
                "closer": winners.pop() if len(winners) == 1 else "",
                "order_a": _order(a),
                "order_b": _order(b),
                "verdict": _over_all_h(series),
                "orders": _orders(a, b),
            }
        )
    return pd.DataFrame(rows)


def headlines(said):
    """Return the headlines of `Ranking`, a row per pair, of its verdicts: test functions of one verdict together."""
    rows = []
    for (sde_a, sde_b), mine in said.groupby(["sde_a", "sde_b"], sort=False):
        functions: dict[str, list[str]] = {}
        for row in mine.itertuples():
            at = "" if math.isnan(row.eta2) else f" at eta2={row.eta2:g}"
            functions.setdefault(row.verdict + _higher(row), []).append(row.test_function + at)
        headline = "; ".join(f"for {', '.join(names)}: {verdict}" for verdict, names in functions.items())
        rows.append({"sde_a": sde_a, "sde_b": sde_b, "headline": headline})
    return pd.DataFrame(rows)


def _series(sde, test_function, eta2):
    """Return the key of a series; NaN, which is not equal to itself, as None."""
    return sde, test_function, None if math.isnan(eta2) else eta2


def _over_all_h(series):
    """Return who is closer at which h, in words."""
    ordered = series.sort_values("h")
    ends = ordered.h.iloc[0], ordered.h.iloc[-1]
    said = []
    for who, rows in groupby(ordered.itertuples(), _outcome):
        steps = [row.h for row in rows]
        said.append(f"{who} {_range(steps[0], steps[-1], *ends)}")
    return ", ".join(said) if len(said) > 1 or ordered.resolved.any() else said[0].replace("every", "any")


def _outcome(row):
    if row.resolved:
        return f"{row.closer} is closer"
    return "not known" if math.isnan(row.std_error) else "not resolved"


def _range(low, high, least, most):
    """Return in words which h are meant, of all from `least` to `most`."""
    if (low, high) == (least, most):
        return "at every h"
    if low == high and low not in (least, most):
        return f"at h = {_step(low)}"
    if low == least:
        return f"at h <= {_step(high)}"
    return f"at h >= {_step(low)}" if high == most else f"at {_step(low)} <= h <= {_step(high)}"


def _step(h):
    """Return a step as a fraction where it is one over an integer."""
    return f"1/{round(1.0 / h)}" if h < 1.0 and math.isclose(h * round(1.0 / h), 1.0, rel_tol=1e-9) else f"{h:g}"


def _order(fit):
    """Return the multiple of 1/2 that the interval of a fitted order is about, or NaN."""
    if math.isnan(fit.order) or fit.verdict.startswith("not asymptotic"):
        return math.nan
    near = 0.5 * round(2.0 * fit.order)
    about = near - _REACH < fit.ci_low and fit.ci_high < near + _REACH
    return near if about and fit.ci_low - _MARGIN < near < fit.ci_high + _MARGIN else math.nan


def _orders(a, b):
    """Return the orders of two fits in words, with their constants where both are of the theorem's order."""
    of_a, of_b = _order(a), _order(b)
    if of_a != of_b:
        known = {fit.sde: order for fit, order in ((a, of_a), (b, of_b)) if not math.isnan(order)}
        return ", ".join(f"{sde} of order {order:g}" for sde, order in known.items())
    if of_a != a.theorem:
        return f"both of order {of_a:g}"
    constants = (f"{fit.constant:.4g} ({fit.constant_std_error:.1g})" for fit in (a, b))
    return f"both of order {of_a:g}, constants {' and '.join(constants)}"


def _higher(row):
    """Return a clause where the SDE that is closer at every h is of a higher order as well."""
    own, other = (row.order_a, row.order_b) if row.closer == row.sde_a else (row.order_b, row.order_a)
    return f", and of order {own:g} there" if row.closer and own > other else ""
