"""What the schedule of an SDE does over time: where it jumps, as a learning rate that drops, and how much it turns.

Within a step Euler-Maruyama may be late by as much at every level: the levels do not differ, and nothing is
extrapolated. Where a jump is at a step it does no harm. Schemes of order 2 and flows of moments take a schedule to be
smooth. Estimators ask.
"""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ngos_sim.estimators.paired import LEVELS
from ngos_sim.processes.rule import parameters

_CELLS = 509  # of [t0, horizon]; a jump and its return within one are not seen, nor stairs of two in each or more
_BEYOND, _LEAST = 1.5, 1e-6  # times the move of a cell beside it, and of a column's greatest modulus: then it is halved
_HALVINGS, _LEFT = 44, 0.1  # of a cell, and the share of its move that is left of a jump: of a root at 0 1e-7 is
_NEAR, _ON = 1e-9, 1e-6  # of the duration, to t0 and the horizon; of a step


class Schedule(NamedTuple):
    """Brackets (before, after) of its jumps, ascending, and its greatest total variation over the greatest modulus."""

    jumps: tuple = ()
    variation: float = 0.0


class Schedules:
    """The schedules of a study's SDEs, each looked at once a point.

    problems : sequence of Problem
    """

    def __init__(self, problems):
        self._found: dict = {}

    def of(self, problem, sde):
        """Return the Schedule of an SDE; of one that is not defined somewhere nothing is known."""
        key = problem.label, problem.t0, problem.horizon, id(sde)
        if key not in self._found:
            try:
                with np.errstate(all="ignore"):
                    self._found[key] = _looked_at(_row(problem, sde), problem.t0, problem.horizon)
            except Exception:  # whatever a user's function raises: the run itself says where it fails
                self._found[key] = Schedule()
        return self._found[key]


def variation(problem, sde):
    """Return by how much the schedule of an SDE varies in all, over its size: 4 for each turn of a cosine."""
    return problem.shared.once(Schedules).of(problem, sde).variation


def jump(problems, sde):
    """Return where the schedule of an SDE (or None) jumps, as a clause, or an empty string."""
    for problem in problems if sde is not None else ():
        for _, after in problem.shared.once(Schedules).of(problem, sde).jumps:
            return f"the schedule of sde {sde.name!r} jumps, at t={after:.9g}"
    return ""


def jump_within_a_step(problems, sde):
    """Return where the schedule of an SDE jumps between steps of its integrator, as a clause, or an empty string."""
    for problem in problems:
        step = problem.h / sde.refinement
        for bracket in problem.shared.once(Schedules).of(problem, sde).jumps:
            if not _is_met(_row(problem, sde), bracket, step):
                at = f"the schedule of sde {sde.name!r} jumps at t={bracket[1]:.9g}"
                return f"{at}, within a step of {step:g} of its integrator: take steps of which that is a multiple"
    return ""


def _row(problem, sde):
    p = SimpleNamespace(**parameters(problem.rule, problem.h, sde))
    return lambda t: np.array(sde.schedule(t, p), dtype=np.float64)


def _looked_at(row, t0, horizon):
    """Return the Schedule of a function of time to vectors."""
    times = t0 + (horizon - t0) * np.linspace(_NEAR, 1.0 - _NEAR, _CELLS + 1)
    values = np.array([row(t) for t in times.tolist()])
    sizes = np.abs(values[1:]).max(axis=0)  # at the start it may be huge, as 1 / (1 - beta^k) is
    moved, size = np.abs(np.diff(values, axis=0)), np.maximum(sizes, np.finfo(float).tiny)
    beside = np.pad(moved, ((1, 1), (0, 0)), mode="edge")
    steep = moved > _BEYOND * np.minimum(beside[:-2], beside[2:]) + _LEAST * size
    cells = np.flatnonzero(np.any(steep, axis=1)).tolist()
    found = (_halved(row, *times[cell : cell + 2].tolist(), steep[cell]) for cell in cells)
    jumps = tuple(bracket for bracket in found if bracket is not None)
    return Schedule(jumps, float(np.max(moved.sum(axis=0) / size, initial=0.0)))


def _halved(row, low, high, columns):
    """Return the bracket of a jump of some columns between two times; None where they are continuous there."""
    first, last = row(low)[columns], row(high)[columns]
    whole = np.abs(last - first)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        between = row(middle)[columns]
        here, there = np.max(np.abs(between - first) / whole), np.max(np.abs(last - between) / whole)
        if not max(here, there) > _LEFT:
            return None
        if here > there:
            high, last = middle, between
        else:
            low, first = middle, between
    return low, high


def _is_met(row, bracket, step):
    """Return whether a jump is at a step, and on the same side of it at every level, as rounded."""
    low, high = bracket
    number = round(high / step)
    if abs(high - number * step) > _ON * step:
        return False
    before, after = row(low), row(high)
    try:
        seen = [row(number * level * (step / level)) for level in LEVELS]
    except Exception:  # the run says that it is not defined there
        return True
    return len({bool(np.sum(np.abs(each - after)) <= np.sum(np.abs(each - before))) for each in seen}) == 1
