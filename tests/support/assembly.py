"""The assembly of the kernels' functions, compiled afresh."""

from numba import njit, types

from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cpu import lanes

REAL = {"mix": types.float32, "f64": types.float64}


def assembly(kernel, *arguments):
    fresh = njit(error_model="numpy", no_cpython_wrapper=True)(kernel.py_func)
    fresh.compile(arguments)
    (text,) = fresh.inspect_asm().values()
    return text


def row(program, inputs, precision, which=0):
    """Return the assembly of one process's update loop over the lanes."""
    tag = cpu.step(program.processes[which], inputs.processes[which], precision)._numba_type_
    return assembly(lanes.row.kernel, tag, *lanes.row.types(REAL[precision], types.float64))
