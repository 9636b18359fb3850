"""How long does a step of RMSprop take, beside the same step in NumPy? ns per trajectory, step and coordinate.

    taskset -c 0 python benchmarks/rmsprop_kernel.py

One thread; the first call (which compiles, or loads) is reported apart; medians of 7 runs, interleaved.
"""

import platform
import statistics
import time

import numba
import numpy as np

import ngos_sim as ns
from ngos_sim.engines import cpu
from ngos_sim.engines.program import CHUNK
from ngos_sim.studies.assemble import Part, assemble, observables

STEPS, RUNS, LANES = 512, 7, 4096
SIGMA0, EPS0, C2, HESSIAN, ETA2 = 0.8, 0.1, 1.3, 0.9, 2.0**-9


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ours(dimension, precision, noise):
    """Return (a run of the kernel, how many steps it takes)."""
    chunks = max(1, 16 // dimension)
    oracle, rule, records = ns.NGOS(ns.quadratic(HESSIAN), noise=noise), ns.rmsprop(SIGMA0, EPS0, C2), np.array([STEPS])
    parts = [Part(rule, noise, 1, ETA2, SIGMA0 / ETA2**0.5)]
    observed = observables(oracle, ["theta[0]"], rule.slots, dimension, records)
    start = np.tile([1.2, 1.0], (dimension, 1))
    program, inputs = assemble(oracle, parts, np.eye(1), observed, start, ETA2, 0.0, records, 7)
    kernel = cpu.Kernel(program, inputs, precision)
    return lambda: kernel.chunks(0, chunks), chunks * CHUNK * STEPS * dimension


def numpys(dimension):
    """Return (the same in NumPy, float64, best block size; Gaussian noise; how many steps)."""
    rng = np.random.default_rng(0)
    shape = (LANES // dimension, dimension)

    def run():
        theta, u = np.full(shape, 1.2), np.ones(shape)
        for _ in range(STEPS):
            z, f = rng.standard_normal(shape), HESSIAN * theta
            theta = theta - (ETA2 * f + ETA2**0.5 * SIGMA0 * z) / (SIGMA0 * np.sqrt(u) + EPS0)
            u = u + C2 * ETA2 * ((z + ETA2**0.5 / SIGMA0 * f) ** 2 - u)

    return run, LANES * STEPS


def main():
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}, {platform.machine()}"
    )
    for dimension in (1, 8):
        cases = {"NumPy f64": numpys(dimension)}
        for precision in ("mix", "f64"):
            for noise in (ns.gaussian(), ns.uniform(), ns.two_point(skewness=1.5)):
                cases[f"ours {precision}, {noise.name}"] = ours(dimension, precision, noise)
        first = {name: timed(run) for name, (run, _) in cases.items()}
        times = {name: [] for name in cases}
        for _ in range(RUNS):
            for name, (run, steps) in cases.items():
                times[name].append(timed(run) / steps * 1e9)
        peer = statistics.median(times["NumPy f64"])
        print(f"\nd = {dimension:<24}{'ns':>8}{'NumPy / this':>14}{'first call, s':>15}")
        for name, each in times.items():
            middle = statistics.median(each)
            print(f"{name:<28}{middle:8.2f}{peer / middle:14.1f}{first[name]:15.2f}")


if __name__ == "__main__":
    main()
