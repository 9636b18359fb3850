"""What a run would cost and resolve, from a `Pilot`: `ConvergenceStudy.plan` and `ngos-sim plan` show it."""

import numpy as np
import pandas as pd

from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import choose, test_functions
from ngos_sim.estimators.estimator import Served
from ngos_sim.identity import remade
from ngos_sim.statistics.order import RESOLVED, slope
from ngos_sim.studies.hindsight import PILOT, expected_std_error
from ngos_sim.studies.pilot import pilot
from ngos_sim.studies.problems import problems
from ngos_sim.studies.series import at_norm, groups, numerical, total_std_error
from ngos_sim.validation import integer, switch

_ROUNDING = 1e-9  # standard errors below this part of the error are none
_PROPORTIONAL = 0.9  # of a power of h: such standard errors fall like h itself, as the error does


def plan(study, bounds, seed, threads, compare=False):
    """Return what a run with so many trajectories would cost and resolve; see `ConvergenceStudy.plan`.

    Parameters
    ----------
    study : ConvergenceStudy
        Which remembers the pilot, for `Result.plan`.
    bounds : Bounds
        Of trajectories.
    seed, threads
        As in `ConvergenceStudy.run`.
    compare : bool
        Whether to plan with every other estimator that serves as well.

    Returns
    -------
    DataFrame
        One row per (sde, test function, point), at the time of norm = max: estimator; error, the pilot's; std_error,
        expected of the run; integrator_residual and numerical, the pilot's; rel_error, of all three together; resolved,
        whether the error is expected to exceed them (3 standard errors); seconds, of the point; smallest_h, of the
        series: where the error C h would still be resolved, the standard errors going on as a power of h (0: at every
        step; NaN: the pilot does not resolve C). Of what a few seconds are not enough to compute only seconds are
        foreseen: error and all that hangs on it are NaN, resolved False. eta_e and smallest_eta_e are the names that h
        and smallest_h had.
        Compared: chosen, whether the run would take it.
        attrs: trajectories; seconds, of the whole run in this process, set-up and reading included; compilation, the
        seconds that a new process needs besides, fewer where Numba's cache holds the kernels; memory, the bytes that
        arrays hold at their peak, beside Python and its packages.

    Raises
    ------
    NonFiniteError
        Trajectories of the pilot left the finite numbers.
    """
    seed, compare = integer("seed", seed), switch("compare", compare)
    study.found[PILOT] = mine = pilot(study, seed, bounds.chunks, threads)
    found = expected(study, mine, bounds.chunks)
    if not compare:
        return found
    others = [expected(other, pilot(other, seed, bounds.chunks, threads), bounds.chunks) for other in _others(study)]
    together = pd.concat([each.assign(chosen=each is found) for each in [found, *others]], ignore_index=True)
    together.attrs = found.attrs
    return together


def expected(study, pilot, chunks):
    """Return the rows of a plan, from a Pilot."""
    cost = pilot.cost(chunks)
    blocks: dict = {}
    for keys, group in () if pilot.table.empty else groups(pilot.table):
        rows = _rows(study, at_norm(group, "max"), pilot.chunks / chunks, cost.computing)
        blocks.setdefault((keys["sde"], keys["test_function"]), []).extend({**keys, **row} for row in rows)
    for each in pilot.missing:
        row = _not_computed(study, each, cost.computing[each.point])
        blocks.setdefault((row["sde"], row["test_function"]), []).append(row)
    found = pd.DataFrame([row for block in blocks.values() for row in block])
    found = found if found.ell.nunique() > 1 else found.drop(columns=["eta2", "ell"])
    found.attrs = {
        "trajectories": chunks * CHUNK,
        "seconds": cost.seconds,
        "compilation": pilot.compilation,
        "memory": pilot.weight.peak(chunks),
    }
    return found


def _others(study):
    """Yield the study with every other estimator that serves test functions of it, and these alone."""
    here, names = problems(study), [opponent for problem in problems(study) for opponent in problem.opponents]
    taken = {(quantity.function, choice.estimator) for quantity, choice in study.served.items()}
    for estimator in choose.BUILT_IN:
        functions = [
            function
            for place, function in enumerate(study.test_functions)
            if (place, estimator) not in taken
            and all(isinstance(estimator.serves(here, each, place), Served) for each in dict.fromkeys(names))
        ]
        if functions:
            yield remade(type(study), study.given() | {"estimator": estimator.name, "test_functions": functions})


def _rows(study, pilot, fewer, seconds):
    """Return a row for each point of one series, from the pilot's rows; fewer : its chunks over the run's."""
    expected = pilot.assign(std_error=expected_std_error(pilot.std_error, pilot.rounding, fewer))
    expected["uncertainty"] = total_std_error(expected) + numerical(expected)
    smallest = _smallest(pilot, expected.std_error.to_numpy())  # the residual is gone there
    points = [(point.eta2, point.ell, point.kappa) for point in study.points]
    return [
        {
            "h": row.h,
            "eta_e": row.h,
            "eta2": row.eta2,
            "ell": row.ell,
            "time": row.time,
            "estimator": row.estimator,
            "error": row.error,
            "std_error": row.std_error,
            "integrator_residual": row.integrator_residual,
            "numerical": row.numerical,
            "rel_error": abs(row.uncertainty / row.error) if row.error else np.inf,
            "resolved": bool(abs(row.error) > RESOLVED * row.uncertainty),
            "seconds": seconds[points.index((row.eta2, row.ell, row.kappa))],
            "smallest_h": smallest,
            "smallest_eta_e": smallest,
        }
        for row in expected.itertuples()
    ]


def _not_computed(study, missing, seconds):
    """Return the row of what the pilot had no time to compute: its seconds alone are foreseen."""
    point, quantity = study.points[missing.point], missing.quantity
    unknown = ("time", "error", "std_error", "integrator_residual", "numerical", "rel_error")
    return {
        "sde": quantity.opponent,
        "test_function": test_functions.name_of(study.test_functions[quantity.function]),
        "eta2": point.eta2,
        "h": point.h,
        "eta_e": point.h,
        "ell": point.ell,
        "estimator": missing.estimator,
        **dict.fromkeys(unknown, np.nan),
        "resolved": False,
        "seconds": seconds,
        **dict.fromkeys(("smallest_h", "smallest_eta_e"), np.nan),
    }


def _smallest(pilot, expected):
    """Return where |C| h meets 3 of the run's standard errors, a h^b: at (3 a / |C|)^(1 / (1 - b))."""
    if np.all(expected <= _ROUNDING * pilot.error.abs()):
        return 0.0
    x = pilot.h.to_numpy()
    constant, spread = slope(x, pilot.error.to_numpy(), (total_std_error(pilot) + numerical(pilot)).to_numpy())
    if len(x) < 2 or abs(constant) < RESOLVED * spread or not np.all(expected > 0.0):
        return np.nan
    power, log_scale = np.polyfit(np.log(x), np.log(expected), 1)
    if power > _PROPORTIONAL:
        return 0.0 if np.all(RESOLVED * expected < abs(constant) * x) else np.nan
    return float((RESOLVED * np.exp(log_scale) / abs(constant)) ** (1.0 / (1.0 - power)))
