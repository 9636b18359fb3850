"""A study as the Problems that estimators look at, one a point."""

import math
from functools import partial

import numpy as np

from ngos_sim.estimators.problem import Opponent, Problem, Shared, unwatched
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.variations import SVAG
from ngos_sim.studies import start


def problems(study, seed=0, precision="f64", watch=unwatched):
    """Return the Problem of every point of a study.

    Parameters
    ----------
    study : ConvergenceStudy
        Its points, times and dimension are known.
    seed : int
    precision : str
        In which the study is run.
    watch : function (index, work)
        `Problem.watch` of every point, given its place in the study.
    """
    shared = Shared(study.found)
    given = seed, precision, watch
    shared.problems = tuple(_problem(study, index, shared, *given) for index in range(len(study.points)))
    return shared.problems


def _problem(study, index, shared, seed, precision, watch):
    point, noise = study.points[index], study.oracle.noise
    records = np.round((study.record_times[index] - study.t0) / point.h).astype(np.int64)
    opponents = [Opponent(sde.name, sde) for sde in study.sdes]
    return Problem(
        label=str(point),
        oracle=study.oracle,
        rule=study.rule.with_steps(1.0 / point.amplification),
        law=svag_law(noise, math.sqrt(point.amplification)) if isinstance(study.optimizer, SVAG) else noise,
        sigma=study.noise_scale(point),
        state=start.state(study.initial, study.rule.slots, study.dimension, point.size),
        t0=study.t0,
        horizon=study.horizon,
        h=point.h,
        size=point.size,
        ell=point.ell,
        kappa=point.kappa,
        records=records,
        test_functions=tuple(study.test_functions),
        opponents=tuple(opponents or [Opponent(reference_name(point), None)]),
        shared=shared,
        seed=seed,
        precision=precision,
        watch=partial(watch, index),
    )


def reference_name(point):
    """Return what tables call the reference of the scaling rule."""
    return f"batch x {point.kappa}"
