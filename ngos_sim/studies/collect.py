"""From the readings of a point to rows of the table."""

import math
from dataclasses import dataclass

import numpy as np

from ngos_sim.estimators import test_functions
from ngos_sim.estimators.estimator import Reading
from ngos_sim.statistics.chunks import normal_quantile
from ngos_sim.statistics.order import RESOLVED


@dataclass(frozen=True)
class Found:
    """What an estimator read of a quantity at a point.

    quantile : of the band over all times at once
    trajectories : of how many, 0 where it was computed
    nonfinite : how many of the point's left the finite numbers
    """

    estimator: str
    reading: Reading
    quantile: float
    trajectories: int
    nonfinite: int


def rows(study, index, found, spacing):
    """Return the table's rows at point `index`.

    Parameters
    ----------
    study : ConvergenceStudy
    found : dict of Quantity to Found
    spacing : float
        Of the powers of h in the errors.
    """
    point, half_width = study.points[index], normal_quantile(0.95)
    made = []
    for at, time in enumerate(study.record_times[index]):
        step = round(time / point.h)
        last = time if point.kappa == 1 else study.record_times[index][-1]  # a lag says all at the start itself
        run = int((last - study.t0) / point.spacing + 1e-6)
        for quantity, each in sorted(found.items(), key=lambda item: item[0].function):
            now = each.reading.at(at)
            total, bound = float(total_std_error(now.std_error, now.residual)), float(np.nan_to_num(now.numerical))
            own, band = (quantile * total + bound for quantile in (half_width, each.quantile))
            made.append(
                {
                    "h": point.h,
                    "eta_e": point.h,  # the name that h had
                    "eta2": point.eta2,
                    "eta": point.eta,
                    "batch_size": math.nan if point.batch_size is None else point.batch_size,
                    "ell": point.ell,
                    "kappa": point.kappa,
                    "step": step,
                    "steps_run": run,
                    "time": float(time),
                    "test_function": test_functions.name_of(study.test_functions[quantity.function]),
                    "sde": quantity.opponent,
                    "optimizer_mean": now.optimizer,
                    "sde_mean": now.reference,
                    "error": now.error,
                    "std_error": now.std_error,
                    "rounding": now.rounding,
                    "ci_low": now.error - own,
                    "ci_high": now.error + own,
                    "band_low": now.error - band,
                    "band_high": now.error + band,
                    "integrator_bias": now.bias,
                    "integrator_residual": now.residual,
                    "numerical": now.numerical,
                    "resolved": bool(abs(now.error) > RESOLVED * total + bound),
                    "estimator": each.estimator,
                    "trajectories": each.trajectories,
                    "nonfinite": each.nonfinite,
                    "spacing": spacing,
                    "outside_theory": bool(study.outside_theory),
                }
            )
    return made


def total_std_error(std_error, residual):
    """Return the root of the sum of squares of a standard error and of what an integrator leaves (NaN: nothing).

    With |bias| <= residual, error +- z hypot(std_error, residual) holds the truth at least as often as it should,
    whichever of the two is larger.
    """
    return np.hypot(std_error, np.nan_to_num(residual))
