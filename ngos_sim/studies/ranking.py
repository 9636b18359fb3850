"""Which of several SDEs is closer to the optimizer: every pair of errors on one stream, and what that says.

`ConvergenceStudy.run` has `compared` make the table while it has the groups of trajectories; `Result.ranking` makes a
Ranking of it and of the orders, in the words of `verdicts` (docs/theory.md, "Two errors on one stream").
"""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from ngos_sim.estimators import test_functions
from ngos_sim.estimators.estimator import Quantity
from ngos_sim.reporting import report
from ngos_sim.statistics.closer import closer, std_error_of_groups, student_quantile
from ngos_sim.studies import verdicts
from ngos_sim.studies.collect import total_std_error
from ngos_sim.studies.series import at_norm, groups

LEVEL = 0.95  # of an interval; and of all together that a ranking calls closer
COLUMNS = (
    "sde_a", "sde_b", "test_function", "eta2", "h", "time", "error_a", "error_b", "difference", "std_error",
    "integrator_residual", "numerical", "ci_low", "ci_high", "std_error_of_errors", "closer", "resolved",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ranking:
    """Which of several SDEs is closer to the optimizer, where, and by how much; printed it is a short report.

    Attributes
    ----------
    table : DataFrame
        One row per (pair of SDEs, test function, h), under SVAG with several ell also per eta2, at the last time that
        all points have in common. error_a, error_b; difference = error_a - error_b = E g(X_b) - E g(X_a), with the
        std_error that it has on one stream; std_error_of_errors, what it would have if the two errors were independent;
        integrator_residual, of both SDEs together, and numerical, how far two computed errors may be off together,
        which the 95 % interval ci_low, ci_high holds beside the standard error; closer, the SDE of the smaller |error|,
        "" where that is not resolved; resolved.
    verdicts : DataFrame
        One row per (pair, test function): closer, the SDE that is closer at every h, or ""; order_a and order_b, NaN
        where none is resolved; verdict, in words over all h.
    headlines : DataFrame
        One row per pair: headline, in words over all test functions.

    Notes
    -----
    The chance that any `closer` of the table is wrong is at most 5 %, over all its rows together (Bonferroni).
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    headlines: pd.DataFrame

    def __repr__(self) -> str:
        return report.ranking(self)


def ranking(table, orders):
    """Return the Ranking of a table that `compared` made, with the orders of `Result.order`."""
    said = verdicts.verdicts(table, orders)
    return Ranking(table, said, verdicts.headlines(said))


def compared(measurement, table):
    """Return the table of `Ranking` of a finished run; without rows where it has fewer than two SDEs.

    Parameters
    ----------
    measurement : Measurement
    table : DataFrame
        The run's own, which says what times its points have in common.
    """
    study = measurement.study
    if len(study.sdes) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    places = list(_places(measurement, table))
    rows = [
        {
            "sde_a": a.name,
            "sde_b": b.name,
            "test_function": test_functions.name_of(function),
            **where,
            **_pair(found[Quantity(a.name, g)], found[Quantity(b.name, g)], at),
        }
        for a, b in combinations(study.sdes, 2)
        for g, function in enumerate(study.test_functions)
        for where, found, at in places
    ]
    return _decided(pd.DataFrame(rows))


def _places(measurement, table):
    """Yield of every point its eta2, h and last common time, its {Quantity: Grouped}, and the place of that time."""
    study = measurement.study
    points = [(point.eta2, point.ell) for point in study.points]
    one = table[(table.sde == study.sdes[0].name) & (table.test_function == table.test_function.iloc[0])]
    for keys, group in groups(one):
        for row in at_norm(group, "final").itertuples():
            index = points.index((row.eta2, row.ell))
            (at,) = np.flatnonzero(study.record_times[index] == row.time)
            yield {"eta2": keys["eta2"], "h": row.h, "time": row.time}, measurement.grouped(index), at


def _pair(a, b, at):
    """Return what is known of two Grouped errors at a place among their times, by column; `total` is their sum."""
    one, other = a.reading.at(at), b.reading.at(at)
    rounding = np.hypot(*np.nan_to_num([one.rounding, other.rounding]))  # is the same in every group
    unseen = 0.0 * (one.std_error + other.std_error)  # NaN where a rare event was not seen
    spreads = {
        name: np.hypot(_std_error(of_groups[:, at], min(a.parts, b.parts)), rounding) + unseen
        for name, of_groups in {"std_error": a.groups - b.groups, "total_std_error": a.groups + b.groups}.items()
    }
    return {
        "error_a": one.error,
        "error_b": other.error,
        "difference": one.error - other.error,
        "total": one.error + other.error,
        **spreads,
        "integrator_residual": np.nansum([one.residual, other.residual]),
        "numerical": np.nansum([one.numerical, other.numerical]),
        "std_error_of_errors": np.hypot(one.std_error, other.std_error),
        "groups": max((len(each.groups) for each in (a, b) if math.isfinite(each.parts)), default=math.inf),
    }


def _std_error(groups, parts):
    """Return the standard error of a mean from its groups; 0 where all is computed and nothing varies."""
    return std_error_of_groups(groups, parts) if math.isfinite(parts) else 0.0


def _beyond(value, bound):
    """Return a value less what its numerics may be off by, towards 0."""
    return np.sign(value) * np.maximum(np.abs(value) - bound, 0.0)


def _decided(rows):
    """Return rows of pairs with their intervals, and which SDE is closer."""
    number = float(rows["groups"].min())  # points have as many trajectories each, but where a run was interrupted
    spread, total_spread = (
        total_std_error(rows[name], rows.integrator_residual).to_numpy() for name in ("std_error", "total_std_error")
    )
    half_width = student_quantile(LEVEL, number) * spread + rows.numerical
    all_together = student_quantile(1.0 - (1.0 - LEVEL) / len(rows), number)
    difference, total = (_beyond(rows[name], rows.numerical) for name in ("difference", "total"))
    sign = closer((difference, spread), (total, total_spread), all_together)
    name = np.select([sign < 0, sign > 0], [rows.sde_a, rows.sde_b], "")
    rows = rows.assign(ci_low=rows.difference - half_width, ci_high=rows.difference + half_width)
    return rows.assign(closer=name, resolved=sign != 0)[list(COLUMNS)]
