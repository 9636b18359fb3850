"""A study's chunks spread over an executor's workers: all points together, results in any order.

`studies.measurement` has a Spread where `run(executor=..)` gave an executor.
"""

import itertools
import queue
import time
from concurrent.futures import BrokenExecutor, Executor
from typing import NamedTuple

from ngos_sim.errors import WorkerLost
from ngos_sim.statistics.sums import Sums, level_of
from ngos_sim.studies import tasks
from ngos_sim.validation import described

_STEPS = 1e8  # process steps, over coordinates and trajectories, of a task: about a second of one core
_MOST = 4096  # chunks of a task
_AHEAD = 4096  # tasks that are handed over at once
_LOST = (
    "a worker of the executor has died, and the executor with it (killed, out of memory, or it could not import what "
    "the study is made of)"
)
_KEPT = 1.0  # seconds after which what has come is kept


def check(executor):
    """Return an executor, None for none; raise TypeError for anything else."""
    if executor is None or isinstance(executor, Executor):
        return executor
    allowed = "client.get_executor()" if hasattr(executor, "get_executor") else "a concurrent.futures.Executor"
    raise TypeError(f"executor={described(executor)} is no executor; {allowed} is allowed")


class Place(NamedTuple):
    """A point: the sums of its jobs, the process steps of a chunk of all of them, and their identity."""

    sums: list[Sums]
    steps: float
    identity: str


class Spread:
    """An executor, what its workers are told of a study, and where what they find is added.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    work : Work
    places : list of Place
        By the number of the point.
    """

    def __init__(self, executor, work, places):
        self._executor, self._work, self._places = executor, work, places

    def extend(self, begin, end, keep, progress, until):
        """Have every chunk begin .. end - 1 run that a point has not.

        Parameters
        ----------
        keep : function (point)
            Called of each point that has changed, every second or so and at the end.
        progress : function (process steps)
        until : function () -> bool
            Whether to hand over no more.

        Raises
        ------
        WorkerLost
            A worker died, and the executor does not run its tasks again.
        """
        in_turn = itertools.zip_longest(*(self._tasks(point, begin, end) for point in range(len(self._places))))
        left = (task for each in in_turn for task in each if task is not None)
        waiting, finished = {}, queue.SimpleQueue()
        changed, kept = set(), time.perf_counter()
        try:
            while True:
                for task in itertools.islice(left, _AHEAD - len(waiting)):
                    future = self._executor.submit(tasks.run, self._work, task)
                    waiting[future] = task
                    future.add_done_callback(finished.put)
                if not waiting:
                    return
                future = finished.get()
                task = waiting.pop(future)
                if not future.cancelled():
                    progress(self._add(task, future.result()))
                    changed.add(task.point)
                if time.perf_counter() - kept > _KEPT:
                    _keep(changed, keep)
                    kept = time.perf_counter()
                if until():
                    left = iter(())
                    _cancel(waiting)
        except BrokenExecutor as error:
            raise WorkerLost(f"{_LOST}: {' '.join(str(error).split())}") from None
        finally:
            _cancel(waiting)
            _keep(changed, keep)

    def _tasks(self, point, begin, end):
        """Yield the Tasks of a point, each of about a second, aligned to their size."""
        place = self._places[point]
        if not place.sums:  # what is computed is computed here
            return
        missing = place.sums[0].missing(begin, end)
        level = level_of(place.sums[0].chunks + sum(many for _, many in missing))
        wanted = 1.0 if self._work.device == "python" else min(max(1.0, _STEPS / place.steps), _MOST)
        size = 1 << int(wanted).bit_length() - 1
        for first, many in missing:
            after = first + many
            while first < after:
                count = min(size - first % size, after - first)
                yield tasks.Task(point, first, count, level, place.identity)
                first += count

    def _add(self, task, found):
        """Add what a task found to its point; return its process steps."""
        place = self._places[task.point]
        for sums, ranges in zip(place.sums, found, strict=True):
            sums.join(ranges)
        return task.chunks * place.steps


def _cancel(waiting):
    """Cancel what has not begun."""
    for future in list(waiting):
        future.cancel()


def _keep(changed, keep):
    while changed:
        keep(changed.pop())
