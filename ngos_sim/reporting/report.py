"""Words and tables for a terminal."""

import math

import pandas as pd

_SERIES = ["sde_a", "sde_b", "test_function", "eta2"]  # of a ranking
_ERRORS, _SPREADS = ["error_a", "error_b", "difference"], ["std_error", "std_error_of_errors"]


def orders_caption(theorem=1.0):
    """Return what `orders_table` shows: orders of which errors, and what the constants are.

    theorem : the order that they are held to, or None where it is each case's own
    """
    power = {None: "h^p", 1.0: "h"}.get(theorem) or f"h^{theorem:g}"
    return f"Orders in h of the error where it is largest over time (norm = max); constants C of C {power}."


def orders_table(orders):
    """Return `orders_rows` as text."""
    return orders_rows(orders).to_string(index=False)


def orders_rows(orders):
    """Return the headline rows (norm = max) of an orders table in words: what, order, interval, constants, verdict."""
    rows = orders[orders.norm == "max"]
    columns = {"sde": rows.sde} if rows.sde.nunique() > 1 else {}
    columns |= {"test function": rows.test_function}
    if rows.eta2.notna().any():
        columns["eta2"] = rows.eta2.map("{:g}".format)
    columns |= {name: [cell(row) for row in rows.itertuples()] for name, cell in _CELLS.items()}
    shown = pd.DataFrame(columns | {"verdict": rows.verdict})
    return shown.loc[:, (shown != "").any()]


def _order(row):
    return "" if pd.isna(row.order) else f"{row.order:z.{_places(row)}f}"


def interval(row):
    """Return the 95 % interval of an order with the digits that it has."""
    return "" if pd.isna(row.order) else f"[{row.ci_low:z.{_places(row)}f}, {row.ci_high:z.{_places(row)}f}]"


def _places(row):
    """Return how many decimals an order has: as many as show two digits of its interval's half width, 2 to 6."""
    return decimals(0.5 * (row.ci_high - row.ci_low), 2)


def decimals(spread, digits=1):
    """Return how many decimals a number has whose uncertainty is shown with so many digits, 2 to 6."""
    if not 0.0 < spread < math.inf:
        return 3
    return min(max(digits - 1 - math.floor(math.log10(spread)), 2), 6)


def measured(value, std_error):
    """Return a number with its standard error in parentheses, and with the digits that it has; without one, six."""
    if not std_error > 0.0:
        return f"{value:.6g}"
    spread = f"{std_error:.0e}".replace("e-0", "e-")
    return f"{value:z.{decimals(std_error)}f} ({spread})"


def _constant(row):
    """Return C with its standard error; nothing where no such C is claimed."""
    if row.verdict.startswith("fails") or pd.isna(row.constant):
        return ""
    return measured(row.constant, row.constant_std_error)


def _predicted(row):
    """Return the leading term that theory predicts, with the digits of the measured one: C, or one of sqrt(h)."""
    if row.predicted_sqrt_term and not pd.isna(row.predicted_sqrt_term):
        return f"{row.predicted_sqrt_term:z.3f} sqrt"
    if pd.isna(row.predicted_constant):
        return ""
    return f"{row.predicted_constant:z.{decimals(row.constant_std_error)}f}"


_CELLS = {"order": _order, "95 % interval": interval, "constant": _constant, "predicted": _predicted}


ERRORS_CAPTION = "Errors E g(optimizer) - E g(SDE) at the last time of each step size."


def at_last_time(table):
    """Return the rows of a table at each point's last time."""
    return table[table.time == table.groupby(["h", "kappa"]).time.transform("max")]


def errors_table(table):
    """Return the errors at each point's last time as text, one line a point and test function."""
    last = at_last_time(table)
    several = ["eta2", "ell"] if last.ell.nunique() > 1 else []
    several += ["batch_size"] * bool(last.batch_size.notna().any())
    columns = [
        "h",
        *several,
        "time",
        "test_function",
        "sde",
        "error",
        "std_error",
        "integrator_bias",
        "integrator_residual",
        "resolved",
        "estimator",
    ]
    form = dict.fromkeys(("error", "std_error", "integrator_bias", "integrator_residual"), "{: z.5e}".format)
    form |= dict.fromkeys(("h", "time"), "{:.6g}".format)
    return last[columns].to_string(index=False, formatters=form, na_rep="")


def outside_theory(reasons):
    """Return why a study lies outside the theory, a line a reason."""
    return "\n".join(f"outside the theory: {reason}" for reason in reasons)


def plan_table(planned):
    """Return what `ConvergenceStudy.plan` foresees as text: first what a run costs, then what it would resolve."""
    given = planned.attrs
    shown = planned.drop(columns=["eta_e", "smallest_eta_e"]).dropna(axis="columns", how="all")  # other names of h
    form = {"h": "{:.6g}", "time": "{:.6g}", "error": "{: z.2e}", "seconds": "{:.2g}", "smallest_h": "{:.2g}"}
    form |= dict.fromkeys(("std_error", "integrator_residual", "numerical"), "{:.1e}") | {"rel_error": "{:.2g}"}
    formatters = {name: text.format for name, text in form.items()}
    return (
        f"{given['trajectories']} trajectories at each step size would take about {duration(given['seconds'])}, "
        f"compilation apart ({duration(given['compilation'])} in this process), "
        f"and {given['memory'] / 1e6:.3g} MB beside Python's own.\n"
        "What they would resolve, each error at the time where it is largest against h (norm = max):\n\n"
        f"{shown.to_string(index=False, formatters=formatters, na_rep='')}\n\n"
        "smallest_h: where the error would still be 3 standard errors (0: at every h; empty: not known)"
    )


def duration(seconds):
    """Return a time in words."""
    minutes, hours = seconds / 60.0, seconds / 3600.0
    if hours >= 1.0:
        return f"{hours:.1f} h"
    return f"{minutes:.0f} min" if minutes >= 2.0 else f"{seconds:.1f} s" if seconds < 3.0 else f"{seconds:.0f} s"


def hindsight(found):
    """Return a `Hindsight` as text."""
    form = dict.fromkeys(("planned", "std_error"), "{:.2e}".format) | {"h": "{:.6g}".format, "ratio": "{:.2f}".format}
    several = [] if found.table.ell.nunique() > 1 else ["eta2", "ell"]
    rows = found.table.drop(columns=several).to_string(index=False, formatters=form, na_rep="")
    took = f"{found.trajectories} trajectories at each step size took {duration(found.seconds)}"
    if not pd.isna(found.planned_seconds):
        took += f", {duration(found.planned_seconds)} were planned (ratio {found.ratio:.2f})"
    return f"{took}; standard errors:\n{rows}"


def ranking(found):
    """Return a `Ranking` as text: for every pair the headline, and each test function at its smallest h."""
    said = found.table.merge(found.verdicts[[*_SERIES, "orders"]], on=_SERIES)
    finest = said[said.h == said.groupby(_SERIES, dropna=False).h.transform("min")]
    shown = ["test_function", *["eta2"] * bool(finest.eta2.notna().any()), "h", *_ERRORS, *_SPREADS, "orders"]
    form = dict.fromkeys(_ERRORS, "{: z.4e}".format) | dict.fromkeys(_SPREADS, "{:.1e}".format) | {"h": "{:.6g}".format}
    paragraphs = []
    for row in found.headlines.itertuples():
        lines = finest[(finest.sde_a == row.sde_a) & (finest.sde_b == row.sde_b)][shown]
        text = lines.to_string(index=False, formatters=form, na_rep="")
        paragraphs.append(f"{row.sde_a} (a) or {row.sde_b} (b)?\n{row.headline}\n{text}")
    return "\n\n".join(paragraphs)
