"""The Runs of a point: which estimator runs what there."""

import numpy as np

from ngos_sim.studies.jobs import Settings, reference_name
from ngos_sim.studies.local_runs import against_reference, against_sde
from ngos_sim.studies.paired_runs import alone, paired


def runs(study, index, seed, local):
    """Return the Runs of a point.

    Parameters
    ----------
    study : ConvergenceStudy
    index : int
        Of the point.
    seed : int
    local : dict of (name, index of a test function) to terms
        What the local estimator serves: `choose.local_terms`. The name is the SDE's or the reference's.
    """
    point, times = study.points[index], study.record_times[index]
    records = np.round((times - study.t0) / point.eta_e).astype(np.int64)
    settings = Settings(study, point, seed, records)
    opponents = {sde.name: sde for sde in study.sdes} or {reference_name(point): None}
    found, rest = [], {}
    for name, sde in opponents.items():
        mine = {g: terms for (other, g), terms in local.items() if other == name}
        if mine:
            found.append(against_sde(settings, sde, mine) if sde else against_reference(settings, name, mine))
        left = [g for g in range(len(study.test_functions)) if g not in mine]
        if left:
            rest[name] = (sde, left)
    return [*found, paired(settings, rest)] if rest else found


def first_steps(study, index, local):
    """Return the jobs at a point in which every rule of a study takes its first step."""
    settings = Settings(study, study.points[index], 0, np.array([1]))
    served = {name for name, g in local}
    rest = {sde.name: (sde, [0]) for sde in study.sdes if sde.pivot is not None or sde.name not in served}
    return [alone(settings), *(paired(settings, rest).jobs if rest else ())]
