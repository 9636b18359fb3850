"""What the GPU does not run: `engines.devices` asks before a device is chosen, `engines.cuda.engine` before a kernel.

It imports nothing of CUDA, so that this is said where there is no GPU as well.
"""


def refusal(program):
    """Return what of a program the GPU does not run, one clause; an empty string where it runs it."""
    for process in program.processes:
        if process.field is not None:
            return "no loss or covariance of all of theta, and no data, run on the GPU"
    return ""
