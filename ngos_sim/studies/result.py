"""What a study found: the tidy table, orders with intervals, plots, files."""

import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ngos_sim.reporting import plotting
from ngos_sim.statistics import order as orders
from ngos_sim.studies import collect, description, folder, provenance
from ngos_sim.studies.prediction import predicted

ORDERS = (
    "sde", "test_function", "norm", "eta2", "order", "std_error", "ci_low", "ci_high",
    "constant", "constant_std_error", "predicted_constant", "limit", "limit_std_error",
    "sqrt_term", "sqrt_term_std_error", "predicted_sqrt_term", "chi2", "dof", "p_value",
    "points", "resolved_points", "verdict",
)  # fmt: skip

_MIN_STEPS = 4  # of a point from its start to the compared time (scaling rule: to the last), for it to enter a fit

if TYPE_CHECKING:
    from ngos_sim.studies.study import ConvergenceStudy


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of a run.

    Attributes
    ----------
    study : ConvergenceStudy
    table : DataFrame
        One row per (point, time, test function, sde): error = E g(optimizer) - E g(SDE), signed, with its
        standard error (`rounding` is its part that more trajectories do not remove), 95 % interval, 95 % band
        over all the point's times at once, the Euler-Maruyama bias removed from sde_mean, and how much of it
        may be left: `integrator_residual`, which the intervals hold beside the standard error.
    why : dict of (sde, test function) to str
        Why each was measured by the estimator in the table, and where the integrator limits it.
    seed : int
    precision, device : str
        The local estimator runs in f64 whatever the precision.
    stopped : str
        Which bound ended the run: "trajectories", "rel_error", "abs_error", both, or "max_seconds";
        "integrator_residual" or "rounding" where these alone exceed what rel_error and abs_error ask;
        "nonfinite" where trajectories left the finite numbers.
    """

    study: "ConvergenceStudy"
    table: pd.DataFrame
    why: dict
    seed: int
    precision: str
    device: str
    stopped: str = "trajectories"

    @property
    def trajectories(self):
        """How many were run at every point."""
        return int(self.table.trajectories.iloc[0])

    def order(self, theorem=1.0):
        """Fit an order to the errors of each (sde, test function).

        Parameters
        ----------
        theorem : float
            The order in h that verdicts speak of.

        Returns
        -------
        DataFrame
            One row per (sde, test_function, norm), under SVAG with several ell also per eta2. norm
            "final": the last common time; "max": the common time at which the pooled |error| / h is
            largest (the theorems' max over k), with standard errors and intervals widened as those of the
            simultaneous band over times. Under the scaling rule a time is common to all points if its
            last matched step and its lag, k mod kappa, are. The fit: `statistics.order.OrderFit`, of the points
            that have run at least 4 steps by then (under the scaling rule: 4 of the larger batch in all): fewer are no
            asymptotics. "max" is over the times at which as many points enter as at the last.
            predicted_constant, predicted_sqrt_term: C and A of A sqrt(h) + C h at that time by
            theory, NaN where none are known: `studies.prediction`.
        """
        series = list(groups(self.table))
        rows = []
        for keys, group in series:
            for norm in ("max", "final"):
                at = at_norm(group, norm)
                fit, _ = fitted(at, norm, len(series))
                root, first = predicted(self.study, keys, at)
                rows.append({**_columns(fit), "verdict": _verdict(fit, at, theorem), **keys, "norm": norm})
                rows[-1] |= {"predicted_constant": first, "predicted_sqrt_term": root}
        return pd.DataFrame(rows)[list(ORDERS)]

    def plot(self, path=None, *, axes=None, norm="max"):
        """Draw |error| against h with 95 % bars, fitted lines and slope guides.

        Parameters
        ----------
        path : str or Path, optional
            Save the figure there as well.
        axes : matplotlib Axes, optional
            Draw there.
        norm : "max" or "final"
            At which common time, as in `order`.

        Returns
        -------
        matplotlib Axes
        """
        axes = _plot(self.table, axes, norm)
        if path is not None:
            axes.figure.savefig(path, dpi=150)
        return axes

    def save(self, directory, theorem=1.0):
        """Write table.csv, orders.csv, study.json and errors.png, each by rename: never half a file.

        The table comes first, so that whatever fails after it costs no measurement; files of an earlier result, which
        would not belong to it, are gone by then. A figure that cannot be drawn is a warning.

        Parameters
        ----------
        directory : str or Path
            Made if it is not there.
        theorem : float
            As for `order`.
        """
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        folder.put(directory, "table.csv", folder.csv(self.table))
        contents = {
            "orders.csv": lambda: folder.csv(self.order(theorem)),
            "study.json": lambda: f"{json.dumps(self.describe(), indent=2)}\n".encode(),
        }
        failed = []
        for name in (*contents, "errors.png"):
            (directory / name).unlink(missing_ok=True)
        for name, content in contents.items():
            try:
                folder.put(directory, name, content())
            except Exception as error:  # the others are worth having
                failed.append(error)
        try:
            figure = _png(self.table)
        except Exception as error:  # whatever the reader's matplotlib is set to
            warnings.warn(f"{directory / 'errors.png'} cannot be drawn: {error}", stacklevel=2)
        else:
            folder.put(directory, "errors.png", figure)
        if failed:
            raise failed[0]

    def describe(self):
        """Return the study, seed, versions and machine as a dict that json can write."""
        return {
            **description.study(self.study),
            "why": [{"sde": sde, "test_function": name, "why": why} for (sde, name), why in self.why.items()],
            "trajectories": self.trajectories,
            "stopped": self.stopped,
            "seed": self.seed,
            "precision": self.precision,
            "device": self.device,
            **provenance.machine(),
        }


def at_norm(group, norm):
    """Return the rows of one group at the time of a norm, one a point; see `Result.order`.

    Raises
    ------
    ValueError
        The points have no time in common: a study refuses that, an older table may show it.
    """
    lag = group.step % group.kappa  # of a step of the smaller batch behind the last matched one
    clock = ((group.time - lag * group.h) / group.time.max()).round(9)
    size = np.maximum(group.error.abs(), uncertainty(group))
    weight = 1.0 / np.maximum(uncertainty(group) / (size.max() or 1.0), 1e-15) ** 2
    enters = group.get("steps_run", group.step // group.kappa) >= _MIN_STEPS
    sums = {"points": 1, "enter": enters, "top": weight * group.error * group.h, "base": weight * group.h**2}
    sums = pd.DataFrame(sums)
    sums = sums.groupby([clock.rename("clock"), lag.rename("lag")]).sum()
    common = sums[sums.points == group.h.nunique()]
    if common.empty:
        raise ValueError("the points of a series have no time in common: their errors cannot be compared")
    common = common[common.enter == common.enter.max()]
    pooled = (common.top / common.base).abs()  # the weighted least squares slope of error against h
    at = common.index[-1] if norm == "final" or pooled.isna().all() else pooled.idxmax()
    return group.assign(enters=enters)[(clock == at[0]) & (lag == at[1])]


def fitted(rows, norm, series=1):
    """Return the OrderFit of rows that `at_norm` returned, and the rows that entered.

    series : int
        How many fits stand in the same table.
    """
    used = rows[rows.enters & np.isfinite(rows.error) & np.isfinite(uncertainty(rows))]
    spacing = float(rows.spacing.iloc[0]) if "spacing" in rows else 1.0
    return orders.fit(used.h, used.error, uncertainty(used), series, widening(rows, norm), spacing), used


def _verdict(fit, rows, theorem):
    """Return a fit's verdict; where it lacks points, with a word on those that have too few steps."""
    said = fit.verdict(theorem)
    few = int((~rows.enters).sum())
    return f"{said}; {few} with fewer than {_MIN_STEPS} steps do not enter" if few and fit.points < 3 else said


def _columns(fit):
    return {name: getattr(fit, name) for name in ORDERS if hasattr(fit, name) and name != "verdict"}


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
        figure = _png(table)
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(f"{source} is not a table that this version of `ngos-sim run` wrote") from None
    folder.put(directory, "errors.png", figure)
    return directory / "errors.png"


def widening(rows, norm):
    """Return by how much the simultaneous band is wider than the interval of one time; 1 for norm = final."""
    own = (rows.ci_high - rows.ci_low).to_numpy()
    if norm == "final" or not np.any(own > 0.0):
        return 1.0
    return float(np.mean((rows.band_high - rows.band_low).to_numpy()[own > 0.0] / own[own > 0.0]))


def uncertainty(rows):
    """Return the total standard error of rows of a table: with what the integrator leaves, where the table knows it."""
    return collect.uncertainty(rows.std_error, rows.get("integrator_residual", 0.0))


def limited(why, table):
    """Return `why` with a clause where the integrator leaves more than the standard error at the time of norm = max."""
    found = dict(why)
    for (sde, name), rows in headline(table).groupby(["sde", "test_function"], sort=False):
        least = rows.h[rows.integrator_residual > rows.std_error].min()
        if least > 0.0:
            text = f"at h >= {least:g} what the integrator leaves exceeds the standard error"
            found[sde, name] = f"{found[sde, name]}; {text}"
    return found


def headline(table):
    """Return the rows of a table at the time of norm = max of each series."""
    return pd.concat([at_norm(group, "max") for _, group in groups(table)])


def groups(table):
    """Yield (keys, rows) of what one order is fitted to."""
    several = table.ell.nunique() > 1
    by = ["sde", "test_function", *["eta2"] * several]
    for values, group in table.groupby(by, sort=False):
        keys = dict(zip(by, values, strict=True))
        yield {**keys, "eta2": keys.get("eta2", np.nan)}, group


def _plot(table, axes=None, norm="max"):
    chosen = []
    for keys, group in groups(table.assign(uncertainty=uncertainty(table))):
        rows = at_norm(group, norm)
        fit, used = fitted(rows, norm)
        chosen.append((keys, rows, fit, partial(orders.curve, fit, used.h, used.error, used.uncertainty)))
    return plotting.error_plot(chosen, axes, plotting.step_label(table))


def _png(table):
    return plotting.png(lambda axes: _plot(table, axes))
