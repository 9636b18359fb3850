"""How good is a plan? Seconds, standard errors and memory of five studies, planned and then run.

    python benchmarks/plan.py [--scale 1.0] [--cpu]

One line a study, of a process each: what the pilot took, what it foresaw of the run's seconds (set-up and reading
included, compilation not), and what the run took; standard errors found over planned, least and greatest; bytes of
arrays planned and, in a second run, at their peak by tracemalloc. Seconds are of the machine as it is, quiet or not;
with --cpu they are those of one processor that a single thread has had, which others on the machine hardly move.
"""

import argparse
import subprocess
import sys
import time
import tracemalloc

import numpy as np

import ngos_sim as ns


def _quadratic(d):
    return ns.NGOS(ns.quadratic(np.linspace(0.5, 2.0, d)))


def local():
    """RMSprop on a quadratic by the local estimator: 6 step sizes."""
    sizes = [2.0**-k for k in range(3, 9)]
    functions = ["theta[0]", "sqnorm(theta)"]
    return _study(_quadratic(2), eta2=sizes, test_functions=functions), 200_000


def coupled():
    """The same functions in 10 coordinates on one stream, the SDE integrated."""
    sizes, functions = [2.0**-k for k in range(3, 7)], [f"theta[{i}]^2" for i in range(10)]
    return _study(_quadratic(10), eta2=sizes, test_functions=functions, estimator="coupled"), 100_000


def everywhere():
    """Errors at every one of 512 steps."""
    return _study(_quadratic(2), eta2=2.0**-9, test_functions=["theta[0]"], times="all", estimator="coupled"), 200_000


def own():
    """A user's function, with a companion; a step size apart each."""
    function = ns.TestFunction("angle", _angle)
    return _study(
        _quadratic(2), eta2=[2.0**-4, 2.0**-6], test_functions=[function], estimator="control_variate"
    ), 1_000_000


def _angle(x):
    return np.sin(x[0]) * x[1]


def svag():
    """SVAG with four ell against the Adam SDE."""
    optimizer = ns.svag(ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), ell=[1, 2, 4])
    return _study(_quadratic(2), optimizer, eta2=2.0**-4, test_functions=["theta[0]"], estimator="independent"), 300_000


STUDIES = {each.__name__: each for each in (local, coupled, everywhere, own, svag)}


def _study(oracle, optimizer=None, **settings):
    optimizer = optimizer or ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3)
    return ns.ConvergenceStudy(
        oracle, optimizer, sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), horizon=1.0, **settings
    )


def line(name, scale, threads=None):
    """Plan a study, run it, and return a line of the table."""
    study, trajectories = STUDIES[name]()
    trajectories = int(scale * trajectories)
    begin = time.perf_counter()
    planned = study.plan(trajectories, seed=1, threads=threads)
    pilot = time.perf_counter() - begin - planned.attrs["compilation"]
    found = study.run(trajectories, seed=2, threads=threads).plan
    tracemalloc.start()
    study.run(trajectories // 4)
    held, foreseen = tracemalloc.get_traced_memory()[1], study.plan(trajectories // 4).attrs["memory"]
    ratios = found.table.ratio
    return (
        f"{name:<11}{pilot:7.1f} {found.planned_seconds:9.1f} {found.seconds:7.1f} {found.ratio:7.2f}"
        f"{ratios.min():10.2f} .. {ratios.max():.2f} {foreseen / 1e6:9.1f} {held / 1e6:6.1f} {foreseen / held:7.2f}"
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the trajectories")
    parser.add_argument("--only", choices=STUDIES, help="in this process")
    parser.add_argument("--cpu", action="store_true", help="count seconds of one processor")
    asked = parser.parse_args()
    if asked.only:
        if asked.cpu:
            time.perf_counter = time.process_time  # the clock of the whole package
        print(line(asked.only, asked.scale, 1 if asked.cpu else None), flush=True)
        return
    print("study      pilot s  planned s  took s   ratio  std errors       planned MB   held   ratio", flush=True)
    for name in STUDIES:
        subprocess.run(
            [sys.executable, __file__, "--only", name, "--scale", str(asked.scale), *["--cpu"] * asked.cpu], check=True
        )


if __name__ == "__main__":
    main()
