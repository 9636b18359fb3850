"""What the GPU does not run: `engines.devices` asks before a device is chosen, `engines.cuda.engine` before a kernel.

It imports nothing of CUDA, so that this is said where there is no GPU as well.
"""

from ngos_sim.engines.fields import DataField


def refusal(program):
    """Return what of a program the GPU does not run, one clause; an empty string where it runs it."""
    fields = [process.field for process in program.processes]
    if any(isinstance(field, DataField) and not field.replacement for field in fields):
        return "minibatches without replacement do not run on the GPU"
    return ""
