"""How long does a step take, rule by rule, beside the same step as others would write it?

    taskset -c 0 python benchmarks/throughput.py [--json]

ns per trajectory, step and coordinate; one thread; medians of 7 rounds, all of a row interleaved in one
process. Peers, in float64, have RMSprop and Euler-Maruyama of its SDE only; JAX, torch and diffrax where
they are installed, C++ (-O3, the standard library's normals) where there is a compiler.
"""

import argparse
import json
import platform
import statistics
import time

import numba
import numpy as np
import pandas as pd
import peers

import ngos_sim as ns
from ngos_sim import preconditioner
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import CHUNK, cost
from ngos_sim.oracles.svag import svag_law
from ngos_sim.processes.integrators import euler_maruyama
from ngos_sim.studies import runs
from ngos_sim.studies.assemble import Part, assemble, observables

ROUNDS, TARGET = 7, 2e7  # process steps, coordinates and trajectories of one timing
PEERS = {
    "numpy": peers.numpy_peer,
    "numba": peers.numba_peer,
    "jax": peers.jax_peer,
    "torch": peers.torch_peer,
    "diffrax": peers.diffrax_peer,
}


def own_step(x, o, z, c, p):
    """RMSprop as a user writes it, with the package's preconditioner."""
    theta, u = x
    d, w = c[0] * o.gradient + c[1] * z, z + c[2] * o.gradient
    return theta - d * preconditioner(u, p.sigma0, p.eps0), u + p.c2 * c[0] * (w * w - u)


def plain(rule, noise, dimension, start):
    """Return the program and inputs of one rule alone."""
    records, oracle = np.array([peers.STEPS]), ns.NGOS(ns.quadratic(peers.HESSIAN))
    part = Part(rule, noise, 1, peers.ETA2, peers.SIGMA0 / peers.ETA)
    observed = observables(oracle, ["theta[0]"], rule.slots, dimension, records)
    begin = np.tile([start[slot] for slot in rule.slots], (dimension, 1))
    return assemble(oracle, [part], np.eye(1), observed, begin, peers.ETA2, 0.0, records, 7)


def bundle(optimizer, sde, dimension, start, estimator):
    """Return the program and inputs of an estimator."""
    t0 = 0.5
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic([peers.HESSIAN] * dimension)),
        optimizer,
        sde=sde,
        initial={slot: start[slot] for slot in optimizer.slots} | {"t0": t0},
        eta2=peers.ETA2,
        horizon=t0 + peers.STEPS * peers.ETA2,
        times=[t0 + peers.STEPS * peers.ETA2],
        test_functions=["theta[0]"],
        estimator=estimator,
    )
    (job,) = runs.runs(study, 0, 7, study.served)[0].jobs
    return job.program, job.inputs


def rules(dimension):
    """Return {name: (program, inputs)}."""
    start = {"theta": 1.2, "m": 0.0, "u": 1.0}
    constants = {"sigma0": peers.SIGMA0, "eps0": peers.EPS0, "c2": peers.C2}
    rmsprop, adam = ns.rmsprop(**constants), ns.adam(c1=2.0, **constants)
    gaussian = ns.gaussian()
    return {
        "rmsprop": plain(rmsprop, gaussian, dimension, start),
        "user's rmsprop": plain(ns.Optimizer("own", own_step, ("theta", "u"), **constants), gaussian, dimension, start),
        "euler-maruyama": plain(euler_maruyama(ns.rmsprop_sde(), rmsprop.parameters), gaussian, dimension, start),
        "adam": plain(adam, gaussian, dimension, start),
        "svag": plain(rmsprop, svag_law(gaussian, 2.0), dimension, start),
        "two-point noise": plain(rmsprop, ns.two_point(skewness=1.5), dimension, start),
        "coupled rmsprop": bundle(rmsprop, ns.rmsprop_sde(), dimension, start, "coupled"),
        "local rmsprop": bundle(rmsprop, ns.rmsprop_sde(), dimension, start, "local"),
        "local adam": bundle(adam, ns.adam_sde(), dimension, start, "local"),
    }


def ours(program, inputs, precision):
    """Return (a run of the kernel, its trajectory-step-coordinates)."""
    kernel = cpu.Kernel(program, inputs, precision)
    chunks = max(1, round(TARGET / cost(program, inputs)))
    return lambda: kernel.chunks(0, chunks), chunks * CHUNK * peers.STEPS * program.dimension


def timed(function):
    """Return the seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def row(name, dimension, precision, program, inputs):
    """Measure one rule beside its peers, interleaved."""
    cases = {"": ours(program, inputs, precision)}
    if name in ("rmsprop", "euler-maruyama"):
        cases |= {peer: made for peer, make in PEERS.items() if (made := make(name, dimension))}
    cpp = peers.cpp_seconds(name, dimension) if len(cases) > 1 else None
    for run, _ in cases.values():
        run()
    times: dict = {peer: [] for peer in [*cases, "cpp"]}
    for _ in range(ROUNDS):
        for peer, (run, steps) in cases.items():
            times[peer].append(timed(run) / steps)
        if cpp:
            times["cpp"].append(cpp())
    found = {"rule": name, "dim": dimension, "precision": precision}
    for peer in ("", "numpy", "numba", "cpp", "jax", "torch", "diffrax"):
        each = times.get(peer)
        found[f"{peer}_ns" if peer else "ns"] = round(statistics.median(each) * 1e9, 3) if each else None
    return found


def main():
    """Print one line a rule, dimension and precision."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="one JSON array and nothing else")
    as_json = parser.parse_args().json
    rows = [
        row(name, dimension, precision, *built)
        for dimension in (1, 8, 64)
        for name, built in rules(dimension).items()
        for precision in ("mix", "f64")
    ]
    if as_json:
        print(json.dumps(rows))
        return
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}, {platform.machine()}"
    )
    print(pd.DataFrame(rows).to_string(index=False, na_rep=""))


if __name__ == "__main__":
    main()
