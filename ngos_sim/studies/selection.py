"""Which estimator serves each (sde, test function) of a study, and why."""

import math
from types import SimpleNamespace

import numpy as np

from ngos_sim.engines import devices
from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import choose, test_functions
from ngos_sim.estimators.control_variate import Means
from ngos_sim.known import gaussian_law
from ngos_sim.known.probing import NoMoments
from ngos_sim.statistics.chunks import Sums, means
from ngos_sim.studies import pivots, runs, start
from ngos_sim.studies.jobs import reference_name
from ngos_sim.studies.near import growth, has_polynomial_steps, is_under_a_root, near
from ngos_sim.studies.problems import laws

_TOLERANCE = 0.2  # of the standard error of so many trajectories: how much fewer nodes may change an error
_MANY = 1e6
_LOOK = 4  # chunks: a bump of probability 0.01 is seen
_ROUGH = "its Gaussian mean does not converge"
_MERIT = {
    "local": "its standard deviation is of the size of the error",
    "control_variate": "the mean of a linear companion is known",
    "coupled": "it serves everything",
}
_RELATIVE = 1e-3  # of the error itself, as the first step has no standard error


def selected(study, barred=None):
    """Choose an estimator for every test function against every SDE or reference.

    Parameters
    ----------
    study : ConvergenceStudy
    barred : dict of (name, index of a test function) to {estimator: str}, optional
        Why an estimator does not serve, beside what can be told without a run.

    Returns
    -------
    served : dict of (name, index of a test function) to (estimator, terms)
        What local and control_variate serve; the rest is coupled or independent. A name is an SDE's, or
        that of the scaling rule's reference.
    why : dict of (name, test function) to str

    Raises
    ------
    ValueError
        An estimator is asked for by name where it cannot serve, or the noise has not the moments that a standard
        error needs.
    """
    served, why = {}, {}
    opponents = {sde.name: sde for sde in study.sdes} or dict.fromkeys(map(reference_name, study.points))
    for opponent, sde in opponents.items():
        known, reason, through = _near(study, sde)
        rough = choose.near_root(study.oracle, study.rule.slots, _starts(study))
        rough = rough if known is None or is_under_a_root(study, known, "u") else ""
        doubt = f"{rough}: the powers of the extrapolation are not assured there, see integrator_residual"
        doubts = [doubt] if rough and sde is not None else []
        for g, function in enumerate(study.test_functions):
            name = test_functions.name_of(function)
            _require_moments(study, function)
            if study.estimator in ("coupled", "independent"):
                why[opponent, name] = "; ".join([f"estimator={study.estimator!r} was asked for", *doubts])
                continue
            refused = {}
            against = (barred or {}).get((opponent, g), {})
            for estimator, terms in _candidates(study, sde, known, function, reason, rough):
                terms = against.get(estimator, terms)
                if isinstance(terms, str):
                    refused[estimator] = terms
                elif study.estimator in ("auto", estimator):
                    served[opponent, g] = (estimator, terms)
                    break
            if study.estimator in refused:
                raise ValueError(
                    f"estimator={study.estimator!r} cannot measure {name!r} against {opponent!r}: "
                    f"{refused[study.estimator]}"
                )
            chosen = served.get((opponent, g), ("coupled",))[0]
            if chosen == "coupled" and sde is not None and (singular := _singular(study, sde)):
                raise ValueError(f"test function {name!r}: {singular}, but {refused['local']}")
            merit = ", ".join([_MERIT[chosen], *([through] if chosen == "local" and through else [])])
            others = [f"not {estimator}, as {text}" for estimator, text in refused.items() if estimator != chosen]
            others += doubts if chosen == "coupled" else []
            why[opponent, name] = "; ".join([f"{chosen}: {merit}", *others])
    return served, why


def _require_moments(study, function):
    """Raise ValueError where the noise has not the moments that a polynomial's standard error needs."""
    terms = choose.monomials(function, study.oracle, study.rule.slots, study.dimension)
    if terms is not None:
        degree = choose.noise_degree(terms, growth(study), study.oracle.is_dense)
        if heavy := choose.too_heavy(study.oracle.noise, 2 * degree):
            raise ValueError(f"test function {test_functions.name_of(function)!r}: {heavy}")


def _starts(study):
    """Return the start of every coordinate at every point, shape (points, d, slots)."""
    states = [start.state(study.initial, study.rule.slots, study.dimension, point.eta2) for point in study.points]
    return np.stack(states)


def _singular(study, sde):
    """Return why an SDE's coefficients cannot be taken at the start, or an empty string."""
    p = SimpleNamespace(**{**study.rule.parameters, **sde.parameters, "eta2": study.points[0].eta_e})
    try:
        sde.schedule(study.t0, p)
    except ValueError as error:
        return str(error)
    except AttributeError:  # a missing parameter is named when the first step is tried
        return ""
    return ""


def _near(study, sde):
    """Return what an SDE is measured near and "", or None and why there is none; and through what and why, in words."""
    reason = choose.against_local(study.oracle, study.dimension)
    if reason:
        return None, reason, ""
    try:
        found, why = near(study, sde)
    except NoMoments as error:
        return None, str(error), ""
    words = "" if sde is None else found.words(sde)
    return found, "", f"{words}, as {why}" if words and why else words


def _candidates(study, sde, known, function, reason, rough):
    """Yield (estimator, its terms, or why it cannot serve), the best first."""
    yield "local", reason or rough or _local_terms(study, known, function)
    unsuited = choose.against_local(study.oracle, study.dimension)
    if sde is None or not sde.family or unsuited:
        yield "control_variate", unsuited or "there is no companion of known moments"
        return
    if singular := _singular(study, sde):
        yield "control_variate", singular
        return
    terms = choose.companion_terms(function, study.oracle, study.rule.slots, study.dimension)
    if terms is None:
        known = "a polynomial" if study.oracle.noise.is_gaussian else "of degree 2 under noise that is not Gaussian"
        yield "control_variate", f"it is not {known}, so that its mean is not known"
    else:
        yield "control_variate", _roughness(study, terms) or terms


def _local_terms(study, known, function):
    """Return what `choose.local_terms` does, or why the noise or the SDE's moments do not serve."""
    terms = choose.local_terms(function, study.oracle, known, study.dimension)
    if isinstance(terms, str):
        return terms
    heavy = choose.too_heavy(study.oracle.noise, 2 * choose.local_degree(terms, growth(study), known.autonomous))
    return heavy or pivots.unsettled(study, known, terms) or terms


def _roughness(study, terms):
    """Return why the means of a test function's terms at a study's last time are not known, or an empty string."""
    point, times = study.points[0], study.record_times[0]
    state = start.state(study.initial, study.rule.slots, study.dimension, point.eta2)
    try:
        known = laws(study, state, terms, lambda problem: gaussian_law.sde_law(problem, times[-1:]))
    except ValueError as error:
        return str(error)
    return "" if Means(known).are_resolved(terms) else _ROUGH


def after_node_check(study, seed, threads, device="cpu"):
    """Return `selected` without what a look at the first chunk of every point, on the run's device, rules out.

    Local, where a test function moves with the number of nodes: with fewer no error may move by more than
    0.2 of the standard error of a million trajectories and a thousandth of itself. (For RMSprop with
    v_{k+1} each pair of nodes brings about a decimal.) And the control variate, where quadrature does not
    find the known means at some time, or trajectories show others.

    Returns
    -------
    served, why : dict
    remainders : dict of (index of a point, name, index of a test function) to ndarray, shape (times,)
        By how much fewer nodes moved an error: what the run's own may leave is less.
    """
    remainders: dict = {}
    if all(estimator == "local" for estimator, _ in study.served.values()) and _are_exact(study):
        return study.served, study.why, remainders
    barred: dict = {}
    for index, point in enumerate(study.points):
        for run in runs.runs(study, index, seed, study.served):
            for g in run.unresolved:
                barred.setdefault((run.name, g), {})["control_variate"] = f"{_ROUGH} at {point}"
            for g in _contradicted(run, threads, device):
                barred.setdefault((run.name, g), {})["control_variate"] = f"trajectories show another mean at {point}"
            for (name, g), (reading, moved) in _moved(run, threads, device).items():
                allowed = _TOLERANCE * reading.std_error * math.sqrt(CHUNK / _MANY) + _RELATIVE * np.abs(reading.error)
                remainders[index, name, g] = moved
                if np.any(moved > allowed):
                    barred.setdefault((name, g), {})["local"] = f"its quadrature moves with the nodes at {point}"
    served, why = selected(study, barred) if barred else (study.served, study.why)
    return served, why, remainders


def _are_exact(study):
    """Return whether the quadratures of all that local serves are exact."""
    return all(
        has_polynomial_steps(study, near(study, sde)[0])
        for sde in study.sdes or (None,)
        if sde is None or sde.name in {name for name, _ in study.served}
    )


def _contradicted(run, threads, device):
    """Return the indices of the test functions of a run whose known means the first chunks show to be wrong."""
    if run.contradicted is None or run.unresolved:
        return ()
    (job,) = run.jobs
    used = devices.chosen(device, _LOOK * job.cost, 1, threads)
    sums, found = Sums(), devices.run(used, job.program, job.inputs, 0, _LOOK, precision="f64", threads=threads)
    sums.add(found.sums, found.nonfinite)
    return run.contradicted([means(sums.total, _LOOK * CHUNK)], _LOOK * CHUNK)


def _moved(run, threads, device):
    """Return {(name, g): (Reading of the first chunk, by how much fewer nodes move its error)} of a run with checks."""
    checks, found = run.checks(), []
    for jobs in (run.jobs, checks) if checks else ():
        used = [devices.chosen(device, job.cost, 2, threads) for job in jobs]
        sums = [
            devices.run(where, job.program, job.inputs, 0, 1, precision="f64", threads=threads).sums[0]
            for where, job in zip(used, jobs, strict=True)
        ]
        found.append(run.read([means(each, CHUNK) for each in sums]))
    return (
        {key: (reading, np.abs(reading.error - found[1][key].error)) for key, reading in found[0].items()}
        if found
        else {}
    )
