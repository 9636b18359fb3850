"""The constants that theory predicts for the errors of a study, beside what is measured."""

import math
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ngos_sim.estimators import affine, test_functions
from ngos_sim.estimators.near import growth
from ngos_sim.estimators.polynomials import noise_degree, polynomial
from ngos_sim.known import constants
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.rule import has_bias_correction
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import outside, start
from ngos_sim.studies.problems import problems, reference_name

_MAX_DEGREE = 8
_AT_ONCE = 256  # coordinates whose constants are found together: their numbers stay in the cache
_FOURTH = 4  # of zeta: every constant holds the variance of u
_EXPANDED = {  # SDEs with a known expansion, by family: of which optimizers, and whose it is to `constants.leading`
    "rmsprop": ("rmsprop", "malladi"),
    "adam": ("adam", "malladi"),
    "compagnoni-rmsprop": ("rmsprop", "compagnoni"),
    "compagnoni-adam": ("adam", "compagnoni"),
}
_ROUNDING = 1e-12  # of the magnitudes of what is added up: nothing


class Constants(NamedTuple):
    """A and C of the error A sqrt(h) + C h of one series at one time, NaN where none are known."""

    root: float
    first: float

    def of_order(self, p):
        """Return the factor of h^p; NaN where theory does not give it."""
        return {0.5: self.root, 1.0: self.first}.get(p, math.nan)


_UNKNOWN = Constants(math.nan, math.nan)


class Predictions:
    """What theory predicts for the series of one study; what several of them share is found once.

    Known for RMSprop and Adam against Malladi's and Compagnoni's SDEs and under the scaling rule, with an affine
    gradient, a constant diagonal Sigma, one start for all points, noise with a finite E zeta^4, and a polynomial test
    function whose mean is finite: `known.constants`.

    Parameters
    ----------
    study : ConvergenceStudy
    """

    def __init__(self, study):
        self._study, self._known = study, {}

    def of(self, keys, rows):
        """Return the Constants of a series.

        Parameters
        ----------
        keys : dict
            The series: sde, test_function, eta2 (of an SVAG series over ell).
        rows : DataFrame
            Its rows at one time; under the scaling rule at one lag behind a matched time.
        """
        study = self._study
        sde = _covered(study, keys["sde"])
        if not sde:
            return _UNKNOWN
        function = next(g for g in study.test_functions if test_functions.name_of(g) == keys["test_function"])
        terms = polynomial(function, study.oracle, study.rule.slots, study.dimension)
        if terms is None or any(_degree(powers) > _MAX_DEGREE for _, by in terms for powers in by.values()):
            return _UNKNOWN
        if study.oracle.noise.moments < max(_FOURTH, noise_degree(terms, self._growth, joint=False)):
            return _UNKNOWN
        lag = rows.step % rows.kappa
        matched = np.maximum((rows.step - lag) * rows.h, study.t0)  # of the start, no rounding before it
        single = self._of_coordinates(terms, {"sde": sde, **_moments(study, rows)}, float(matched.iloc[0]))
        roots, firsts, kappa = [], [], int(rows.kappa.iloc[0])
        for factor, by in terms:
            expansion = None
            for j, powers in by.items():
                expansion = single[j][powers] if expansion is None else expansion.product(single[j][powers])
            if expansion is not None:
                small = (expansion.root, expansion.first)
                pair = small if study.reference is None else expansion.against_batch(kappa, float(lag.iloc[0]))
                roots.append(factor * float(pair[0][0]))
                firsts.append(factor * float(pair[1][0]))
        return Constants(_total(roots), _total(firsts))

    @cached_property
    def _growth(self):
        """By which power of zeta each slot grows in a step."""
        return growth(problems(self._study)[0])

    @cached_property
    def _coordinates(self):
        """Every coordinate's Coordinate, one object for those that are alike."""
        return affine.coordinates(problems(self._study)[0])

    def _of_coordinates(self, terms, settings, time):
        """Return {coordinate: {powers: Expansion}} at one time, for the coordinates in the terms."""
        degree = max((_degree(powers) for _, by in terms for powers in by.values()), default=0)
        known = self._known.setdefault((time, degree, *settings.items()), {})
        needed = {j: self._coordinates[j] for _, by in terms for j in by}
        every = list({id(problem): problem for problem in needed.values() if id(problem) not in known}.values())
        for first in range(0, len(every), _AT_ONCE):
            some = every[first : first + _AT_ONCE]
            columns = [np.array([getattr(one, name) for one in some]) for name in ("hessian", "slope", "variance")]
            together = replace(some[0], **dict(zip(("hessian", "slope", "variance"), columns, strict=True)))
            together = replace(together, start=tuple(np.array([one.start for one in some]).T))
            made = constants.leading(together, **_settings(self._study, time), degree=degree, **settings)
            for at, one in enumerate(some):
                known[id(one)] = {powers: expansion.of(at) for powers, expansion in made.items()}
        return {j: known[id(problem)] for j, problem in needed.items()}


def spacing(study):
    """Return the spacing of the powers of h in a study's errors: 1, or 1/2 where odd powers of eta belong to them.

    They do where the noise stays skewed as sigma -> infinity (`outside.limit_of_skewness`), and where bias correction
    starts from t0 = 0, as sqrt(1 - beta2^k) begins like the root of the time.
    """
    skewed = outside.limit_of_skewness(study) != 0.0
    return 0.5 if skewed or (study.t0 == 0.0 and has_bias_correction(study.rule.parameters)) else 1.0


def _total(terms):
    """Return the sum of terms; 0, and never -0, where they cancel to their rounding."""
    total = math.fsum(terms)
    return total if abs(total) > _ROUNDING * math.fsum(map(abs, terms)) else 0.0


def _degree(powers):
    """Return the degree of a monomial as `constants.leading` counts it."""
    return max(sum(powers[:-1]), powers[-1])


def _covered(study, name):
    """Return whose SDE this one, or reference, is to `constants.leading`; "" where no constants are known."""
    rule, sde = study.rule, next((sde for sde in study.sdes if sde.name == name), None)
    if sde is None:
        family, whose = rule.family, "malladi" if name in map(reference_name, study.points) else ""
    else:
        family, whose = _EXPANDED.get(sde.family, ("", ""))
    states = [start.state(study.initial, rule.slots, study.dimension, p.size) for p in study.points]
    known = (
        bool(rule.family)
        and family == rule.family
        and affine_gradient(study.oracle.loss, study.dimension) is not None
        and not study.oracle.is_dense
        and not study.oracle.is_state_dependent
        and all(np.array_equal(state, states[0]) for state in states)
        and bool(np.all(states[0][:, rule.slots.index("u")] > 0.0))
        and (study.t0 > 0.0 or not has_bias_correction(rule.parameters))
    )
    return whose if known else ""


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
    return {"third": third, "third_rate": rate * ell / sigma0, "fourth": fourth}  # sigma = sigma0 / (ell sqrt(h))


def _settings(study, time):
    """Return what `constants.leading` wants to know of a study's optimizer, and when."""
    rule = study.rule
    return {
        "momentum": "m" in rule.slots,
        "times": [time] if time > study.t0 else [time, study.horizon],
        "second_moment": "updated" if rule.parameters.get("updated") else "previous",
    }
