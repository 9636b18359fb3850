"""A few hundred trajectories of one coordinate: where its slots are and how far they spread, to size what carries laws.

Nothing else hangs on them: how many there are and which noise they had changes no mean by more than its uncertainty.
"""

import math
from typing import NamedTuple

import numpy as np

from ngos_sim.engines import transport
from ngos_sim.engines.compiling.bind import call
from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.program import BLOCK

COUNT = 4 * BLOCK
_SPAN = 256  # steps whose noise is drawn at once


class Scales(NamedTuple):
    """Of every slot, as its logarithm where it is one, over all steps: shape (slots,) each.

    deviation : the greatest standard deviation
    low, high : the least and the greatest value
    """

    deviation: np.ndarray
    low: np.ndarray
    high: np.ndarray


def least(scales, logs):
    """Return the least width of each slot: a millionth of its size, of a logarithm and of one that is always 0 of 1."""
    size = np.maximum(np.abs(scales.low), np.abs(scales.high))
    return 1e-6 * np.where(np.asarray(logs) | (size == 0.0), 1.0, size)


@njit(**KERNEL)
def _steps(tags, move, first, last, logs, draw, cumulative, uniform, thrown, scales):
    """Walk, and widen the scales; return whether all is finite."""
    keep_apart()
    deviation, low, high = scales
    for step in range(first, last):
        for n in range(COUNT):
            q = 0
            while q < len(cumulative) - 1 and uniform[step - first, n] > cumulative[q]:
                q += 1
            thrown.noise[n] = draw.values[0, q]
            if move.channels == 2:
                thrown.second[n], thrown.third[n] = draw.second[q], draw.third[q]
        transport.throw(tags, move, step, thrown, COUNT)
        for slot in range(move.slots):
            mean, squares = 0.0, 0.0
            for n in range(COUNT):
                x = thrown.states[((n // BLOCK) * move.slots + slot) * BLOCK + n % BLOCK]
                if not math.isfinite(x):
                    return False
                if logs[slot]:
                    x = call(tags.log, max(x, 1e-300))
                gap = x - mean
                mean += gap / (n + 1.0)
                squares += gap * (x - mean)
                low[slot], high[slot] = min(low[slot], x), max(high[slot], x)
            deviation[slot] = max(deviation[slot], math.sqrt(squares / COUNT))
    return True


def walk(move, state, logs, draw, steps, watch):
    """Return the Scales of COUNT trajectories, or None where one leaves the finite numbers.

    Parameters
    ----------
    move : transport.Move
    state : sequence of float
        Where all of them start.
    logs : sequence of bool
        Which slots are taken as logarithms.
    draw : transport.Draw
        One for all: what they draw from.
    steps : int
    watch : function (work)
        `Problem.watch`, called between spans of steps.
    """
    thrown = transport.room(COUNT, len(state), move.channels)
    thrown.states.reshape(-1, len(state), BLOCK)[:] = np.asarray(state)[:, None]
    begin = np.array([math.log(x) if log else x for x, log in zip(state, logs, strict=True)])
    scales = Scales(np.zeros(len(state)), begin.copy(), begin.copy())
    bits, tags = np.random.PCG64(1), transport.functions()
    flags, cumulative = np.array(logs, dtype=np.int64), np.cumsum(draw.weights[0])
    for first in range(0, steps, _SPAN):
        watch(0.0)
        last = min(first + _SPAN, steps)
        uniform = (bits.random_raw((last - first) * COUNT) >> np.uint64(11)).reshape(-1, COUNT) * 2.0**-53
        if not _steps(tags, move, first, last, flags, draw, cumulative, uniform, thrown, scales):
            return None
    return scales
