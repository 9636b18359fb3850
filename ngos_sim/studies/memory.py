"""How many bytes a run's arrays hold at once: tables, threads' buffers, sums of a round and of groups, what is read.

`studies.pilot` weighs a Measurement, and a plan says what a run of so many chunks would hold.
"""

from dataclasses import dataclass

from ngos_sim.engines import processors
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.statistics.sums import GROUPS

_COPIES = 3  # of a round's sums: as threads return them, in one array, and half merged
_FIELDS = 6  # arrays of a Reading, and of what it is read from
_ROW = 1000  # bytes of a row of the table
_OBJECTS = 1_000_000  # bytes of what else a run makes


@dataclass(frozen=True)
class JobWeight:
    """Bytes of a job: tables that are made anew for it, buffers of all threads, sums of a chunk; chunks of a round."""

    tables: int
    buffers: int
    sums: int
    most: int


@dataclass(frozen=True)
class Weight:
    """Bytes of a study that runs: tables that are held, its jobs, the table of its Result, what is read of a group."""

    held: int
    jobs: list[JobWeight]
    result: int
    group: int

    def peak(self, chunks):
        """Return how many bytes are held at once in a run of so many chunks at every point.

        Beside them are Python, its packages and what is compiled: some 200 MB.
        """
        groups = min(chunks, 2 * GROUPS)
        running = (job.tables + job.buffers + _COPIES * job.sums * min(chunks, job.most) for job in self.jobs)
        kept = self.held + groups * sum(job.sums for job in self.jobs)
        return _OBJECTS + kept + max(max(running, default=0), self.result + groups * self.group)


def weigh(measurement, settings):
    """Return the Weight of a Measurement whose kernels have been compiled and whose paces know what a chunk takes.

    settings : dict, of `ConvergenceStudy.settings`
    """
    threads = settings["threads"] or processors.available()
    held, jobs = 0, []
    for index, pace in enumerate(measurement.paces):
        planned = measurement.planned(index)
        tables = sum(job.inputs.nbytes for each in planned for job in each.plan.jobs)
        is_held = measurement.holds(index)
        held += tables * is_held
        for each in planned:
            precision = each.estimator.precision(settings["precision"])
            for job in each.plan.jobs:
                shared, buffers = cpu.nbytes(job.program, job.inputs, precision)
                made = 0 if is_held else tables
                jobs.append(JobWeight(made, shared + threads * buffers, _sums(job.inputs), pace.most))
    times = [len(each) for each in measurement.study.record_times]
    quantities = len(measurement.choices)
    return Weight(held, jobs, _ROW * quantities * sum(times), 8 * _FIELDS * quantities * max(times))


def _sums(inputs):
    """Return the bytes of the sums of a chunk, or of a group of chunks."""
    return 16 * len(inputs.records) * inputs.test_functions * len(inputs.combinations)
