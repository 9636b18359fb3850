"""A block of every program in Numba's simulator and on the CPU engine, at one precision: the sums are equal.

Run with NUMBA_ENABLE_CUDASIM=1, which Numba reads when it is imported.

    python tests/gpu/simulated_programs.py f64
"""

import sys

import numpy as np
from numba import cuda

from ngos_sim.engines import cuda_kernel
from ngos_sim.engines.cuda import Kernel
from ngos_sim.engines.program import BLOCK
from tests import programs
from tests.gpu import emulator

FIRST = 1024  # a trajectory


def simulated(program, inputs, precision):
    """Return what the kernel writes for one block: sums (records, functions, observables, 2)."""
    kernel = Kernel(program, inputs, precision, plain=True)
    sums, bad = (each[:1] for each in kernel.room(1))
    inputs = (kernel.key, FIRST, *kernel.arguments)
    emulator.launch(cuda_kernel, kernel.function, 1, 1, inputs, (sums, bad))  # compiles: the simulator spins meanwhile
    sums[:] = np.nan
    cuda.jit(kernel.function)[1, BLOCK](*inputs, sums, bad)
    assert not bad.any()
    return sums.reshape(kernel.sums)


def main(precision):
    """Compare, and print what a test looks for."""
    for name, program in programs.cases().items():
        expected = programs.block_sums(*program, precision, FIRST // BLOCK)
        np.testing.assert_array_equal(simulated(*program, precision), expected, err_msg=name)
        print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
