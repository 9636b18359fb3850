"""The constants that theory predicts for the errors of a study, beside what is measured."""

import math
from dataclasses import replace

import numpy as np

from ngos_sim.estimators import choose, test_functions
from ngos_sim.known import constants
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.rule import has_bias_correction
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import start
from ngos_sim.studies.jobs import reference_name
from ngos_sim.studies.near import growth
from ngos_sim.studies.problems import problems

_MAX_DEGREE = 8
_AT_ONCE = 256  # coordinates whose constants are found together: their numbers stay in the cache
_FOURTH = 4  # of zeta: every constant holds the variance of u
_ROUNDING = 1e-12  # of the magnitudes of what is added up: nothing


def predicted(study, keys, rows):
    """Return A and C of the error A sqrt(eta_e) + C eta_e of one series, or NaN where none are known.

    Known for built-in optimizers against their SDEs and under the scaling rule, with an affine gradient, a
    constant diagonal Sigma, one start for all points, noise with a finite E zeta^4, and a polynomial test function
    whose mean is finite: `known.constants`.

    Parameters
    ----------
    study : ConvergenceStudy
    keys : dict
        The series: sde, test_function, eta2 (of an SVAG series over ell).
    rows : DataFrame
        Its rows at one time; under the scaling rule at one lag behind a matched time.
    """
    nothing = (math.nan, math.nan)
    function = next(g for g in study.test_functions if test_functions.name_of(g) == keys["test_function"])
    lag = rows.step % rows.kappa
    matched = np.maximum((rows.step - lag) * rows.eta_e, study.t0)  # of the start, no rounding before it
    if not _is_covered(study, keys["sde"]):
        return nothing
    terms = choose.monomials(function, study.oracle, study.rule.slots, study.dimension)
    if terms is None or any(_degree(powers) > _MAX_DEGREE for _, by in terms for powers in by.values()):
        return nothing
    if study.oracle.noise.moments < max(_FOURTH, choose.noise_degree(terms, growth(study), joint=False)):
        return nothing
    roots, firsts = [], []
    single = _of_coordinates(study, terms, _moments(study, rows), float(matched.iloc[0]))
    kappa = int(rows.kappa.iloc[0])
    for factor, by in terms:
        expansion = None
        for j, powers in by.items():
            expansion = single[j][powers] if expansion is None else expansion.product(single[j][powers])
        if expansion is not None:
            small = (expansion.root, expansion.first)
            pair = small if study.reference is None else expansion.against_batch(kappa, float(lag.iloc[0]))
            roots.append(factor * float(pair[0][0]))
            firsts.append(factor * float(pair[1][0]))
    return _total(roots), _total(firsts)


def spacing(study):
    """Return the spacing of the powers of eta_e in a study's errors: 1, or 1/2 where odd powers of eta belong to them.

    They do where the noise stays skewed as sigma -> infinity (not along ell, theory.md 1.4), and where bias correction
    starts from t0 = 0, as sqrt(1 - beta2^k) begins like the root of the time.
    """
    along_ell = isinstance(study.optimizer, SVAG) and len(study.optimizer.ell) > 1
    skewed = not along_ell and study.oracle.noise.at_large_sigma()[0] != 0.0
    return 0.5 if skewed or (study.t0 == 0.0 and has_bias_correction(study.rule.parameters)) else 1.0


def _total(terms):
    """Return the sum of terms; 0, and never -0, where they cancel to their rounding."""
    total = math.fsum(terms)
    return total if abs(total) > _ROUNDING * math.fsum(map(abs, terms)) else 0.0


def _degree(powers):
    """Return the degree of a monomial as `constants.leading` counts it."""
    return max(sum(powers[:-1]), powers[-1])


def _is_covered(study, name):
    """Return whether constants are known for a study against this SDE or reference."""
    rule, states = (
        study.rule,
        [start.state(study.initial, study.rule.slots, study.dimension, p.eta2) for p in study.points],
    )
    sde = next((sde for sde in study.sdes if sde.name == name), None)
    return (
        bool(rule.family)
        and (name in map(reference_name, study.points) if sde is None else sde.family == rule.family)
        and affine_gradient(study.oracle.loss, study.dimension) is not None
        and not study.oracle.is_dense
        and not callable(study.oracle.covariance)
        and all(np.array_equal(state, states[0]) for state in states)
        and bool(np.all(states[0][:, -1] > 0.0))
        and (study.t0 > 0.0 or not has_bias_correction(rule.parameters))
    )


def _moments(study, rows):
    """Return what `constants.leading` wants to know of a series' noise law: third, third_rate, fourth."""
    noise, sigma0 = study.oracle.noise, study.rule.parameters["sigma0"]
    if rows.ell.nunique() > 1:
        eta2 = float(rows.eta2.iloc[0])
        *_, third, excess = noise.cumulants(sigma0 / math.sqrt(eta2))
        return constants.svag_limit(third, 3.0 + excess, eta2)
    ell = float(rows.ell.iloc[0])
    law = svag_law(noise, ell) if isinstance(study.optimizer, SVAG) else noise
    third, rate, fourth = law.at_large_sigma()
    return {"third": third, "third_rate": rate * ell / sigma0, "fourth": fourth}  # sigma = sigma0 / (ell sqrt(eta_e))


def _of_coordinates(study, terms, moments, time):
    """Return {coordinate: {powers: Expansion}} at one time, for the coordinates in the terms."""
    rule, state = study.rule, start.state(study.initial, study.rule.slots, study.dimension, study.points[0].eta2)
    settings = {
        "momentum": "m" in rule.slots,
        "times": [time] if time > study.t0 else [time, study.horizon],
        "second_moment": "updated" if rule.parameters.get("updated") else "previous",
        "degree": max((_degree(powers) for _, by in terms for powers in by.values()), default=0),
    }
    needed = problems(study, state, {j for _, by in terms for j in by})
    found, every = {}, list({id(problem): problem for problem in needed.values()}.values())
    for first in range(0, len(every), _AT_ONCE):
        some = every[first : first + _AT_ONCE]
        columns = [np.array([getattr(one, name) for one in some]) for name in ("hessian", "slope", "variance")]
        together = replace(some[0], **dict(zip(("hessian", "slope", "variance"), columns, strict=True)))
        together = replace(together, start=tuple(np.array([one.start for one in some]).T))
        made = constants.leading(together, **settings, **moments)
        for at, one in enumerate(some):
            found[id(one)] = {powers: expansion.of(at) for powers, expansion in made.items()}
    return {j: found[id(problem)] for j, problem in needed.items()}
