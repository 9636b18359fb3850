"""What is computed, and not sampled, while a study runs: how far it is at every point, and when it ends.

`studies.measurement` has a Computing; estimators tell it what they have done (`Problem.watch`), several times a second.
"""

import time
from dataclasses import dataclass

from ngos_sim.estimators.estimator import Quantity
from ngos_sim.estimators.problem import Unfinished

_MORE = 1.5  # times the work that is expected, where no point is known: sizes that do not agree need a finer one


@dataclass(frozen=True)
class Missing:
    """What there was no time to compute: a Quantity at a point, given its place, and its estimator's name."""

    point: int
    quantity: Quantity
    estimator: str


class Computing:
    """The work that is computed at every point, in the units of `Estimator.work`, and the seconds that it takes.

    Parameters
    ----------
    points : sequence of Point
    bar : Progress
        Told of the point in hand, and of the work that is done.
    deadline : float
        When nothing is computed any more, by time.perf_counter.
    until : function () -> bool
        Whether the run is to end.
    """

    def __init__(self, points, bar, deadline, until):
        self._points, self._bar, self._deadline, self._until = points, bar, deadline, until
        self._watched = [False] * len(points)
        self._expected, self._told, self._done = ([0.0] * len(points) for _ in range(3))
        self._timed, self._seconds, self._others = ([0.0] * len(points) for _ in range(3))
        self._last, self._goes_on, self._more = 0.0, False, _MORE

    @property
    def is_late(self):
        """Whether there is no time left."""
        return time.perf_counter() >= self._deadline

    def expect(self, work):
        """Be told how much work is left at every point; None where nobody knows."""
        self._watched = [each is not None for each in work]
        self._expected = [each or 0.0 for each in work]
        self._bar.compute(sum(self._expected), self._deadline)

    def is_over(self, index):
        """Return whether the run ends before a point, where nobody watches who would see that."""
        return not self._watched[index] and (self.is_late or self._until())

    def watch(self, index, work):
        """Be told of work that was done at a point; raise Unfinished where the run ends now.

        Of what follows on a call with some work the seconds are those of what was done; the first piece of anything,
        which may compile or load what is compiled, is taken to have been as fast as the others.
        """
        now = time.perf_counter()
        if work > 0.0 and self._goes_on:
            self._timed[index] += work
            self._seconds[index] += now - self._last
        self._done[index] += work
        self._goes_on, self._last = work > 0.0, now
        self._tell(index, min(work, self._expected[index] - self._told[index]))
        if self.is_late or self._until():
            raise Unfinished

    def _tell(self, index, work):
        """Tell the bar; a point is no more there than was expected."""
        self._bar.at(self._points[index])
        if work > 0.0:
            self._told[index] += work
            self._bar.update(work)

    def finished(self, index, seconds):
        """Be told that all of a point is computed, in so many seconds where nobody there watches."""
        self._others[index] += 0.0 if self._watched[index] else seconds
        self._tell(index, self._expected[index] - self._told[index])
        if self._expected[index] > 0.0:
            self._more = self._done[index] / self._expected[index]

    def seconds(self, index):
        """Return what a point has taken in this run, without compilation."""
        return self._rate(index) * self._done[index] + self._others[index]

    @property
    def all_seconds(self):
        """What every point has taken in this run."""
        return [self.seconds(index) for index in range(len(self._points))]

    def _rate(self, index):
        """Return the seconds of a unit of work at a point: its own, or else those of where most was timed."""
        at = index if self._timed[index] else self._timed.index(max(self._timed))
        return self._seconds[at] / self._timed[at] if self._timed[at] else 0.0

    def foreseen(self, index):
        """Return what a point that is not computed to its end takes, by its work.

        That is as much more than expected as at the last point that was.
        """
        return self._rate(index) * max(self._more * self._expected[index], self._done[index])
