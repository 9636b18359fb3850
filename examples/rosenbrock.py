"""Show: RMSprop and its SDE in Rosenbrock's valley, paths on the level sets and the weak error's table.

The paths are written out in scaled variables (docs/theory.md, "Scaled variables" and "The SDEs"), on one Brownian
motion W; the errors are the library's, of which `coupled` measures all where a loss does not separate.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
loss, start, sigma0, eps0, c2 = ns.rosenbrock(b=3.0, scale=0.25), np.array([-1.2, 1.0]), 0.3, 1.0, 1.3


def rmsprop(theta, u, h, dw):
    g, z = loss.gradient_at(theta), dw / np.sqrt(h)
    theta = theta - (h * g + sigma0 * dw) / (sigma0 * np.sqrt(u) + eps0)
    return theta, u + c2 * h * ((z + np.sqrt(h) * g / sigma0) ** 2 - u)


def sde(theta, u, h, dw):
    theta = theta - (h * loss.gradient_at(theta) + sigma0 * dw) / (sigma0 * np.sqrt(u) + eps0)
    return theta, u + c2 * h * (1.0 - u)


def path(step, h, fine, dw):
    x, found = (start, np.ones(2)), [start]
    for each in dw.reshape(-1, fine, 2).sum(axis=1):
        x = step(*x, h, each)
        found.append(x[0])
    return np.array(found).T


h, fine = 1 / 8, 32  # the SDE takes steps of h / 32
dw = np.sqrt(h / fine) * np.random.default_rng(4).normal(size=(24 * 8 * fine, 2))
x, y = np.meshgrid(np.linspace(-2.0, 2.2, 120), np.linspace(-1.0, 4.0, 120))
heights = [[loss.value_at(at) for at in zip(*rows, strict=True)] for rows in zip(x, y, strict=True)]
plt.contour(x, y, np.array(heights), levels=np.geomspace(0.02, 20.0, 12), colors="0.8")
plt.plot(*path(sde, h / fine, 1, dw), lw=0.8, label="SDE")
plt.plot(*path(rmsprop, h, fine, dw), ".", ms=5, label="RMSprop, $\\eta^2$ = 1/8")
plt.plot(1.0, 1.0, "k*")
plt.legend()
plt.savefig("rosenbrock.png", dpi=150)

study = ns.ConvergenceStudy(
    ns.NGOS(loss),
    ns.rmsprop(sigma0=sigma0, eps0=eps0, c2=c2),
    sde=ns.rmsprop_sde(),
    initial=dict(theta=start, u=1.0),
    steps=[8, 16, 32, 64, 128],
    horizon=1.0,
    times=[1.0],
    test_functions=["theta[1]", "theta[0]*theta[1]", "loss"],
)
result = study.run(trajectories, seed=0)
orders = result.order()
columns = ["test_function", "order", "ci_low", "ci_high", "constant", "constant_std_error", "verdict", "outside_theory"]
print(orders[orders.norm == "final"][columns].to_string(index=False))
print("outside the theory:", *study.outside_theory)
