"""Does it scale? Threads, with the same bits; and trajectories to 1e8, in time and memory.

    python benchmarks/scaling.py

RMSprop on a quadratic loss, d = 1, precision mix; one thread and all of them in turn, medians of 7 rounds. Then a
whole study of 8 steps at growing numbers of trajectories, with the most memory that the process has had so far.
"""

import resource
import statistics
import time

import numpy as np
from throughput import ROUNDS, rules, timed

import ngos_sim as ns
from ngos_sim.engines import processors
from ngos_sim.engines.cpu import engine as cpu

CHUNKS = 2000


def threads():
    """Print how much faster all processors are than one."""
    program, inputs = rules(1)["rmsprop"]
    many = processors.available()
    sums = {count: cpu.run(program, inputs, 0, 16, threads=count).sums for count in (1, many)}
    times = {count: [] for count in sums}
    for _ in range(ROUNDS):
        for count, each in times.items():
            each.append(timed(lambda count=count: cpu.run(program, inputs, 0, CHUNKS, threads=count)))
    one, all_of_them = (statistics.median(each) for each in times.values())
    same = np.array_equal(*sums.values())
    print(f"{many} threads: {one / all_of_them:.2f} times as fast as one, {'the same bits' if same else 'OTHER BITS'}")


def trajectories():
    """Print seconds and memory of a study at growing numbers of trajectories."""
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=0.125,
        horizon=1.0,
        test_functions=["theta[0]"],
        estimator="coupled",
    )
    study.run(1024)
    for power in (4, 5, 6, 7, 8):
        start = time.perf_counter()
        (row,) = study.run(10**power).table.tail(1).itertuples()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = time.perf_counter() - start
        print(f"1e{power} trajectories: {seconds:.2f} s, {most:.0f} MB, error {row.error:.6f} ({row.std_error:.1e})")


if __name__ == "__main__":
    threads()
    trajectories()
