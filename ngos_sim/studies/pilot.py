"""A few thousand trajectories of a study, run twice: what they cost and measure, from which a plan foresees a run.

The first time compiles; the second time is what a run in the same process does. What is computed is computed once, for
a few seconds, and what is not done by then is foreseen by its work. `studies.plan` makes rows of a Pilot, and
`studies.hindsight` sets them beside a run.
"""

import time
import warnings
from dataclasses import dataclass

import pandas as pd

from ngos_sim.engines import processors
from ngos_sim.errors import StudyWarning
from ngos_sim.statistics.sums import level_of
from ngos_sim.studies import memory, session
from ngos_sim.studies.computing import Missing
from ngos_sim.studies.measurement import Measurement
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.rounds import Pace

_LEAST, _MOST = 4, 1024  # chunks at every point;
_ENOUGH = 16  # to know a standard error well, where they take no longer than the next says
_STEPS = 1.5e8  # process steps, over coordinates, trajectories and points, of a pilot for each thread: about 1 s
_SHARE = 0.1  # of the run's chunks
_COMPUTED = 8.0  # seconds, compilation included, after which nothing more is computed


@dataclass(frozen=True)
class Cost:
    """Seconds of a run.

    setup : until the first trajectory, once all is compiled
    computing : of every point: trajectories, and what an estimator computes
    reading : from sums to the tables of a Result
    """

    setup: float
    computing: list[float]
    reading: float

    @property
    def seconds(self):
        """Of all of it."""
        return self.setup + sum(self.computing) + self.reading


@dataclass(frozen=True)
class Pilot:
    """What a pilot found, and how long it took.

    table : DataFrame, that of its Result; without rows and columns where there was no time for any
    missing : list of Missing
    chunks : at every point
    settings : how it computed, as `ConvergenceStudy.settings` has it
    compilation : seconds of what a process does once: it compiles, or loads what Numba's cache holds, and imports
    setup : seconds
    paces : of every point, which say what chunks take
    computing : seconds of what is computed at every point, foreseen where any is missing
    readings : seconds of reading one chunk a point, and all of them
    weight : Weight
    """

    table: pd.DataFrame
    missing: list[Missing]
    chunks: int
    settings: dict
    compilation: float
    setup: float
    paces: list[Pace]
    computing: list[float]
    readings: tuple[float, float]
    weight: memory.Weight

    def cost(self, chunks, computing=None):
        """Return the Cost of so many chunks at every point, and of what is computed there; of that by default all."""
        computing = self.computing if computing is None else computing
        at_points = [pace.foreseen(chunks) + more for pace, more in zip(self.paces, computing, strict=True)]
        least, here = self.readings
        each = max(here - least, 0.0) / max(_groups(self.chunks) - 1, 1)
        return Cost(self.setup, at_points, least + each * (_groups(chunks) - 1))


def _groups(chunks):
    """Return how many groups of chunks are read one by one, for bands."""
    return chunks >> level_of(chunks)


def pilot(study, seed, chunks, threads):
    """Run the Pilot of a run of so many chunks at every point.

    Raises
    ------
    NonFiniteError
        Trajectories left the finite numbers.
    """
    settings = study.settings("cpu", None, threads)
    begin = time.perf_counter()
    bounded = {"bar": Progress(), "deadline": begin + _COMPUTED, **settings}
    first = Measurement(study, seed, **bounded)
    first.extend(1)
    _read(first, seed, settings)
    all_new = time.perf_counter() - begin
    _, least = _read(first, seed, settings)
    begin = time.perf_counter()
    measurement = Measurement(study, seed, **bounded)
    setup = time.perf_counter() - begin
    measurement.take(first)
    ran = _chunks(measurement.steps, chunks, threads or processors.available())
    measurement.extend(ran)
    table, reading = _read(measurement, seed, settings)
    paces, computing, left = measurement.paces, measurement.computing, measurement.left
    once = setup + sum(pace.foreseen(1) for pace in paces) + sum(computing.all_seconds) + least
    compilation, weight = max(all_new - once, 0.0), memory.weigh(measurement, settings)
    seconds = [computing.foreseen(at) if at in left else took for at, took in enumerate(computing.all_seconds)]
    return Pilot(
        table, measurement.missing(), ran, settings, compilation, setup, paces, seconds, (least, reading), weight
    )


def _chunks(steps, wanted, threads):
    """Return how many chunks of so many steps a pilot runs: all threads have some, and it is short beside the run."""
    enough = threads * _STEPS / max(steps, 1.0)
    return int(max(_LEAST, 2 * threads, min(enough, max(_SHARE * wanted, _ENOUGH), _MOST)))


def _read(measurement, seed, settings):
    """Return the table of a Measurement's Result, and the seconds that it took."""
    begin = time.perf_counter()
    if not measurement.has_any:
        return pd.DataFrame(), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StudyWarning)  # the run says it
        result = session.result(measurement, seed, settings["precision"], "trajectories")
    return result.table, time.perf_counter() - begin
