"""What does a part of one's own cost? Lines, time to the first result, and speed beside the built-in that it copies.

    python benchmarks/own.py

RMSprop against its SDE; of each row one part is a user's: the optimizer, the SDE, the loss, the covariance, the noise.
Compiled afresh, in a cache of this run alone. first: seconds to a study's first result, 1,024 trajectories by `coupled`
(what all studies share is compiled before). CPU, Python: a step of one trajectory of the part's process alone, in
processor time, the best of several, on the CPU the built-in's and the user's in turn. CUDA, where the extra gpu-test is
installed: machine instructions a step and registers in float32 on an H100; no GPU is needed.
"""

import inspect
import math
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np

import ngos_sim as ns
from ngos_sim.engines import python
from ngos_sim.engines.cpu import engine as cpu
from ngos_sim.engines.program import CHUNK
from ngos_sim.estimators.assembly import Part, assemble, observables
from ngos_sim.processes.integrators import euler_maruyama

CONSTANTS, START = dict(sigma0=0.8, eps0=0.1, c2=1.3), dict(theta=1.2, u=1.4)
H, STEPS, CHUNKS, ROUNDS, IN_PYTHON = 2.0**-6, 256, 8, 7, 16
GPU = "sm_90"


def step(x, o, z, c, p):
    theta, u = x
    d, w = c[0] * o.gradient + c[1] * z, z + c[2] * o.gradient
    return theta - d * ns.preconditioner(u, p.sigma0, p.eps0), u + p.c2 * c[0] * (w * w - u)


def drift(x, o, c, p):
    theta, u = x
    return -o.gradient * ns.preconditioner(u, p.sigma0, p.eps0), p.c2 * (o.variance - u)


def diffusion(x, o, c, p):
    return -p.sigma0 * ns.preconditioner(x[1], p.sigma0, p.eps0), 0.0


def gradient(theta, p):
    return math.tanh(theta / p.width)


def value(theta, p):
    return p.width * math.log(math.cosh(theta / p.width))


def variance(theta):
    return 1.0 + 0.5 * math.sin(2.0 * theta) ** 2


def sample(xi, p):
    return 1.0 if xi >= 0.0 else -1.0


def quadrature(nodes, p):
    return [-1.0, 1.0], [0.5, 0.5]


class Parts(NamedTuple):
    """What a study is made of; `alone` is the part whose process is timed alone, the optimizer's or the SDE's."""

    optimizer: ns.Optimizer = ns.rmsprop(**CONSTANTS)
    sde: ns.SDE = ns.rmsprop_sde()
    loss: ns.Loss = ns.quadratic(0.9)
    covariance: object = 1.0
    noise: ns.Noise = ns.gaussian()
    alone: str = "optimizer"

    def study(self):
        """Return a study of at most 8 steps by the coupled estimator."""
        oracle = ns.NGOS(self.loss, self.covariance, self.noise)
        settings = dict(initial=START, eta2=0.125, test_functions=["theta[0]"], estimator="coupled")
        return ns.ConvergenceStudy(oracle, self.optimizer, self.sde, **settings)

    def program(self, steps):
        """Return the program and inputs of the process alone."""
        is_sde = self.alone == "sde"
        rule = euler_maruyama(self.sde, self.optimizer) if is_sde else self.optimizer
        oracle, records = ns.NGOS(self.loss, self.covariance, self.noise), np.array([steps])
        part = Part(rule, ns.gaussian() if is_sde else self.noise, 1, H, self.optimizer.noise_scale(math.sqrt(H)))
        observed = observables(oracle, ["theta[0]"], rule.slots, 1, records)
        return assemble(oracle, [part], np.eye(1), observed, np.array([list(START.values())]), H, 0.0, records, 7)


ROWS = {  # part: (the user's functions, with the built-in, with the user's)
    "optimizer": ((step,), Parts(), Parts(ns.Optimizer("own", step, ("theta", "u"), **CONSTANTS))),
    "SDE": (
        (drift, diffusion),
        Parts(alone="sde"),
        Parts(sde=ns.SDE("own", drift, diffusion, ("theta", "u")), alone="sde"),
    ),
    "loss": ((gradient, value), Parts(loss=ns.log_cosh(1.5)), Parts(loss=ns.Loss("own", gradient, value, width=1.5))),
    "covariance": (
        (variance,),
        Parts(covariance=ns.sine_variance(1.0, 0.5, 2.0)),
        Parts(covariance=variance),
    ),
    "noise": (
        (sample, quadrature),
        Parts(noise=ns.rademacher()),
        Parts(noise=ns.Noise("own", sample, quadrature)),
    ),
}


def seconds(call, clock=time.perf_counter):
    begin = clock()
    call()
    return clock() - begin


def on_the_cpu(pair):
    """Return ns a step of each of two Parts, in turn, the best of ROUNDS."""
    programs = [each.program(STEPS) for each in pair]
    times = np.array(
        [
            [seconds(lambda made=made: cpu.run(*made, 0, CHUNKS, threads=1), time.process_time) for made in programs]
            for _ in range(ROUNDS)
        ]
    )
    return times[1:].min(axis=0) / (CHUNK * CHUNKS * STEPS) * 1e9


def in_python(parts):
    """Return microseconds a step of one trajectory in Python."""
    made = parts.program(IN_PYTHON)
    return min(seconds(lambda: python.trajectory(*made, 0), time.process_time) for _ in range(ROUNDS)) / IN_PYTHON * 1e6


def on_cuda(parts):
    """Return instructions a step and registers of the kernel in float32."""
    import machine_code

    from ngos_sim.engines.cuda.engine import Kernel

    usage = machine_code.assemble(machine_code.ptx(Kernel(*parts.program(STEPS), "f32").function, "f32"), GPU)
    return machine_code.step(usage.cubin).executed, usage.registers


def main():
    """Print a row a part: the user's, and the built-in's in parentheses."""
    print(f"{seconds(lambda: Parts().study().run(1024)):.1f} s to the first result of all, built-ins")
    print(f"{'':<11}{'lines':>6}{'first, s':>14}{'CPU, ns':>16}{'Python, us':>16}{'instructions':>16}{'registers':>12}")
    for name, (functions, *pair) in ROWS.items():
        lines = sum(len(inspect.getsource(each).splitlines()) for each in functions)
        builtin, own = (seconds(lambda each=each: each.study().run(1024)) for each in pair)
        fast, slow = on_the_cpu(pair)
        its, mine = map(in_python, pair)
        row = f"{name:<11}{lines:6d}{own:8.1f} ({builtin:3.1f}){slow:9.2f} ({fast:4.2f}){mine:9.0f} ({its:4.0f})"
        try:
            (few, held), (many, more) = (on_cuda(each) for each in pair)
        except ImportError:
            print(row)
        else:
            print(f"{row}{many:9.1f} ({few:4.1f}){more:6d} ({held:d})")


if __name__ == "__main__":
    if "--here" in sys.argv:
        main()
    else:
        with tempfile.TemporaryDirectory() as cache:
            env = {**os.environ, "NUMBA_CACHE_DIR": cache}
            sys.exit(subprocess.run([sys.executable, __file__, "--here"], env=env, check=False).returncode)
