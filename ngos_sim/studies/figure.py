"""The figures of a result: what its tables say, as the series that `reporting.figures` draws.

`Result.plot`, `Result.save` and `ngos-sim plot` come here; the last has no result, only a folder's tables.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ngos_sim import validation
from ngos_sim.reporting import figures
from ngos_sim.statistics import order as orders_of
from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import drawn, folder
from ngos_sim.studies.series import at_norm, fitted, groups, numerical, total_std_error, widening


def replot(directory):
    """Draw errors.png in a directory again from its table.csv and orders.csv; return its path.

    Raises
    ------
    ValueError
        There is no table.csv, or it is not one that `Result.save` wrote.
    """
    directory = Path(directory)
    source = directory / "table.csv"
    if not source.is_file():
        raise ValueError(f"{source} is not there: give the directory that `ngos-sim run` wrote")
    try:
        table, orders = folder.read_table(source), _orders(directory)
        if table.empty:
            raise ValueError("no rows")
        figure = png(table, orders, 1.0 if orders is None else order_of(orders["theorem"].iloc[0]))
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(f"{source} is not a table that this version of `ngos-sim run` wrote") from None
    folder.put(directory, "errors.png", figure)
    return directory / "errors.png"


def _orders(directory):
    """Return orders.csv of a directory, or None where it is not there or does not say its theorem."""
    source = directory / "orders.csv"
    table = folder.read_table(source) if source.is_file() else {}
    return table if "theorem" in table else None


def of_result(result, kind, axes, norm, theorem, sde, test_functions):
    """Draw a figure of a Result; see `Result.plot`."""
    validation.choice("kind", kind, KINDS)
    validation.choice("norm", norm, ("max", "final"))
    if axes is not None and not hasattr(axes, "plot"):
        raise TypeError(f"axes={validation.described(axes)} is not an Axes of matplotlib; plt.subplots()[1] makes one")
    table = result.table
    sdes = _chosen("sde", sde, table.sde, _ONE.get(kind, ()), kind)
    functions = _chosen("test_functions", test_functions, table.test_function, _ONE.get(kind, ()), kind)
    return KINDS[kind](result, axes, theorem=theorem, norm=norm, sdes=sdes, functions=functions)


def _chosen(name, asked, there, one, kind):
    """Return the names asked for, all where none are; raise ValueError for one that is not there.

    one : which arguments are of one name in a figure of this kind
    """
    there = list(dict.fromkeys(there))
    if asked is None:
        return there
    listed = list(asked) if isinstance(asked, (list, tuple)) else [asked]
    wrong = [each for each in listed if not isinstance(each, str) or each not in there]
    if wrong or not listed:
        shown = validation.described(wrong[0] if wrong else asked)
        raise ValueError(f"{name}={shown}; allowed: {', '.join(map(repr, there))}")
    asked = listed
    if name in one and len(asked) > 1:
        raise ValueError(f"{name}={asked!r}: a figure of kind={kind!r} shows one")
    return asked


def _order(result, axes, *, theorem, norm, sdes, functions):
    table = result.table
    shown = table[table.sde.isin(sdes) & table.test_function.isin(functions)]
    return plot(shown, result.order(theorem), axes, norm, theorem)


def png(table, orders, theorem):
    """Return the figure of a table as bytes of PNG."""
    return figures.png(lambda axes: plot(table, orders, axes, theorem=theorem))


def plot(table, orders=None, axes=None, norm="max", theorem=1.0):
    """Draw the errors of a table at the time of a norm; see `Result.plot`.

    orders : DataFrame, optional
        Of `Result.order`: its predictions are drawn.
    """
    series = list(groups(table))
    shown = [_series(keys, group, norm, theorem, len(series), orders) for keys, group in series]
    return figures.errors(shown, axes, theorem, figures.step_label(table))


def _series(keys, group, norm, theorem, number, orders):
    """Return the ErrorSeries of a group; number : of groups, as each is fitted beside the others."""
    rows = at_norm(group, norm, theorem)
    fit, used = fitted(rows, norm, theorem, number)
    ends = ("band_low", "band_high") if norm == "max" else ("ci_low", "ci_high")
    total = widening(rows, norm) * total_std_error(rows)
    noise = orders_of.RESOLVED * total + numerical(rows)
    of_used = (used.h, used.error, total_std_error(used))
    line = partial(orders_of.curve, fit, *of_used, numerical=numerical(used))
    return figures.ErrorSeries(
        sde=keys["sde"],
        test_function=keys["test_function"],
        eta2=None if math.isnan(keys["eta2"]) else keys["eta2"],
        h=rows.h.to_numpy(),
        error=rows.error.to_numpy(),
        half_width=0.5 * (rows[ends[1]] - rows[ends[0]]).to_numpy(),
        resolved=(rows.error.abs() > noise).to_numpy(),
        order=fit.order,
        ci_low=fit.ci_low,
        ci_high=fit.ci_high,
        line=None if math.isnan(fit.order) else line,
        predicted=_predicted(keys, norm, theorem, orders),
    )


def _predicted(keys, norm, theorem, orders):
    """Return what theory predicts for a series to leading order as a function of h; None where it does not."""
    if orders is None:
        return None
    of = (orders.sde == keys["sde"]) & (orders.test_function == keys["test_function"]) & (orders.norm == norm)
    if not math.isnan(keys["eta2"]):
        of &= orders.eta2 == keys["eta2"]
    (row,) = orders[of].itertuples()
    first, root = row.predicted_constant, getattr(row, "predicted_sqrt_term", math.nan)
    if math.isnan(first) and math.isnan(root):
        return None
    first, root = np.nan_to_num([first, root])
    return (lambda h: first * h**theorem + root * np.sqrt(h)) if first or root else None


KINDS: dict[str, Callable] = {
    "order": _order,
    "time": drawn.over_time,
    "trajectories": drawn.over_paths,
    "ranking": drawn.of_ranking,
}
_ONE = {"time": ("sde", "test_functions"), "trajectories": ("test_functions",)}  # arguments of which one is shown
