"""A block of each program in the block emulator, in Numba's simulator and on the CPU engine: the sums are equal.

Run with NUMBA_ENABLE_CUDASIM=1, which Numba reads when it is imported. One process does both, as both need the
same functions compiled, and the emulator goes first: while anything compiles the simulator spins.

    NUMBA_ENABLE_CUDASIM=1 python -m tests.gpu.blocks
"""

import sys

import numpy as np
from numba import cuda

from ngos_sim.engines.cuda.engine import Kernel
from ngos_sim.engines.program import BLOCK
from tests.gpu import emulator, patience  # noqa: F401
from tests.support import families, programs

FIRST = 1024  # a trajectory


def written(kernel, launch):
    """Return what one block writes: sums (records, functions, observables, 2); launch : function (inputs, outputs)."""
    sums, bad = (each[:1] for each in kernel.room(1))
    launch((kernel.key, FIRST, *kernel.arguments), (sums, bad))
    assert not bad.any()
    return sums.reshape(kernel.sums)


def emulated(kernel, order="forward"):
    """Return what one block writes in the emulator."""
    made_in = sys.modules[kernel.function.__module__]
    return written(kernel, lambda *arrays: emulator.launch(made_in, kernel.function, 1, BLOCK, *arrays, order))


def simulated(kernel):
    """Return what one block writes in Numba's simulator."""
    return written(kernel, lambda inputs, outputs: cuda.jit(kernel.function)[1, BLOCK](*inputs, *outputs))


def main():
    """Compare, and print what a test looks for."""
    for name, program in families.simulated().items():
        kernel = Kernel(*program, "f64", plain=True)
        expected = programs.block_sums(*program, "f64", FIRST // BLOCK)
        for run in (emulated, simulated):
            np.testing.assert_array_equal(run(kernel), expected, err_msg=f"{name}, {run.__name__}")
        print(name)


if __name__ == "__main__":
    main()
