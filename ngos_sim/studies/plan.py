"""What a run would cost and resolve, from a pilot of a few thousand trajectories."""

import numpy as np
import pandas as pd

from ngos_sim.engines.program import CHUNK
from ngos_sim.errors import NonFiniteError
from ngos_sim.statistics.order import RESOLVED, slope
from ngos_sim.studies.measurement import Measurement
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.series import at_norm, groups, numerical, total_std_error
from ngos_sim.validation import integer

_PILOT = 8  # chunks
_ROUNDING = 1e-9  # standard errors below this part of the error are none
_PROPORTIONAL = 0.9  # of a power of h: such standard errors fall like h itself, as the error does


def plan(study, bounds, seed, threads):
    """Run a pilot and return what a run with so many trajectories would cost and resolve.

    Parameters
    ----------
    study : ConvergenceStudy
    bounds : Bounds
        Of trajectories.
    seed, threads
        As in `ConvergenceStudy.run`.

    Returns
    -------
    DataFrame
        One row per (sde, test function, point), at the time of norm = max: estimator; error, the
        pilot's; std_error, expected of the run, with what the integrator and the numerics leave; rel_error, their
        ratio; resolved, whether the error is expected to exceed 3 standard errors; seconds, of the point on this
        machine, compilation not counted; smallest_h, of the series: where the error C h would still
        be resolved, the standard errors going on as a power of h (0: at every step; NaN: the pilot does
        not resolve C). eta_e and smallest_eta_e are the names that h and smallest_h had.

    Raises
    ------
    NonFiniteError
        Trajectories of the pilot left the finite numbers.
    """
    seed, settings = integer("seed", seed), study.settings("cpu", None, threads)
    measurement = Measurement(study, seed, bar=Progress(), **settings)
    measurement.extend(1)  # compiles
    measurement.extend(1 + _PILOT)
    lost = measurement.lost()
    if lost:
        raise NonFiniteError(lost)
    seconds = np.array(measurement.seconds) * bounds.chunks / _PILOT + measurement.computing
    shrinkage = np.sqrt((1 + _PILOT) / bounds.chunks)
    rows = [
        {**keys, **row}
        for keys, group in groups(measurement.table())
        for row in _expected(study, at_norm(group, "max"), shrinkage, seconds)
    ]
    found = pd.DataFrame(rows)
    found = found if found.ell.nunique() > 1 else found.drop(columns=["eta2", "ell"])
    found.attrs = {"trajectories": bounds.chunks * CHUNK, "seconds": float(seconds.sum())}
    return found


def _expected(study, pilot, shrinkage, seconds):
    """Return a row for each point of one series, from the pilot's rows."""
    statistical = pilot.std_error * shrinkage
    expected = (total_std_error(pilot.assign(std_error=statistical)) + numerical(pilot)).to_numpy()
    smallest = _smallest(pilot, statistical.to_numpy())  # the residual is gone there
    points = [(point.eta2, point.ell, point.kappa) for point in study.points]
    return [
        {
            "h": row.h,
            "eta_e": row.h,
            "eta2": row.eta2,
            "ell": row.ell,
            "estimator": row.estimator,
            "error": row.error,
            "std_error": std_error,
            "rel_error": abs(std_error / row.error) if row.error else np.inf,
            "resolved": bool(abs(row.error) > RESOLVED * std_error),
            "seconds": seconds[points.index((row.eta2, row.ell, row.kappa))],
            "smallest_h": smallest,
            "smallest_eta_e": smallest,
        }
        for row, std_error in zip(pilot.itertuples(), expected, strict=True)
    ]


def _smallest(pilot, expected):
    """Return where |C| h meets 3 of the run's standard errors, a h^b: at (3 a / |C|)^(1 / (1 - b))."""
    if np.all(expected <= _ROUNDING * pilot.error.abs()):
        return 0.0
    x = pilot.h.to_numpy()
    constant, spread = slope(x, pilot.error.to_numpy(), total_std_error(pilot).to_numpy())
    if len(x) < 2 or abs(constant) < RESOLVED * spread or not np.all(expected > 0.0):
        return np.nan
    power, log_scale = np.polyfit(np.log(x), np.log(expected), 1)
    if power > _PROPORTIONAL:
        return 0.0 if np.all(RESOLVED * expected < abs(constant) * x) else np.nan
    return float((RESOLVED * np.exp(log_scale) / abs(constant)) ** (1.0 / (1.0 - power)))
