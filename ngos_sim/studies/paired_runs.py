"""The coupled and the independent estimator: an optimizer and its references at a point of a study."""

import math

import numpy as np

from ngos_sim.estimators import paired as pairs
from ngos_sim.estimators import rounding
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.assemble import Part, observables
from ngos_sim.studies.jobs import Reading, Run, with_rounding

_WATCHED = 8  # times at which the integrator is watched beside those asked for


def _optimizer(settings):
    point = settings.point
    return Part(settings.study.rule, settings.law, point.kappa, point.h, settings.sigma)


def _job(settings, functions, records, parts, combinations, role=""):
    study = settings.study
    observed = observables(study.oracle, functions, study.rule.slots, study.dimension, records)
    where = {"spacing": settings.point.spacing, "records": records, "role": role}
    return settings.job(parts, combinations, observed, settings.state, **where)


def alone(settings):
    """Return the job of the optimizer alone."""
    return _job(settings, settings.study.test_functions, settings.records, [_optimizer(settings)], np.eye(1))


def paired(settings, opponents):
    """Return the coupled or independent Run of an optimizer and its references.

    opponents : dict of name to (SDE, or None for the scaling rule's reference, indices of test functions)
    """
    study, point, rule = settings.study, settings.point, settings.study.rule
    optimizer, names = _optimizer(settings), list(opponents)
    extrapolated = study.reference is None
    if extrapolated:
        references = [
            Part(euler_maruyama(sde, rule), gaussian(), level, point.h, math.nan)
            for sde, _ in opponents.values()
            for level in pairs.LEVELS
        ]
        together, apart = pairs.coupled(len(names)), pairs.independent(len(names))
    else:
        references = [Part(rule, settings.law, 1, point.spacing, settings.sigma / math.sqrt(point.kappa))]
        together, apart = pairs.coupled_pair(), np.eye(1)
    parts = [optimizer, *references]
    wanted = sorted({g for _, mine in opponents.values() for g in mine})
    groups = [(parts, together, "")]
    if study.estimator == "independent":
        padded = [(parts, np.eye(1, 2), " optimizer"), (parts, np.eye(1, 2, 1), " reference")]
        groups = [([optimizer], np.eye(1), " optimizer"), (references, apart, " reference")] if extrapolated else padded
    functions = [study.test_functions[g] for g in wanted]
    records = np.union1d(settings.records, _watched(int(settings.records[-1]))) if extrapolated else settings.records
    own = np.searchsorted(records, settings.records)
    jobs = tuple(_job(settings, functions, records, *group) for group in groups)
    starts = [rounding.at_start(function, rule.slots, settings.state) for function in functions]

    def read(measured):
        found = {}
        for which, name in enumerate(names):
            for at, g in enumerate(wanted):
                if g in opponents[name][1]:
                    reading = difference(measured, at, which, int(records[-1]) if extrapolated else None)
                    left = rounding.bound(starts[at], reading.optimizer, records, settings.precision)
                    found[name, g] = Reading(*(field[own] for field in with_rounding(reading, left)))
        return found

    return Run("coupled" if len(jobs) == 1 else "independent", jobs, read)


def _watched(last):
    """Return _WATCHED steps up to the last one, evenly, at least 1; int64."""
    return np.maximum(last * np.arange(1, _WATCHED + 1) // _WATCHED, 1)


def difference(measured, at, which, steps):
    """Return the Reading of one test function, its rounding apart.

    steps : of the optimizer up to the last time, where the reference is extrapolated; None where it is exact
    """
    ahead = 0 if steps is None else 2  # a and b of the integrator's bias follow
    if len(measured) == 1:
        ((mean, std_error),) = measured
        first = 1 + (2 + ahead) * which
        values = mean[:, at, 0], mean[:, at, first], mean[:, at, first + 1], std_error[:, at, first + 1]
        terms = mean[:, at, first + 2 : first + 2 + ahead]
    else:
        (mean, std_error), (other, other_error) = measured
        first = (1 + ahead) * which
        optimizer, reference = mean[:, at, 0], other[:, at, first]
        spread = np.hypot(std_error[:, at, 0], other_error[:, at, first])
        values = optimizer, reference, optimizer - reference, spread
        terms = other[:, at, first + 1 : first + 1 + ahead]
    nothing = np.full(len(values[0]), math.nan)
    if steps is None:
        return Reading(*values, nothing, nothing)
    with np.errstate(invalid="ignore", over="ignore"):  # non-finite trajectories are counted and raised elsewhere
        return Reading(*values, terms.sum(axis=1), pairs.residual(*terms.T, steps))
