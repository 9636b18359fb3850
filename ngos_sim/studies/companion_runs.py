"""The control-variate estimator at a point of a study: an optimizer beside its linear companion."""

import numpy as np

from ngos_sim.estimators import control_variate, paired, rounding
from ngos_sim.known import gaussian_law
from ngos_sim.known.joint_equation import JointEquation
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.assemble import Part, observables
from ngos_sim.studies.jobs import Reading, Run, with_rounding
from ngos_sim.studies.joint_problems import laws


def with_companion(settings, sde, wanted):
    """Return the control-variate Run of an optimizer against an SDE.

    wanted : {index of a test function: terms (factor, {coordinate: monomial's powers, or g})}
    """
    study, point, records = settings.study, settings.point, settings.records
    companion = euler_maruyama(sde, study.rule.parameters)
    parts = [
        Part(study.rule, settings.law, 1, point.eta_e, settings.sigma),
        Part(companion, settings.law, 1, point.eta_e, settings.sigma),
    ]
    functions = [study.test_functions[g] for g in wanted]
    observed = observables(study.oracle, functions, study.rule.slots, study.dimension, records)
    where = {"spacing": point.spacing, "records": records, "role": " companion"}
    job = settings.job(parts, paired.coupled_pair()[[2, 1]], observed, settings.state, **where)
    terms, times = [term for mine in wanted.values() for term in mine], study.t0 + point.eta_e * records
    problem = (study, settings.state, terms, point.eta_e, times[-1])

    def both(one):
        equation = JointEquation(sde, one)
        of_companion = gaussian_law.companion_law(companion, one, equation.linear, records)
        return of_companion, gaussian_law.sde_law(equation, times)

    found = laws(*problem, both)
    pairs = found if study.oracle.is_dense else [{j: pair[i] for j, pair in found.items()} for i in (0, 1)]
    means = [control_variate.Means(each) for each in pairs]
    unresolved = tuple(g for g, terms in wanted.items() if not all(each.are_resolved(terms) for each in means))
    exact = {
        g: [np.broadcast_to(each.of(terms), times.shape) for each in means]
        for g, terms in wanted.items()
        if g not in unresolved
    }
    starts = [rounding.at_start(function, study.rule.slots, settings.state) for function in functions]

    def read(measured):
        ((mean, std_error),) = measured
        found = {}
        for at, g in enumerate(wanted):
            companions, exactly = exact[g]
            error = mean[:, at, 0] + companions - exactly
            reading = Reading(exactly + error, exactly, error, std_error[:, at, 0], np.full(len(error), np.nan))
            known = (starts[at], reading.optimizer, records, settings.precision, gaussian_law.ACCURACY)
            found[sde.name, g] = with_rounding(reading, rounding.bound(*known))
        return found

    own = means[0]
    smooth = {
        at: (exact[g][0], own.spread(terms))
        for at, (g, terms) in enumerate(wanted.items())
        if g in exact and any(callable(function) for _, by in terms for function in by.values())
    }

    def contradicted(measured, trajectories):
        ((mean, std_error),) = measured
        return tuple(
            list(wanted)[at]
            for at, known in smooth.items()
            if control_variate.contradicts(
                *(each[:, at, 1] for each in (mean, std_error)),
                *known,
                trajectories,
                rounding.bound(starts[at], mean[:, at, 1], records, settings.precision, gaussian_law.ACCURACY),
            )
        )

    return Run(
        "control_variate", (job,), read, sde.name, unresolved=unresolved, contradicted=contradicted if smooth else None
    )
