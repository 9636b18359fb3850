"""What a study says of itself without refusing: a horizon that is cut, and values far outside what anyone means."""

import numpy as np

from ngos_sim.estimators import test_functions
from ngos_sim.studies import grid, start
from ngos_sim.validation import is_number

_STILL = 1e-6  # of a time 1/c: hardly anything happens in less
_MANY = 1e6  # how often eps0 is sigma0 sqrt(u) where it is alone in the denominator
_SINGLE = (1e-37, 1e37)  # what float32 holds with all its digits


def notes(study):
    """Return what is said of a study when it is made, each one line; its points and times are known."""
    return tuple(filter(None, [_cut(study), *_rates(study), _eps0(study), *_domains(study), *_data(study)]))


def _data(study):
    return () if study.oracle.data is None else study.oracle.data.doubts


def _domains(study):
    """Yield what the derivation of an SDE assumes and the study's oracle has not."""
    sigma = study.noise_scale(study.points[0])
    for sde in study.sdes:
        for doubt in sde.domain.doubts(study.oracle, sigma):
            yield f"sde {sde.name!r} is derived for {doubt}: its error may be of a lower order here"


def _cut(study):
    if study.times is not None and not isinstance(study.times, str):
        return ""
    return grid.cut(study.points, study.horizon, study.record_times)


def _rates(study):
    """Yield what is odd in c1 and c2, rates per unit of time t = k h."""
    constants, coarsest = study.rule.parameters, max(point.spacing for point in study.points)
    rates = {name: constants[name] for name in ("c1", "c2") if name in constants}
    time = "eta^2" if study.rule.clock == "eta2" else "eta"
    for name, c in rates.items():
        if 0.9 <= c < 1.0 and c == round(c, 4):
            yield (
                f"{name}={c:g} is a rate, {name} = (1 - beta) / {time}: it makes beta={1.0 - c * coarsest:g} at "
                f"{study.rule.clock}={coarsest:g}; if {c:g} is beta itself, "
                + ("ns.from_hyperparameters takes it" if time == "eta^2" else f"give (1 - {c:g}) / eta")
            )
    if rates and max(rates.values()) * (study.horizon - study.t0) < _STILL:
        name = max(rates, key=lambda each: rates[each])
        yield (
            f"horizon={study.horizon:g} is {rates[name] * (study.horizon - study.t0):.2g} of the time 1/{name}: "
            f"hardly anything happens in it; time is t = k {time}"
        )


def _eps0(study):
    scale = _denominators(study)
    eps0 = study.rule.parameters.get("eps0", 0.0)
    if scale is None or not 0.0 < _MANY * scale.max() < eps0:
        return ""
    return (
        f"eps0={eps0:g} is {eps0 / scale.max():.2g} times sigma0 sqrt(u): the steps hardly depend on u; "
        "eps0 = eps eta, ns.from_hyperparameters takes eps itself"
    )


def _denominators(study):
    """Return sigma0 sqrt(u) at the start and at u = Sigma, as far as they are known; None without a sigma0 or u."""
    if "u" not in study.rule.slots or "sigma0" not in study.rule.parameters:
        return None
    state = start.state(study.initial, study.rule.slots, study.dimension, study.points[0].size)
    u = state[:, study.rule.slots.index("u")]
    if not study.oracle.is_state_dependent:
        u = np.concatenate([u, np.atleast_1d(study.oracle.variance_parameters["covariance"])])
    return study.rule.parameters["sigma0"] * np.sqrt(np.maximum(u, 0.0))


def check_slots(study):
    """Raise ValueError where a test function reads a slot that an SDE does not model."""
    state = start.state(study.initial, study.rule.slots, study.dimension, study.points[0].size)
    for sde in study.sdes:
        modelled = sde.domain.slots or sde.slots
        for function in study.test_functions:
            read = test_functions.slots_read(function, sde.slots, state).difference(modelled)
            if read:
                raise ValueError(
                    f"test function {test_functions.name_of(function)!r}: sde {sde.name!r} does not model "
                    f"{', '.join(sorted(read))}; allowed: functions of {', '.join(modelled)}"
                )


def check_range(study, precision):
    """Raise ValueError where 1 / (sigma0 sqrt(u) + eps0) leaves float32, in which "mix" and "f32" have it."""
    scale = _denominators(study)
    eps0 = study.rule.parameters.get("eps0", 0.0)
    if precision == "f64" or scale is None or not is_number(eps0):
        return
    found = scale + eps0
    outside = found[(found > 0.0) & ((found < _SINGLE[0]) | (found > _SINGLE[1]))]
    if len(outside):
        raise ValueError(
            f"precision={precision!r} takes 1 / (sigma0 sqrt(u) + eps0) in float32, and sigma0 sqrt(u) + eps0 = "
            f"{outside[0]:.3g} lies outside {_SINGLE[0]:g} .. {_SINGLE[1]:g}; allowed: precision='f64'"
        )
