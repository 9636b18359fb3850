"""The first trajectory that left the finite numbers: where, at which step, and the line of Python that goes there.

`studies.session` asks for what NonFiniteError carries; a user calls `walk`, with a debugger in a function or without.
"""

import math
from typing import NamedTuple

from ngos_sim.engines import python
from ngos_sim.estimators import choose
from ngos_sim.studies.problems import problems

_CHEAP = 20_000  # moves of a coordinate: a second or two in Python


class Lost(NamedTuple):
    """What NonFiniteError carries beside its result.

    h : the time of one step of the optimizer, at the first point of which a trajectory was lost
    trajectory : the first that was lost there
    step : the optimizer's, counted from 0, in which its state or that of what runs beside it was lost; None where
        Python would need long to find it, or finds it finite in double precision
    rerun : the line of Python that returns its states, step by step, by the engine of device="python"
    """

    h: float
    trajectory: int
    step: int | None
    rerun: str


def first_lost(study, seed, points):
    """Return what is Lost, or None where all trajectories are finite and only a test function is not.

    Parameters
    ----------
    points : mapping of int to sequence of KeptJob
        The jobs of each point.
    """
    for point, jobs in sorted((point, jobs) for point, jobs in points.items() if jobs):
        job = max(range(len(jobs)), key=lambda at: jobs[at].sums.nonfinite[0])
        count, trajectory = jobs[job].sums.nonfinite
        if count:
            where = f"point={point}, job={job}, trajectory={trajectory}, seed={seed}"
            line = f"from ngos_sim.studies import trouble; trouble.walk(study, {where})"
            again = _jobs(study, point, seed)
            known = len(again) == len(jobs)  # a run drops estimators that a look at numbers rules out
            step = _lost_in(again[job], trajectory) if known else None
            return Lost(study.points[point].h, trajectory, step, line)
    return None


def _jobs(study, point, seed):
    planned = choose.plans(study.served, problems(study, seed)[point])
    return [job for each in planned for job in each.plan.jobs]


def walk(study, point, job, trajectory, seed=0):
    """Run one trajectory in plain Python.

    Parameters
    ----------
    study : ConvergenceStudy
    point : int
        Its place in `study.points`.
    job : int
        Its place among what is run there: estimators run several.
    trajectory : int
    seed : int

    Returns
    -------
    list of list of list of tuple
        After each step of the finest process: of each process the slots of each coordinate. The first process is the
        optimizer.
    """
    chosen = _jobs(study, point, seed)[job]
    return python.walk(chosen.program, chosen.inputs, trajectory)


def _lost_in(job, trajectory):
    """Return the optimizer's step, counted from 0, in which a trajectory is lost; None where that is not found."""
    program, inputs = job.program, job.inputs
    if inputs.records[-1] * program.dimension * len(program.processes) > _CHEAP:
        return None
    for fine, states in enumerate(python.walk(program, inputs, trajectory)):
        if not all(math.isfinite(value) for state in states for x in state for value in x):
            return fine // program.processes[0].stride
    return None
