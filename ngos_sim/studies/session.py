"""A run of a study from its bounds to its Result; results of what a folder holds, and of two folders together.

`ConvergenceStudy.run`, `Result.extend` and the command line come here.
"""

import time
import warnings
from dataclasses import replace
from functools import partial

from ngos_sim.engines.program import CHUNK
from ngos_sim.errors import NonFiniteError, StudyWarning
from ngos_sim.reporting import report
from ngos_sim.studies import notes, ranking, spread, stopping, trouble
from ngos_sim.studies.hindsight import PILOT, hindsight
from ngos_sim.studies.integrated import limited, unstable
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.measurement import Measurement
from ngos_sim.studies.origin import origin
from ngos_sim.studies.progress import Progress
from ngos_sim.studies.result import Result
from ngos_sim.validation import checked_path, integer, switch


def run(study, bounds, seed, settings, *, store=None, first=0, progress=False, until=bool, executor=None):
    """Run a study; see `ConvergenceStudy.run`.

    Parameters
    ----------
    bounds : Bounds
    settings : dict
        Of `ConvergenceStudy.settings`.
    store : str, Path or Kept
        A folder, or what a Result has kept.
    until : function () -> bool
        Whether to end after the round in hand.
    executor : concurrent.futures.Executor, optional

    Returns
    -------
    Result, or None where it was ended before any point was run
    """
    begin = time.perf_counter()
    seed, first = integer("seed", seed), _first_chunk(first)
    notes.check_range(study, settings["precision"])
    progress = switch("progress", progress)
    if store is not None and not isinstance(store, Kept):
        checked_path("store", store)
    kept = store if isinstance(store, Kept) else Kept(partial(origin, study, seed, settings["precision"]), store)
    with kept, Progress(progress) as bar:
        most = {"most": bounds.chunks, "first": first, "until": until, "executor": spread.check(executor)}
        most["deadline"] = bounds.deadline(begin)
        measurement = Measurement(study, seed, bar=bar, kept=kept, **most, **settings)
        before = measurement.chunks
        kept.end(stopped := bounds.follow(measurement, begin, bar), time.perf_counter() - begin)
    if not measurement.has_any:
        if stopped == "max_seconds":
            raise ValueError(_too_short(bounds, measurement))
        return None
    read, pilot = result(measurement, seed, settings["precision"], stopped), study.found.get(PILOT)
    if pilot is None:
        return read
    ran, seconds = measurement.chunks - before if measurement.samples else 0, time.perf_counter() - begin
    same = None if executor else {**settings, "device": measurement.device}
    computed = measurement.computing.all_seconds
    return replace(read, plan=hindsight(pilot, read.table, same, ran, computed, seconds))


def _too_short(bounds, measurement):
    """Return that max_seconds was not enough to compute any point, and what would be."""
    points, least = measurement.study.points, measurement.left[0]
    seconds = measurement.computing.foreseen(least)
    more = f": {points[least]} takes about {report.duration(seconds)}, compilation apart" if seconds else ""
    return f"max_seconds={bounds.max_seconds!r} is too short to compute any of {len(points)} points{more}"


def _first_chunk(first):
    """Return the chunk that begins with a trajectory; raise ValueError where none does."""
    if integer("first", first, 0, stopping.MOST) % CHUNK:
        raise ValueError(f"first={first!r}: a multiple of {CHUNK} is allowed")
    return first // CHUNK


def result(measurement, seed, precision, stopped):
    """Return the Result of what a measurement has; raise NonFiniteError with it where that is not finite."""
    study, table, why = measurement.study, measurement.table(), measurement.study.reasons(measurement.choices)
    explosions = unstable(table)
    for found in (measurement.said(), measurement.doubts(), explosions):
        why |= {key: f"{why[key]}; {words}" for key, words in found.items()}
    found = ranking.compared(measurement, table)
    why = limited(why, table)
    read = Result(study, table, why, seed, precision, measurement.device, stopped, found, measurement.kept)
    lost = measurement.lost()
    if lost:
        raise NonFiniteError(lost, read, trouble.first_lost(study, seed, measurement.kept.points))
    for (name, function), said in explosions.items():
        warnings.warn(f"{function!r} against {name!r}: {said}", StudyWarning, stacklevel=5)
    return read
