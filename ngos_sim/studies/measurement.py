"""A study while it runs: chunks are added to every point until someone says enough."""

import time
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from ngos_sim.engines import devices
from ngos_sim.estimators import choose, test_functions
from ngos_sim.estimators.estimator import Reading
from ngos_sim.estimators.job_identity import together
from ngos_sim.statistics.chunks import Measured, relative_error_of_std_error, simultaneous_quantile
from ngos_sim.studies import collect
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.prediction import spacing
from ngos_sim.studies.problems import problems
from ngos_sim.studies.rounds import Pace, Visit
from ngos_sim.studies.running import Running, worst
from ngos_sim.studies.spread import Place, Spread
from ngos_sim.studies.tasks import work_of

BAND = 0.95
_ROOM = 2**28  # bytes of tables that are held over the rounds; the rest of the points make theirs anew for each
_LEAST_GROUPS = 8  # of chunks, to say how well standard errors are known;
_DOUBTFUL = 0.1  # worse than so much of themselves is said;
_ENDLESS = 2**62  # a chunk that nobody reaches
_NEGLIGIBLE = 1e-6  # of an error: standard errors below are rounding


class Grouped(NamedTuple):
    """A Reading at a point, what groups of chunks say of its error, and how many such groups all chunks are.

    groups : shape (groups, times)
    """

    reading: Reading
    groups: np.ndarray
    parts: float


class Measurement:
    """The sums of every point of a study so far.

    Chunks of 1024 trajectories are run in rounds, the point that is furthest back first; `seconds` says how long the
    last extension took at each; `steps` are the process steps, over coordinates and trajectories, of one chunk at every
    point; `choices` are the study's estimators less those that a look at the first trajectories rules out.

    Parameters
    ----------
    study : ConvergenceStudy
    seed : int
    device, precision, threads
        As in `ConvergenceStudy.run`.
    bar : Progress
        Told of every step done, and of the point in hand.
    most : float
        How many chunks will be run, at most: what "auto" takes `device` for.
    kept : Kept
        What has been run before, to which chunks are added.
    first : int
        The first chunk to be run.
    until : function () -> bool
        Whether to end after the round in hand.
    executor : concurrent.futures.Executor, optional
        Whose workers run the chunks.
    """

    def __init__(
        self, study, seed, *, device, precision, threads, bar, most=1, kept=None, first=0, until=bool, executor=None
    ):
        self.study, self.kept, self.first, self.until = study, Kept() if kept is None else kept, first, until
        self.seconds = [0.0] * len(study.points)
        self._precision, self._threads, self._bar = precision, threads, bar
        looked = (study.estimator, problems(study, seed), study.served, device, threads, self.kept.looked)
        self.choices, remainders = choose.after_look(*looked)
        self._problems = problems(study, seed, precision)
        self._points, self._tables, self._paces, kernels, room = [], {}, [], 0, _ROOM
        programs: list = []
        for index, left in enumerate(remainders):
            point = self._make(index)
            jobs = [(job, each.estimator.precision(precision)) for each in point for job in each.plan.jobs]
            kernels = max(kernels, len(jobs))  # points share theirs
            programs += (job.program for job, _ in jobs)
            room -= sum(job.inputs.nbytes for job, _ in jobs)
            if room >= 0:
                self._tables[index] = point
            sums = iter(self.kept.sums(index, jobs))
            self._points.append(
                [
                    Running(each.estimator, replace(each.plan, jobs=()), [next(sums) for _ in each.plan.jobs], left)
                    for each in point
                ]
            )
            self._paces.append(Pace(sum(job.cost for job, _ in jobs), device))
            del point, jobs
        self.kept.begin()
        self.steps = sum(pace.steps for pace in self._paces)
        self.device = devices.chosen(device, self.steps * most, kernels, threads, programs)
        self._spread = None
        if executor is not None:
            work = work_of(study, seed, self.device, precision, threads, self.choices)
            self._spread = Spread(executor, work, [self._place(index) for index in range(len(self._points))])
        bar.resume(sum(self._done(index) * pace.steps for index, pace in enumerate(self._paces)))

    def _make(self, index):
        """Return all that is Planned at a point."""
        return choose.plans(self.choices, self._problems[index])

    def _place(self, index):
        """Return a point as an executor's chunks are spread over it."""
        sums = [sums for running in self._points[index] for sums in running.sums]
        return Place(sums, self._paces[index].steps, together([job.identity for job in self.kept.points[index]]))

    def _done(self, index):
        """Return how many chunks from the first on a point has."""
        return self._points[index][0].sums[0].missing(self.first, _ENDLESS)[0][0] - self.first

    @property
    def chunks(self):
        """How many chunks from the first on every point has."""
        return min(map(self._done, range(len(self._points))))

    @property
    def furthest(self):
        """How many chunks from the first on the point has that has most."""
        return max(map(self._done, range(len(self._points))))

    @property
    def has_any(self):
        """Whether any point has been run."""
        return bool(self._run())

    def extend(self, chunks):
        """Run every point up to this number of chunks; less where `until` says so."""
        self.seconds = [0.0] * len(self._points)
        if self._spread is not None:
            self._bar.at("all points")
            self._spread.extend(self.first, self.first + chunks, self._keep, self._bar.update, self.until)
            return
        done = [self._done(index) for index in range(len(self._points))]
        while min(done) < chunks and not self.until():
            begin, index = time.perf_counter(), done.index(min(done))
            self._visit(index, chunks)
            done[index] = self._done(index)
            self.seconds[index] += time.perf_counter() - begin

    def _visit(self, index, chunks):
        """Run rounds of a point until it is another one's turn."""
        self._bar.at(self.study.points[index])
        visit = Visit()
        planned = self._tables.get(index) or self._make(index)
        visit.made()
        while missing := self._points[index][0].sums[0].missing(self.first, self.first + chunks):
            self._round(index, planned, *missing[0])
            if visit.is_over or self.until():
                return

    def _round(self, index, planned, first, most):
        """Run chunks from `first` on of every job of a point, and have them kept."""
        begin, count = time.perf_counter(), min(most, self._paces[index].chunks)
        for each, running in zip(planned, self._points[index], strict=True):
            precision = each.estimator.precision(self._precision)
            settings = {"precision": precision, "threads": self._threads, "progress": self._bar.update}
            for job, sums in zip(each.plan.jobs, running.sums, strict=True):
                found = devices.run(self.device, job.program, job.inputs, first, count, **settings)
                sums.add(first, found.sums, found.nonfinite)
        self._keep(index)
        self._paces[index].took(count, time.perf_counter() - begin)

    def _keep(self, index):
        """Have what was added to a point kept, and looked at."""
        self.kept.keep(index)
        self._bar.look(self._readings)

    def _readings(self):
        """Return the Readings of all points."""
        return [each for index, point in self._run() for one in point for each in self._read(index, one)[0].values()]

    def _run(self):
        """Return (index, what is running) of the points that have chunks: of an interrupted run not all may."""
        return [(index, point) for index, point in enumerate(self._points) if point[0].sums[0].chunks]

    def table(self):
        """Return the table of `Result`, a row per (point, time, test function, sde)."""
        rows = []
        for index, point in self._run():
            found = {}
            for running in point:
                readings, _ = self._read(index, running)
                bands = self._bands(running, readings)
                found |= {q: collect.Found(running.estimator.name, each, bands[q]) for q, each in readings.items()}
            found = {quantity: found[quantity] for quantity in self.choices if quantity in found}
            rows += collect.rows(self.study, index, found, point[0].trajectories, worst(point)[0], spacing(self.study))
        return pd.DataFrame(rows)

    def _read(self, index, running):
        """Return the Readings of a run, and why what was taken as known is wrong, by Quantity.

        What is not known is NaN: errors where a known mean is wrong, standard errors where nothing was seen.
        """
        measured = running.measured()
        found = running.read(measured)
        for quantity, reading in found.items():
            unseen = self._unseen(index, quantity.function, reading)
            found[quantity] = replace(reading, std_error=np.where(unseen, np.nan, reading.std_error))
        wrong = running.plan.disproved(measured, running.trajectories)
        for quantity in wrong:
            nothing = np.full_like(found[quantity].error, np.nan)
            found[quantity] = replace(found[quantity], optimizer=nothing, reference=nothing, error=nothing)
        return found, wrong

    def grouped(self, index):
        """Return {Quantity: Grouped} of a point: all estimators run the same trajectories, group by group."""
        found = {}
        for running in self._points[index]:
            groups, parts = running.groups(), running.sums[0].parts
            for quantity, reading in self._read(index, running)[0].items():
                errors = np.array([each[quantity].error for each in groups]).reshape(-1, len(reading.error))
                found[quantity] = Grouped(reading, errors, parts)
        return {quantity: found[quantity] for quantity in self.choices if quantity in found}

    def _bands(self, running, found):
        """Return the quantile of the simultaneous band over times of every reading."""
        groups = zip(*(sums.groups() for sums in running.sums), strict=True)
        each = [running.read([Measured(mean, np.zeros_like(mean)) for mean in group]) for group in groups]
        errors = {quantity: np.array([one[quantity].error for one in each]) for quantity in found}
        return {q: simultaneous_quantile(errors[q], len(found[q].error), BAND) for q in found}

    def said(self):
        """Return {(name, test function): what plans say of how it is measured, and at how many points if not all}."""
        found: dict = {}
        for point in self._points:
            for running in point:
                for quantity, words in running.plan.said.items():
                    found.setdefault((quantity.opponent, self._name(quantity)), Counter())[words] += 1
        count = len(self._points)
        return {
            key: "; ".join(words if n == count else f"{words} at {n} of {count} points" for words, n in each.items())
            for key, each in found.items()
        }

    def doubts(self):
        """Return {(name, test function): why its standard errors are not to be trusted} of those that are not.

        Where, at some time of some point, a standard error is itself known to worse than 10 % by the spread over at
        least 8 groups of chunks (`chunks.relative_error_of_std_error`): few trajectories carry it, and the interval is
        no normal one. Standard errors below a millionth of the error do not count. And where a test function of a
        user's is the same for optimizer and reference on every trajectory: a rare event that nobody has seen.
        """
        found: dict = {}
        for index, point in self._run():
            for running in point:
                for quantity, reading in self._read(index, running)[0].items():
                    if np.any(np.isfinite(reading.error) & np.isnan(reading.std_error)):
                        found[quantity.opponent, self._name(quantity)] = (
                            f"but at {self.study.points[index]} no trajectory shows a difference: "
                            "a rare event was not seen, and its standard error is not known"
                        )
                groups = running.groups()
                for quantity in groups[0] if len(groups) >= _LEAST_GROUPS else ():
                    errors = np.array([each[quantity].error for each in groups])
                    spreads = np.array([each[quantity].std_error for each in groups])
                    counts = spreads.mean(axis=0) > _NEGLIGIBLE * np.abs(errors.mean(axis=0))
                    worst = np.max(relative_error_of_std_error(spreads), where=counts, initial=0.0)
                    if worst > _DOUBTFUL:
                        known = f"is known to {100.0 * worst:.0f} % only at {self.study.points[index]}"
                        found[quantity.opponent, self._name(quantity)] = (
                            f"but few trajectories carry its standard error, which {known}: "
                            "the interval may be too short"
                        )
        return found

    def _unseen(self, index, g, reading):
        """Return where g, a user's function, is the same on every trajectory at a point, shape (times,).

        A rare event that nobody has seen: its standard error is not 0 but unknown. The first step is left out, in
        which a slot need not have moved, and so is an oracle without noise: 0 is true there.
        """
        oracle = self.study.oracle
        is_noisy = oracle.is_state_dependent or bool(np.any(oracle.covariance))
        if not isinstance(self.study.test_functions[g], test_functions.TestFunction) or not is_noisy:
            return np.zeros(len(reading.error), dtype=bool)
        later = self.study.record_times[index] - self.study.t0 > 1.5 * self.study.points[index].h
        return np.logical_not(reading.seen) & ((reading.error == 0.0) | later)

    def lost(self):
        """Return where trajectories, or test functions of others, left the finite numbers; "" for nowhere."""
        gone, undefined, most = [], [], 0
        for index, point in self._run():
            most = max(most, point[0].trajectories)
            where = self.study.points[index]
            bad, first = worst(point)
            gone += [f"{bad} at {where} (the first: {first})"] * bool(bad)
            for running in point:
                found, wrong = self._read(index, running)
                for quantity, reading in found.items():
                    if not bad and not np.all(np.isfinite(reading.error)):
                        reason = wrong.get(quantity, "is not finite")
                        undefined.append(f"test function {self._name(quantity)!r} {reason} at {where}")
        if not gone:
            return "; ".join(undefined)
        left = f"of {most} trajectories these left the finite numbers: {'; '.join(gone)}"
        return f"{left}; smaller steps may help"

    def _name(self, quantity):
        """Return what tables call the test function of a Quantity."""
        return test_functions.name_of(self.study.test_functions[quantity.function])
