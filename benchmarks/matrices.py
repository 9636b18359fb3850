"""How fast is the product with a matrix Hessian or covariance, beside NumPy's BLAS? And a step with both?

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python benchmarks/matrices.py

One thread; medians of 7 rounds, interleaved. Rates in Gflop/s: the engine's product for 128 trajectories, whose rows
are every second row of the state, and NumPy's of (d, d) with (d, 1024). Steps of RMSprop in ns per trajectory, step
and coordinate: with a diagonal Hessian and covariance, and with matrices.
"""

import statistics

import numpy as np
from numba import njit
from throughput import ROUNDS, ours, timed

import ngos_sim as ns
from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu.product import product
from ngos_sim.engines.program import BLOCK
from ngos_sim.estimators.assembly import Part, assemble, observables

FLOPS = 2e8  # of one timing
STEPS, ETA2 = 256, 2.0**-9


@njit
def repeated(tag, out, matrix, x, stride, d, times):
    for _ in range(times):
        product(tag, out, matrix, x, np.uint64(0), stride, d)


def products(d, kind):
    """Return medians of the rates of the engine's product and of NumPy's."""
    generator = np.random.default_rng(0)
    matrix, x = generator.standard_normal((d, d)).astype(kind), generator.standard_normal((2 * d, BLOCK)).astype(kind)
    wide, into = generator.standard_normal((d, 8 * BLOCK)).astype(kind), np.empty((d, 8 * BLOCK), kind)
    tag, flops = bind(rng.normals, "f64"), 2 * d * d * BLOCK
    times = max(8, int(FLOPS / flops))
    given = (tag, np.empty(d * BLOCK, kind), matrix.ravel(), x.ravel(), np.uint64(2 * BLOCK), np.uint64(d))
    cases = {
        "engine": lambda: repeated(*given, times),
        "numpy": lambda: [np.dot(matrix, wide, out=into) for _ in range(times // 8)],
    }
    for run in cases.values():
        run()
    rounds = [[timed(run) for run in cases.values()] for _ in range(ROUNDS)]
    engine, numpy = (statistics.median(each) for each in zip(*rounds, strict=True))
    return flops * times / engine / 1e9, flops * 8 * (times // 8) / numpy / 1e9


def step(d, precision, dense):
    """Return a run of RMSprop and its trajectory-step-coordinates."""
    generator = np.random.default_rng(0)
    root = generator.standard_normal((2, d, d)) / d**0.5
    hessian, covariance = (0.5 * (each @ each.T) + 0.5 * np.eye(d) for each in root)
    oracle = ns.NGOS(ns.quadratic(hessian), covariance) if dense else ns.NGOS(ns.quadratic(np.diag(hessian)))
    rule, records = ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), np.array([STEPS])
    observed = observables(oracle, ["theta[0]"], rule.slots, d, records)
    part = Part(rule, ns.gaussian(), 1, ETA2, 0.8 / ETA2**0.5)
    start = np.tile([1.2, 1.0], (d, 1))
    return ours(*assemble(oracle, [part], np.eye(1), observed, start, ETA2, 0.0, records, 7), precision)


def main():
    """Print one line a dimension and precision."""
    for d in (8, 16, 64):
        for precision, kind in (("mix", np.float32), ("f64", np.float64)):
            engine, numpy = products(d, kind)
            cases = [step(d, precision, dense) for dense in (False, True)]
            for run, _ in cases:
                run()
            rounds = [[timed(run) / steps * 1e9 for run, steps in cases] for _ in range(ROUNDS)]
            diagonal, dense = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(
                f"d = {d:<2} {np.dtype(kind).name}: product {engine:.0f} Gflop/s, NumPy {numpy:.0f}, "
                f"ratio {engine / numpy:.2f}; a step in {precision}: diagonal {diagonal:.2f} ns, dense {dense:.2f} ns"
            )


if __name__ == "__main__":
    main()
