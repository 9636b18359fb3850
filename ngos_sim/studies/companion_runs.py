"""The control-variate estimator at a point of a study: an optimizer beside its linear companion."""

import numpy as np

from ngos_sim.estimators import control_variate, moment_flow, paired
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.assemble import Part, observables
from ngos_sim.studies.jobs import Reading, Run
from ngos_sim.studies.local_runs import problems


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
    job = settings.job(parts, paired.coupled_pair()[2:], observed, settings.state, **where)
    laws = [_laws(settings, sde, companion, problem) for problem in problems(study, settings.state)]
    means = [_Means([law[i] for law in laws]) for i in (0, 1)]
    unresolved = tuple(g for g, terms in wanted.items() if not all(each.are_resolved(terms) for each in means))
    exact = {g: [each.of(terms, len(records)) for each in means] for g, terms in wanted.items() if g not in unresolved}

    def read(measured):
        ((mean, std_error),) = measured
        found = {}
        for at, g in enumerate(wanted):
            of_companion, of_sde = exact[g]
            error = mean[:, at, 0] + of_companion - of_sde
            found[sde.name, g] = Reading(
                of_sde + error, of_sde, error, std_error[:, at, 0], np.full(len(error), np.nan)
            )
        return found

    return Run("control_variate", (job,), read, sde.name, unresolved=unresolved)


def _laws(settings, sde, companion, problem):
    """Return (mean, covariance, u) of the companion and of the SDE in one coordinate at the records."""
    point, records = settings.point, settings.records
    parameters, steps = {**companion.parameters, "eta2": point.eta_e}, int(records[-1])
    found = control_variate.companion_moments(companion, problem, point.eta_e, steps, parameters)
    return tuple(each[records] for each in found), sde_law(sde, problem, point.eta_e, records)


def sde_law(sde, problem, h, records):
    """Return mean and covariance of an SDE's slots but u, and its u, after `records` steps of size h."""
    basis, n = moment_flow.basis_of(sde), len(problem.start) - 1
    _, moments = moment_flow.columns(sde, basis, problem, h, int(records[-1]), np.zeros(1), np.zeros(1))
    place = basis.exponents.index
    units = [tuple(int(i == j) for j in range(n + 1)) for i in range(n)]
    mean = np.stack([moments[records, place(unit)] for unit in units], axis=1)
    second = [[moments[records, place(tuple(map(sum, zip(one, two, strict=True))))] for two in units] for one in units]
    covariance = np.moveaxis(np.array(second), 2, 0) - mean[:, :, None] * mean[:, None, :]
    return mean, covariance, problem.second_moment(problem.t0 + h * records)


class _Means:
    """Means of test functions where every coordinate has a known law; each factor's is computed once."""

    def __init__(self, laws):
        self._laws, self._known = laws, {}

    def are_resolved(self, terms):
        """Return whether quadrature finds the mean of every factor at every time."""
        return all(control_variate.is_resolved(g, *self._laws[j]) for _, by in terms for j, g in by.items())

    def of(self, terms, times):
        """Return E of a sum of terms, factor times a product over independent coordinates; shape (times,)."""
        total = np.zeros(times)
        for factor, by in terms:
            mean = np.full(times, factor)
            for j, g in by.items():
                if (j, g) not in self._known:
                    self._known[j, g] = control_variate.gaussian_mean(g, *self._laws[j])
                mean = mean * self._known[j, g]
            total += mean
        return total
