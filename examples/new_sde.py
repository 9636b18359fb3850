"""Learn: how to test an SDE of your own. Is (grad f)^2 in the second moment's drift a better model of RMSprop?"""

import sys

import matplotlib

matplotlib.use("Agg")
import ngos_sim as ns
from ngos_sim import preconditioner


def drift(x, o, c, p):
    _, u = x
    expected = o.variance + p.h * o.gradient**2 / p.sigma0**2  # E w^2 of a step: arXiv 2411.15958
    return -o.gradient * preconditioner(u, p.sigma0, p.eps0), p.c2 * (expected - u)


def diffusion(x, o, c, p):
    _, u = x
    return -p.sigma0 * preconditioner(u, p.sigma0, p.eps0), 0.0


mine = ns.SDE("with (grad f)^2", drift, diffusion, slots=("theta", "u"))  # its moments are found by probing it

study = ns.ConvergenceStudy(
    ns.NGOS(ns.linear(0.7)),
    optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
    sde=[ns.rmsprop_sde(), mine],
    initial=dict(theta=0.0, u=1.0),
    eta2=[2.0**-k for k in range(4, 10)],
    horizon=1.0,
    test_functions=["theta[0]", "u[0]"],
)
result = study.run(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, seed=0)
print(result.order())
result.plot("new_sde.png")
