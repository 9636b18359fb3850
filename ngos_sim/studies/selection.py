"""Which estimator serves each (sde, test function) of a study, and why."""

import math

import numpy as np

from ngos_sim.engines import cpu
from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators import choose, moment_flow, test_functions
from ngos_sim.estimators.chunks import means
from ngos_sim.processes.optimizers import POLYNOMIAL_STEPS
from ngos_sim.studies import runs, start
from ngos_sim.studies.jobs import reference_name

_TOLERANCE = 0.2  # of the final standard error: how much fewer nodes may change an error
_RELATIVE = 1e-3  # of the error itself, as the first step has no standard error


def selected(study):
    """Return ({(name, index of a test function): terms} for the local estimator, {(name, test function): why}).

    A name is an SDE's, or that of the scaling rule's reference.

    Raises
    ------
    ValueError
        estimator="local" is asked for where it cannot serve.
    """
    local, why = {}, {}
    pivots = {sde.name: sde.pivot or sde for sde in study.sdes}
    if study.reference is not None:
        pivots = dict.fromkeys(map(reference_name, study.points), moment_flow.pivot_of(study.rule))
    states = [start.state(study.initial, study.rule.slots, study.dimension, point.eta2) for point in study.points]
    for opponent, pivot in pivots.items():
        reason = choose.against_local(study.oracle, study.rule, pivot, np.concatenate(states))
        for g, function in enumerate(study.test_functions):
            name = test_functions.name_of(function)
            terms = None if reason else choose.local_terms(function, study.oracle, pivot, study.dimension)
            refused = reason or ("" if terms else "it lies outside the span of the local estimator's basis")
            if study.estimator in ("coupled", "independent"):
                why[opponent, name] = f"estimator={study.estimator!r} was asked for"
            elif refused:
                _refuse(study, opponent, name, refused)
                why[opponent, name] = f"coupled: {refused}"
            else:
                local[opponent, g] = terms
                why[opponent, name] = "local: its standard deviation is of the size of the error"
    return local, why


def after_node_check(study, seed, chunks, threads):
    """Return `selected` without the test functions whose first chunk depends on the number of nodes.

    With fewer nodes no error may move by more than 0.2 of the standard error that all chunks will give
    and a thousandth of itself. (For RMSprop with v_{k+1} each pair of nodes brings about a decimal.)
    """
    local, why = dict(study.local), dict(study.why)
    if study.rule.step in POLYNOMIAL_STEPS:
        return local, why
    for index in range(len(study.points)):
        for run in runs.runs(study, index, seed, local):
            served = [key for key in local if key[0] == run.name]
            moved = np.zeros(len(served), dtype=bool)
            for main, check in zip(run.jobs if run.checks else (), run.checks, strict=True):
                (mean, std_error), (fewer, _) = (
                    means(cpu.run(*job[:2], 0, 1, precision="f64", threads=threads).sums[0], CHUNK)
                    for job in (main, check)
                )
                allowed = _TOLERANCE * std_error / math.sqrt(chunks) + _RELATIVE * np.abs(mean)
                moved |= np.any(np.abs(mean - fewer) > allowed, axis=(0, 2))
            for key in [key for key, too_far in zip(served, moved, strict=True) if too_far]:
                function = test_functions.name_of(study.test_functions[key[1]])
                refused = f"its quadrature moves with the nodes at {study.points[index]}"
                _refuse(study, run.name, function, refused)
                why[run.name, function] = f"coupled: {refused}"
                del local[key]
    return local, why


def _refuse(study, sde, function, reason):
    """Raise ValueError where the local estimator was asked for by name."""
    if study.estimator == "local":
        raise ValueError(f"estimator='local' cannot measure {function!r} against {sde!r}: {reason}")
