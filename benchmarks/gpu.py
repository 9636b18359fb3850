"""How fast is a step of RMSprop on the GPU, beside the CPU? ps per trajectory and step; without a GPU, a model.

    python benchmarks/gpu.py

With a GPU: the same chunks on both, transfers included, first call apart, and how far the sums differ. Without one:
machine instructions a step and registers (needs the extra gpu-test), and the throughput that they allow.
"""

import platform
import statistics
import time

import alone
import machine_code
import numba
import numpy as np

import ngos_sim as ns
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.cuda import engine as cuda
from ngos_sim.engines.cuda import package as cuda_package
from ngos_sim.engines.program import CHUNK

STEPS, RUNS, CHUNKS = 4096, 5, 1024
PRECISIONS = ("f32", "mix", "f64")
# multiprocessors, clock in GHz, registers and warp instructions a clock of each: H100 SXM, A100 SXM
GPUS = {"sm_90": ("H100", 132, 1.755), "sm_80": ("A100", 108, 1.41)}
ISSUE, FILE, THREADS, BLOCK = 128, 65536, 2048, 128  # thread instructions a clock; registers; threads; of a block


def program():
    return alone.program(ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), [1.2, 1.4], 2.0**-4, STEPS)


def timed(run):
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


def measured():
    """Print the time of a step on both devices and the largest relative difference of their sums."""
    print(f"{CHUNKS * CHUNK} trajectories x {STEPS} steps")
    print(f"{'':<6}{'GPU ps':>10}{'CPU ps':>10}{'CPU/GPU':>10}{'first, s':>10}{'differ':>10}")
    steps = CHUNKS * CHUNK * STEPS
    for precision in PRECISIONS:
        runs = {
            "gpu": lambda precision=precision: cuda.run(*program(), 0, CHUNKS, precision=precision),
            "cpu": lambda precision=precision: cpu.run(*program(), 0, CHUNKS // 16, precision=precision),
        }
        first, sums = timed(runs["gpu"])
        timed(runs["cpu"])
        times = {name: statistics.median(timed(run)[0] for _ in range(RUNS)) for name, run in runs.items()}
        expected = runs["cpu"]().sums
        differ = np.max(np.abs(sums.sums[: len(expected)] / expected - 1.0))
        gpu, host = times["gpu"] / steps * 1e12, times["cpu"] / (steps / 16) * 1e12
        print(f"{precision:<6}{gpu:10.2f}{host:10.0f}{host / gpu:10.0f}{first:10.2f}{differ:10.1e}")


def modelled():
    """Print instructions a step, registers, occupancy and the throughput at full issue: a bound, not a time."""
    print(f"no GPU: {cuda_package.missing()}")
    print(f"{'':<12}{'instructions':>14}{'registers':>11}{'occupancy':>11}{'ps a step, at best':>20}")
    for precision in PRECISIONS:
        kernel = cuda.Kernel(*program(), precision)
        text = machine_code.ptx(kernel.function, precision)
        for architecture, (name, processors, clock) in GPUS.items():
            usage = machine_code.assemble(text, architecture)
            step = machine_code.step(usage.cubin)
            blocks = FILE // (-(-usage.registers // 8) * 8 * BLOCK)
            best = step.executed / (ISSUE * processors * clock) * 1e3
            share = blocks * BLOCK / THREADS
            print(f"{precision:<5}{name:<7}{step.executed:14.1f}{usage.registers:11d}{share:11.0%}{best:20.2f}")


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, Numba {numba.__version__}, {platform.machine()}")
    modelled() if cuda_package.missing() or cuda_package.simulated() else measured()
