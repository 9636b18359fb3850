"""Figures of a Result beside that of its orders: errors over time, trajectories, the ranking.

`studies.figure` calls these for `Result.plot`, with the names of the SDEs and test functions that are to be shown.
"""

import numpy as np

from ngos_sim.reporting import figures
from ngos_sim.studies.collect import total_std_error
from ngos_sim.studies.paths import spread, trajectories
from ngos_sim.studies.prediction import Predictions
from ngos_sim.studies.series import groups

_STEPS = 16  # in the figure of trajectories, at least: of the largest such h
_COLUMNS = {"time": "time", "error": "error", "low": "band_low", "high": "band_high"}  # of a Curve
_PREDICTED = 24  # times at which a prediction is made


def over_time(result, axes, *, theorem, sdes, functions, **_):
    """Draw error / h^theorem against time of the first SDE and test function, under SVAG of the first eta2."""
    table = result.table
    (keys, rows), *_ = groups(table[(table.sde == sdes[0]) & (table.test_function == functions[0])])
    curves = [
        figures.Curve(h=h, **{name: at[column].to_numpy() for name, column in _COLUMNS.items()})
        for h, at in rows.sort_values("time").groupby("h")
    ]
    eta2 = None if np.isnan(keys["eta2"]) else keys["eta2"]
    of = {"sde": keys["sde"], "test_function": keys["test_function"], "eta2": eta2}
    return figures.collapse(curves, axes, theorem, **of, predicted=_predicted(result, keys, rows, theorem))


def _predicted(result, keys, rows, theorem):
    """Return times and the factor of h^theorem that theory predicts there; None where it predicts none."""
    clock, lag = (rows.time / rows.time.max()).round(9), rows.step % rows.kappa
    common = [at for _, at in rows.groupby([clock.rename("clock"), lag.rename("lag")]) if len(at) == rows.h.nunique()]
    chosen = np.unique(np.linspace(0, len(common) - 1, min(len(common), _PREDICTED)).round().astype(int))
    known = Predictions(result.study)
    found = [known.of(keys, common[place]) for place in chosen]
    times, values = [common[place].time.iloc[0] for place in chosen], [each.of_order(theorem) for each in found]
    halves = theorem == 1.0 and any(each.root for each in found if np.isfinite(each.root))
    return (
        None if halves or not np.isfinite(values).all() or not np.any(values) else (np.array(times), np.array(values))
    )


def over_paths(result, axes, *, sdes, functions, **_):
    """Draw mean, spread and sample paths of the first test function at the largest h of 16 steps and more."""
    study, function = result.study, functions[0]
    h = max((point.h for point in study.points if point.h * _STEPS <= study.horizon - study.t0), default=None)
    found = trajectories(study, 2 if len(sdes) == 1 else 1, h=h, seed=result.seed)
    device = "python" if result.device == "python" else "cpu"
    times, spreads = spread(study, function, h=h, seed=result.seed, device=device)
    there = {"": found.optimizer} | {name: found.sdes[name] for name in sdes if name in found.sdes}
    bundles = []
    for name, paths in there.items():
        start = paths.values[function][:1, 0]
        bundles.append(
            figures.Bundle(
                name=(f"{name}, SDE" if study.sdes else name) if name else f"{study.rule.name}, optimizer",
                times=np.append(study.t0, times),
                mean=np.append(start, spreads[name].mean),
                deviation=np.append(0.0, spreads[name].deviation),
                path_times=found.times,
                paths=paths.values[function],
            )
        )
    return figures.paths(bundles, axes, function, found.h)


def of_ranking(result, axes, *, theorem, sdes, functions, **_):
    """Draw the ratio of every two SDEs' errors over h."""
    table = result.ranking(theorem).table
    table = table[table.sde_a.isin(sdes) & table.sde_b.isin(sdes) & table.test_function.isin(functions)]
    if table.empty:
        raise ValueError(f"sde={sdes!r}: a ranking compares two SDEs or more")
    duels = []
    for keys, rows in table.groupby(["sde_a", "sde_b", "test_function", "eta2"], sort=False, dropna=False):
        names = dict(zip(("sde_a", "sde_b", "test_function"), keys, strict=False))
        eta2 = None if np.isnan(keys[-1]) else keys[-1]
        columns = {name: rows[name].to_numpy() for name in ("h", "error_a", "error_b", "resolved")}
        duels.append(figures.Duel(**names, eta2=eta2, **columns, half_width=_half_width(rows)))
    return figures.ranking(duels, axes, figures.step_label(result.table))


def _half_width(rows):
    """Return half the interval of |error_a| - |error_b|.

    Where the errors have one sign that is the interval of their difference; else of their sum, whose standard error is
    at most the sum of theirs, root 2 times the root of the sum of squares.
    """
    half = 0.5 * (rows.ci_high - rows.ci_low).to_numpy()
    spread = total_std_error(rows.std_error, rows.integrator_residual).to_numpy()
    quantile = np.divide(half, spread, out=np.zeros_like(half), where=spread > 0.0)
    of_sum = quantile * total_std_error(np.sqrt(2.0) * rows.std_error_of_errors, rows.integrator_residual)
    return np.where(rows.error_a * rows.error_b >= 0.0, half, of_sum)
