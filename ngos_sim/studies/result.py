"""What a study found: the tidy table, orders with intervals, plots, files."""

import json
import os
import platform
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ngos_sim.estimators import order as orders
from ngos_sim.studies import collect
from ngos_sim.studies.prediction import predicted

ORDERS = (
    "sde", "test_function", "norm", "eta2", "order", "std_error", "ci_low", "ci_high",
    "constant", "constant_std_error", "predicted_constant", "limit", "limit_std_error",
    "sqrt_term", "sqrt_term_std_error", "predicted_sqrt_term", "chi2", "dof", "p_value",
    "points", "resolved_points", "verdict",
)  # fmt: skip

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
        "integrator_residual" or "rounding" where these alone exceed what rel_error and abs_error ask.
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
            The order in eta_e that verdicts speak of.

        Returns
        -------
        DataFrame
            One row per (sde, test_function, norm), under SVAG with several ell also per eta2. norm
            "final": the last common time; "max": the common time at which the pooled |error| / eta_e is
            largest (the theorems' max over k), with standard errors and intervals widened as those of the
            simultaneous band over times. Under the scaling rule a time is common to all points if its
            last matched step and its lag, k mod kappa, are. The fit: `estimators.order.OrderFit`.
            predicted_constant, predicted_sqrt_term: C and A of A sqrt(eta_e) + C eta_e at that time by
            theory, NaN where none are known: `studies.prediction`.
        """
        series = list(groups(self.table))
        rows = []
        for keys, group in series:
            for norm in ("max", "final"):
                at = at_norm(group, norm)
                fit = orders.fit(at.eta_e, at.error, uncertainty(at), len(series), widening(at, norm))
                root, first = predicted(self.study, keys, at)
                rows.append({**_columns(fit), "verdict": fit.verdict(theorem), **keys, "norm": norm})
                rows[-1] |= {"predicted_constant": first, "predicted_sqrt_term": root}
        return pd.DataFrame(rows)[list(ORDERS)]

    def plot(self, path=None, *, axes=None, norm="max"):
        """Draw |error| against eta_e with 95 % bars, fitted lines and slope guides.

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
        return _plot(self.table, path, axes, norm)

    def save(self, directory, theorem=1.0):
        """Write table.csv, orders.csv, errors.png and study.json, each by rename: never half a file.

        Parameters
        ----------
        directory : str or Path
            Made if it is not there.
        theorem : float
            As for `order`.
        """

        def write(at):
            self.table.to_csv(at / "table.csv", index=False)
            self.order(theorem).to_csv(at / "orders.csv", index=False)
            _plot_file(self.table, at / "errors.png")
            (at / "study.json").write_text(json.dumps(self.describe(), indent=2) + "\n", encoding="utf-8")

        Path(directory).mkdir(parents=True, exist_ok=True)
        _by_rename(Path(directory), write)

    def describe(self):
        """Return the study, seed, versions and machine as a dict that json can write."""
        study = self.study
        noise = [study.oracle.noise.numbers(study.noise_scale(point)) for point in study.points]
        loss, matrix = study.oracle.loss, study.oracle.loss.matrix
        return {
            "oracle": {
                "loss": {"kind": loss.name, **loss.parameters, **({"hessian": matrix} if matrix else {})},
                "covariance": repr(study.oracle.covariance),
                "noise": {"kind": study.oracle.noise.name, "parameters": noise},
            },
            "optimizer": {"kind": study.rule.name, **study.rule.parameters},
            "sde": [{"kind": sde.name, **sde.parameters} for sde in study.sdes],
            "initial": {key: repr(value) for key, value in study.initial.items()},
            "points": [{"eta2": p.eta2, "ell": p.ell, "kappa": p.kappa} for p in study.points],
            "horizon": study.horizon,
            "times": [[float(time) for time in each] for each in study.record_times],
            "estimator": study.estimator,
            "why": [{"sde": sde, "test_function": name, "why": why} for (sde, name), why in self.why.items()],
            "test_functions": self.table.test_function.unique().tolist(),
            "trajectories": self.trajectories,
            "stopped": self.stopped,
            "seed": self.seed,
            "precision": self.precision,
            "device": self.device,
            "versions": {name: version(name) for name in ("ngos-sim", "numpy", "numba", "llvmlite")},
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
        }


def at_norm(group, norm):
    """Return the rows of one group at the time of a norm, one a point; see `Result.order`.

    Points without a time in common are taken at their last times.
    """
    lag = group.step % group.kappa  # of a step of the smaller batch behind the last matched one
    clock = ((group.time - lag * group.eta_e) / group.time.max()).round(9)
    weight = 1.0 / np.maximum(uncertainty(group), 1e-15) ** 2
    sums = pd.DataFrame({"points": 1, "top": weight * group.error * group.eta_e, "base": weight * group.eta_e**2})
    sums = sums.groupby([clock.rename("clock"), lag.rename("lag")]).sum()
    common = sums[sums.points == group.eta_e.nunique()]
    if common.empty:
        return group[group.time == group.groupby(["eta_e", "kappa"]).time.transform("max")]
    pooled = (common.top / common.base).abs()  # the weighted least squares slope of error against eta_e
    at = common.index[-1] if norm == "final" or pooled.isna().all() else pooled.idxmax()
    return group[(clock == at[0]) & (lag == at[1])]


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
        table = pd.read_csv(source)
        if table.empty:
            raise ValueError("no rows")
        _by_rename(directory, lambda at: _plot_file(table, at / "errors.png"))
    except (KeyError, AttributeError, TypeError, ValueError):
        raise ValueError(f"{source} is not a table that this version of `ngos-sim run` wrote") from None
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
        least = rows.eta_e[rows.integrator_residual > rows.std_error].min()
        if least > 0.0:
            text = f"at eta_e >= {least:g} what the integrator leaves exceeds the standard error"
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


def _plot(table, path, axes=None, norm="max"):
    from ngos_sim.plotting import error_plot

    chosen = [(keys, at_norm(group, norm)) for keys, group in groups(table.assign(uncertainty=uncertainty(table)))]
    axes = error_plot([(keys, rows, widening(rows, norm)) for keys, rows in chosen], axes)
    if path is not None:
        axes.figure.savefig(path, dpi=150)
    return axes


def _plot_file(table, path):
    import matplotlib.pyplot as plt

    plt.close(_plot(table, path).figure)


def _by_rename(directory, write):
    """Call write(scratch directory), then move every file it wrote into place."""
    with tempfile.TemporaryDirectory(dir=directory, prefix=".unfinished-") as scratch:
        write(Path(scratch))
        for file in sorted(Path(scratch).iterdir()):
            os.replace(file, directory / file.name)
