"""The same trajectories at "f64" and at "mix": same words, same angles.

The angles of `rng.box_muller32` lie half a turn from those of `rng.box_muller` at the same word: that is a
permutation of the words, so the law is the same, but trajectories pair only where both read one of them.
"""

from unittest.mock import patch

import numpy as np

from ngos_sim.engines import cpu, rng
from ngos_sim.engines.rng import box_muller, philox4x32

_HALF_TURN = np.uint64(1 << 30)  # of x in [-1/2, 1/2), in units of 2^-31


def normals_at_mix_angles(counter, stream, low, high, k0, k1):
    """Return `rng.normals` at the angles of `rng.normals32`."""
    a, b, c, d = philox4x32(counter, stream, low, high, k0, k1)
    first, second = box_muller(a, b ^ _HALF_TURN), box_muller(c, d ^ _HALF_TURN)
    return first[0], first[1], second[0], second[1]


def differences(program, inputs, blocks):
    """Return mix - f64 of each trajectory's last record and process, and f64 itself: (functions, trajectories)."""
    mix = cpu.Kernel(program, inputs, "mix")
    with patch.object(rng, "normals", normals_at_mix_angles):
        f64 = cpu.Kernel(program, inputs, "f64")
    pairs = [(mix.block(i)[-1, :, -1], f64.block(i)[-1, :, -1]) for i in range(blocks)]
    found, wanted = (np.concatenate(parts, axis=-1) for parts in zip(*pairs, strict=True))
    return found - wanted, wanted
