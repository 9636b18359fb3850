"""A study while it runs: chunks are added to every point until someone says enough."""

import contextlib
import math
import time

from ngos_sim.engines import devices
from ngos_sim.estimators import choose
from ngos_sim.estimators.job_identity import together
from ngos_sim.estimators.problem import Unfinished
from ngos_sim.studies.computing import Computing, Missing
from ngos_sim.studies.kept import Kept
from ngos_sim.studies.problems import problems
from ngos_sim.studies.readings import Readings
from ngos_sim.studies.rounds import Pace, Visit
from ngos_sim.studies.running import AtPoint
from ngos_sim.studies.spread import Place, Spread
from ngos_sim.studies.tasks import work_of

_ROOM = 2**28  # bytes of tables that are held over the rounds; the rest of the points make theirs anew for each


class Measurement(Readings):
    """The sums of every point of a study so far, and what estimators without any have computed.

    Chunks of 1024 trajectories are run in rounds, the point that is furthest back first; `paces` say how long they take
    at each, `computing` how long what is computed there takes; `steps` are the process steps, over coordinates and
    trajectories, of one chunk at every point; `choices` are the study's estimators less those that a look at the first
    trajectories rules out.

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
    deadline : float
        When nothing is computed any more, by time.perf_counter: what is not computed then is left out.
    executor : concurrent.futures.Executor, optional
        Whose workers run the chunks.
    """

    def __init__(
        self, study, seed, *, device, precision, threads, bar, most=1, kept=None, first=0, until=bool,
        deadline=math.inf, executor=None
    ):  # fmt: skip
        self.kept, self.first, self.until = Kept() if kept is None else kept, first, until
        self._precision, self._threads, self._bar, self.paces = precision, threads, bar, []
        self.computing = Computing(study.points, bar, deadline, until)
        here = problems(study, seed, watch=self.computing.watch)
        self.computing.expect([choose.work(study.served, problem) for problem in here])
        looked = (study.estimator, here, study.served, device, threads, self.kept.looked)
        choices, remainders = choose.after_look(*looked)
        super().__init__(study, choices, [])
        self._problems = problems(study, seed, precision, self.computing.watch)
        self._tables, kernels, room = {}, 0, _ROOM
        programs: list = []
        for index, left in enumerate(remainders):
            point = self.planned(index)
            jobs = [(job, each.estimator.precision(precision)) for each in point for job in each.plan.jobs]
            kernels = max(kernels, len(jobs))  # points share theirs
            programs += (job.program for job, _ in jobs)
            room -= sum(job.inputs.nbytes for job, _ in jobs)
            if room >= 0:
                self._tables[index] = point
            self.points.append(AtPoint(point, iter(self.kept.sums(index, jobs)), left))
            self.paces.append(Pace(sum(job.cost for job, _ in jobs), device))
            del point, jobs
        self.kept.begin()
        self.steps = sum(pace.steps for pace in self.paces)
        self.device = devices.chosen(device, self.steps * most if programs else 0.0, kernels, threads, programs)
        self._spread = None
        if executor is not None:
            work = work_of(study, seed, self.device, precision, threads, self.choices)
            self._spread = Spread(executor, work, [self._place(index) for index in range(len(self.points))])
        bar.resume(sum(self._done(index) * pace.steps for index, pace in enumerate(self.paces)))

    def planned(self, index):
        """Return all that is Planned at a point, with its tables, held or made anew."""
        return self._tables.get(index) or choose.plans(self.choices, self._problems[index])

    def holds(self, index):
        """Return whether the tables of a point are held."""
        return index in self._tables

    def _place(self, index):
        """Return a point as an executor's chunks are spread over it."""
        return Place(
            self.points[index].sums,
            self.paces[index].steps,
            together([job.identity for job in self.kept.points[index]]),
        )

    def _done(self, index):
        """Return how many chunks from the first on a point has."""
        return self.points[index].done(self.first)

    @property
    def samples(self):
        """Whether trajectories are run at any point; else all is computed."""
        return any(point.samples for point in self.points)

    @property
    def chunks(self):
        """How many chunks from the first on every point has."""
        return min(map(self._done, range(len(self.points))))

    @property
    def furthest(self):
        """How many chunks from the first on the point has that has most, of those where any are run."""
        return max((point.done(self.first) for point in self.points if point.samples), default=0)

    def extend(self, chunks):
        """Run every point up to this number of chunks; less where `until` says so."""
        if not self.compute():
            return
        if self._spread is not None:
            self._bar.at("all points")
            self._spread.extend(self.first, self.first + chunks, self._keep, self._bar.update, self.until)
            return
        done = [self._done(index) for index in range(len(self.points))]
        while min(done) < chunks and not self.until():
            index = done.index(min(done))
            self._visit(index, chunks)
            done[index] = self._done(index)

    def compute(self):
        """Have what is computed computed, point after point; return whether `until` let it come to its end.

        What there is no time for is left; what an estimator has computed by then is there all the same.
        """
        left = [index for index in self._order if not self.points[index].is_computed]
        for index in left:
            point, begin = self.points[index], time.perf_counter()
            self._bar.at(self.study.points[index])
            if not self.computing.is_over(index):
                with contextlib.suppress(Unfinished):
                    point.compute()
                    self.computing.finished(index, time.perf_counter() - begin)
        left = [index for index in left if not self.points[index].is_computed]
        if left and self.until():
            return False
        for index in left:
            self.points[index].is_left = True
        return True

    @property
    def left(self):
        """The places of the points where there was no time to compute something, those of few steps first."""
        return [index for index in self._order if self.points[index].is_left]

    def missing(self):
        """Return a Missing of all that there was no time to compute."""
        found = []
        for index in self.left:
            names = {opponent.name for opponent in self._problems[index].opponents}
            taken = {each.estimator for each in self.points[index].running if not each.can_be_read}
            found += [
                Missing(index, quantity, choice.estimator.name)
                for quantity, choice in self.choices.items()
                if choice.estimator in taken and quantity.opponent in names
            ]
        return found

    @property
    def _order(self):
        """The places of the points, those of few steps first."""
        return sorted(range(len(self._problems)), key=lambda index: self._problems[index].steps)

    def take(self, other):
        """Take what another Measurement of the study has computed, and how long that took."""
        for mine, its in zip(self.points, other.points, strict=True):
            mine.take(its)
        self.computing = other.computing

    def _visit(self, index, chunks):
        """Run rounds of a point until it is another one's turn."""
        self._bar.at(self.study.points[index])
        visit = Visit()
        planned = self.planned(index)
        self.paces[index].making = visit.made()
        while missing := self.points[index].missing(self.first, self.first + chunks):
            self._round(index, planned, *missing[0])
            if visit.is_over or self.until():
                return

    def _round(self, index, planned, first, most):
        """Run chunks from `first` on of every job of a point, and have them kept."""
        begin, count = time.perf_counter(), min(most, self.paces[index].chunks)
        for each, running in zip(planned, self.points[index].running, strict=True):
            precision = each.estimator.precision(self._precision)
            settings = {"precision": precision, "threads": self._threads, "progress": self._bar.update}
            for job, sums in zip(each.plan.jobs, running.sums, strict=True):
                found = devices.run(self.device, job.program, job.inputs, first, count, **settings)
                sums.add(first, found.sums, found.nonfinite)
        self._keep(index)
        self.paces[index].took(count, time.perf_counter() - begin)

    def _keep(self, index):
        """Have what was added to a point kept, and looked at."""
        self.kept.keep(index)
        self._bar.look(self.readings)
