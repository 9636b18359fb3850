"""Samples without replacement: an order of all of them for each lane and epoch, by Fisher and Yates' shuffle.

Sample number k of a trajectory is at place i = k mod n of its epoch, and is any of the n - i that the epoch has not
had, with equal chance: word k says which. So it depends on the words of its epoch alone, whatever the batch. An order
of a lane is n numbers of 32 bits: 512 n bytes a process and thread. `engines.cpu.minibatch` calls `reshuffle`.
"""

import numpy as np

from ngos_sim.engines.compiling.numba_internals import njit
from ngos_sim.engines.compiling.primitives import KERNEL, keep_apart
from ngos_sim.engines.program import BLOCK

_L, _HALF = np.uint64(BLOCK), np.uint64(32)


@njit(**KERNEL)
def reshuffle(library, samples, begin, rows, first, n, orders, place):
    """Put samples in the place of `rows` rows of words, from number `first` on; rows must come in their order.

    orders, place : n rows of the process, each of a lane's numbers, and the first of them. At place i of an epoch the
        rows from i on hold what the epoch has not had; a new epoch begins with 0, 1, ..
    """
    keep_apart()
    for r in range(rows):
        i = (first + r) % n
        if i == np.uint64(0):
            for row in range(n):
                for lane in range(_L):
                    orders[place + row * _L + lane] = row
        here = place + i * _L
        for lane in range(_L):
            at = begin + r * _L + lane
            there = here + ((np.uint64(samples[at]) * (n - i)) >> _HALF) * _L + lane
            samples[at] = orders[there]
            orders[there] = orders[here + lane]
