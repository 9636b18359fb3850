"""What a worker of an executor does: some chunks of a point of a study, from nothing but the message.

A program holds closures, so what travels is what it is made of again: the study's arguments and the estimators chosen.
A worker makes the study once and a point's jobs once, and holds that they compute what those of the sender do.
`studies.spread` sends tasks; an executor's processes call `run`.
"""

import functools
import platform
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ngos_sim.engines import devices
from ngos_sim.estimators import choose
from ngos_sim.estimators.job_identity import identity, together
from ngos_sim.identity import check_travels, remade
from ngos_sim.statistics.sums import Sums
from ngos_sim.studies import problems

_LOCK = threading.Lock()  # one thread of a worker makes what all of them use


@dataclass(frozen=True)
class Work:
    """What all tasks of a run have in common.

    key : of the run: another key is other work
    kind, given : the study's class and arguments
    threads : of a task
    choices : the estimators, as the sender found them
    """

    key: str
    kind: type = field(compare=False)
    given: Mapping[str, Any] = field(compare=False)
    seed: int = field(compare=False)
    device: str = field(compare=False)
    precision: str = field(compare=False)
    threads: int = field(compare=False)
    choices: choose.Choices = field(compare=False)

    def __getstate__(self):
        check_travels(self.kind.__name__, self.given)
        return vars(self)


def work_of(study, seed, device, precision, threads, choices):
    """Return the Work of a run; threads : of each worker, 1 for None."""
    return Work(uuid.uuid4().hex, type(study), study.given(), seed, device, precision, threads or 1, choices)


class Task(NamedTuple):
    """Chunks first .. first + chunks - 1 of every job of a point.

    level : up to which their sums are merged
    identity : of the point's jobs, as the sender has them; "" where functions have none
    """

    point: int
    first: int
    chunks: int
    level: int
    identity: str


class OtherNumbers(RuntimeError):
    """A worker makes other functions or numbers of a study than the sender."""


def run(work, task):
    """Return, of each job of a task, the ranges of its sums, {Range: Part}.

    Raises
    ------
    OtherNumbers
        The jobs are not those of the sender.
    """
    with _LOCK:
        jobs, its = _jobs(work, task.point)
    if task.identity not in ("", its):
        raise OtherNumbers(
            f"worker {platform.node()!r} makes other functions or numbers of the study than here: results would not "
            "be of the same bits; let workers have the same versions of Python and of packages, and the same processor"
        )
    found = []
    for job, precision in jobs:
        settings = {"precision": precision, "threads": work.threads}
        ran = devices.run(work.device, job.program, job.inputs, task.first, task.chunks, **settings)
        sums = Sums(level=task.level)
        sums.add(task.first, ran.sums, ran.nonfinite)
        found.append(sums.ranges)
    return found


@functools.lru_cache(maxsize=2)
def _problems(work):
    return problems.problems(remade(work.kind, work.given), work.seed, work.precision)


@functools.lru_cache(maxsize=8)
def _jobs(work, point):
    """Return the jobs of a point, pairs of (Job, precision), and their identity."""
    planned = choose.plans(work.choices, _problems(work)[point])
    jobs = [(job, each.estimator.precision(work.precision)) for each in planned for job in each.plan.jobs]
    try:
        return jobs, together([identity(*each) for each in jobs])
    except TypeError:  # the sender has none either
        return jobs, ""
