"""The Runs of a point: which estimator runs what there."""

import numpy as np

from ngos_sim.studies.companion_runs import with_companion
from ngos_sim.studies.jobs import Settings, reference_name
from ngos_sim.studies.local_runs import against_reference, against_sde
from ngos_sim.studies.near import near
from ngos_sim.studies.paired_runs import alone, paired


def runs(study, index, seed, served, precision="f64", remainders=None):
    """Return the Runs of a point.

    Parameters
    ----------
    study : ConvergenceStudy
    index : int
        Of the point.
    seed : int
    served : dict of (name, index of a test function) to (estimator, terms)
        As `selection.selected` returns it.
    precision : str
        What is not local is run in it: rounding is its.
    remainders : dict of (index of a point, name, index of a test function) to ndarray, shape (times,), optional
        As `selection.after_node_check` returns it.
    """
    point, times = study.points[index], study.record_times[index]
    records = np.round((times - study.t0) / point.eta_e).astype(np.int64)
    left_here = {tuple(key): left for (at, *key), left in (remainders or {}).items() if at == index}
    settings = Settings(study, point, seed, records, precision, left_here)
    found, rest = [], {}
    for name, sde in ({sde.name: sde for sde in study.sdes} or {reference_name(point): None}).items():
        mine: dict = {"local": {}, "control_variate": {}}
        for (other, g), (estimator, terms) in served.items():
            if other == name:
                mine[estimator][g] = terms
        if mine["local"]:
            make = (
                against_sde(settings, sde, mine["local"]) if sde else against_reference(settings, name, mine["local"])
            )
            found.append(make)
        if mine["control_variate"]:
            found.append(with_companion(settings, sde, mine["control_variate"]))
        left = [g for g in range(len(study.test_functions)) if (name, g) not in served]
        if left:
            rest[name] = (sde, left)
    return [*found, paired(settings, rest)] if rest else found


def optimizers(study):
    """Return the job of the optimizer alone at every point, of one step."""
    return [alone(Settings(study, point, 0, np.array([1]))) for point in study.points]


def first_steps(study, index, served):
    """Return the jobs at a point in which every SDE that is integrated takes its first step."""
    settings = Settings(study, study.points[index], 0, np.array([1]))
    local = {name for (name, _), (estimator, _) in served.items() if estimator == "local"}
    rest = {
        sde.name: (sde, [0]) for sde in study.sdes if sde.name not in local or not near(study, sde)[0].is_itself(sde)
    }
    return paired(settings, rest).jobs if rest else ()
