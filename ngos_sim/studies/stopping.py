"""When a run has enough trajectories: a number of them, standard errors, or seconds."""

import math
import time
import warnings
from dataclasses import asdict, dataclass

import numpy as np

from ngos_sim.engines.program import CHUNK
from ngos_sim.studies.series import headline, numerical, total_std_error
from ngos_sim.validation import integer, number

MOST = 2**53  # trajectories, and the number of the first: up to there float64 counts them
_PILOT = 8  # chunks, before anything is known
_GROWTH = 16  # at most so much more in one round
_SHARE = 0.8  # of the time left is given to one round: what it takes is an estimate
_LATE = 1.2  # times max_seconds, or a second more, is no longer in time
_SLACK = 1.05  # more than the standard errors so far say
_PART = 0.5  # of a target, at most, is asked of a standard error where what more trajectories do not remove leaves less


@dataclass(frozen=True)
class Bounds:
    """What stops a run: the first bound that is reached.

    trajectories : int, None for no such bound
    rel_error, abs_error : float; reached where at every point each headline error (norm = max) has a
        total standard error of at most max(rel_error |error|, abs_error). Where rounding or what the integrator
        leaves exceeds that alone, the statistical part must reach it, and the run ends with their name.
    max_seconds : float, from the start of the run, compilation included; kept within 20 % or 1 s, but that every
        point that is sampled has one chunk, which a warning says; it says what was not computed in time as well
    """

    trajectories: int | None = None
    rel_error: float | None = None
    abs_error: float | None = None
    max_seconds: float | None = None

    def __post_init__(self):
        count = self.trajectories
        if count is not None:
            object.__setattr__(self, "trajectories", integer("trajectories", count, 1, MOST))
        for name in ("rel_error", "abs_error", "max_seconds"):
            value = getattr(self, name)
            if value is not None:
                number(name, value, "a positive, finite number", above=0.0)
        others = [each for each in (count, self.abs_error, self.max_seconds) if each is not None]
        if not others and self.rel_error is None:
            raise ValueError("how many trajectories? give trajectories, rel_error, abs_error or max_seconds")
        if not others:
            raise ValueError(
                f"rel_error={self.rel_error!r} alone never ends where an error is 0: "
                "give abs_error, max_seconds or trajectories as well"
            )

    @property
    def chunks(self):
        """The largest number of chunks of a run, infinity where trajectories are not bounded."""
        return math.inf if self.trajectories is None else -(-self.trajectories // CHUNK)

    @property
    def pilot(self):
        """The least number of chunks of a run."""
        fixed = self.rel_error is None and self.abs_error is None and self.max_seconds is None
        return self.chunks if fixed else min(self.chunks, _PILOT)

    def follow(self, measurement, begin, bar):
        """Extend a measurement until a bound is reached; return which.

        begin : perf_counter at the run's start
        bar : Progress, told of what is to come
        """
        chunks, last = self._start(measurement), self._furthest
        deadline = self.deadline(begin)
        while True:
            bar.aim(measurement.steps, max(last, chunks), deadline)
            measurement.kept.aim(self._named(), measurement.first, chunks)
            before, added = time.perf_counter(), chunks - measurement.chunks
            measurement.extend(chunks)
            seconds = (time.perf_counter() - before) / added if added > 0 else None  # compilation in the first round
            if measurement.chunks < chunks:
                return "interrupted"
            if measurement.lost():
                return "nonfinite"
            if measurement.left:
                self._say_what_is_left(measurement)
                return "max_seconds"
            enough = chunks >= self.pilot or not measurement.samples
            needed, reached = self._needed(measurement) if enough else (self.pilot, "")
            if reached or not measurement.samples:
                return reached or "computed"
            if chunks >= self.chunks:
                return "trajectories"
            left = self._chunks_left(deadline, seconds)
            if left < 1.0:
                self._say_if_late(measurement, begin)
                return "max_seconds"
            last = min(self.chunks, needed if chunks >= self.pilot else math.inf)
            chunks = int(min(self.chunks, _GROWTH * chunks, max(needed, chunks + 1), chunks + max(1.0, _SHARE * left)))

    def deadline(self, begin):
        """Return when a run that began then ends at the latest, infinity where that is not bounded."""
        return math.inf if self.max_seconds is None else begin + self.max_seconds

    @property
    def _furthest(self):
        """How many chunks a run will have as far as is known at its start, infinity where it is not."""
        return self.chunks if self.rel_error is None and self.abs_error is None else math.inf

    def _named(self):
        """Return the bounds as json writes them."""
        return {name: None if value is None else float(value) for name, value in asdict(self).items()}

    def _start(self, measurement):
        """Return the chunks of the first round.

        A run of the same bounds that ended early is gone on with where it was going to, so that it takes the same
        decisions as one that did not; else whatever points have been run is made equal.
        """
        goal = measurement.kept.goal
        if (goal.get("bounds"), goal.get("first")) == (self._named(), measurement.first):
            return max(goal["chunks"], measurement.furthest)
        return max(self.pilot if self.max_seconds is None else 1, measurement.furthest)

    def _chunks_left(self, deadline, seconds):
        """Return for how many chunks of so many seconds each there is time; of None, not known yet, for one."""
        if self.max_seconds is None:
            return math.inf
        left = deadline - time.perf_counter()
        return float(left > 0.0) if seconds is None else left / seconds

    def _say_if_late(self, measurement, begin):
        """Warn where max_seconds was too short for the least that a run can be."""
        took = time.perf_counter() - begin
        if measurement.chunks == 1 and took > max(_LATE * self.max_seconds, self.max_seconds + 1.0):
            points = len(measurement.study.points)
            warnings.warn(
                f"max_seconds={self.max_seconds!r}: the least that can be run, {CHUNK} trajectories at each of "
                f"{points} points, took {took:.1f} s, compilation included",
                stacklevel=6,
            )

    def _say_what_is_left(self, measurement):
        """Warn that max_seconds was too short for what is computed, unless there is nothing to be read at all."""
        points, left = measurement.study.points, measurement.left
        names = " and ".join(dict.fromkeys(each.estimator for each in measurement.missing()))
        if measurement.has_any:
            warnings.warn(
                f"max_seconds={self.max_seconds!r}: {names} could not compute {len(left)} of {len(points)} points in "
                f"that time ({', '.join(str(points[index]) for index in left)}): the table has no rows of them",
                stacklevel=5,
            )

    def _needed(self, measurement):
        """Return how many chunks the standard errors need, and what has been reached ("" for nothing)."""
        if self.rel_error is None and self.abs_error is None:
            return math.inf, ""
        rows = headline(measurement.table())
        relative, absolute = (self.rel_error or 0.0) * rows.error.abs(), self.abs_error or 0.0
        target, total = np.maximum(relative, absolute), total_std_error(rows) + numerical(rows)
        if (total <= target).all():
            by = {"rel_error": total <= relative, "abs_error": total <= absolute}
            asked = [name for name in by if getattr(self, name) is not None]
            return 0, next((name for name in asked if by[name].all()), " and ".join(asked))
        fixed = rows[["integrator_residual", "rounding", "numerical"]].fillna(0.0)
        spread = np.hypot(fixed.integrator_residual, fixed.rounding)
        statistical = np.sqrt(np.maximum(total_std_error(rows) ** 2 - spread**2, 0.0))
        floor = spread + fixed.numerical
        asked = np.where(
            floor < target, np.maximum(np.sqrt(np.maximum(target**2 - floor**2, 0.0)), _PART * target), target
        )
        short = statistical > asked
        if not short.any():
            return 0, str(fixed[total > target].max().idxmax())
        with np.errstate(divide="ignore"):
            ratio = float(np.max(statistical[short].to_numpy() / asked[short]))
        return _SLACK * measurement.chunks * ratio**2, ""
