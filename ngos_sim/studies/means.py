"""Means of test functions over time, of the optimizer and of each SDE alone: computed, without noise.

`ConvergenceStudy.means` comes here; what a run has computed is not computed again.
"""

import numpy as np
import pandas as pd

from ngos_sim.estimators import transport_means
from ngos_sim.estimators.estimator import Quantity, Refused, Served
from ngos_sim.estimators.transport import Transport, computed
from ngos_sim.studies.problems import problems


def means(study):
    """Return E g of the optimizer and of each SDE at the start and at the recorded times of every point.

    Parameters
    ----------
    study : ConvergenceStudy

    Returns
    -------
    DataFrame
        As `ConvergenceStudy.means` says.

    Raises
    ------
    ValueError
        The transport estimator does not serve a test function or an SDE; in its words.
    """
    here = problems(study)
    functions = range(len(study.test_functions))
    for opponent in here[0].opponents:
        for g in functions:
            answer = Transport().serves(here, opponent, g)
            if isinstance(answer, Refused):
                raise _refused(here[0], g, opponent.name, answer.reason)
    return pd.DataFrame([row for problem in here for row in _rows(problem, functions)])


def _refused(problem, g, name, reason):
    return ValueError(f"means of {problem.name_of(g)!r} against {name!r} cannot be computed: {reason}")


def _rows(problem, functions):
    """Return the rows of a point: those of the optimizer first."""
    found = computed(problem, {opponent: dict.fromkeys(functions, Served()) for opponent in problem.opponents})
    for quantity, answer in found.items():
        if isinstance(answer, str):
            raise _refused(problem, quantity.function, quantity.opponent, f"{answer} at {problem.label}")
    beside = problem.opponents[0].name  # with which SDE the optimizer was carried does not matter
    made = []
    for g in functions:
        first, alone = _at_start(problem, g), found[Quantity(beside, g)]
        made += _over_time(problem, g, "optimizer", problem.rule.name, first, alone.optimizer, alone.of_optimizer)
        for opponent in problem.opponents:
            its = found[Quantity(opponent.name, g)]
            made += _over_time(problem, g, "sde", opponent.name, first, its.sde, its.of_sde)
    return made


def _at_start(problem, g):
    """Return a test function at the start."""
    terms = transport_means.expanded(problem, g)
    factors = {factor for _, powers in terms for factor in powers}
    at = {
        factor: transport_means.valued(factor, problem.oracle)(np.array(factor.coordinate.state)[:, None])[0]
        for factor in factors
    }
    return float(transport_means.combined(terms, at))


def _over_time(problem, g, process, name, first, mean, numerical):
    """Return the rows of one process and test function."""
    times = [problem.t0, *problem.times.tolist()]
    values, bounds = [first, *mean.tolist()], [0.0, *numerical.tolist()]
    same = {"process": process, "name": name, "test_function": problem.name_of(g)}
    return [
        {"h": problem.h, "time": time, **same, "mean": value, "numerical": bound}
        for time, value, bound in zip(times, values, bounds, strict=True)
    ]
