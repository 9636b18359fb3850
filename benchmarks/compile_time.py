"""How long is the first result away? A study's first run where nothing is compiled, and where some is.

    python benchmarks/compile_time.py

Each row is a process of its own, three times over; medians. The study is RMSprop against its SDE, 1,024 trajectories
of at most 8 steps, by the coupled estimator, so that nearly all of the time is compilation or reading its cache.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3
CODE = """
import time
start = time.perf_counter()
import ngos_sim as ns
from ngos_sim import preconditioner
imported = time.perf_counter()

def step(x, o, z, c, p):
    theta, u = x
    d, w = c[0] * o.gradient + c[1] * z, z + c[2] * o.gradient
    return theta - d * preconditioner(u, p.sigma0, p.eps0), u + p.c2 * c[0] * (w * w - u)

constants = dict(sigma0=0.8, eps0=0.1, c2=C2)
own = ns.Optimizer("own", step, ("theta", "u"), **constants)
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic(0.9)), own if OWN else ns.rmsprop(**constants), sde=ns.rmsprop_sde(),
    initial=dict(theta=1.2, u=1.0), eta2=0.125, horizon=1.0, test_functions=["theta[0]"], estimator="coupled")
study.run(1024)
first = time.perf_counter()
study.run(1024)
again = time.perf_counter()
print(imported - start, first - imported, again - first)
"""
CASES = (  # what, whether the step is a user's own, c2; in this order each finds the one before in the cache
    ("nothing compiled", False, 1.3),
    ("the next process", False, 1.3),
    ("another number", False, 1.4),
    ("a user's step, new", True, 1.3),
    ("its next process", True, 1.3),
)


def seconds(own, c2, cache):
    """Return seconds to import, to run a study for the first time, and again, in a new process."""
    code = CODE.replace("OWN", str(own)).replace("C2", str(c2))
    script = Path(cache) / "script.py"  # functions given with -c have no file, and are compiled every time
    script.write_text(code, encoding="utf-8")
    env = {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=True)
    return [float(each) for each in done.stdout.split()]


def main():
    """Print one line a case."""
    measured = {what: [] for what, *_ in CASES}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            for what, own, c2 in CASES:
                measured[what].append(seconds(own, c2, cache))
    for what, rounds in measured.items():
        imported, first, again = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"{what:<20} import {imported:.2f} s, first run {first:.2f} s, second {again:.3f} s")


if __name__ == "__main__":
    main()
