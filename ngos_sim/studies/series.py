"""The series of a table to which one order is fitted each: their rows at the time of a norm, and the fit.

`Result` makes its orders and figures of them; stopping and planning look at the headline.
"""

import numpy as np
import pandas as pd

from ngos_sim.statistics import order
from ngos_sim.studies import collect

MIN_STEPS = 4  # of a point from its start to the compared time (scaling rule: to the last), for it to enter a fit


def groups(table):
    """Yield (keys, rows) of what one order is fitted to."""
    several = table.ell.nunique() > 1
    by = ["sde", "test_function", *["eta2"] * several]
    for values, group in table.groupby(by, sort=False):
        keys = dict(zip(by, values, strict=True))
        yield {**keys, "eta2": keys.get("eta2", np.nan)}, group


def at_norm(group, norm, theorem=1.0):
    """Return the rows of one group at the time of a norm, one a point; see `Result.order`.

    Parameters
    ----------
    group : DataFrame
        The rows of one series at all times.
    norm : "max" or "final"
    theorem : float
        The order p of the slope |error| / h^p that is largest at the time of "max".

    Raises
    ------
    ValueError
        The points have no time in common: a study refuses that, an older table may show it.
    """
    lag = group.step % group.kappa  # of a step of the smaller batch behind the last matched one
    clock = ((group.time - lag * group.h) / group.time.max()).round(9)
    spread = np.hypot(total_std_error(group), numerical(group))
    size = np.maximum(group.error.abs(), spread)
    weight = 1.0 / np.maximum(spread / (size.max() or 1.0), 1e-15) ** 2
    enters = group.get("steps_run", group.step // group.kappa) >= MIN_STEPS
    power = (group.h / group.h.max()) ** theorem
    sums = {"points": 1, "enter": enters, "top": weight * group.error * power, "base": weight * power**2}
    sums = pd.DataFrame(sums)
    sums = sums.groupby([clock.rename("clock"), lag.rename("lag")]).sum()
    common = sums[sums.points == group.h.nunique()]
    if common.empty:
        raise ValueError("the points of a series have no time in common: their errors cannot be compared")
    common = common[common.enter == common.enter.max()]
    pooled = (common.top / common.base).abs()  # the weighted least squares slope of error against h^p
    at = common.index[-1] if norm == "final" or pooled.isna().all() else pooled.idxmax()
    return group.assign(enters=enters)[(clock == at[0]) & (lag == at[1])]


def fitted(rows, norm, theorem=1.0, series=1):
    """Return the OrderFit of rows that `at_norm` returned, and the rows that entered.

    series : int
        How many fits stand in the same table.
    """
    used = rows[rows.enters & np.isfinite(rows.error) & np.isfinite(total_std_error(rows))]
    fit = order.fit(
        used.h,
        used.error,
        total_std_error(used),
        numerical=numerical(used),
        theorem=theorem,
        rows=series,
        widening=widening(rows, norm),
        spacing=float(rows.spacing.iloc[0]) if "spacing" in rows else 1.0,
    )
    return fit, used


def widening(rows, norm):
    """Return by how much the simultaneous band is wider than the interval of one time; 1 for norm = final."""
    own = (rows.ci_high - rows.ci_low).to_numpy()
    if norm == "final" or not np.any(own > 0.0):
        return 1.0
    return float(np.mean((rows.band_high - rows.band_low).to_numpy()[own > 0.0] / own[own > 0.0]))


def total_std_error(rows):
    """Return the total standard error of rows of a table: with what the integrator leaves, where the table knows it."""
    return collect.total_std_error(rows.std_error, rows.get("integrator_residual", 0.0))


def numerical(rows):
    """Return how far what is computed may be off, 0 where all is sampled."""
    return rows.numerical.fillna(0.0) if "numerical" in rows else np.zeros(len(rows))


def headline(table):
    """Return the rows of a table at the time of norm = max of each series."""
    return pd.concat([at_norm(group, "max") for _, group in groups(table)])
