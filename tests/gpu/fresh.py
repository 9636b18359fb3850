"""A small study, and Python in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import ngos_sim as ns

ROOT = Path(__file__).parents[2]


def python(*arguments, **environment):
    """Run Python in the repository; return its stdout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def study():
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        eta2=[0.25],
        horizon=0.5,
        test_functions=["theta[0]"],
    )
