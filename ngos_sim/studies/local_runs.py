"""The local estimator at a point of a study: against an SDE, and against the scaling rule's reference."""

import math

import numpy as np

from ngos_sim.estimators import paired, rounding
from ngos_sim.known import linear_flow
from ngos_sim.oracles.noises import gaussian
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.jobs import Reading, Run, with_rounding
from ngos_sim.studies.near import near
from ngos_sim.studies.paired_runs import difference
from ngos_sim.studies.pivots import pivot_at

_MOMENTS = round(linear_flow.ACCURACY * 2.0**52 / 3.0)  # steps whose roundings are as much as the moments' accuracy


def against_sde(settings, sde, wanted):
    """Return the local Run of an optimizer against an SDE.

    Where it is measured near another, error(optimizer, SDE) = error(optimizer, other) - error(SDE, other), the
    latter by Euler-Maruyama at paired.LEVELS, extrapolated, on the same random numbers.
    """
    study, point, records = settings.study, settings.point, settings.records
    found, _ = near(study, sde)
    through = not found.is_itself(sde)
    pivot = pivot_at(settings, found, wanted)
    size, *fewer = pivot.nodes
    count = int(records[-1])

    def job(nodes):
        first, moments = pivot.part(
            study.rule, settings.law, settings.sigma, nodes, size, point.eta_e, point.eta_e, count
        )
        parts, rows = [first], np.eye(1)
        if through:
            base, exact = euler_maruyama(sde, study.rule.parameters), pivot.nodes_of(sde)
            for level in paired.LEVELS:
                numbers = (exact, exact, point.eta_e / level, point.eta_e, count * level, level)
                parts.append(pivot.part(base, gaussian(), math.nan, *numbers)[0])
            rows = paired.coupled(1)
        return pivot.job(parts, rows, moments, records, spacing=point.eta_e)

    main, exact = job(size)

    def read(measured):
        found = {}
        for at, g in enumerate(wanted):
            if through:
                optimizer, reference, *rest = difference(measured, at, 0, count)
            else:
                ((mean, spread),) = measured
                optimizer = error = mean[:, at, 0]
                reference, rest = 0.0 * error, (error, spread[:, at, 0], np.full(len(error), math.nan))
            reading = Reading(exact[:, at] + optimizer, exact[:, at] + reference, *rest)
            found[sde.name, g] = _with_what_is_left(settings, sde.name, g, reading)
        return found

    return Run("local", (main,), read, sde.name, lambda: tuple(job(nodes)[0] for nodes in fewer))


def _with_what_is_left(settings, name, g, reading):
    """Return a Reading whose standard error holds what rounding, the moments' accuracy and few nodes may leave.

    Of the size of psi, which each step cancels to O(h^2), it holds a few roundings a step.
    """
    study = settings.study
    begin = rounding.at_start(study.test_functions[g], study.rule.slots, settings.state)
    left = rounding.bound(begin, reading.optimizer, settings.records + _MOMENTS, "f64")
    return with_rounding(reading, np.hypot(left, settings.remainders.get((name, g), 0.0)))


def against_reference(settings, name, wanted):
    """Return the local Run of an optimizer at batch size B against itself at kappa B (Theorem 5.3).

    Both are measured against the SDE X: with K = floor(k / kappa), E g(x_k) - E g(x'_K) is
    error(B at k) - error(kappa B at K) + E g(X_{k eta^2}) - E g(X_{K kappa eta^2}), the last two exact.
    """
    study, point, records = settings.study, settings.point, settings.records
    rule, kappa = study.rule, point.kappa
    pivot = pivot_at(settings, near(study, None)[0], wanted)
    size, *fewer = pivot.nodes
    matched = records // kappa
    own, at_own = np.unique(np.maximum(matched, 1), return_inverse=True)
    moved = (matched > 0)[:, None]

    def jobs(nodes):
        numbers = (nodes, size, point.eta_e, point.eta_e, int(records[-1]))
        small, moments = pivot.part(rule, settings.law, settings.sigma, *numbers)
        numbers = (nodes, size, point.spacing, point.spacing, int(own[-1]))
        large, others = pivot.part(rule, settings.law, settings.sigma / math.sqrt(kappa), *numbers)
        first, exact = pivot.job([small], np.eye(1), moments, records, spacing=point.eta_e, role=" small batch")
        second, _ = pivot.job(
            [large], np.eye(1), others, own, h=point.spacing, spacing=point.spacing, role=" large batch"
        )
        _, before = pivot.span(study.t0 + point.spacing * matched, moments[kappa * matched])
        return (first, second), exact, before

    main, exact, before = jobs(size)

    def read(measured):
        (small, small_spread), (large, large_spread) = (tuple(each[:, :, 0] for each in pair) for pair in measured)
        large, large_spread = (np.where(moved, each[at_own], 0.0) for each in (large, large_spread))
        error, spread = small - large + (exact - before), np.hypot(small_spread, large_spread)
        found = {}
        for at, g in enumerate(wanted):
            means = (exact[:, at] + small[:, at], before[:, at] + large[:, at])
            reading = Reading(*means, error[:, at], spread[:, at], np.full(len(error), math.nan))
            found[name, g] = _with_what_is_left(settings, name, g, reading)
        return found

    return Run("local", main, read, name, lambda: tuple(each for nodes in fewer for each in jobs(nodes)[0]))
