"""At how many places the rule of the noise is split where laws are carried forward, by probing the optimizer's step.

`estimators.transport_law` asks, once for each Carrier; `engines.transport_split` finds the places of every state.
"""

import math

import numpy as np

from ngos_sim.engines import transport
from ngos_sim.engines.transport_pilot import least
from ngos_sim.engines.transport_probe import smoothness
from ngos_sim.engines.transport_split import breaks
from ngos_sim.estimators.transport_means import Unserved

PILOT = 8  # nodes of the noise of pilots
_NOISE = 6.0  # deviations of the noise over which a step is looked at
_SMOOTH = ("constant", "smooth")
JUMPS = "the optimizer's step jumps or has kinks in the noise in a way that its rule cannot be split at"
AT_ATOMS = "the optimizer's step jumps or has a kink in a slot, and the noise is discrete: no lattice resolves that"


def places(carrier):
    """Return at how many places the rule of the noise is split: 0 where the optimizer's step is smooth in it.

    Atoms are no rule to split: there the step must be smooth in its slots.

    Parameters
    ----------
    carrier : transport_law.Carrier

    Raises
    ------
    Unserved
        There are more than `transport_split` finds, or atoms and a jump meet.
    """
    scales, logs, last = carrier.scales, carrier.logs, carrier.problem.steps - 1
    points = (scales.low, 0.5 * (scales.low + scales.high), scales.high)
    points = [[math.exp(x) if log else x for x, log in zip(point, logs, strict=True)] for point in points]
    looked = [(0, carrier.coordinate.state), *((last, point) for point in (carrier.coordinate.state, *points))]
    if carrier.is_discrete:
        if not all(_is_smooth_at_atoms(carrier, step, state) for step, state in looked):
            raise Unserved(AT_ATOMS)
        return 0
    if all(_is_smooth_in_noise(carrier.by_zeta, step, state) for step, state in looked):
        return 0
    law = carrier.problem.law
    found = [breaks(carrier.chain(law), step, state) if law.gaussians == 1 else None for step, state in looked]
    if None in found:
        raise Unserved(JUMPS)
    return max(found)


def expected(carrier):
    """Return at how many places the rule will probably be split: 1 where the first step is not smooth; no law is asked.

    For an estimate of the work; `places` looks where pilots have been.
    """
    return 0 if carrier.is_discrete or _is_smooth_in_noise(carrier.by_zeta, 0, carrier.coordinate.state) else 1


def _is_smooth_in_noise(move, step, state):
    """Return whether a step from a state is smooth in the noise in every slot."""
    return all(
        smoothness(lambda z, slot=slot: transport.after(move, step, state, z)[slot], -_NOISE, _NOISE) in _SMOOTH
        for slot in range(move.slots)
    )


def _is_smooth_at_atoms(carrier, step, state):
    """Return whether a step is smooth in every slot of a state, where pilots have been, at every atom of the noise."""
    move, scales, logs = carrier.by_zeta, carrier.scales, carrier.logs
    widths = 3.0 * scales.deviation + least(scales, logs)

    def along(x, moved, atom, read):
        states = np.repeat(np.asarray(state)[:, None], len(x), axis=1)
        states[moved] = np.exp(x) if logs[moved] else x
        return transport.after(move, step, states, np.full(len(x), atom))[read]

    return all(
        smoothness(
            lambda x, which=(moved, atom, read): along(x, *which),
            scales.low[moved] - widths[moved],
            scales.high[moved] + widths[moved],
        )
        in _SMOOTH
        for moved in range(len(logs))
        for atom in carrier.noise(PILOT).values[0].tolist()
        for read in range(len(logs))
    )
