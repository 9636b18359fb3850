"""The same trajectories at "f64" and at "mix": same words, same angles.

The angles of `rng.box_muller32` lie half a turn from those of `rng.box_muller` at the same word: that is a
permutation of the words, so the law is the same, but trajectories pair only where both read one of them.
"""

from unittest.mock import patch

import numpy as np

from ngos_sim.engines import rng
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.rng import box_muller

_HALF_TURN = np.uint64(1 << 30)  # of x in [-1/2, 1/2), in units of 2^-31


def at_mix_angles(a, b):
    """Return `rng.box_muller` at the angle of `rng.box_muller32`."""
    return box_muller(a, b ^ _HALF_TURN)


def differences(program, inputs, blocks):
    """Return mix - f64 of each trajectory's last record and process, and f64 itself: (functions, trajectories)."""
    mix = cpu.Kernel(program, inputs, "mix")
    with patch.object(rng, "box_muller", at_mix_angles):
        f64 = cpu.Kernel(program, inputs, "f64")
    pairs = [(mix.block(i)[-1, :, -1], f64.block(i)[-1, :, -1]) for i in range(blocks)]
    found, wanted = (np.concatenate(parts, axis=-1) for parts in zip(*pairs, strict=True))
    return found - wanted, wanted
