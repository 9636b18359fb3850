"""What a start rules out: u too near the root's singularity, and a time at which an SDE has no coefficients."""

from types import SimpleNamespace

import numpy as np

from ngos_sim.processes.rule import parameters

_NEAR = 0.01  # of the covariance


def near_root(problems):
    """Return where u starts if that is too near the singularity of its root for expansions in y = u - U_t, or "".

    problems : sequence of Problem, of one study
    """
    oracle, slots = problems[0].oracle, problems[0].rule.slots
    if "u" not in slots or oracle.is_state_dependent:
        return ""
    start = np.stack([problem.state for problem in problems])
    variance = oracle.covariance if oracle.root is None else np.diag(oracle.covariance)
    u, variance = np.broadcast_arrays(start[..., slots.index("u")], variance)
    near = (u < _NEAR * variance) | (u <= 0.0)
    if not np.any(near):
        return ""
    if not np.any(variance[near] > 0.0):
        return "u starts at 0 where the covariance is 0 too, and stays there, at the root's singularity"
    least = float(np.min(u[near] / np.where(variance[near] > 0.0, variance[near], 1.0)))
    return f"u starts at {least:.3g} of the covariance, below {_NEAR:g} of it, too near the root's singularity"


def singular(problem, sde):
    """Return why an SDE's coefficients cannot be taken at the start of a Problem, or an empty string."""
    p = SimpleNamespace(**parameters(problem.rule, problem.h, sde))
    try:
        sde.schedule(problem.t0, p)
    except ValueError as error:
        return str(error)
    except AttributeError:  # a missing parameter is named when the first step is tried
        return ""
    return ""
