"""Where a program runs: the engine of each device, what it computes in, and which one "auto" takes."""

from numba import config

from ngos_sim.engines import processors, python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cuda import limits
from ngos_sim.errors import EngineUnavailable
from ngos_sim.validation import choice

PRECISIONS = {"cpu": ("mix", "f64"), "cuda": ("mix", "f64", "f32"), "auto": ("mix", "f64"), "python": ("f64",)}
# Process steps, over coordinates and trajectories, of one CPU core in the 3 s in which one GPU kernel compiles: an H100
# and its host, RMSprop in mix.
_COMPILATION = 1e9


def checked(device, precision):
    """Return the precision, the device's default for None.

    Raises
    ------
    ValueError
        An unknown device, or a precision that it does not compute in.
    EngineUnavailable
        device is "cuda" and kernels cannot be launched here; or NUMBA_DISABLE_JIT is set, and it is not "python".
    """
    choice("device", device, PRECISIONS)
    precision = precision or PRECISIONS[device][0]
    if precision not in PRECISIONS[device]:
        raise ValueError(f"precision={precision!r}; allowed on {device}: {', '.join(PRECISIONS[device])}")
    if config.DISABLE_JIT and device != "python":
        raise EngineUnavailable(
            f"device={device!r}: NUMBA_DISABLE_JIT={config.DISABLE_JIT} turns compilation off; "
            "unset it, or take device='python', which compiles nothing"
        )
    if device == "cuda":
        from ngos_sim.engines.cuda import package as cuda_package

        cuda_package.require()
    return precision


def chosen(device, steps, kernels, threads, programs=()):
    """Return the device itself; for "auto" the GPU where it can run this and gains over the CPU, else "cpu".

    Parameters
    ----------
    device : str
    steps : float
        Process steps, over coordinates and trajectories, of all that will be run.
    kernels : int
        How many must be compiled for it, at most.
    threads : int or None
        As in `cpu.run`.
    programs : iterable of Program
        Those that will be run.

    Raises
    ------
    EngineUnavailable
        device is "cuda", and it does not run one of the programs.
    """
    if device not in ("auto", "cuda"):
        return device
    refusal = next(filter(None, map(limits.refusal, programs)), "")
    if device == "cuda":
        if refusal:
            raise EngineUnavailable(f"device='cuda': {refusal}; device='cpu' runs it")
        return device
    if refusal or steps < _COMPILATION * kernels * (threads or processors.available()):
        return "cpu"
    from ngos_sim.engines.cuda import package as cuda_package

    return "cpu" if cuda_package.simulated() or cuda_package.missing() else "cuda"


def run(device, program, inputs, first, count, *, precision, threads=None, progress=None):
    """Run chunks first .. first + count - 1 on a device; see `cpu.run`."""
    if device == "python":
        return python.run(program, inputs, first, count)
    if device == "cuda":
        from ngos_sim.engines.cuda import engine as cuda

        return cuda.run(program, inputs, first, count, precision=precision, progress=progress)
    return cpu.run(program, inputs, first, count, precision=precision, threads=threads, progress=progress)
