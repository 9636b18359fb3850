"""From the means and standard errors of a point's programs to rows of the table."""

import math

from ngos_sim.estimators import test_functions
from ngos_sim.estimators.chunks import normal_quantile
from ngos_sim.estimators.order import RESOLVED


def rows(study, index, measured, trajectories):
    """Return the table's rows at point `index`.

    Parameters
    ----------
    study : ConvergenceStudy
    measured : list of (mean, std_error, nonfinite)
        One program (coupled) or two (the optimizer's, the references'); arrays of shape (times, test
        functions, observables), observables as in `estimators.paired`.
    trajectories : int
    """
    point, half_width = study.points[index], normal_quantile(0.95)
    names = [sde.name for sde in study.sdes] or [f"batch x {point.kappa}"]
    found = []
    for at, time in enumerate(study.record_times[index]):
        for g, function in enumerate(study.test_functions):
            for which, name in enumerate(names):
                optimizer, reference, error, std_error, bias = _one(measured, (at, g), which, bool(study.sdes))
                found.append(
                    {
                        "eta_e": point.eta_e,
                        "eta2": point.eta2,
                        "eta": math.sqrt(point.eta2),
                        "ell": point.ell,
                        "kappa": point.kappa,
                        "step": round(time / point.eta_e),
                        "time": float(time),
                        "test_function": test_functions.name_of(function),
                        "sde": name,
                        "optimizer_mean": optimizer,
                        "sde_mean": reference,
                        "error": error,
                        "std_error": std_error,
                        "ci_low": error - half_width * std_error,
                        "ci_high": error + half_width * std_error,
                        "integrator_bias": bias,
                        "resolved": bool(abs(error) > RESOLVED * std_error),
                        "estimator": "coupled" if len(measured) == 1 else "independent",
                        "trajectories": trajectories,
                        "nonfinite": sum(each[2] for each in measured),
                    }
                )
    return found


def _one(measured, at, which, biased):
    """Return (optimizer's mean, reference's mean, error, its standard error, integrator bias or NaN)."""
    if len(measured) == 1:
        ((mean, std_error, _),) = measured
        first = 1 + (3 if biased else 2) * which
        reference, error = mean[at][first : first + 2]
        return mean[at][0], reference, error, std_error[at][first + 1], mean[at][first + 2] if biased else math.nan
    (mean, std_error, _), (other, other_error, _) = measured
    first = (2 if biased else 1) * which
    error = mean[at][0] - other[at][first]
    spread = math.hypot(std_error[at][0], other_error[at][first])
    return mean[at][0], other[at][first], error, spread, other[at][first + 1] if biased else math.nan
