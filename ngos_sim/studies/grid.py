"""Points of a study and the times at which they are compared."""

from dataclasses import dataclass

import numpy as np

from ngos_sim.engines.rng import significant
from ngos_sim.oracles.losses import coordinate_values, is_number
from ngos_sim.processes.scaling import check_admissible

MAX_TIMES = 64
MAX_STEPS = 10**7
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Point:
    """One step size: eta2, with ell under SVAG and kappa under the scaling rule."""

    eta2: float
    ell: float = 1.0
    kappa: int = 1

    @property
    def eta_e(self):
        """The effective step of Definition 2.4: eta2, under SVAG eta2 / ell^2."""
        return self.eta2 / (self.ell * self.ell)

    @property
    def spacing(self):
        """The time between two matched steps."""
        return self.kappa * self.eta_e

    def __str__(self):
        extra = [f"ell={self.ell:g}"] * (self.ell != 1.0) + [f"kappa={self.kappa}"] * (self.kappa != 1)
        return ", ".join([f"eta2={self.eta2:g}", *extra])


def points(eta2, steps, horizon, ell, kappa, constants):
    """Return the points of a study: every eta2 with every ell and kappa.

    Raises
    ------
    ValueError
        Neither or both of eta2 and steps are given, a step size is not admissible, or two are equal.
    """
    if (eta2 is None) == (steps is None):
        raise ValueError(f"give eta2 or steps, got eta2={eta2!r} and steps={steps!r}")
    if steps is None:
        values = coordinate_values("eta2", eta2)
    else:
        counts = coordinate_values("steps", steps)
        if any(n != int(n) or n < 1 for n in counts):
            raise ValueError(f"steps={steps!r} must be positive integers")
        values = tuple(horizon / n for n in counts)
    for name, each in (("eta2", values), ("ell", ell)):
        if len(set(map(significant, each))) < len(each):
            raise ValueError(f"{name}={list(each)} has a value twice, to 12 digits")
    for h in values:
        for one in kappa:
            check_admissible(constants, one * h, "eta2" if one == 1 else f"kappa={one} times eta2={h:g}: kappa*eta2")
    return tuple(Point(float(h), float(one), two) for h in values for one in ell for two in kappa)


def multiple(time, spacing):
    """Return time / spacing if it is an integer (to rounding), else None."""
    count = round(time / spacing)
    return count if abs(time / spacing - count) <= _TOLERANCE * max(1.0, count) else None


def _steps(point, t0, horizon, step):
    """Return the multiples of a step in (t0, horizon]; raise ValueError if none or too many are."""
    between = f"between t0={t0:g} and horizon={horizon:g}"
    count = (horizon - t0) / step
    if count < 1.0 - _TOLERANCE:
        raise ValueError(f"{point}: no step of size {step:g} fits {between}")
    if count > MAX_STEPS:
        raise ValueError(f"{point}: {count:.3g} steps of size {step:g} {between}; {MAX_STEPS:.0e} are allowed")
    last = int(horizon / step * (1.0 + _TOLERANCE))
    return np.arange(round(t0 / step) + 1, last + 1) * step


def _require_multiple(name, time, points, candidates):
    """Raise ValueError unless time is a multiple of every point's step; name the nearest candidate."""
    for point in points:
        if multiple(time, point.spacing) is None:
            near = min(candidates, key=lambda other: abs(other - time), default=None)
            nearest = "no time is one of all points'" if near is None else f"the nearest is {near:g}"
            raise ValueError(f"{name}={time:g} is not a multiple of the step {point.spacing:g} at {point}; {nearest}")


def _common(times, points):
    """Return those of `times` that are multiples of every point's step."""
    return [time for time in times if all(multiple(time, point.spacing) is not None for point in points)]


def record_times(points, t0, horizon, times):
    """Return for each point the times at which it is compared, ascending, each of shape (n,).

    Parameters
    ----------
    points : sequence of Point
    t0, horizon : float
    times : None, "all" or sequence of float
        None: at most 64 common to all points, or each point's last step if there are none. "all":
        every step k, under the scaling rule compared with step floor(k / kappa) of the larger batch.

    Raises
    ------
    ValueError
        t0 or an entry of times is no multiple of a point's step, or lies outside; no step fits.
    """
    if not is_number(horizon) or not horizon > t0 >= 0.0:
        raise ValueError(f"horizon={horizon!r} and t0={t0!r}: numbers with 0 <= t0 < horizon are allowed")
    coarsest = max(points, key=lambda point: point.spacing)
    all_multiples = _common(np.arange(1, 10_000) * coarsest.spacing, points)
    _require_multiple("initial.t0", t0, points, [0.0, *(time for time in all_multiples if time < horizon)])
    steps = [_steps(point, t0, horizon, point.spacing) for point in points]
    if isinstance(times, str):
        if times != "all":
            raise ValueError(f"times={times!r}; allowed: 'all' or a list of times")
        return [_steps(point, t0, horizon, point.eta_e) for point in points]
    common = _common(max(steps, key=lambda each: each[0] - t0), points)
    if times is not None:
        chosen = sorted(set(coordinate_values("times", times)))
        for time in chosen:
            if not t0 < time <= horizon * (1.0 + _TOLERANCE):
                raise ValueError(f"times={time:g} must lie in (t0, horizon] = ({t0:g}, {horizon:g}]")
            _require_multiple("times", time, points, common)
        return [np.array(chosen)] * len(points)
    if not common:
        return [each[-1:] for each in steps]
    thinned = np.unique(np.ceil(np.arange(1, MAX_TIMES + 1) * len(common) / MAX_TIMES).astype(int)) - 1
    return [np.array(common)[thinned]] * len(points)
