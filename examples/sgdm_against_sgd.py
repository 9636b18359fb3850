"""Learn: how near SGD with momentum is to SGD where 1 - beta = eta^alpha / 2 (after arXiv 2307.15196).

m' = beta m + (1 - beta) g, theta' = theta - eta m'. Published is a distance of at most O(sqrt(eta / (1 - beta))), the
order (1 - alpha) / 2 in eta. On a quadratic loss it is 1 - alpha (.25 from eta = 2^-14 on). SGD is taken by its
equation of order 2, from which it differs by O(eta^2).
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import ngos_sim as ns

ETA = [2.0**-k for k in range(6, 12)]


def step(x, o, z, c, p):
    theta, m = x
    m = m + c[0] * (o.gradient + p.sigma * z - m)
    return theta - p.h * m, m


def schedule(k, h, p):
    return (0.5 * h**p.alpha,)  # 1 - beta


def drift(x, o, c, p):
    return -o.gradient - 0.5 * p.h * o.hessian_gradient, 0.0  # m is not there in SGD: it stays


def diffusion(x, o, c, p):
    return -p.sigma * p.h**0.5, 0.0


figure, axes = plt.subplots(figsize=(6, 4.5))
print("alpha  1 - alpha   order of E theta, E theta^2, over the two finest eta")
for alpha in (0.0, 0.25, 0.5, 0.75):
    table = (
        ns.ConvergenceStudy(
            ns.NGOS(ns.quadratic(1.0)),
            ns.Optimizer("sgdm", step, ("theta", "m"), schedule, clock="eta", sigma=1.0, alpha=alpha),
            sde=ns.SDE("sgd", drift, diffusion, ("theta", "m")),
            initial=dict(theta=1.0, m=1.0),  # m at f'(theta)
            eta=ETA,
            horizon=1.0,
            times=[1.0],
            test_functions=["theta[0]", "theta[0]^2"],
        )
        .run(trajectories=20_480, seed=0)
        .table
    )
    errors = table.pivot(index="eta", columns="test_function", values="error").abs()
    slopes = np.log2(errors.iloc[1] / errors.iloc[0])
    print(f"{alpha:5g}  {1.0 - alpha:9g}   {slopes['theta[0]']:.2f}, {slopes['theta[0]^2']:.2f}")
    axes.loglog(errors.index, errors["theta[0]"], "o-", label=f"alpha = {alpha:g}: slope {slopes['theta[0]']:.2f}")
axes.set(xlabel="eta", ylabel="|E theta of SGDM - E theta of SGD|")
axes.legend()
figure.savefig("sgdm_against_sgd.png", dpi=150, bbox_inches="tight")
