"""Numba's simulator polls its threads without a pause, which starves them: once this is imported, it pauses."""

import itertools
import time

from numba.cuda.simulator import kernel

from ngos_sim.engines.program import BLOCK

_PAUSE = 2e-4  # seconds, once a round over the threads of a block
_calls, _is_alive = itertools.count(), kernel.BlockThread.is_alive


def _after_a_pause(thread):
    if next(_calls) % BLOCK == 0:
        time.sleep(_PAUSE)
    return _is_alive(thread)


kernel.BlockThread.is_alive = _after_a_pause
