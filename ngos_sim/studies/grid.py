"""The times at which the points of a study are compared."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ngos_sim.studies.points import TOLERANCE, check_horizon, series
from ngos_sim.validation import coordinate_values, described

MAX_TIMES = 64
MAX_STEPS = 10**7
_COUNTED = 1e12  # steps from time 0, t0's included
_MOST = 1e-3  # of a step: what the tolerance grows to after many steps
_MAX_RATIO = 10_000  # step sizes have a time in common where their ratios are fractions of numbers up to this


def multiple(time, spacing):
    """Return time / spacing if it is an integer (to rounding), else None."""
    quotient = time / spacing
    count = round(quotient)
    return count if abs(quotient - count) <= _slack(count) else None


def _slack(count):
    return min(TOLERANCE * max(1.0, count), _MOST)


@dataclass(frozen=True)
class _Multiples:
    """The times k step with first <= k <= last."""

    step: float
    first: int
    last: int

    @classmethod
    def between(cls, t0, horizon, step):
        """Return the multiples of a step in (t0, horizon], to rounding."""
        quotient = horizon / step
        return cls(step, round(t0 / step) + 1, math.floor(quotient + _slack(quotient)))

    def times(self, counts):
        """Return k step for each k, 15 digits of it: 0.3 and not 0.30000000000000004."""
        return np.array([float(f"{count * self.step:.15g}") for count in counts])

    def nearest(self, time):
        """Return the multiple closest to a time, or None where there are no multiples."""
        if self.last < self.first:
            return None
        return min(max(math.ceil(time / self.step - 0.5), self.first), self.last) * self.step


def _common(points, t0, horizon):
    """Return the _Multiples in (t0, horizon] of every point's step."""
    coarsest = max(point.spacing for point in points)
    least = 1
    for point in points:
        exact = coarsest / point.spacing
        ratio = Fraction(exact).limit_denominator(_MAX_RATIO)
        least = math.lcm(least, ratio.denominator)
        if abs(float(ratio) - exact) > TOLERANCE * exact or least > _COUNTED:
            return _Multiples(math.inf, 1, 0)
    return _Multiples.between(t0, horizon, least * coarsest)


def _check_steps(point, t0, horizon, step):
    """Raise ValueError unless at least one step and not too many fit between t0 and horizon."""
    between = f"between t0={t0:g} and horizon={horizon:g}"
    count = (horizon - t0) / step
    if count < 1.0 - TOLERANCE:
        raise ValueError(f"{point}: no step of size {step:g} fits {between}")
    if count > MAX_STEPS:
        raise ValueError(f"{point}: {count:.3g} steps of size {step:g} {between}; {MAX_STEPS:.0e} are allowed")
    if not horizon / step < _COUNTED:
        raise ValueError(f"{point}: steps of size {step:g} up to horizon={horizon:g} are too many to be told apart")


def _require_multiple(name, time, points, allowed):
    """Raise ValueError unless time is a multiple of every point's step; name the nearest of the allowed _Multiples."""
    for point in points:
        if multiple(time, point.spacing) is None:
            near = allowed.nearest(time)
            nearest = "no time is one of all points'" if near is None else f"the nearest is {near:.15g}"
            raise ValueError(
                f"{name}={time:.15g} is not a multiple of the step {point.spacing:g} at {point}; {nearest}"
            )


def record_times(points, t0, horizon, times):
    """Return for each point the times at which it is compared, ascending, each of shape (n,).

    Times equal to rounding are one, and each is a multiple of the point's step, to 15 digits.

    Parameters
    ----------
    points : sequence of Point
    t0, horizon : float
    times : None, "all" or sequence of float
        None: at most 64 common to all points; if there are none, to those of each series. "all": every
        step k, under the scaling rule compared with step floor(k / kappa) of the larger batch.

    Raises
    ------
    ValueError
        t0 or an entry of times is no multiple of a point's step, or lies outside; no step fits; the points
        of a series have no time in common.
    """
    check_horizon(horizon, t0)
    for point in points:
        _check_steps(point, t0, horizon, point.spacing)
    whole = _common(points, 0.0, horizon)
    _require_multiple("initial.t0", t0, points, _Multiples(whole.step, 0, whole.last - 1))
    own = {point: _common(group, t0, horizon) for group in series(points) for point in group}
    for group in series(points):
        if own[group[0]].last < own[group[0]].first:
            raise ValueError(_nothing_in_common(group, own[group[0]].step, t0, horizon))
    if isinstance(times, str):
        if times != "all":
            raise ValueError(f"times={described(times)}; allowed: 'all' or a list of times")
        return [_every_step(point, t0, horizon, own[point]) for point in points]
    common = _common(points, t0, horizon)
    if times is not None:
        return [_chosen(times, points, t0, horizon, common)] * len(points)
    return [_thinned(common if common.last >= common.first else own[point]) for point in points]


def _every_step(point, t0, horizon, common):
    """Return the times of every step of a point, each common one as the other points have it."""
    _check_steps(point, t0, horizon, point.h)
    steps = _Multiples.between(t0, horizon, point.h)
    every = steps.times(range(steps.first, steps.last + 1))
    shared = common.times(range(common.first, common.last + 1))
    every[np.round(shared / point.h).astype(np.int64) - steps.first] = shared
    return every


def _chosen(times, points, t0, horizon, common):
    """Return the times of a list, checked, each once."""
    finest = _Multiples.between(t0, horizon, min(point.spacing for point in points))
    counts = set()
    for time in coordinate_values("times", times):
        if not t0 < time <= horizon * (1.0 + TOLERANCE):
            raise ValueError(f"times={time:.15g} must lie in (t0, horizon] = ({t0:g}, {horizon:g}]")
        _require_multiple("times", time, points, common)
        counts.add(round(time / finest.step))
        if min(counts) < finest.first:
            raise ValueError(f"times={time:.15g} is t0={t0:g} to rounding: it must lie a step of {finest.step:g} later")
    return finest.times(sorted(counts))


def _thinned(common):
    """Return at most 64 of the times, the last among them."""
    number = common.last - common.first + 1
    parts = min(MAX_TIMES, number)
    return common.times([common.first - 1 - (-part * number // parts) for part in range(1, parts + 1)])


def _nothing_in_common(group, period, t0, horizon):
    """Say that the points of a series have no time in common, and which horizon or steps have one."""
    sizes = ", ".join(f"{each:.15g}" for each in dict.fromkeys(point.size for point in group))
    ell, kappa = dict.fromkeys(f"{point.ell:g}" for point in group), group[0].kappa
    clock = group[0].clock
    what = f"{clock}=[{sizes}]" + f", ell=[{', '.join(ell)}]" * (list(ell) != ["1"]) + f", kappa={kappa}" * (kappa != 1)
    ways = []
    if period <= MAX_STEPS * min(point.spacing for point in group):
        ways.append(f"with horizon={t0 + period:.15g} there is one")
    if t0 == 0.0 and len(ell) == 1:
        counts: list = []
        for point in group:
            n = math.ceil(horizon / (kappa * point.size) - TOLERANCE)
            while kappa * n in counts:
                n += 1
            counts.append(kappa * n)
        ways.append(f"with steps={counts} ({clock} = horizon / steps) there is one")
    ways = ways or ["steps whose ratios are fractions of small integers have one"]
    return f"{what}: no time up to horizon={horizon:g} is a multiple of every step; {', or '.join(ways)}"


def cut(points, horizon, recorded):
    """Say where a horizon is no multiple of every step and errors end before it; an empty string where it is not.

    recorded : what `record_times` returns for times=None or "all"
    """
    last = min(each[-1] for each in recorded)
    odd = next((point for point in points if multiple(horizon, point.spacing) is None), None)
    if odd is None or last >= horizon * (1.0 - TOLERANCE):
        return ""
    return f"horizon={horizon:g} is cut to t={last:g}: it is no multiple of the step {odd.spacing:g} at {odd}"
