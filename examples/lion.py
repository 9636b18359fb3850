"""Learn: how to bring an optimizer that is not here, and an SDE that nobody has published. Lion, by hand.

Algorithm 2 of arXiv 2302.06675 with sigma = sigma0 / eta and beta2 = 1 - c2 eta^2; the SDE has a second Brownian
motion, as a sign is only partly its noise: E z sign(z) = sqrt(2 / pi) (docs/theory.md, "Signs").
"""

import math
import sys

import matplotlib

matplotlib.use("Agg")
import ngos_sim as ns

RHO, REST = math.sqrt(2.0 / math.pi), math.sqrt(1.0 - 2.0 / math.pi)
trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000


def step(x, o, z, c, p):
    theta, m = x
    g = o.gradient + p.sigma0 / p.eta * z
    update = p.beta1 * m + (1.0 - p.beta1) * g
    return theta - p.eta * ns.sign(update), m + p.c2 * p.h * (g - m)


def drift(x, o, c, p):
    theta, m = x
    pull = o.gradient + p.beta1 / (1.0 - p.beta1) * m
    return -RHO / (p.sigma0 * math.sqrt(o.variance)) * pull, p.c2 * (o.gradient - m)


def diffusion(x, o, c, p):
    return (-RHO / math.sqrt(o.variance), p.c2 * p.sigma0), (-REST, 0.0)  # of W, which z is made of, and of B


constants = dict(sigma0=0.8, beta1=0.6, c2=1.3)
mine = (
    ns.Optimizer("my lion", step, ("theta", "m"), **constants),
    ns.SDE("mine", drift, diffusion, ("theta", "m"), channels=2),
)
for name, (optimizer, sde) in {"by hand": mine, "built in": (ns.lion(**constants), ns.lion_sde())}.items():
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.7)),
        optimizer,
        sde=sde,
        initial=dict(theta=0.4, m=-0.5),
        steps=[8, 16, 32, 64],
        horizon=1.0,
        times=[1.0],
        test_functions=["theta[0]^2", "m[0]", "theta[0]*m[0]"],
    )
    result = study.run(trajectories, seed=0)
    orders = result.order()
    columns = ["test_function", "order", "ci_low", "ci_high", "constant", "constant_std_error", "verdict"]
    print(name, orders[orders.norm == "final"][columns].to_string(index=False), sep="\n")
result.plot("lion.png")
