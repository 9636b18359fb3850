"""From the readings of a point to rows of the table."""

import math

from ngos_sim.estimators import test_functions
from ngos_sim.estimators.chunks import normal_quantile
from ngos_sim.estimators.order import RESOLVED


def rows(study, index, readings, trajectories, nonfinite):
    """Return the table's rows at point `index`.

    Parameters
    ----------
    study : ConvergenceStudy
    readings : dict of (name, index of a test function) to (estimator, Reading, quantile of the band)
    trajectories, nonfinite : int
    """
    point, half_width = study.points[index], normal_quantile(0.95)
    found = []
    for at, time in enumerate(study.record_times[index]):
        for (name, g), (estimator, reading, quantile) in sorted(readings.items(), key=lambda item: item[0][1]):
            error, std_error = float(reading.error[at]) + 0.0, float(reading.std_error[at])  # never -0
            found.append(
                {
                    "eta_e": point.eta_e,
                    "eta2": point.eta2,
                    "eta": math.sqrt(point.eta2),
                    "ell": point.ell,
                    "kappa": point.kappa,
                    "step": round(time / point.eta_e),
                    "time": float(time),
                    "test_function": test_functions.name_of(study.test_functions[g]),
                    "sde": name,
                    "optimizer_mean": float(reading.optimizer[at]),
                    "sde_mean": float(reading.reference[at]),
                    "error": error,
                    "std_error": std_error,
                    "ci_low": error - half_width * std_error,
                    "ci_high": error + half_width * std_error,
                    "band_low": error - quantile * std_error,
                    "band_high": error + quantile * std_error,
                    "integrator_bias": float(reading.bias[at]),
                    "resolved": bool(abs(error) > RESOLVED * std_error),
                    "estimator": estimator,
                    "trajectories": trajectories,
                    "nonfinite": nonfinite,
                }
            )
    return found
