"""What a study found: the tidy table, orders with intervals, plots, files."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ngos_sim.engines.program import CHUNK
from ngos_sim.reporting import shown
from ngos_sim.statistics.theorem import order_of
from ngos_sim.studies import figure, reported, saved
from ngos_sim.studies.hindsight import Hindsight
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.prediction import Predictions
from ngos_sim.studies.ranking import Ranking, ranking
from ngos_sim.studies.series import MIN_STEPS, at_norm, fitted, groups
from ngos_sim.validation import checked_path, known_keywords

ORDERS = (
    "sde", "test_function", "norm", "eta2", "theorem", "order", "std_error", "ci_low", "ci_high",
    "constant", "constant_std_error", "predicted_constant", "limit", "limit_std_error",
    "sqrt_term", "sqrt_term_std_error", "predicted_sqrt_term", "chi2", "dof", "p_value",
    "points", "resolved_points", "verdict", "outside_theory",
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ngos_sim.studies.study import ConvergenceStudy


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of a run.

    Attributes
    ----------
    study : ConvergenceStudy
    table : DataFrame
        One row per (point, time, test function, sde). h is the time of one optimizer step, eta^2 or eta, under SVAG
        less (eta_e is the name that it had); error = E g(optimizer) - E g(SDE), signed, with its
        standard error (`rounding` is its part that more trajectories do not remove), 95 % interval, 95 % band
        over all the point's times at once, the Euler-Maruyama bias removed from sde_mean, and how much of it
        may be left: `integrator_residual`, which the intervals hold beside the standard error. batch_size: B, of the
        smaller batch under the scaling rule; NaN where it is not known, on no data with no batch_size=. outside_theory:
        whether `study.outside_theory` holds a reason.
    why : dict of (sde, test function) to str
        Why each was measured by the estimator in the table, and where the integrator limits it.
    seed : int
    precision, device : str
        The local estimator runs in f64 whatever the precision.
    stopped : str
        Which bound ended the run: "trajectories", "rel_error", "abs_error", both, or "max_seconds";
        "integrator_residual", "rounding" or "numerical" where these alone exceed what rel_error and abs_error ask;
        "computed" where nothing is sampled;
        "nonfinite" where trajectories left the finite numbers; "interrupted" where it ended before: points may differ
        in their trajectories then.
    compared : DataFrame
        Every two SDEs' errors: the table of `ranking`; without rows where there is one SDE.
    kept : Kept
        The sums of chunks, from which `extend` goes on and which `save` writes.
    plan : Hindsight
        How good the study's last `plan` was: seconds and standard errors, foreseen and found. None where none was made.
    """

    study: "ConvergenceStudy"
    table: pd.DataFrame
    why: dict
    seed: int
    precision: str
    device: str
    stopped: str = "trajectories"
    compared: pd.DataFrame | None = None
    kept: Kept | None = field(default=None, repr=False)
    plan: Hindsight | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return shown.text(self, shown.result)

    def _repr_html_(self) -> str | None:
        return shown.html(self, shown.result)

    @property
    def trajectories(self) -> int:
        """How many were run at every point, where a run was interrupted at least; asked for, where all is computed."""
        run = self.table.trajectories[self.table.trajectories > 0]
        return int(run.min()) if len(run) else self.kept.goal["chunks"] * CHUNK

    @known_keywords(**dict.fromkeys(("seed", "device", "precision", "first", "store"), "it stays what it was"))
    def extend(self, trajectories: int | None = None, **bounds: Any) -> "Result":
        """Run more trajectories, and return the result of all: with the bits of a run of so many at once.

        Where the result has a store, it is gone on with there; this result stays what it is.

        Parameters
        ----------
        trajectories : int, optional
            How many in all.
        **bounds
            Others of `ConvergenceStudy.run`: rel_error, abs_error, max_seconds; and threads, progress.

        Returns
        -------
        Result
        """
        made: dict[str, Any] = {"device": self.device, "precision": self.precision, "first": self.first}
        store = self.kept.folder or self.kept.copy()
        return self.study.run(trajectories, self.seed, **made, store=store, **bounds)

    @property
    def first(self) -> int:
        """The number of the first trajectory."""
        return self.kept.goal["first"] * CHUNK

    @known_keywords()
    def order(self, theorem: float = 1.0) -> pd.DataFrame:
        """Fit an order to the errors of each (sde, test function), and the expansion of a theorem's order.

        Parameters
        ----------
        theorem : float
            The order p in h, a multiple of 1/2 up to 3, of the theorem that the errors are held to:
            error = C h^p + D h^(p + 1) + .., with the half powers between where they belong to the study
            (`prediction.spacing`). The constant, the terms of lower order and the verdict are those of p.

        Returns
        -------
        DataFrame
            One row per (sde, test_function, norm), under SVAG with several ell also per eta2. norm
            "final": the last common time; "max": the common time at which the pooled |error| / h^p is
            largest (the theorems' max over k), with standard errors and intervals widened as those of the
            simultaneous band over times. Under the scaling rule a time is common to all points if its
            last matched step and its lag, k mod kappa, are. The fit: `statistics.order.OrderFit`, of the points
            that have run at least 4 steps by then (under the scaling rule: 4 of the larger batch in all): fewer are no
            asymptotics. "max" is over the times at which as many points enter as at the last.
            order, std_error, ci_low, ci_high: of the order that fits best, whatever the theorem.
            constant: C of C h^p. limit, sqrt_term: E0 and A of A sqrt(h) beside that expansion, NaN where they
            are not below order p.
            predicted_constant: what theory gives for `constant`: the factor of sqrt(h) for p = 1/2 and of h
            for p = 1, NaN for other orders and where none is known; predicted_sqrt_term: for `sqrt_term` at p = 1,
            beside whose expansion alone it is theory's: `studies.prediction`.

        Raises
        ------
        ValueError
            `theorem` is not such an order.
        """
        theorem = order_of(theorem)
        series, predictions = list(groups(self.table)), Predictions(self.study)
        rows = []
        for keys, group in series:
            for norm in ("max", "final"):
                at = at_norm(group, norm, theorem)
                fit, _ = fitted(at, norm, theorem, len(series))
                found = predictions.of(keys, at)
                rows.append(
                    {
                        **_columns(fit),
                        **keys,
                        "norm": norm,
                        "verdict": _verdict(fit, at),
                        "outside_theory": bool(self.study.outside_theory),
                        "predicted_constant": found.of_order(theorem),
                        "predicted_sqrt_term": found.root if theorem == 1.0 else math.nan,
                    }
                )
        return shown.Orders.of(pd.DataFrame(rows)[list(ORDERS)])

    @known_keywords()
    def ranking(self, theorem: float = 1.0) -> Ranking:
        """Compare every two SDEs of the study: which is closer to the optimizer, where, and by how much.

        Their errors were measured on the same trajectories, so that what the optimizer and chance have in both falls
        out of the difference. Which |error| is smaller is said at the last time that all points have in common: each
        SDE has its greatest error at a time of its own.

        Parameters
        ----------
        theorem : float
            As for `order`, whose orders and constants the verdicts state.

        Returns
        -------
        Ranking
            Its `table`, `verdicts` and `headlines` are DataFrames; printed it is a short report.

        Raises
        ------
        ValueError
            The study has fewer than two SDEs.
        """
        if len(self.study.sdes) < 2:
            raise ValueError(f"a ranking compares two SDEs or more; this study has {len(self.study.sdes)}: sde=[a, b]")
        return ranking(self.compared, self.order(theorem))

    @known_keywords()
    def plot(
        self,
        path: str | Path | None = None,
        *,
        kind: str = "order",
        axes: "Axes | None" = None,
        norm: str = "max",
        theorem: float = 1.0,
        sde: str | Sequence[str] | None = None,
        test_functions: str | Sequence[str] | None = None,
    ) -> "Axes":
        """Draw what was found: `reporting.figures`.

        Parameters
        ----------
        path : str or Path, optional
            Save the figure there as well.
        kind : "order", "time", "trajectories" or "ranking"
            Order: |error| against h, with intervals, fitted lines and what theory predicts. Time: error / h^p against
            time with simultaneous bands, of one SDE and test function. Trajectories: mean and spread of one test
            function over time and sample paths, at the largest h. Ranking: the ratio of every two SDEs' errors.
        axes : matplotlib Axes, optional
            Draw there.
        norm : "max" or "final"
            At which common time, as in `order`; of kind "order" alone.
        theorem : float
            The order p, as in `order`.
        sde, test_functions : str or sequence of str, optional
            Names as in the table: all by default; where one is shown, the first.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ValueError
            An argument is not as described; the message names it, its value and what is allowed.
        """
        axes = figure.of_result(self, kind, axes, norm, order_of(theorem), sde, test_functions)
        if path is not None:
            axes.figure.savefig(checked_path("path", path), dpi=200)
        return axes

    @known_keywords()
    def save(self, directory: str | Path, theorem: float | None = None) -> None:
        """Write table.csv, orders.csv, study.json, errors.png, chunks.sqlite and report.html, each by rename.

        With several SDEs ranking.csv, the table of `ranking`, as well.

        The table comes first, so that whatever fails after it costs no measurement; files of an earlier result, which
        would not belong to it, are gone by then. A figure that cannot be drawn is a warning, and so is a report that
        cannot be made.

        Parameters
        ----------
        directory : str or Path
            Made if it is not there.
        theorem : float, optional
            As for `order`, 1 by default. Where it is given, study.json expects that order.
        """
        saved.save(self, directory, theorem)

    @known_keywords()
    def report(self, directory: str | Path, theorem: float | None = None) -> Path:
        """Write report.html: verdicts in words, equations, tables, figures, and all that repeats the result, in a file.

        It is complete in itself: nothing is loaded, nothing in it runs.

        directory, theorem : as for `save`, which writes it too

        Returns
        -------
        Path
            Of the file.
        """
        return reported.write(directory, reported.of_result(self, theorem))

    def describe(self, expected: float | None = None) -> dict:
        """Return what study.json holds: a study file that repeats this result, and what the run says of itself.

        expected : the order that the study file expects

        Returns
        -------
        dict
            Of a study file's tables (`studies.written`) and `record`, which is not read: the study in numbers, why
            each is measured by its estimator, bounds and what stopped the run, device, versions, commit and processor.
        """
        return saved.describe(self, expected)


def _verdict(fit, rows):
    """Return a fit's verdict; where it lacks points, with a word on those that have too few steps."""
    said = fit.verdict()
    few = int((~rows.enters).sum())
    return f"{said}; {few} with fewer than {MIN_STEPS} steps do not enter" if few and fit.points < 3 else said


def _columns(fit):
    return {name: getattr(fit, name) for name in ORDERS if hasattr(fit, name) and name != "verdict"}
