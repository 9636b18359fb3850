"""The control-variate estimator at a point of a study: an optimizer beside its linear companion."""

import functools

import numpy as np

from ngos_sim.estimators import choose, control_variate, paired, rounding
from ngos_sim.known import gaussian_law
from ngos_sim.known.probing import NoMoments
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies import start
from ngos_sim.studies.assemble import Part, observables
from ngos_sim.studies.jobs import Reading, Run, with_rounding
from ngos_sim.studies.joint_problems import laws

ROUGH = "its Gaussian mean does not converge"


def last_law(study):
    """Return the function (JointEquation) -> Law at a study's last time, each found once."""
    return functools.cache(lambda equation: gaussian_law.sde_law(equation, study.record_times[0][-1:]))


def companion_terms(study, sde, function, law):
    """Return a test function's terms, see `choose.companion_terms`, or why its mean is not known, a str.

    law : what `last_law` returned
    """
    oracle = study.oracle
    if sde is None:
        return "there is no companion of known moments"
    if reason := choose.two_channels(sde):
        return reason
    if reason := choose.against_local(oracle, study.dimension):
        return reason
    point = study.points[0]
    state = start.state(study.initial, study.rule.slots, study.dimension, point.eta2)
    try:
        first = laws(study, sde, point, state, [(1.0, {0: ()})], law)
        linear = (first if oracle.is_dense else first[0]).linear
        terms = choose.companion_terms(function, oracle, study.rule.slots, study.dimension, linear)
        if terms is None:
            kind = "a polynomial" if oracle.noise.is_gaussian else "of degree 2 under noise that is not Gaussian"
            return f"it is not {kind}, so that its mean is not known"
        known = laws(study, sde, point, state, terms, law)
    except NoMoments as error:
        return str(error)
    return terms if control_variate.Means(known).are_resolved(terms) else ROUGH


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

    def both(equation):
        known = (equation.problem, equation.linear, point.eta_e, records)
        return gaussian_law.companion_law(companion, *known), gaussian_law.sde_law(equation, times)

    found = laws(study, sde, point, settings.state, terms, both)
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
