"""A study while it runs: chunks are added to every point until someone says enough."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd

from ngos_sim.engines import devices
from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import test_functions
from ngos_sim.statistics.chunks import Sums, means, simultaneous_quantile, uncertainty
from ngos_sim.studies import collect, runs
from ngos_sim.studies.prediction import spacing

BAND = 0.95
_ROOM = 2**28  # bytes of tables that are held over the rounds; the rest of the points make theirs anew for each
_LEAST_GROUPS = 8  # of chunks, to say how well standard errors are known;
_DOUBTFUL = 0.1  # worse than so much of themselves is said;
_NEGLIGIBLE = 1e-6  # of an error: standard errors below are rounding
_CONTRADICTED = "has another mean by its trajectories than by quadrature (estimator='coupled' needs none)"
_ROUND = 4096  # chunks whose sums are held at once: memory does not grow with the trajectories


class Measurement:
    """The sums of every point of a study so far.

    `chunks` of 1024 trajectories have been run at every point; `seconds` says how long the last ones took
    at each; `steps` are the process steps, over coordinates and trajectories, of one chunk at every point.

    Parameters
    ----------
    study : ConvergenceStudy
    seed : int
    served : dict
        Which estimator serves what, as in `runs.runs`.
    remainders : dict
        As `selection.after_node_check` returns it.
    device, precision, threads
        As in `ConvergenceStudy.run`.
    bar : tqdm
        Told of every step done.
    most : float
        How many chunks will be run, at most: what "auto" takes `device` for.
    """

    def __init__(self, study, seed, served, remainders, *, device, precision, threads, bar, most=1):
        self.study, self.chunks = study, 0
        self.seconds = [0.0] * len(study.points)
        self._precision, self._threads, self._bar = precision, threads, bar
        self._make = lambda index: runs.runs(study, index, seed, served, precision, remainders)
        self._points, self._sums, self._kept, self.steps, kernels, room = [], [], {}, 0.0, 0, _ROOM
        for index in range(len(study.points)):
            point = self._make(index)
            jobs = [job for run in point for job in run.jobs]
            self.steps += sum(job.cost for job in jobs)
            kernels = max(kernels, len(jobs))  # points share theirs
            room -= sum(job.inputs.nbytes for job in jobs)
            if room >= 0:
                self._kept[index] = point
            self._points.append([replace(run, jobs=(), checks=tuple) for run in point])
            self._sums.append([[Sums() for _ in run.jobs] for run in point])
            del point, jobs
        self.device = devices.chosen(device, self.steps * most, kernels, threads)

    @property
    def trajectories(self):
        """How many have been run at every point."""
        return self.chunks * CHUNK

    def extend(self, chunks):
        """Run every point up to this number of chunks."""
        for index in range(len(self._points)):
            begin = time.perf_counter()
            self._extend(index, chunks)
            self.seconds[index] = time.perf_counter() - begin
        self.chunks = chunks

    def _extend(self, index, chunks):
        for run, kept in zip(self._kept.get(index) or self._make(index), self._sums[index], strict=True):
            for job, sums in zip(run.jobs, kept, strict=True):
                for first in range(self.chunks, chunks, _ROUND):
                    count = min(_ROUND, chunks - first)
                    found = self._run(run.estimator, job, first, count)
                    sums.add(found.sums, found.nonfinite)

    def _run(self, estimator, job, first, count):
        precision = "f64" if estimator == "local" else self._precision
        settings = {"precision": precision, "threads": self._threads, "progress": self._bar.update}
        return devices.run(self.device, job.program, job.inputs, first, count, **settings)

    def table(self):
        """Return the table of `Result`, a row per (point, time, test function, sde)."""
        rows = []
        for index, (point, kept) in enumerate(zip(self._points, self._sums, strict=True)):
            readings = {}
            for run, jobs in zip(point, kept, strict=True):
                found, _ = self._read(run, jobs)
                bands = self._bands(run, jobs, found)
                readings |= {key: (run.estimator, reading, bands[key]) for key, reading in found.items()}
            rows += collect.rows(self.study, index, readings, self.trajectories, _worst(kept)[0], spacing(self.study))
        return pd.DataFrame(rows)

    def _read(self, run, jobs):
        """Return the Readings of a run, NaN where a known mean is wrong, and the indices of these test functions."""
        measured = [means(sums.total, self.trajectories) for sums in jobs]
        found = run.read(measured)
        wrong = run.contradicted(measured, self.trajectories) if run.contradicted else ()
        for g in wrong:
            nothing = np.full_like(found[run.name, g].error, np.nan)
            found[run.name, g] = found[run.name, g]._replace(optimizer=nothing, reference=nothing, error=nothing)
        return found, wrong

    def _bands(self, run, jobs, found):
        """Return the quantile of the simultaneous band over times of every reading."""
        groups = zip(*(sums.groups(CHUNK) for sums in jobs), strict=True)
        each = [run.read([(mean, np.zeros_like(mean)) for mean in group]) for group in groups]
        errors = {key: np.array([one[key].error for one in each]) for key in found}
        return {key: simultaneous_quantile(errors[key], len(found[key].error), BAND) for key in found}

    def doubts(self):
        """Return {(name, test function): why its standard errors are not to be trusted} of those that are not.

        Where, at some time of some point, a standard error is itself known to worse than 10 % by the spread over at
        least 8 groups of chunks (`chunks.uncertainty`): few trajectories carry it, and the interval is no normal one.
        Standard errors below a millionth of the error do not count.
        """
        found = {}
        for index, (point, kept) in enumerate(zip(self._points, self._sums, strict=True)):
            for run, jobs in zip(point, kept, strict=True):
                groups = [
                    run.read(list(each)) for each in zip(*(sums.group_means(CHUNK) for sums in jobs), strict=True)
                ]
                for name, g in groups[0] if len(groups) >= _LEAST_GROUPS else ():
                    errors, spreads = (
                        np.array([getattr(each[name, g], field) for each in groups]) for field in ("error", "std_error")
                    )
                    counts = spreads.mean(axis=0) > _NEGLIGIBLE * np.abs(errors.mean(axis=0))
                    worst = np.max(uncertainty(spreads), where=counts, initial=0.0)
                    if worst > _DOUBTFUL:
                        known = f"is known to {100.0 * worst:.0f} % only at {self.study.points[index]}"
                        found[name, test_functions.name_of(self.study.test_functions[g])] = (
                            f"but few trajectories carry its standard error, which {known}: "
                            "the interval may be too short"
                        )
        return found

    def lost(self):
        """Return where trajectories, or test functions of others, left the finite numbers; "" for nowhere."""
        gone, undefined = [], []
        for index, (point, kept) in enumerate(zip(self._points, self._sums, strict=True)):
            where = self.study.points[index]
            bad, first = _worst(kept)
            gone += [f"{bad} at {where} (the first: {first})"] * bool(bad)
            for run, jobs in zip(point, kept, strict=True):
                found, wrong = self._read(run, jobs)
                for (_, g), reading in found.items():
                    if not bad and not np.all(np.isfinite(reading.error)):
                        name = test_functions.name_of(self.study.test_functions[g])
                        reason = _CONTRADICTED if g in wrong else "is not finite"
                        undefined.append(f"test function {name!r} {reason} at {where}")
        if not gone:
            return "; ".join(undefined)
        left = f"of {self.trajectories} trajectories these left the finite numbers: {'; '.join(gone)}"
        return f"{left}; smaller steps may help"


def _worst(kept):
    """Return how many trajectories left the finite numbers in the job of a point that lost most, and the first there.

    Not summed over jobs: a trajectory that several run is one.
    """
    return max((sums.nonfinite for jobs in kept for sums in jobs), key=lambda each: each[0])
