"""Learn: is my SDE better than the published ones, where, and by how much? Every pair is compared on one stream."""

import sys

import matplotlib

matplotlib.use("Agg")
import ngos_sim as ns
from ngos_sim import preconditioner


def drift(x, o, c, p):
    _, u = x
    q = preconditioner(u, p.sigma0, p.eps0)
    step = q * (o.gradient + 0.5 * p.h * q * o.hessian_gradient)  # as in SGD's modified equation
    return -step, p.c2 * (o.variance + p.h * o.gradient**2 / p.sigma0**2 - u)  # u follows E w^2 of a step


def diffusion(x, o, c, p):
    return -p.sigma0 * preconditioner(x[1], p.sigma0, p.eps0), 0.0


mine = ns.SDE("mine", drift, diffusion, ("theta", "u"))
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic(0.9)),
    optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
    sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde(), mine],
    initial=dict(theta=1.2, u=1.0),
    eta2=[2.0**-k for k in range(3, 8)],
    horizon=1.0,
    test_functions=["theta[0]", "theta[0]^2", "u[0]"],
)
result = study.run(int(sys.argv[1]) if len(sys.argv) > 1 else 32_768, seed=0)
print(result.ranking())
result.plot("rank_sdes.png", kind="ranking")
