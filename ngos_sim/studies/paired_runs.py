"""The coupled and the independent estimator: an optimizer and its references at a point of a study."""

import math

import numpy as np

from ngos_sim.estimators import paired as pairs
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.assemble import Part, observables
from ngos_sim.studies.jobs import Reading, Run


def _optimizer(settings):
    point = settings.point
    return Part(settings.study.rule, settings.law, point.kappa, point.eta_e, settings.sigma)


def _job(settings, functions, parts, combinations, role=""):
    study, records = settings.study, settings.records
    observed = observables(study.oracle, functions, study.rule.slots, study.dimension, records)
    where = {"spacing": settings.point.spacing, "records": records, "role": role}
    return settings.job(parts, combinations, observed, settings.state, **where)


def alone(settings):
    """Return the job of the optimizer alone."""
    return _job(settings, settings.study.test_functions, [_optimizer(settings)], np.eye(1))


def paired(settings, opponents):
    """Return the coupled or independent Run of an optimizer and its references.

    opponents : dict of name to (SDE, or None for the scaling rule's reference, indices of test functions)
    """
    study, point, rule = settings.study, settings.point, settings.study.rule
    optimizer, names = _optimizer(settings), list(opponents)
    extrapolated = study.reference is None
    if extrapolated:
        references = [
            Part(euler_maruyama(sde, rule.parameters), gaussian(), level, point.eta_e, math.nan)
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
    jobs = tuple(_job(settings, functions, *group) for group in groups)

    def read(measured):
        return {
            (name, g): Reading(*difference(measured, at, which, extrapolated))
            for which, name in enumerate(names)
            for at, g in enumerate(wanted)
            if g in opponents[name][1]
        }

    return Run("coupled" if len(jobs) == 1 else "independent", jobs, read)


def difference(measured, at, which, extrapolated):
    """Return optimizer, reference, error, standard error and integrator bias of one test function."""
    nothing = np.full(len(measured[0][0]), math.nan)
    if len(measured) == 1:
        ((mean, std_error),) = measured
        first = 1 + (3 if extrapolated else 2) * which
        bias = mean[:, at, first + 2] if extrapolated else nothing
        return mean[:, at, 0], mean[:, at, first], mean[:, at, first + 1], std_error[:, at, first + 1], bias
    (mean, std_error), (other, other_error) = measured
    first = (2 if extrapolated else 1) * which
    bias = other[:, at, first + 1] if extrapolated else nothing
    spread = np.hypot(std_error[:, at, 0], other_error[:, at, first])
    return mean[:, at, 0], other[:, at, first], mean[:, at, 0] - other[:, at, first], spread, bias
