"""Near which SDE of known moments the local estimator measures: found by probing (`probed`), once a study.

error(optimizer, SDE) = error(optimizer, near) - error(SDE, near): where probing does not serve the SDE itself, its
limit at step 0 is near, else the one that it names. `local` and `coupled` ask.
"""

from ngos_sim.estimators.probed import Known
from ngos_sim.estimators.starts import near_root
from ngos_sim.known.probing import NoMoments
from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.processes.rmsprop_adam import adam_sde, rmsprop_sde
from ngos_sim.processes.sgd import heavy_ball_sde, sgd_sde

_OWN = (rmsprop_sde(), adam_sde(), sgd_sde(), heavy_ball_sde())  # near one of these: the scaling rule's batch sizes


def nearest(problem, opponent):
    """Return what an opponent is measured near, and why it is not itself known, "" where it is.

    Parameters
    ----------
    problem : Problem
        Of any point.
    opponent : Opponent
        Under the scaling rule any SDE near the optimizer serves.

    Raises
    ------
    NoMoments
        There is none.
    """
    sde = opponent.sde
    if reason := two_channels(sde) or unsuited(problem):
        raise NoMoments(reason)
    if sde is None:
        sde = next((each.beside(problem.rule) for each in _OWN if each.slots == tuple(problem.rule.slots)), None)
    if sde is None:
        raise NoMoments(f"no moment flow is known for the slots of optimizer {problem.rule.name!r}")
    return problem.shared.once(Known).near(sde)


def two_channels(sde):
    """Return why an SDE (or None), or its pivot, has two channels, or an empty string."""
    for each in () if sde is None else (sde, sde.pivot):
        if each is not None and each.channels > 1:
            serve = "which transport, coupled and independent serve"
            return f"sde {each.name!r} has a second Brownian motion (channels=2), {serve}"
    return ""


def unsuited(problem):
    """Return why the moments of no SDE are known on an oracle, or an empty string."""
    oracle = problem.oracle
    if oracle.coupling:
        return oracle.coupling
    if affine_gradient(oracle.loss, problem.dimension) is None:
        return f"loss {oracle.loss.name!r} is neither linear nor quadratic"
    return "the covariance depends on the state" if oracle.is_state_dependent else ""


def growth(problem):
    """Return by which power of a noise number each slot of the optimizer grows; where it cannot be probed, by name."""
    if unsuited(problem) or problem.oracle.is_dense:
        return [2.0 if slot == "u" else 1.0 for slot in problem.rule.slots]
    return problem.shared.once(Known).growth


def rough_start(problems, opponent):
    """Return where u starts, if too near a singularity of the coefficients in it (`starts.near_root`), or ""."""
    rough, problem = near_root(problems), problems[0]
    if not rough or problem.oracle.is_dense:
        return rough
    try:
        near, _ = nearest(problem, opponent)
    except NoMoments:
        return rough
    slots = near.sde.slots
    is_root = "u" in slots and problem.shared.once(Known).is_under_a_root(near, slots.index("u"))
    return rough if is_root else ""
