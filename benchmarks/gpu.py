"""How fast is a step on the GPU, beside the CPU? ps per trajectory, step and coordinate; without a GPU, a model.

    python benchmarks/gpu.py [case ..]

With a GPU: the same chunks on both, transfers included, the first call apart, of which the compiler takes nearly all;
the kernel alone; and the rest of a call: transfers, and sums of blocks added on the host. Steps are those of every
process, the fine ones of an SDE too. Without a GPU: machine instructions a step and registers (needs the extra
gpu-test), and the throughput that they allow.
"""

import platform
import statistics
import sys
import time

import alone
import machine_code
import numba
import numpy as np

import ngos_sim as ns
from ngos_sim.engines import processors
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cuda import engine as cuda
from ngos_sim.engines.cuda import package as cuda_package
from ngos_sim.engines.program import BLOCK, BLOCKS, cost
from ngos_sim.estimators import choose
from ngos_sim.estimators.assembly import Part, assemble, observables
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies.problems import problems

STEPS, RUNS, CHUNKS, FEWER = 4096, 5, 1024, 16  # the CPU runs every sixteenth chunk
PRECISIONS = ("f32", "mix", "f64")
# multiprocessors, clock in GHz, registers and warp instructions a clock of each: H100 SXM, A100 SXM
GPUS = {"sm_90": ("H100", 132, 1.755), "sm_80": ("A100", 108, 1.41)}
ISSUE, FILE, THREADS = 128, 65536, 2048  # thread instructions a clock; registers; threads
CONSTANTS = dict(sigma0=0.8, eps0=0.1, c2=1.3)


def program():
    return alone.program(ns.rmsprop(**CONSTANTS), [1.2, 1.4], 2.0**-4, STEPS)


def adam():
    return alone.program(ns.adam(c1=2.0, **CONSTANTS), [1.2, -0.4, 1.4], 2.0**-4, STEPS)


def oracle(d, is_full):
    """Return a quadratic loss with a Hessian and a covariance that are full matrices, or diagonal."""
    i = np.arange(d)
    decay = 0.5 ** np.abs(i[:, None] - i)
    return ns.NGOS(ns.quadratic(0.9 * decay), 0.5 * decay) if is_full else ns.NGOS(ns.quadratic([0.9] * d))


def coupled(d=1, is_full=False, steps=STEPS // 8, levels=(1, 2, 4)):
    """Return RMSprop beside its SDE, integrated with 1, 2 and 4 steps to one of RMSprop's: what coupling runs."""
    rule, eta2 = ns.rmsprop(**CONSTANTS), 2.0**-9
    processes = [(rule, 1), *((euler_maruyama(ns.rmsprop_sde(), rule), level) for level in levels)]
    parts = [Part(each, ns.gaussian(), level, eta2, 0.8 / eta2**0.5) for each, level in processes]
    start, records = np.tile([1.2, 1.4], (d, 1)), np.array([steps])
    observed = observables(oracle(d, is_full), ["theta[0]", "u[0]"], rule.slots, d, records)
    return assemble(oracle(d, is_full), parts, np.eye(len(parts)), observed, start, eta2, 0.0, records, 7)


def local():
    """Return what the local estimator runs for RMSprop: in float64 throughout, but for normals in mix."""
    settings = dict(initial=dict(theta=1.2, u=1.4), test_functions=["theta[0]"], eta2=[2.0**-9], horizon=2.0)
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)), ns.rmsprop(**CONSTANTS), ns.rmsprop_sde(), estimator="local", **settings
    )
    (job,) = choose.plans(study.served, problems(study, 7)[0])[0].plan.jobs
    return job.program, job.inputs


CASES = {  # the chunks of each: of a whole GPU's many launches, none of over a second
    "rmsprop": (program, CHUNKS),
    "adam": (adam, CHUNKS),
    "coupled": (coupled, CHUNKS),
    "local": (local, CHUNKS),
    "d = 64": (lambda: coupled(64, False, 128, ()), CHUNKS // 4),
    "20 x 20": (lambda: coupled(20, True, 128, ()), CHUNKS),
    "64 x 64": (lambda: coupled(64, True, 64, ()), CHUNKS // 4),
}


def timed(run):
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def median(run):
    return statistics.median(timed(run)[0] for _ in range(RUNS))


def launcher(program, inputs, precision, chunks):
    """Return a function that launches the kernel on arrays that are on the device, and waits for it."""
    from numba import cuda as numba_cuda

    kernel = cuda.Kernel(program, inputs, precision)
    given = [numba_cuda.to_device(each) for each in (*kernel.arguments, *kernel.room(chunks))]

    def launch():
        cuda._launched(kernel)[chunks * BLOCKS, BLOCK](kernel.key, 0, *given)
        numba_cuda.synchronize()

    return launch


def measured(cases):
    """Print the time of a step on both devices and the largest relative difference of their sums."""
    print(f"{CHUNKS} chunks, {processors.available()} CPU threads; ps per trajectory, step and coordinate")
    heads = ("kernel", "call", "CPU", "CPU/call", "call, ms", "rest, ms", "first, s", "CPU's, s", "differ")
    print(f"{'':<14}" + "".join(f"{head:>10}" for head in heads))
    for name in cases:
        make, chunks = CASES[name]
        for precision in PRECISIONS:
            if name == "local" and precision == "f32":
                continue
            given, fewer = make(), max(1, chunks // FEWER)
            first, found = timed(lambda: cuda.run(*given, 0, chunks, precision=precision))  # noqa: B023
            first_cpu, expected = timed(lambda: cpu.run(*given, 0, fewer, precision=precision))  # noqa: B023
            call = median(lambda: cuda.run(*given, 0, chunks, precision=precision))  # noqa: B023
            kernel = median(launcher(*given, precision, chunks))
            host = median(lambda: cpu.run(*given, 0, fewer, precision=precision))  # noqa: B023
            steps = cost(*given)
            total, values = found.sums[:fewer, ..., 0], expected.sums[..., 0]
            differ = np.max(np.abs(total / values - 1.0))
            times = [1e12 * kernel / (chunks * steps), 1e12 * call / (chunks * steps), 1e12 * host / (fewer * steps)]
            print(
                f"{name:<9}{precision:<5}{times[0]:10.2f}{times[1]:10.2f}{times[2]:10.0f}{times[2] / times[1]:10.0f}"
                f"{1e3 * call:10.1f}{1e3 * (call - kernel):10.1f}{first:10.2f}{first_cpu:10.2f}{differ:10.1e}",
                flush=True,
            )


def modelled():
    """Print instructions a step, registers, occupancy and the throughput at full issue: a bound, not a time."""
    print(f"{'':<12}{'instructions':>14}{'registers':>11}{'occupancy':>11}{'ps a step, at best':>20}")
    for precision in PRECISIONS:
        kernel = cuda.Kernel(*program(), precision)
        text = machine_code.ptx(kernel.function, precision)
        for architecture, (name, count, clock) in GPUS.items():
            usage = machine_code.assemble(text, architecture)
            step = machine_code.step(usage.cubin)
            blocks = FILE // (-(-usage.registers // 8) * 8 * BLOCK)
            best = step.executed / (ISSUE * count * clock) * 1e3
            share = blocks * BLOCK / THREADS
            print(f"{precision:<5}{name:<7}{step.executed:14.1f}{usage.registers:11d}{share:11.0%}{best:20.2f}")


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, Numba {numba.__version__}, {platform.machine()}")
    if cuda_package.missing() or cuda_package.simulated():
        print(f"no GPU: {cuda_package.missing() or 'a simulator'}")
    else:
        measured(sys.argv[1:] or CASES)
    if machine_code.disassembler() is not None:
        modelled()
