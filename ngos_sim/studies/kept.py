"""What a study has of its jobs so far: their sums, in memory and, where a folder is given, in its store.

`studies.session` opens it for a run, `studies.measurement` adds chunks to its sums and has each round kept; a Result
holds it afterwards, to go on from and to save.
"""

import contextlib
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ngos_sim.errors import StoreError
from ngos_sim.estimators.job_identity import Identity, identity
from ngos_sim.statistics.sums import Sums
from ngos_sim.studies import origin, store


@dataclass(frozen=True)
class KeptJob:
    """What a job computes, None where that has no hash (device="python" takes any function), and its sums."""

    identity: Identity | None
    sums: Sums


class Kept:
    """The sums of every job of a study.

    Used as a context where a run adds to it: a folder's store is open meanwhile, and nobody else's.

    Parameters
    ----------
    describe : function () -> dict
        Returns the `origin.origin` of the study, its seed and precision, which takes a moment: called when needed.
    folder : str or Path, optional
        Where chunks are kept as they are done.

    Attributes
    ----------
    points : dict of int to tuple of KeptJob
        The jobs of each point, by its place in the study.
    goal : dict
        What the last run wanted: its bounds, its first chunk, and the chunks of its last extension.
    stopped : str
        What ended the last run.
    rounds : int
        How many this run has added.
    seconds : float
        What all runs that added to it took, compilation included; 0 where it was not put down.
    lenient : bool
        Whether sums are only read, and may be of another machine, whose numbers differ in their last bits.
    """

    def __init__(self, describe=dict, folder=None):
        self._describe, self.folder = describe, None if folder is None else Path(folder)
        self.points, self.goal, self.stopped, self.machine = {}, {}, "interrupted", None
        self._store, self._written, self.lenient = None, {}, False
        self.rounds, self.seconds = 0, 0.0

    @classmethod
    def read(cls, folder):
        """Return what the store of a folder holds, its origin included, to be read here wherever it was made.

        Raises
        ------
        StoreError
            There is none, it is in use, or damaged.
        """
        if not store.is_in(folder):
            raise StoreError(f"{Path(folder) / store.NAME}: not there; give the folder of a run, or of Result.save")
        found = cls(folder=folder)
        found.lenient = True
        with found:
            return found

    @cached_property
    def origin(self):
        """What the chunks are made with."""
        return self._describe()

    def __enter__(self):
        if self.folder is not None:
            self._store = store.Store(self.folder, reading=self.lenient)
            try:
                self._take()
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_):
        if self._store is not None:
            self._store.close()
            self._store = None

    def _take(self):
        """Take what the store has; raise ValueError where it is of something else."""
        record = self._store.record()
        if not record and not self.lenient:
            with self._store.transaction():
                self._store.put("origin", self.origin)
                self._store.put("machine", origin.machine())
            return
        if self.lenient:
            self.origin = record["origin"]
        if said := origin.difference(record["origin"], self.origin):
            raise ValueError(
                f"{self._store.path} holds another study: {said}; take another folder, or start anew (--fresh)"
            )
        self.machine = record["machine"]
        self.goal, self.stopped = record.get("goal", {}), record.get("stopped", self.stopped)
        self.seconds = record.get("seconds", 0.0)
        for point, jobs in enumerate(record.get("jobs", [])):
            held = {_name(point, place): None for place in range(len(jobs))}
            held = {name: self._store.ranges(name) for name in held}
            if len({frozenset(ranges) for ranges in held.values()}) > 1:
                raise StoreError(f"{self._store.path}: {store.DAMAGED}")
            self._written |= {name: set(ranges) for name, ranges in held.items()}
            both = zip(jobs, held.values(), strict=True)
            self.points[point] = tuple(KeptJob(Identity(*job), Sums(ranges=ranges)) for job, ranges in both)

    def sums(self, point, jobs):
        """Return the Sums of a point's jobs, pairs of (Job, precision), those that are there or new ones.

        Raises
        ------
        ValueError
            What is there is of other jobs, or a store cannot tell what a job computes.
        """
        made = tuple(self._identity(*each) for each in jobs)
        held = self.points.setdefault(point, tuple(KeptJob(each, Sums()) for each in made))
        if not self._are_of(held, made):
            where = self.folder or "what is to be extended"
            raise ValueError(
                f"{where}: chunks of the same study were made by other functions or numbers than here: "
                f"with {self.machine} there, {origin.machine()} here; go on there, or take another folder"
            )
        return [job.sums for job in held]

    def _are_of(self, held, made):
        """Return whether KeptJobs are of these identities; to be read, of these functions."""
        if len(held) != len(made):
            return False
        if self.lenient:  # means that are known differ in rounding
            return all(job.identity.functions == each.functions for job, each in zip(held, made, strict=True))
        return all(job.identity == each for job, each in zip(held, made, strict=True))

    def _identity(self, job, precision):
        try:
            return identity(job, precision)
        except TypeError as error:
            if self._store is None:
                return None
            raise ValueError(f"{error}; no chunks of it can be kept in store={str(self.folder)!r}") from None

    def begin(self):
        """Put down what the chunks to come are of, once the jobs of all points are known."""
        if self._store is not None and "jobs" not in self._store.record():
            with self._store.transaction():
                self._put_jobs()

    def _put_jobs(self):
        self._store.put("jobs", [[job.identity for job in self.points[point]] for point in sorted(self.points)])

    def keep(self, point):
        """Have what was added to a point's sums kept."""
        self.rounds += 1
        if self._store is not None:
            with self._store.transaction():
                self._write(point)

    def _write(self, point):
        for place, job in enumerate(self.points[point]):
            name = _name(point, place)
            before, now = self._written.get(name, set()), job.sums.ranges
            self._store.change(name, before - now.keys(), {each: now[each] for each in now.keys() - before})
            self._written[name] = set(now)

    def aim(self, bounds, first, chunks):
        """Put down what a run wants next: chunks from `first` on, at every point."""
        self.goal = {"bounds": bounds, "first": first, "chunks": chunks}
        self._put("goal", self.goal)

    def end(self, stopped, seconds):
        """Put down what ended a run, and how long it took; one that added nothing does not count."""
        self.stopped, self.seconds = stopped, self.seconds + seconds * bool(self.rounds)
        self._put("stopped", stopped)
        self._put("seconds", self.seconds)

    def _put(self, name, value):
        if self._store is not None:
            with self._store.transaction():
                self._store.put(name, value)

    def looked(self, job, chunks, run):
        """Return the Sums of a look at a job's first chunks in f64, from the store, or what run() returns."""
        if self._store is None:
            return run()
        name = f"look {chunks} {''.join(self._identity(job, 'f64'))}"
        held = self._store.ranges(name)
        if held:
            return Sums(ranges=held)
        sums = run()
        if self.lenient:
            return sums
        with self._store.transaction():
            self._store.change(name, (), sums.ranges)
        return sums

    def identities(self):
        """Return what the jobs of every point compute."""
        return {point: [job.identity for job in jobs] for point, jobs in self.points.items()}

    def copy(self):
        """Return the same in memory, to go on from: the sums of this one stay what they are."""
        found = Kept(self._describe)
        found.origin = self.origin
        found.goal, found.stopped, found.machine = self.goal, self.stopped, self.machine
        found.seconds = self.seconds
        for point, jobs in self.points.items():
            found.points[point] = tuple(KeptJob(job.identity, Sums(ranges=job.sums.ranges)) for job in jobs)
        return found

    def with_others(self, other):
        """Return a copy with the chunks of another one of the same jobs as well, to be read."""
        found = self.copy()
        found.lenient, found.stopped = True, "trajectories"
        found.seconds += other.seconds
        found.goal = {"bounds": None, "first": min(self.goal["first"], other.goal["first"])}
        found.goal["chunks"] = max(self.goal["chunks"], other.goal["chunks"])
        for point, jobs in other.points.items():
            for job, its in zip(found.points[point], jobs, strict=True):
                job.sums.join(its.sums.ranges)
        return found

    def save(self, folder):
        """Write all of it as the store of a folder, unless that is where it is kept."""
        folder = Path(folder)
        if self.folder is not None and store.is_in(self.folder) and folder.resolve() == self.folder.resolve():
            return
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as scratch:
            other = self.copy()
            other._store = store.Store(scratch)
            with contextlib.closing(other._store), other._store.transaction():
                other._store.put("origin", self.origin)
                other._store.put("machine", self.machine or origin.machine())
                other._put_jobs()
                other._store.put("goal", self.goal)
                other._store.put("stopped", self.stopped)
                other._store.put("seconds", self.seconds)
                for point in other.points:
                    other._write(point)
            store.remove(folder)
            store.replace(scratch, folder)


def _name(point, place):
    """Return what a store calls a job of a point."""
    return f"point {point} job {place}"
