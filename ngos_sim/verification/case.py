"""One case of `ngos-sim verify`: a study, or several, and what they must show."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ngos_sim.reporting import report
from ngos_sim.studies.result import Result
from ngos_sim.studies.study import ConvergenceStudy

CONSISTENT, WITHIN = "consistent", "within"
NO_ORDER, HALF_ORDER, FIRST_ORDER = "no order", "half order", "order 1"
_WRONG = {NO_ORDER: (-math.inf, 0.2), HALF_ORDER: (0.45, 0.55), FIRST_ORDER: (0.8, 1.2)}  # between what a control's is
_STANDARD_ERRORS = 4.0  # of a constant from the predicted one, before a case is in doubt


@dataclass(frozen=True)
class Case:
    """A statement, the studies that examine it, and what their headline orders (norm = max) must show.

    study : function () -> ConvergenceStudy, or mapping of a label to one
    trajectories : int
    shows : CONSISTENT, every verdict is "consistent with order" `order` and every constant is the predicted
        one where there is one; WITHIN, for errors that sampling resolves less well, every 95 % interval holds `order`
        and not `order` - 1/2; NO_ORDER, HALF_ORDER, FIRST_ORDER, every verdict "fails order" `order` with a fitted
        one near 0, 1/2 or 1, and the predicted term of sqrt(h); or function (orders, results) -> (bool, str)
    quick : bool
        Whether it belongs to `verify --quick`.
    order : float
        The order of the theorem that the errors are held to.
    """

    title: str
    study: Callable[[], ConvergenceStudy | Mapping[str, ConvergenceStudy]]
    trajectories: int
    shows: str | Callable[[pd.DataFrame, Mapping[str, Result]], tuple[bool, str]] = CONSISTENT
    quick: bool = False
    order: float = 1.0

    def run(self, **settings):
        """Run the studies; return {label: Result}, one with the label "" for a single study."""
        made = self.study()
        studies = made if isinstance(made, Mapping) else {"": made}
        return {label: study.run(self.trajectories, **settings) for label, study in studies.items()}

    def judge(self, results):
        """Return (whether the results show what they must, the finding in words)."""
        orders = pd.concat([result.order(self.order).assign(study=label) for label, result in results.items()])
        rows = orders[orders.norm == "max"]
        if callable(self.shows):
            return self.shows(rows, results)
        span = _span(rows.order)
        if self.shows == CONSISTENT:
            odd = ~rows.verdict.str.startswith(f"consistent with order {self.order:g}")
        elif self.shows == WITHIN:
            odd = ~((rows.ci_low > self.order - 0.5) & (rows.ci_low <= self.order) & (rows.ci_high >= self.order))
        else:
            least, most = _WRONG[self.shows]
            fails = rows.verdict.str.startswith(f"fails order {self.order:g}")
            odd = ~(fails & (rows.order > least) & (rows.order < most))
        if odd.any():
            said = (f"{row.test_function} ({row.sde}): {row.verdict}" for row in rows[odd].itertuples())
            return False, "NOT as expected: " + "; ".join(said)
        if self.shows in _WRONG:
            agree, words = half_orders_against_prediction(rows)
            return agree, f"fails order {self.order:g}, as it must: fitted order {span}{words}"
        worst = rows.loc[rows.ci_low == rows.ci_low.min()].iloc[0]
        interval = f"{report.interval(worst)} for {worst.test_function}"
        agree, words = against_prediction(rows)
        said = "consistent with" if self.shows == CONSISTENT else "every interval holds"
        return agree, f"{said} order {self.order:g}: fitted order {span}, the worst interval {interval}{words}"


def against_prediction(rows):
    """Return (whether measured constants are the predicted ones, how far they are, in words)."""
    return _compared(rows, "constant", "predicted_constant", "constants")


def half_orders_against_prediction(rows):
    """Return the same of the terms of sqrt(h), where theory has such."""
    return _compared(rows[rows.predicted_sqrt_term != 0.0], "sqrt_term", "predicted_sqrt_term", "half-order terms")


def _compared(rows, measured, predicted, what):
    known = rows[rows[predicted].notna()]
    if known.empty:
        return True, ""
    off, spread = (known[measured] - known[predicted]).abs(), known[f"{measured}_std_error"]
    wrong = known[off > _STANDARD_ERRORS * spread]
    if not wrong.empty:
        said = (
            f"{row.test_function}: {getattr(row, measured):.4g}, not {getattr(row, predicted):.4g}"
            for row in wrong.itertuples()
        )
        return False, f"\n   NOT the predicted {what}: {'; '.join(said)}"
    pairs = off / known[predicted].abs()
    found = f"{what} within {100.0 * pairs.max():.1g} % or {(off / spread).max():.1f} SE of those predicted"
    return True, f"\n   {found}"


def _span(orders):
    low, high = f"{orders.min():z.2f}", f"{orders.max():z.2f}"
    return low if low == high else f"{low} to {high}"
