"""The figure of a result's table: |error| against h, with fitted lines; and drawn again from a folder.

`Result.plot`, `Result.save` and `ngos-sim plot` come here.
"""

from functools import partial
from pathlib import Path

from ngos_sim.reporting import plotting
from ngos_sim.statistics import order as orders
from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import folder
from ngos_sim.studies.series import at_norm, fitted, groups, numerical, total_std_error


def replot(directory):
    """Draw errors.png in a directory again from its table.csv; return its path.

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
        table = folder.read_table(source)
        if table.empty:
            raise ValueError("no rows")
        figure = png(table, _asked(directory))
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(f"{source} is not a table that this version of `ngos-sim run` wrote") from None
    folder.put(directory, "errors.png", figure)
    return directory / "errors.png"


def _asked(directory):
    """Return the order of the theorem that orders.csv in a directory was made for; 1 where nothing says."""
    source = directory / "orders.csv"
    orders = folder.read_table(source) if source.is_file() else {}
    return order_of(orders["theorem"].iloc[0]) if "theorem" in orders else 1.0


def plot(table, axes=None, norm="max", theorem=1.0):
    """Draw the errors of a table at the time of a norm; see `Result.plot`."""
    chosen = []
    for keys, group in groups(table.assign(uncertainty=total_std_error(table) + numerical(table))):
        rows = at_norm(group, norm, theorem)
        fit, used = fitted(rows, norm, theorem)
        chosen.append((keys, rows, fit, partial(orders.curve, fit, used.h, used.error, used.uncertainty)))
    return plotting.error_plot(chosen, axes, theorem, plotting.step_label(table))


def png(table, theorem):
    """Return the figure of a table as bytes of PNG."""
    return plotting.png(lambda axes: plot(table, axes, theorem=theorem))
