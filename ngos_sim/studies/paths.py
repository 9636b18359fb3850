"""Sample paths of a study: the optimizer and its opponents on one stream, for people to look at.

`ConvergenceStudy.trajectories` comes here, and `studies.figure` draws them with the mean and the spread of many.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import devices, python
from ngos_sim.estimators import paired, test_functions
from ngos_sim.estimators.coupled import Coupled
from ngos_sim.estimators.estimator import Refused
from ngos_sim.statistics import chunks
from ngos_sim.studies.points import TOLERANCE
from ngos_sim.studies.problems import problems
from ngos_sim.validation import integer, is_number

MANY = 1024  # trajectories of a Spread: one chunk
_TIMES = 256  # of a Spread, at most
_MOST = 10_000  # paths


@dataclass(frozen=True, eq=False)
class Paths:
    """Sample paths of one process.

    slots : {slot: ndarray, shape (n, times, d)}
    values : {test function: ndarray, shape (n, times)}
    """

    slots: dict[str, np.ndarray]
    values: dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Sample paths of an optimizer and of what it is compared with, driven by the same Gaussians.

    Attributes
    ----------
    h : float
        The time of one step of the optimizer.
    times : ndarray, shape (times,)
        From the start on, after every step (under the scaling rule: after every step of the larger batch).
    optimizer : Paths
        Path i is trajectory i of the coupled estimator in precision "f64", whose optimizer takes the same steps.
    sdes : dict of str to Paths
        By the SDE's name, "batch x 2" for a larger batch. Of an SDE they are the paths of Euler-Maruyama at the finest
        of the coupled estimator's levels, 4 steps or a multiple to one of the optimizer: no exact solutions, and
        without the extrapolation that takes the integrator's bias out of a mean.
    """

    h: float
    times: np.ndarray
    optimizer: Paths
    sdes: dict[str, Paths]


class Spread(NamedTuple):
    """Mean and standard deviation of a test function over MANY trajectories of one process, each of shape (times,)."""

    mean: np.ndarray
    deviation: np.ndarray


def trajectories(study, n=5, h=None, seed=0):
    """Return sample paths of a study's processes, in double precision.

    They are run in plain Python, about 20 microseconds a step of a coordinate: a few paths to look at, no statistics.

    Parameters
    ----------
    study : ConvergenceStudy
    n : int
        How many; path i has the random numbers of trajectory i of a run with this seed in precision "f64".
    h : float, optional
        Which of the study's steps; the largest by default.
    seed : int

    Returns
    -------
    Trajectories

    Raises
    ------
    ValueError
        n or h is not allowed, or an SDE cannot be integrated from this start.

    Examples
    --------
    >>> import ngos_sim as ns
    >>> study = ns.ConvergenceStudy(
    ...     ns.NGOS(ns.quadratic(0.9)), ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3), sde=ns.rmsprop_sde(),
    ...     initial=dict(theta=1.2, u=1.0), eta2=[2**-3], test_functions=["theta[0]^2"],
    ... )
    >>> found = study.trajectories(n=3)
    >>> found.times[:3].tolist(), found.optimizer.slots["theta"].shape, found.sdes["rmsprop"].values.keys()
    ([0.0, 0.125, 0.25], (3, 9, 1), dict_keys(['theta[0]^2']))
    """
    n, problem = integer("n", n, 1), _problem(study, h, seed)
    if n > _MOST:
        raise ValueError(
            f"n={n}: at most {_MOST} paths, as they run in plain Python; run(trajectories=..) takes any number"
        )
    records = problem.kappa * np.arange(1, problem.steps // problem.kappa + 1)
    job = _job(problem, records)
    found = [python.path(job.program, job.inputs, index) for index in range(n)]
    states, values = (np.array(each) for each in zip(*found, strict=True))
    names = [test_functions.name_of(function) for function in problem.test_functions]
    optimizer, *others = (
        Paths(
            {slot: states[:, at, :, :, place] for place, slot in enumerate(problem.rule.slots)},
            {name: values[:, :, place, at] for place, name in enumerate(names)},
        )
        for at in range(len(job.parts))
    )
    opponents = [opponent.name for opponent in problem.opponents]
    times = problem.t0 + problem.h * np.append(0, records)
    return Trajectories(problem.h, times, optimizer, dict(zip(opponents, others, strict=True)))


def spread(study, function, h=None, seed=0, device="cpu"):
    """Return times and, by process (the optimizer's name is ""), the Spread of a test function, given its name.

    The start is not among the times. Processes and random numbers are those of `trajectories`.
    """
    problem = _problem(study, h, seed)
    every = problem.steps // problem.kappa
    records = problem.kappa * np.unique(np.linspace(1, every, min(every, _TIMES)).round().astype(np.int64))
    job = _job(problem, records)
    (sums,) = devices.run(device, job.program, job.inputs, 0, 1, precision="f64").sums
    mean, std_error = chunks.means(sums, MANY)
    (place,) = (g for g, each in enumerate(study.test_functions) if test_functions.name_of(each) == function)
    names = ["", *(opponent.name for opponent in problem.opponents)]
    return problem.t0 + problem.h * records, {
        name: Spread(mean[:, place, at], std_error[:, place, at] * np.sqrt(MANY)) for at, name in enumerate(names)
    }


def _problem(study, h, seed):
    """Return the Problem of a point, the first of those of one h; of the largest where none is given."""
    points = [point.h for point in study.points]
    wanted = max(points) if h is None else h
    for problem, each in zip(problems(study, integer("seed", seed)), points, strict=True):
        if is_number(wanted) and abs(each - wanted) <= TOLERANCE * each:
            for opponent in problem.opponents:
                served = Coupled().serves((problem,), opponent, 0)
                if isinstance(served, Refused):
                    raise ValueError(f"{opponent.name!r} has no paths from this start: {served.reason}")
            return problem
    raise ValueError(f"h={h!r}; allowed: {', '.join(f'{each!r}' for each in dict.fromkeys(points))}")


def _job(problem, records):
    """Return the Job that observes every test function of the optimizer and of each opponent by itself."""
    opponents = [
        problem.larger_batch() if each.sde is None else problem.integrated(each.sde, paired.levels(each.sde)[-1])
        for each in problem.opponents
    ]
    parts = [problem.optimizer(), *opponents]
    observed = problem.observables(range(len(problem.test_functions)), records)
    return problem.job(parts, np.eye(len(parts)), observed, records=records)
