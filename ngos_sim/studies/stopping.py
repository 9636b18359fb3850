"""When a run has enough trajectories: a number of them, standard errors, or seconds."""

import math
import time
from dataclasses import dataclass

import numpy as np

from ngos_sim.engines.program import CHUNK
from ngos_sim.oracles.losses import is_number
from ngos_sim.studies.result import headline, uncertainty

_PILOT = 8  # chunks, before anything is known
_GROWTH = 16  # at most so much more in one round
_SLACK = 1.05  # more than the standard errors so far say
_PART = 0.5  # of a target, at most, is asked of a standard error where what more trajectories do not remove leaves less


@dataclass(frozen=True)
class Bounds:
    """What stops a run: the first bound that is reached.

    trajectories : int, None for no such bound
    rel_error, abs_error : float; reached where at every point each headline error (norm = max) has a
        total standard error of at most max(rel_error |error|, abs_error). Where rounding or what the integrator
        leaves exceeds that alone, the statistical part must reach it, and the run ends with their name.
    max_seconds : float, from the start of the run, compilation included
    """

    trajectories: int | None = None
    rel_error: float | None = None
    abs_error: float | None = None
    max_seconds: float | None = None

    def __post_init__(self):
        count = self.trajectories
        if count is not None and (not is_number(count) or count != int(count) or count < 1):
            raise ValueError(f"trajectories={count!r} must be a positive integer")
        for name in ("rel_error", "abs_error", "max_seconds"):
            value = getattr(self, name)
            if value is not None and (not is_number(value) or not value > 0.0):
                raise ValueError(f"{name}={value!r} must be a positive, finite number")
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
        return math.inf if self.trajectories is None else -(-int(self.trajectories) // CHUNK)

    @property
    def pilot(self):
        """The least number of chunks of a run."""
        fixed = self.rel_error is None and self.abs_error is None and self.max_seconds is None
        return self.chunks if fixed else min(self.chunks, _PILOT)

    def follow(self, measurement, begin):
        """Extend a measurement until a bound is reached; return which. begin : perf_counter at the run's start."""
        chunks, seconds = self.pilot, math.inf
        while True:
            before = time.perf_counter()
            added = chunks - measurement.chunks
            measurement.extend(chunks)
            now = time.perf_counter()
            seconds = min(seconds, (now - before) / added)  # of a chunk: the first round compiles
            needed, reached = self._needed(measurement)
            if reached:
                return reached
            if chunks == self.chunks or measurement.lost():
                return "trajectories"
            left = math.inf if self.max_seconds is None else (begin + self.max_seconds - now) / seconds
            if left < 1.0:
                return "max_seconds"
            chunks = int(min(self.chunks, _GROWTH * chunks, max(needed, chunks + 1), chunks + left))

    def _needed(self, measurement):
        """Return how many chunks the standard errors need, and what has been reached ("" for nothing)."""
        if self.rel_error is None and self.abs_error is None:
            return math.inf, ""
        rows = headline(measurement.table())
        relative, absolute = (self.rel_error or 0.0) * rows.error.abs(), self.abs_error or 0.0
        target, total = np.maximum(relative, absolute), uncertainty(rows)
        if (total <= target).all():
            by = {"rel_error": total <= relative, "abs_error": total <= absolute}
            return 0, next((name for name, enough in by.items() if enough.all()), "rel_error and abs_error")
        fixed = rows[["integrator_residual", "rounding"]].fillna(0.0)
        floor = np.hypot(*fixed.to_numpy().T)
        statistical = np.sqrt(np.maximum(total**2 - floor**2, 0.0))
        asked = np.where(
            floor < target, np.maximum(np.sqrt(np.maximum(target**2 - floor**2, 0.0)), _PART * target), target
        )
        short = statistical > asked
        if not short.any():
            return 0, str(fixed[total > target].max().idxmax())
        with np.errstate(divide="ignore"):
            ratio = float(np.max(statistical[short].to_numpy() / asked[short]))
        return _SLACK * measurement.chunks * ratio**2, ""
